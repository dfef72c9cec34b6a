/*
 * The checkpoint's directory. It holds Secrets and tokens: directory and files are root's alone, or
 * nothing is read from them and nothing written there.
 */
#include "checkpoint.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_private(const struct stat *status, const char *name, struct err *err)
{
    if (status->st_uid != geteuid())
        return err_set(err, -EPERM,
                       "%s is user %u's: whoever that is could have any pod run here; remove it",
                       name, (unsigned)status->st_uid);
    if (status->st_mode & (S_IRWXG | S_IRWXO))
        return err_set(err, -EPERM,
                       "%s has mode %04o, so that others may have read it or written to it; remove "
                       "it, and replace the Secrets that were in it",
                       name, (unsigned)status->st_mode & 07777);
    return 0;
}

/* The descriptor, or a negative errno. */
static int open_directory(int root, struct err *err)
{
    int directory = file_open_beneath(root, CHECKPOINT_DIRECTORY, O_RDONLY | O_DIRECTORY, 0,
                                      FILE_LINKS_REFUSED, err);
    struct stat status;
    int r = directory;

    if (directory < 0)
        return r;
    r = fstat(directory, &status) < 0
            ? err_set(err, -errno, "cannot look at " CHECKPOINT_DIRECTORY ": %m")
            : check_private(&status, "the directory " CHECKPOINT_DIRECTORY, err);
    if (r == 0)
        return directory;
    fd_close_at(&directory);
    return r;
}

/* saving */

struct checkpoint_saving {
    struct arena arena;
    int root;
    struct map texts; /* name to struct strbuf, of the arena; of what stays: NULL as its text */
    size_t bytes;
    bool keeps_all;
    struct err err;
};

struct checkpoint_saving *checkpoint_saving_new(int root)
{
    struct checkpoint_saving *saving = mem_new(struct checkpoint_saving);

    saving->arena = ARENA_INIT(1024, 4096);
    saving->root = fd_duplicate(root);
    return saving;
}

void checkpoint_saving_keep(struct checkpoint_saving *saving, const char *name)
{
    if (!map_get(&saving->texts, name))
        map_put(&saving->texts, name, arena_new(&saving->arena, struct strbuf));
}

void checkpoint_saving_keep_all(struct checkpoint_saving *saving)
{
    saving->keeps_all = true;
}

void checkpoint_saving_write(struct checkpoint_saving *saving, const char *name,
                             struct strbuf *text)
{
    struct strbuf *kept;

    checkpoint_saving_keep(saving, name);
    kept = map_get(&saving->texts, name);
    saving->bytes += text->length - kept->length;
    strbuf_deinit(kept);
    *kept = *text;
    *text = STRBUF_INIT;
}

size_t checkpoint_saving_bytes(const struct checkpoint_saving *saving)
{
    return saving->bytes;
}

const struct err *checkpoint_saving_err(const struct checkpoint_saving *saving)
{
    return &saving->err;
}

void checkpoint_saving_free(void *argument)
{
    struct checkpoint_saving *saving = argument;
    struct map_entry *entry;

    for (size_t at = 0; (entry = map_next(&saving->texts, &at));)
        strbuf_deinit(entry->value);
    map_deinit(&saving->texts);
    fd_close_at(&saving->root);
    arena_deinit(&saving->arena);
    free(saving);
}

static int remove_others(const struct checkpoint_saving *saving, int directory, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct directory_listing listing = {0};
    int r = directory_list(directory, ".", CHECKPOINT_FILES_MAX, &arena, &listing, err);

    for (size_t i = 0; i < listing.count && r == 0; i++)
        if (!map_get(&saving->texts, listing.items[i].name))
            r = tree_remove(directory, listing.items[i].name, err);
    return r;
}

/* What an agent before wrote needs no writing. */
static bool is_there(int directory, const char *name, const struct strbuf *text)
{
    _cleanup_(strbuf_deinit) struct strbuf found = STRBUF_INIT;
    struct stat status;
    struct err ignored;

    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           check_private(&status, name, &ignored) == 0 && (size_t)status.st_size == text->length &&
           file_read_beneath(directory, name, FILE_LINKS_REFUSED, CHECKPOINT_FILE_MAX, &found,
                             &ignored) == 0 &&
           found.length == text->length && !memcmp(found.text, text->text, text->length);
}

static int write_all(const struct checkpoint_saving *saving, int directory, struct err *err)
{
    struct map_entry *entry;
    int r = 0;

    for (size_t at = 0; r == 0 && (entry = map_next(&saving->texts, &at));) {
        const struct strbuf *text = entry->value;
        struct file_contents contents = {
            .bytes = text->text,
            .length = text->length,
            .mode = 0600,
            .owner = FILE_OWNER_KEEP,
            .group = FILE_GROUP_KEEP,
        };

        if (text->length && !is_there(directory, entry->key, text))
            r = file_replace(directory, entry->key, &contents, err);
    }
    return r;
}

