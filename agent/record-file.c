/*
 * The records: what must be remembered of each pod, a file of JSON each in the run directory. They
 * outlive the agent, not the boot: deadlines in them are on the boot clock.
 */
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RECORD_VERSION = 1,
    RECORD_MAX = 4 << 20, /* a pod with hundreds of containers and long messages */
    RECORDS_MAX = 100000, /* files in the directory; a node has some hundred pods */
};

static const char *const suffix = ".json";

static void on_records_timer(struct wheel_timer *timer)
{
    records_write_due(container_of(timer, struct agent, records_timer));
}

int records_open(struct agent *agent, struct err *err)
{
    _cleanup_(fd_close_at) int run = directory_open(agent->config->run_dir, 0700, err);
    int r;

    list_init(&agent->records_due);
    wheel_timer_init(&agent->records_timer, on_records_timer);
    if (run < 0)
        return run;
    r = directory_make(run, "pods", 0700, err);
    if (r < 0)
        return r;
    agent->records =
        file_open_beneath(run, "pods", O_RDONLY | O_DIRECTORY, 0, FILE_LINKS_REFUSED, err);
    return agent->records < 0 ? agent->records : 0;
}

static void write_record(const struct agent_pod *pod, const struct pod_memory *memory,
                         struct strbuf *text)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    json_write_object(&writer);
    json_write_int_member(&writer, "version", RECORD_VERSION);
    json_write_string_member(&writer, "boot", pod->agent->parts.facts->boot_id);
    json_write_string_member(&writer, "namespace", pod->name_space);
    json_write_string_member(&writer, "name", pod->name);
    if (pod->told_uid)
        json_write_string_member(&writer, "toldUid", pod->told_uid);
    json_write_name(&writer, "memory");
    pod_memory_write(memory, &writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

static char *record_name(const struct agent_pod *pod)
{
    return mem_printf("%s%s", pod->uid, suffix);
}

static int save(struct agent_pod *pod, const struct pod_memory *memory, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    _cleanup_(mem_free_at) char *name = record_name(pod);
    struct file_contents contents = {
        .mode = 0600,
        .owner = FILE_OWNER_KEEP,
        .group = FILE_GROUP_KEEP,
        .fleeting = true, /* it is of this boot only */
    };
    uint64_t hash;
    int r;

    write_record(pod, memory, &text);
    hash = map_hash(text.text, text.length) | 1;
    if (hash == pod->record_hash)
        return 0;
    contents.bytes = text.text;
    contents.length = text.length;
    r = file_replace(pod->agent->records, name, &contents, err);
    if (r < 0)
        return err_prefix(err, "the record of pod %s/%s (nothing is begun without it)",
                          pod->name_space, pod->name);
    pod->record_hash = hash;
    return 0;
}

bool record_write(struct agent_pod *pod, const struct pod_memory *memory)
{
    struct err err;

    if (save(pod, memory, &err) == 0) {
        list_unlink(&pod->record_due);
        free(pod->record_trouble);
        pod->record_trouble = NULL;
        return true;
    }
    if (!str_equal(pod->record_trouble, err.text)) {
        free(pod->record_trouble);
        pod->record_trouble = mem_strdup(err.text);
        log_failure(LOG_LEVEL_ERROR, LOG_FIELDS({"POD", pod->name}), &err);
    }
    return false;
}

static void write_after(struct agent *agent, usec_t delay)
{
    wheel_arm(agent->parts.wheel, &agent->records_timer, usec_add(clock_boottime(), delay));
}

void record_write_soon(struct agent_pod *pod)
{
    struct agent *agent = pod->agent;

    if (list_empty(&pod->record_due))
        list_push_back(&agent->records_due, &pod->record_due);
    if (!wheel_timer_armed(&agent->records_timer))
        write_after(agent, RECORD_DELAY_USEC);
}

void records_write_due(struct agent *agent)
{
    list_for_each_safe (node, &agent->records_due) {
        struct agent_pod *pod = list_entry(node, struct agent_pod, record_due);

        record_write(pod, &pod->memory);
    }
    if (!list_empty(&agent->records_due))
        write_after(agent, RECORD_RETRY_USEC);
}

void record_remove(struct agent_pod *pod)
{
    _cleanup_(mem_free_at) char *name = record_name(pod);
    struct err err;

    if (tree_remove(pod->agent->records, name, &err) < 0)
        log_failure(LOG_LEVEL_WARNING, LOG_FIELDS({"POD", pod->name}), &err);
}

/* loading */

static const char *string_of(const struct json *document, const char *name, struct arena *arena)
{
    const struct json *value = json_get_string(document, name);

    return value ? arena_strndup(arena, value->text, value->length) : "";
}

static int adopt_record(struct agent *agent, const char *uid, const struct json *document,
                        struct arena *arena, struct err *err)
{
    const struct json *version = json_get(document, "version");
    const struct json *memory = json_get(document, "memory");
    const char *told = string_of(document, "toldUid", arena);
    struct agent_pod *pod;
    struct pod_memory read;
    int r;

    if (!version || !json_text_is(version, "1") || !memory)
        return err_set(err, -EBADMSG, "is not of version %d", RECORD_VERSION);
    if (!str_equal(string_of(document, "boot", arena), agent->parts.facts->boot_id))
        return err_set(err, -ESTALE, "is of another boot");
    r = pod_memory_read(memory, clock_boottime(), arena, &read, err);
    if (r < 0)
        return r;
    pod = pods_add_found(agent, uid, string_of(document, "namespace", arena),
                         string_of(document, "name", arena));
    pod->told_uid = str_empty(told) ? NULL : mem_strdup(told);
    pod_memory_copy(&pod->memory, &read, &pod->arena);
    return 0;
}

static int load_one(struct agent *agent, const char *name, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_findings findings = {0};
    struct json *document = NULL;
    int r = file_read_beneath(agent->records, name, FILE_LINKS_REFUSED, RECORD_MAX, &text, err);

    if (r < 0)
        return r;
    r = json_parse(&arena, text.text ? text.text : "", text.length, &json_limits_manifest,
                   &findings, &document, err);
    if (r < 0)
        return r;
    return adopt_record(agent, arena_strndup(&arena, name, strlen(name) - strlen(suffix)), document,
                        &arena, err);
}

void records_load(struct agent *agent)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct directory_listing listing = {0};
    struct err err;

    if (file_remove_temporaries(agent->records, ".", &err) < 0 ||
        directory_list(agent->records, ".", RECORDS_MAX, &arena, &listing, &err) < 0) {
        log_failure(LOG_LEVEL_ERROR, NULL, &err);
        return;
    }
    for (size_t i = 0; i < listing.count; i++) {
        const char *name = listing.items[i].name;

        if (!str_has_suffix(name, suffix) || strlen(name) == strlen(suffix))
            continue;
        if (load_one(agent, name, &err) == 0)
            continue;
        /* What it would have remembered, the runtime still shows for the most part. */
        log_notice("record %s/pods/%s is dropped: %s", agent->config->run_dir, name, err.text);
        tree_remove(agent->records, name, &err);
    }
}
