/*
 * Decoding a list of 500 pods like the one given, against yajl's bare parse of the same bytes in
 * the same run, and the memory that a decoded pod keeps. Prints `name value unit` lines.
 */
#include "nodeagent/base/json.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/objects/pod.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <yajl/yajl_parse.h>

enum {
    PODS = 500,
    ROUNDS = 31,
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static struct strbuf read_file(const char *path)
{
    struct strbuf text = STRBUF_INIT;
    char chunk[65536];
    size_t length;
    FILE *file = fopen(path, "r");

    if (!file) {
        fprintf(stderr, "bench-decode: %s: %m\n", path);
        exit(1);
    }
    while ((length = fread(chunk, 1, sizeof(chunk), file)) > 0)
        strbuf_add_bytes(&text, chunk, length);
    fclose(file);
    return text;
}

/* A list as the API server sends it: compact, its items without kind and apiVersion. */
static struct strbuf make_list(const struct strbuf *pod)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings *findings = mem_new(struct json_findings);
    struct strbuf list = STRBUF_INIT;
    struct json_writer writer;
    struct json *document;

    assert_that(json_parse(&arena, pod->text, pod->length, &json_limits_manifest, findings,
                           &document, NULL) == 0);
    json_writer_init(&writer, &list, false);
    json_write_object(&writer);
    json_write_name(&writer, "kind");
    json_write_string(&writer, "PodList");
    json_write_name(&writer, "items");
    json_write_array(&writer);
    for (int i = 0; i < PODS; i++) {
        json_write_object(&writer);
        for (uint32_t j = 0; j < document->length; j++) {
            const struct json_member *member = &document->members[j];

            if (!strncmp(member->name, "kind", member->name_length) ||
                !strncmp(member->name, "apiVersion", member->name_length))
                continue;
            json_write_bytes(&writer, member->name, member->name_length);
            json_write_value(&writer, &member->value);
        }
        json_write_object_end(&writer);
    }
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    arena_deinit(&arena);
    free(findings);
    return list;
}

static double parse_bare(const struct strbuf *list)
{
    double start = now_ms();
    yajl_handle yajl = yajl_alloc(NULL, NULL, NULL);

    assert_that(yajl_parse(yajl, (const unsigned char *)list->text, list->length) ==
                    yajl_status_ok &&
                yajl_complete_parse(yajl) == yajl_status_ok);
    yajl_free(yajl);
    return now_ms() - start;
}

static double decode(const struct strbuf *list, struct object **pods)
{
    double start = now_ms();
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings *findings = mem_new(struct json_findings);
    struct json_limits limits = {
        .bytes_max = 64 << 20, .nodes_max = 10000000, .skip = "managedFields"};
    struct report report;
    struct json *document;
    const struct json *items;

    assert_that(json_parse(&arena, list->text, list->length, &limits, findings, &document, NULL) ==
                0);
    items = json_get(document, "items");
    report_init(&report, document);
    for (uint32_t i = 0; i < items->length; i++) {
        pods[i] = object_decode_as(&object_kind_pod, &items->items[i], OBJECT_DROP_RAW, &report);
        assert_that(pods[i]);
    }
    assert_that(!report.errors && !report.warnings);
    report_deinit(&report);
    arena_deinit(&arena);
    free(findings);
    return now_ms() - start;
}

static void free_pods(struct object **pods)
{
    for (int i = 0; i < PODS; i++)
        pods[i] = object_unref(pods[i]);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), compare);
    return values[ROUNDS / 2];
}

static double pod_bytes(const struct strbuf *list, struct object **pods)
{
    struct mallinfo2 before, after;

    decode(list, pods);
    free_pods(pods);
    before = mallinfo2();
    decode(list, pods);
    after = mallinfo2();
    free_pods(pods);
    return (double)(after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / PODS;
}

int main(int argc, char **argv)
{
    struct object *pods[PODS];
    double bare[ROUNDS], decoded[ROUNDS], ratio[ROUNDS], bare_ms, decoded_ms;

    if (argc != 2) {
        fprintf(stderr, "Usage: bench-decode POD.json\n");
        return 2;
    }
    struct strbuf pod = read_file(argv[1]), list = make_list(&pod);

    for (int i = 0; i < ROUNDS; i++) {
        bare[i] = parse_bare(&list);
        decoded[i] = decode(&list, pods);
        free_pods(pods);
        ratio[i] = decoded[i] / bare[i]; /* of neighbours: the machine's mood is the same */
    }
    bare_ms = median(bare);
    decoded_ms = median(decoded);
    printf("decode-list-size %zu bytes\n", list.length);
    printf("decode-yajl-bare %.1f MB/s\n", (double)list.length / bare_ms / 1e3);
    printf("decode-pods %.1f MB/s\n", (double)list.length / decoded_ms / 1e3);
    printf("decode-ratio %.2f x\n", median(ratio));
    printf("decode-pod-memory %.0f bytes\n", pod_bytes(&list, pods));
    strbuf_deinit(&list);
    strbuf_deinit(&pod);
    return 0;
}
