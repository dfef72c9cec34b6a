/* The records of attachments, in libcni's format. */
#include "cache.h"
#include "document.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "result.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIND "cniCacheV1"
/* Members that libcni passes over. */
#define OURS "nodeagent"
#define DELETING "nodeagentDeleting"

enum {
    ENTRY_BYTES_MAX = 4 << 20, /* base64 of the largest list, and the largest result */
};

static int results_open(const char *cache_dir, struct err *err)
{
    _cleanup_(mem_free_at) char *path = mem_printf("%s/results", cache_dir);

    return directory_open(path, 0700, err);
}

/* For reading: nothing is made. -ENOENT: there is none, and `err` says nothing. */
static int results_look(const char *cache_dir, struct err *err)
{
    _cleanup_(mem_free_at) char *path = mem_printf("%s/results", cache_dir);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory >= 0 || errno == ENOENT)
        return directory < 0 ? -ENOENT : directory;
    return err_set(err, -errno, "cannot list %s: %s", path, strerror(errno));
}

const char *cache_file_name(const struct cni_network *network,
                            const struct cni_attachment *attachment, struct arena *arena)
{
    return arena_printf(arena, "%s-%s-%s", network->name, attachment->container_id,
                        attachment->ifname);
}

/* writing */

/* "K=V;K=V" as [["K","V"],["K","V"]] */
static void write_args(struct json_writer *writer, const char *args)
{
    json_write_name(writer, "cniArgs");
    json_write_array(writer);
    while (*args) {
        size_t pair = strcspn(args, ";"), name = MIN(strcspn(args, "="), pair);
        size_t value = MIN(name + 1, pair);

        json_write_array(writer);
        json_write_bytes(writer, args, name);
        json_write_bytes(writer, args + value, pair - value);
        json_write_array_end(writer);
        args += pair;
        args += *args == ';';
    }
    json_write_array_end(writer);
}

struct record {
    const struct cni_network *network;
    const struct cni_attachment *attachment;
    const struct json *result;
    bool deleting;
};

static void write_entry(const struct record *record, struct strbuf *out)
{
    const struct cni_network *network = record->network;
    const struct cni_attachment *attachment = record->attachment;
    _cleanup_(strbuf_deinit) struct strbuf config = STRBUF_INIT;
    struct json_writer writer;

    base64_encode(&config, network->text.text, network->text.length);
    json_writer_init(&writer, out, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "kind", KIND);
    json_write_string_member(&writer, "containerId", attachment->container_id);
    json_write_string_member(&writer, "config", config.text);
    json_write_string_member(&writer, "ifName", attachment->ifname);
    json_write_string_member(&writer, "networkName", network->name);
    json_write_string_member(&writer, "netns", attachment->netns);
    if (attachment->args)
        write_args(&writer, attachment->args);
    if (attachment->capabilities) {
        json_write_name(&writer, "capabilityArgs");
        json_write_value(&writer, attachment->capabilities);
    }
    if (record->result) {
        json_write_name(&writer, "result");
        json_write_value(&writer, record->result);
    }
    json_write_bool_member(&writer, OURS, true);
    if (record->deleting)
        json_write_bool_member(&writer, DELETING, true);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

static int write_record(const char *cache_dir, const struct record *record, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(512, 512);
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    _cleanup_(fd_close_at) int directory = results_open(cache_dir, err);

    if (directory < 0)
        return directory;
    write_entry(record, &text);
    /* A machine that loses power loses what plugins did before the chain came to its end, too. */
    const struct file_contents contents = {
        .bytes = text.text,
        .length = text.length,
        .mode = 0600,
        .owner = FILE_OWNER_KEEP,
        .group = FILE_GROUP_KEEP,
        .fleeting = !record->result || record->deleting,
    };

    return file_replace(directory, cache_file_name(record->network, record->attachment, &arena),
                        &contents, err);
}

int cache_write(const char *cache_dir, const struct cni_network *network,
                const struct cni_attachment *attachment, const struct json *result, struct err *err)
{
    return write_record(cache_dir, &(struct record){network, attachment, result, false}, err);
}

int cache_mark_deleting(const char *cache_dir, const struct cni_network *network,
                        const struct cni_attachment *attachment, const struct json *result,
                        struct err *err)
{
    return write_record(cache_dir, &(struct record){network, attachment, result, true}, err);
}

int cache_remove(const char *cache_dir, const char *file, struct err *err)
{
    _cleanup_(fd_close_at) int directory = results_open(cache_dir, err);

    if (directory < 0)
        return directory;
    if (unlinkat(directory, file, 0) < 0 && errno != ENOENT)
        return err_set(err, -errno, "cannot remove %s/results/%s: %s", cache_dir, file,
                       strerror(errno));
    return 0;
}

int cache_tidy(const char *cache_dir, struct err *err)
{
    _cleanup_(fd_close_at) int directory = results_open(cache_dir, err);

    return directory < 0 ? directory : MIN(file_remove_temporaries(directory, ".", err), 0);
}

/* reading */

/* Pairs of strings; others are left out. */
static const char *read_args(const struct json *args, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    if (!args || args->type != JSON_ARRAY)
        return NULL;
    json_for_each (pair, args) {
        const char *name, *value;

        if (pair->type != JSON_ARRAY || pair->length != 2)
            continue;
        name = json_take_string(&pair->items[0], arena);
        value = json_take_string(&pair->items[1], arena);
        if (name && value)
            strbuf_printf(&text, "%s%s=%s", text.length ? ";" : "", name, value);
    }
    return arena_strndup(arena, text.text ? text.text : "", text.length);
}

static const char *read_config(const struct json *value, struct arena *arena)
{
    size_t length;
    char *text;

    if (!value || value->type != JSON_STRING || !value->length)
        return NULL;
    text = arena_strndup(arena, value->text, value->length);
    if (base64_decode(text, value->length, &length) < 0 || memchr(text, '\0', length))
        return NULL;
    text[length] = '\0';
    return text;
}

static bool is_yes(const struct json *value)
{
    return value && value->type == JSON_BOOL && value->boolean;
}

static bool read_entry(const struct json *root, const char *file, struct arena *arena,
                       struct cni_entry *entry)
{
    const struct json *kind = json_get_string(root, "kind"), *result = json_get(root, "result"),
                      *capabilities = json_get(root, "capabilityArgs");

    if (!kind || !json_text_is(kind, KIND))
        return false;
    *entry = (struct cni_entry){
        .file = file,
        .network = json_take_string(json_get(root, "networkName"), arena),
        .container_id = json_take_string(json_get(root, "containerId"), arena),
        .ifname = json_take_string(json_get(root, "ifName"), arena),
        .netns = json_take_string(json_get(root, "netns"), arena),
        .args = read_args(json_get(root, "cniArgs"), arena),
        .config = read_config(json_get(root, "config"), arena),
        .ours = is_yes(json_get(root, OURS)),
        .deleting = is_yes(json_get(root, DELETING)),
    };
    if (capabilities && capabilities->type == JSON_OBJECT)
        entry->capabilities = capabilities;
    if (result && result->type != JSON_NULL)
        result_check(arena, result, cni_versions[0], &entry->result, NULL);
    return entry->network && entry->container_id && entry->ifname;
}

static usec_t written_at(int directory, const char *file)
{
    struct stat status;

    if (fstatat(directory, file, &status, AT_SYMLINK_NOFOLLOW) < 0 || status.st_mtim.tv_sec < 0)
        return 0;
    return (usec_t)status.st_mtim.tv_sec * USEC_PER_SEC + (usec_t)status.st_mtim.tv_nsec / 1000;
}

static bool read_file(int directory, const char *file, struct arena *arena, struct cni_entry *entry)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct document document;
    usec_t written = written_at(directory, file);

    if (!(file_read_beneath(directory, file, FILE_LINKS_REFUSED, ENTRY_BYTES_MAX, &text, NULL) ==
              0 &&
          document_parse(&document, arena, file, text.text, text.length, NULL) == 0 &&
          read_entry(document.root, file, arena, entry)))
        return false;
    entry->written = written;
    return true;
}

