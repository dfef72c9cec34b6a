/* Pods whose probes are to be made: from the agent, or from a file. */
#include "client.h"
#include "command.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/yaml.h"
#include "nodeagent/sys/files.h"
#include "pods.h"
#include "probe.h"
#include "show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int unable(const struct err *err)
{
    show_failure("probe", err);
    return EXIT_UNABLE;
}

/* a pod that runs */

static struct named names_of(const struct json *pod, struct arena *arena)
{
    const struct json *metadata = json_get(pod, "metadata"), *spec = json_get(pod, "spec");

    return (struct named){
        .name_space = metadata ? answer_string(metadata, "namespace", arena) : NULL,
        .name = metadata ? answer_string(metadata, "name", arena) : NULL,
        .uid = metadata ? answer_string(metadata, "uid", arena) : NULL,
        .node = spec ? answer_string(spec, "nodeName", arena) : NULL,
    };
}

static const struct json *find_pod(const struct json *items, const struct probe_flags *flags,
                                   struct named *named, struct arena *arena)
{
    const struct json *found = NULL;

    for (uint32_t i = 0; i < items->length; i++) {
        struct named other = names_of(&items->items[i], arena);

        if (!name_means(flags->target, &other))
            continue;
        if (found) {
            usage_error(
                "probe", "\"%s\" may be pod %s/%s or %s/%s: name it by its namespace or UID",
                flags->target, named->name_space, named->name, other.name_space, other.name);
            return NULL;
        }
        found = &items->items[i];
        *named = other;
    }
    if (!found)
        usage_error("probe", "there is no pod \"%s\" on this node; nodeagent ps lists them",
                    flags->target);
    return found;
}

/* How its probes go is worth knowing, and no more: an agent that does not say is no hindrance. */
static void ask_for_runs(struct probe_errand *errand, const struct probe_flags *flags,
                         const struct named *named)
{
    struct client_request request = {.command = "probes"};
    struct answer *answer = arena_new(&errand->arena, struct answer);
    struct err err;

    request.pod = arena_printf(&errand->arena, "%s/%s", named->name_space, named->name);
    errand->agent = answer;
    if (client_fetch(answer, flags->run_dir, &request, &err) == 0)
        errand->agents = answer_array(answer->document, "probes");
}

int probe_pod_ask(struct probe_errand *errand, const struct probe_flags *flags)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    const struct json *items, *document;
    struct named named;
    struct err err;

    if (client_fetch(&answer, flags->run_dir, &(struct client_request){.command = "ps"}, &err) < 0)
        return unable(&err);
    items = answer_items(&answer, "PodList", &err);
    if (!items)
        return unable(&err);
    document = find_pod(items, flags, &named, &errand->arena);
    if (!document)
        return EXIT_USAGE;
    errand->pod = probe_order_pod(document, flags, NULL);
    if (!errand->pod)
        return EXIT_USAGE;
    ask_for_runs(errand, flags, &named);
    return EXIT_GOOD;
}

/* a pod in a file */

static int read_file(const struct probe_flags *flags, struct strbuf *text, struct err *err)
{
    char chunk[4096];
    size_t length;

    if (strcmp(flags->file, "-") != 0)
        return file_read(flags->file, JSON_BYTES_MAX, text, err);
    while (text->length <= JSON_BYTES_MAX && (length = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
        strbuf_add_bytes(text, chunk, length);
    if (ferror(stdin))
        return err_set(err, -EIO, "standard input cannot be read");
    if (text->length > JSON_BYTES_MAX)
        return err_set(err, -EFBIG, "standard input has more than the %d bytes allowed",
                       JSON_BYTES_MAX);
    return 0;
}

static bool is_pod(const struct json *document)
{
    const struct json *kind = json_get_string(document, "kind");

    return kind && json_text_is(kind, "Pod");
}

/* The first pod, and how many there are. JSON is YAML, too. */
static int read_pods(const struct strbuf *text, struct arena *arena, const struct json **pod,
                     struct json_findings *findings, struct err *err)
{
    struct yaml_stream stream = {.text = text->text ? text->text : "", .length = text->length};
    struct json *document;
    int pods = 0, r;

    if (yaml_is_json(stream.text, stream.length)) {
        r = json_parse(arena, stream.text, stream.length, &json_limits_manifest, findings,
                       &document, err);
        *pod = document;
        return r < 0 ? r : is_pod(document);
    }
    while ((r = yaml_next(&stream, arena, &json_limits_manifest, findings, &document, err)) > 0)
        if (is_pod(document) && !pods++)
            *pod = document;
    return r < 0 ? r : pods;
}

int probe_pod_load(struct probe_errand *errand, const struct probe_flags *flags)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_findings *findings = mem_new(struct json_findings);
    const struct json *document = NULL;
    struct json_place place;
    struct err err;
    int pods = 0, r = read_file(flags, &text, &err);

    if (r == 0)
        pods = read_pods(&text, &errand->arena, &document, findings, &err);
    place = json_place(text.text ? text.text : "", text.length, findings->error_offset);
    free(findings);
    if (r < 0)
        return unable(&err);
    if (pods < 0)
        return usage_error("probe", "%s:%u:%u: %s", flags->file, place.line, place.column,
                           err.text);
    if (pods != 1)
        return usage_error("probe", "%s: has %s pod; one is needed", flags->file,
                           pods ? "more than one" : "no");
    errand->pod = probe_order_pod(document, flags, flags->file);
    return errand->pod ? EXIT_GOOD : EXIT_USAGE;
}
