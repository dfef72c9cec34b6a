/* The plugin that runtimes call: its verbs. */
#include "thick.h"
#include "document.h"
#include "failure.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct thick {
    const struct thick_call *call;
    struct arena arena;
    struct thick_config config;
    struct cni_setup setup;
    struct cni_attachment attachment;
    struct thick_network found;
    struct thick_report report;
    struct strbuf *out;
    struct strbuf *errors;
    size_t printed; /* of `out`, which stays there after a failure */
    struct cni_failure failure;
};

/* What plugins say on success is passed on; on failure it is part of the error. */
static void on_step(void *userdata, const struct cni_step *step)
{
    struct thick *thick = userdata;
    struct thick_report *report = &thick->report;
    struct thick_step *kept;

    if (!step->failure)
        strbuf_add_bytes(thick->errors, step->errors, step->errors_length);
    if (report->step_count == THICK_STEPS_MAX)
        return;
    kept = &report->steps[report->step_count++];
    kept->command = step->command;
    snprintf(kept->type, sizeof(kept->type), "%s", step->type);
    kept->wall_usec = step->wall_usec;
    kept->failed = step->failure;
}

/* Which network it is; other verbs than ADD and STATUS can do without. */
static int find(struct thick *thick)
{
    int r = thick_network_find(&thick->found, &thick->config, &thick->failure);

    thick->report.network = thick->found.network;
    thick->report.networks = &thick->found.networks;
    return r;
}

/* verbs */

static int add(struct thick *thick)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *version = thick->config.version;
    struct cni_failure undoing;
    struct err err;
    int r;

    if (thick->config.has_previous)
        return failure_set(&thick->failure, -EINVAL, CNI_CODE_CONFIG,
                           "%s must be the first plugin of its list", CNI_PROGRAM);
    r = find(thick);
    if (r == 0)
        r = cni_add(&thick->setup, thick->found.network, &thick->attachment, &text,
                    &thick->failure);
    if (r < 0)
        return r;
    r = cni_result_parse(&thick->arena, text.text, text.length, version, &thick->report.result,
                         &err);
    if (r == 0)
        r = cni_result_convert(thick->report.result, version, thick->out, &err);
    if (r == 0)
        return 0;
    cni_del(&thick->setup, thick->found.network, &thick->attachment, false, &undoing);
    return failure_from(&thick->failure, CNI_CODE_VERSION, &err);
}

static int del(struct thick *thick)
{
    find(thick);
    return cni_del(&thick->setup, thick->found.network, &thick->attachment, false, &thick->failure);
}

/* What cannot be checked is not wrong. */
static int check(struct thick *thick)
{
    int r;

    find(thick);
    r = cni_check(&thick->setup, thick->found.network, &thick->attachment, &thick->failure);
    return r == -EOPNOTSUPP ? 0 : r;
}

/* Networks older than 1.1.0 have nothing to ask; what can be seen from here goes for all. */
static int status(struct thick *thick)
{
    int r = find(thick), versions = 0;

    if (r == 0)
        versions = cni_check_versions(&thick->setup, thick->found.network, &thick->failure);
    if (r < 0 || cni_cannot_run(versions)) {
        thick->failure.code = CNI_CODE_UNAVAILABLE;
        return MIN(r, versions);
    }
    r = cni_status(&thick->setup, thick->found.network, &thick->failure);
    if (r == 0 && thick->config.report)
        thick_report_write(&thick->report, thick->out);
    return r;
}

static int bad_valid(struct thick *thick)
{
    return failure_set(&thick->failure, -EINVAL, CNI_CODE_CONFIG,
                       "GC needs \"cni.dev/valid-attachments\", a complete list of objects with "
                       "containerID and ifname");
}

static void write_count(struct json_writer *writer, const char *name, const struct cni_count *count)
{
    json_write_name(writer, name);
    json_write_object(writer);
    json_write_int_member(writer, "stale", (int64_t)count->stale);
    json_write_int_member(writer, "deleted", (int64_t)count->deleted);
    json_write_object_end(writer);
}