/* Removing first makes room. */
int checkpoint_save(void *argument)
{
    struct checkpoint_saving *saving = argument;
    struct err *err = &saving->err;
    int r = directory_make(saving->root, CHECKPOINT_DIRECTORY, 0700, err);
    _cleanup_(fd_close_at) int directory = r < 0 ? r : open_directory(saving->root, err);

    if (directory < 0)
        return directory;
    r = saving->keeps_all ? 0 : remove_others(saving, directory, err);
    return r < 0 ? r : write_all(saving, directory, err);
}

/* loading */

struct checkpoint_loaded *checkpoint_loaded_new(int root)
{
    struct checkpoint_loaded *loaded = mem_new(struct checkpoint_loaded);

    loaded->arena = ARENA_INIT_DOCUMENT;
    loaded->root = fd_duplicate(root);
    return loaded;
}

void checkpoint_loaded_free(void *argument)
{
    struct checkpoint_loaded *loaded = argument;

    checkpoint_file_deinit(&loaded->node);
    array_for_each (pod, loaded->pods)
        checkpoint_file_deinit(pod);
    fd_close_at(&loaded->root);
    arena_deinit(&loaded->arena);
    free(loaded);
}

static int read_file(struct checkpoint_loaded *loaded, int directory, const char *name,
                     size_t *bytes, struct checkpoint_file *file, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct stat status;
    int r;

    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return err_set(err, -errno, "cannot look at it: %m");
    r = check_private(&status, "the file", err);
    if (r == 0)
        r = file_read_beneath(directory, name, FILE_LINKS_REFUSED, CHECKPOINT_FILE_MAX, &text, err);
    if (r < 0)
        return r;
    *bytes += text.length;
    if (*bytes > CHECKPOINT_BYTES_MAX)
        return err_set(err, -EFBIG, "there is more than %d MiB in the checkpoint",
                       CHECKPOINT_BYTES_MAX >> 20);
    return checkpoint_read(text.text ? text.text : "", text.length, &loaded->arena, file, err);
}

/* Is it what its name says? */
static int check_pod(const struct checkpoint_file *file, const char *name, struct arena *arena,
                     struct err *err)
{
    const struct object *object = file->objects.count ? file->objects.items[0] : NULL;

    if (!object || object->kind != &object_kind_pod ||
        !str_equal(name, checkpoint_pod_file(object->metadata.uid, arena)))
        return err_set(err, -EBADMSG, "does not begin with the pod of its name");
    return 0;
}

static void take_pod(struct checkpoint_loaded *loaded, int directory, const char *name,
                     size_t *bytes)
{
    struct checkpoint_file file = {0};
    struct err err;
    int r = read_file(loaded, directory, name, bytes, &file, &err);

    if (r == 0)
        r = check_pod(&file, name, &loaded->arena, &err);
    if (r == 0) {
        loaded->pods.items[loaded->pods.count++] = file;
        return;
    }
    checkpoint_file_deinit(&file);
    strings_add(&loaded->arena, &loaded->problems,
                arena_printf(&loaded->arena, CHECKPOINT_DIRECTORY "/%s: %s; its pod is left out",
                             name, err.text));
}

int checkpoint_load(void *argument)
{
    struct checkpoint_loaded *loaded = argument;
    struct arena *arena = &loaded->arena;
    struct err *err = &loaded->err;
    struct directory_listing listing = {0};
    _cleanup_(fd_close_at) int directory = open_directory(loaded->root, err);
    size_t bytes = 0;
    int r = directory;

    if (r >= 0)
        r = directory_list(directory, ".", CHECKPOINT_FILES_MAX, arena, &listing, err);
    if (r < 0)
        return r;
    r = read_file(loaded, directory, CHECKPOINT_NODE_FILE, &bytes, &loaded->node, err);
    if (r == 0 && !loaded->node.heard)
        r = err_set(err, -EBADMSG, "does not say when the API server was heard of");
    if (r < 0)
        return err_prefix(err, CHECKPOINT_DIRECTORY "/" CHECKPOINT_NODE_FILE);
    loaded->pods.items = arena_array(arena, struct checkpoint_file, listing.count);
    for (size_t i = 0; i < listing.count; i++)
        if (str_has_prefix(listing.items[i].name, "pod-"))
            take_pod(loaded, directory, listing.items[i].name, &bytes);
    return 0;
}

int checkpoint_remove(void *argument)
{
    struct checkpoint_loaded *loaded = argument;

    return tree_remove(loaded->root, CHECKPOINT_DIRECTORY, &loaded->err);
}
