/* The builder of documents: see json-build.h. */
#include "json-build.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMBERS_SCANNED_MAX = 32, /* bigger objects look for duplicates with a map */
};

void json_build_init(struct json_build *build, struct arena *arena,
                     const struct json_limits *limits, struct json_findings *findings,
                     struct err *err)
{
    build->arena = arena;
    build->limits = limits;
    build->findings = findings;
    build->err = err;
    build->stack = NULL;
    build->count = build->space = build->nodes = build->bytes = 0;
    build->depth = 0;
}

void json_build_deinit(struct json_build *build)
{
    free(build->stack);
}

int json_build_count(struct json_build *build, size_t nodes, size_t bytes)
{
    build->nodes += nodes;
    build->bytes += bytes;
    if (build->nodes > build->limits->nodes_max)
        return err_set(build->err, -E2BIG, "more than %zu values in one document",
                       build->limits->nodes_max);
    if (build->bytes > build->limits->bytes_max)
        return err_set(build->err, -E2BIG, "more than %zu bytes of text in one document",
                       build->limits->bytes_max);
    return 0;
}

static struct json_frame *json_build_top(struct json_build *build)
{
    return build->depth ? &build->frames[build->depth - 1] : NULL;
}

static struct json_member *json_build_push(struct json_build *build)
{
    if (build->count == build->space)
        build->stack = mem_grow(build->stack, build->count, &build->space, sizeof(*build->stack));
    return &build->stack[build->count++];
}

int json_build_value(struct json_build *build, struct json value)
{
    struct json_frame *top = json_build_top(build);

    if (build->nodes++ >= build->limits->nodes_max)
        return json_build_count(build, 0, 0);
    if (top && top->object)
        build->stack[build->count - 1].value = value;
    else
        json_build_push(build)->value = value;
    return 0;
}

int json_build_name(struct json_build *build, const char *name, size_t length, size_t offset)
{
    struct json_member *member = json_build_push(build);

    member->name = name;
    member->name_length = (uint32_t)length;
    member->offset = (uint32_t)offset;
    return 0;
}

int json_build_open(struct json_build *build, enum json_type type, size_t offset)
{
    int result;

    if (build->depth == JSON_DEPTH_MAX)
        return err_set(build->err, -E2BIG, "nested deeper than %d levels", JSON_DEPTH_MAX);
    result = json_build_value(build, (struct json){.type = type, .offset = (uint32_t)offset});
    if (result < 0)
        return result;
    build->frames[build->depth++] = (struct json_frame){
        .slot = (uint32_t)build->count - 1,
        .start = (uint32_t)build->count,
        .object = type == JSON_OBJECT,
    };
    return 0;
}

struct json *json_build_close(struct json_build *build)
{
    struct json_frame *top = json_build_top(build);
    struct json_member *members = build->stack + top->start;
    struct json *container = &build->stack[top->slot].value;
    size_t count = build->count - top->start;

    container->length = (uint32_t)count;
    container->repeats = top->repeats;
    if (!count) {
        container->items = NULL;
    } else if (top->object) {
        container->members = arena_alloc(build->arena, count * sizeof(*members));
        memcpy(container->members, members, count * sizeof(*members));
    } else {
        container->items = arena_alloc(build->arena, count * sizeof(struct json));
        for (size_t i = 0; i < count; i++)
            container->items[i] = members[i].value;
    }
    build->count = top->start;
    build->depth--;
    return container;
}

/* "spec.containers[0].image": the way to the open object, then the name. */
static const char *json_build_path(struct json_build *build, const struct json_member *member)
{
    struct strbuf path = STRBUF_INIT;
    char *copy;

    for (unsigned i = 1; i < build->depth; i++) {
        const struct json_frame *frame = &build->frames[i], *outer = &build->frames[i - 1];

        if (outer->object) {
            const struct json_member *name = &build->stack[frame->slot];

            if (path.length)
                strbuf_add_char(&path, '.');
            strbuf_add_quoted(&path, name->name, name->name_length, 256);
        } else {
            strbuf_printf(&path, "[%u]", frame->slot - outer->start);
        }
    }
    if (path.length)
        strbuf_add_char(&path, '.');
    strbuf_add_quoted(&path, member->name, member->name_length, 256);
    copy = arena_strdup(build->arena, path.text ? path.text : "");
    strbuf_deinit(&path);
    return copy;
}