static void directory_close_at(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

/* The next file whose name ends so (NULL: any), or NULL. */
static const char *next_file(DIR *stream, const char *suffix)
{
    struct dirent *item;

    while ((item = readdir(stream)))
        if (item->d_name[0] != '.' && (!suffix || str_has_suffix(item->d_name, suffix)))
            return item->d_name;
    return NULL;
}

/* Twice, to count and to read: others leave thousands of files here, whose names nobody wants. */
static int read_entries(const char *cache_dir, const char *suffix, struct arena *arena,
                        struct cni_entries *entries, struct err *err)
{
    _cleanup_(directory_close_at) DIR *stream = NULL;
    int directory = results_look(cache_dir, err);
    size_t count = 0;
    const char *name;

    *entries = (struct cni_entries){0};
    if (directory < 0)
        return directory == -ENOENT ? 0 : directory;
    stream = fdopendir(directory);
    assert_that(stream);
    while (next_file(stream, suffix))
        count++;
    if (count > CNI_ENTRIES_MAX)
        return err_set(err, -E2BIG, "%s/results has more than the %d entries allowed", cache_dir,
                       CNI_ENTRIES_MAX);
    entries->items.items = arena_array(arena, struct cni_entry, count);
    entries->unreadable.items = arena_array(arena, const char *, count);
    rewinddir(stream);
    for (; count && (name = next_file(stream, suffix)); count--) {
        const char *file = arena_strdup(arena, name);

        if (read_file(directory, file, arena, &entries->items.items[entries->items.count]))
            entries->items.count++;
        else
            entries->unreadable.items[entries->unreadable.count++] = file;
    }
    return 0;
}

int cache_read(const char *cache_dir, const char *file, struct arena *arena,
               struct cni_entry *entry, struct err *err)
{
    _cleanup_(fd_close_at) int directory = results_open(cache_dir, err);

    return directory < 0 ? directory : read_file(directory, file, arena, entry);
}

int cni_entries_load(const char *cache_dir, struct arena *arena, struct cni_entries *entries,
                     struct err *err)
{
    return read_entries(cache_dir, NULL, arena, entries, err);
}

int cache_find(const char *cache_dir, const struct cni_attachment *attachment, struct arena *arena,
               struct cni_entries *entries, struct err *err)
{
    const char *suffix =
        arena_printf(arena, "-%s-%s", attachment->container_id, attachment->ifname);

    return read_entries(cache_dir, suffix, arena, entries, err);
}