/* For the agent; the specification has nothing printed here. */
static void report(const struct cni_gc *gc, struct strbuf *out)
{
    const struct cni_count attachments = {gc->stale, gc->deleted};
    struct json_writer writer;

    json_writer_init(&writer, out, false);
    json_write_object(&writer);
    write_count(&writer, "attachments", &attachments);
    write_count(&writer, "namespaces", &gc->namespaces);
    write_count(&writer, "reservations", &gc->reservations);
    write_count(&writer, "rules", &gc->rules);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    strbuf_add_char(out, '\n');
}

static int gc(struct thick *thick)
{
    const struct json *list = thick->config.valid;
    struct cni_valid *valid;
    struct cni_gc what = {.spare = thick->config.spare};
    int r;

    /* No list is not the same as an empty one: all pods would lose their network. */
    if (!list || list->type != JSON_ARRAY)
        return bad_valid(thick);
    valid = arena_array(&thick->arena, struct cni_valid, list->length);
    json_for_each (item, list) {
        struct cni_valid *one = &valid[what.valid.count++];

        one->container_id = json_take_string(json_get_any_case(item, "containerID"), &thick->arena);
        one->ifname = json_take_string(json_get_any_case(item, "ifname"), &thick->arena);
        if (str_empty(one->container_id) || str_empty(one->ifname))
            return bad_valid(thick);
    }
    what.valid.items = valid;
    find(thick);
    r = cni_gc(&thick->setup, thick->found.network, &what, &thick->failure);
    if (thick->config.report)
        report(&what, thick->out);
    thick->printed = thick->out->length;
    return r;
}

static int version(struct thick *thick)
{
    struct json_writer writer;

    json_writer_init(&writer, thick->out, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "cniVersion", CNI_VERSION_NEWEST);
    json_write_name(&writer, "supportedVersions");
    json_write_array(&writer);
    for (size_t i = 0; cni_versions[i]; i++)
        json_write_string(&writer, cni_versions[i]);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct thick *thick);
} commands[] = {
    {"ADD", add}, {"DEL", del}, {"CHECK", check}, {"STATUS", status}, {"GC", gc},
};

/* running */

static int run_command(struct thick *thick)
{
    const struct thick_call *call = thick->call;
    int r;

    if (str_equal(call->command, "VERSION"))
        return version(thick);
    r = thick_config_read(&thick->config, &thick->arena, call, &thick->failure);
    if (r < 0)
        return r;
    thick->setup = (struct cni_setup){
        .bin_dirs = thick->config.bin_dirs,
        .cache_dir = thick->config.cache_dir,
        .timeout = thick->config.timeout,
        .trace = on_step,
        .userdata = thick,
    };
    thick->attachment = (struct cni_attachment){
        .container_id = call->container_id,
        .ifname = call->ifname,
        .netns = call->netns,
        .args = call->args,
        .capabilities = thick->config.capabilities,
    };
    for (size_t i = 0; i < array_size(commands); i++)
        if (str_equal(call->command, commands[i].name))
            return commands[i].run(thick);
    return failure_set(&thick->failure, -EINVAL, CNI_CODE_ENVIRONMENT, "unknown CNI_COMMAND: %s",
                       call->command ? call->command : "it is not set");
}

int thick_run(const struct thick_call *call, struct strbuf *out, struct strbuf *errors)
{
    usec_t began = clock_monotonic();
    struct thick *thick = mem_new(struct thick);
    int r;

    thick->call = call;
    thick->arena = ARENA_INIT_DOCUMENT;
    thick->config.version = CNI_VERSION_NEWEST;
    thick->out = out;
    thick->errors = errors;
    thick->report.call = call;
    r = run_command(thick);
    array_for_each (problem, thick->found.networks.problems)
        strbuf_printf(errors, "%s: %s\n", CNI_PROGRAM, *problem);
    if (r < 0) {
        strbuf_truncate(out, thick->printed);
        failure_write(&thick->failure, thick->config.version, out);
        thick->report.failure = &thick->failure;
    }
    thick->report.wall_usec = usec_sub(clock_monotonic(), began);
    if (thick->config.agent_socket)
        thick_tell(thick->config.agent_socket, &thick->report);
    thick_network_deinit(&thick->found);
    arena_deinit(&thick->arena);
    free(thick);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