static bool same_name(const struct json_member *a, const struct json_member *b)
{
    return a->name_length == b->name_length && !memcmp(a->name, b->name, a->name_length);
}

static void json_build_duplicate(struct json_build *build, const struct json_member *earlier,
                                 const struct json_member *later)
{
    struct json_findings *findings = build->findings;

    if (earlier->value.inherited || later->value.inherited)
        return;
    if (findings->duplicate_count < JSON_DUPLICATES_MAX)
        findings->duplicates[findings->duplicate_count] = (struct json_duplicate){
            .path = json_build_path(build, later),
            .offset = later->offset,
            .earlier = earlier->offset,
        };
    findings->duplicate_count++;
}

/* A bit per name; two names that share a bit may be equal. */
static uint64_t name_bit(const struct json_member *member)
{
    unsigned hash = member->name_length;

    if (member->name_length)
        hash += (unsigned char)member->name[0] * 5u +
                (unsigned char)member->name[member->name_length - 1] * 17u +
                (unsigned char)member->name[member->name_length / 2] * 29u;
    return 1ull << (hash & 63);
}

/* Calls back for each member whose name came before. Returns their number. */
static size_t find_few(struct json_build *build, struct json_member *members, size_t count)
{
    uint64_t seen = 0;
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t bit = name_bit(&members[i]);

        if (seen & bit) {
            for (size_t j = i; j-- > 0;) {
                if (same_name(&members[i], &members[j])) {
                    json_build_duplicate(build, &members[j], &members[i]);
                    found++;
                    break;
                }
            }
        }
        seen |= bit;
    }
    return found;
}

static size_t find_many(struct json_build *build, struct json_member *members, size_t count)
{
    struct map names = MAP_INIT;
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        struct json_member *earlier =
            map_put_bytes(&names, members[i].name, members[i].name_length, &members[i]);

        if (earlier) {
            json_build_duplicate(build, earlier, &members[i]);
            found++;
        }
    }
    map_deinit(&names);
    return found;
}

/* Of members with one name only the last stays, in the place of the first. */
static size_t remove_earlier(struct json_member *members, size_t count)
{
    struct map places = MAP_INIT;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct json_member *place = map_get_bytes(&places, members[i].name, members[i].name_length);

        if (place) {
            *place = members[i];
        } else {
            members[kept] = members[i];
            map_put_bytes(&places, members[i].name, members[i].name_length, &members[kept]);
            kept++;
        }
    }
    map_deinit(&places);
    return kept;
}

void json_build_duplicates(struct json_build *build, bool keep_last)
{
    struct json_frame *top = json_build_top(build);
    struct json_member *members = build->stack + top->start;
    size_t count = build->count - top->start, found;

    if (count < 2)
        return;
    found = count <= MEMBERS_SCANNED_MAX ? find_few(build, members, count)
                                         : find_many(build, members, count);
    top->repeats = found && !keep_last;
    if (found && keep_last)
        build->count = top->start + remove_earlier(members, count);
}

bool json_build_inside(const struct json_build *build, const char *name)
{
    const struct json_member *member;

    if (build->depth < 2 || !build->frames[build->depth - 2].object)
        return false;
    member = &build->stack[build->frames[build->depth - 1].slot];
    return member->name_length == strlen(name) && !memcmp(member->name, name, strlen(name));
}

struct json *json_build_root(struct json_build *build)
{
    struct json *root = arena_alloc(build->arena, sizeof(*root));

    assert_that(!build->depth && build->count == 1);
    *root = build->stack[0].value;
    return root;
}
