/* volumes/payload: which files a volume has, and why it cannot have them. */
#include "volumes.h"

/* A pod with one volume v, and what it can look up. */
struct world {
    struct document pod;
    struct document objects[4];
    size_t count;
    const char *trouble; /* of looking an object up; NULL: none */
    const char *token;   /* NULL: it cannot be had */
    struct arena arena;
    struct volume_order order;
    struct err err;
};

static int find_object(void *owner, const struct object_kind *kind, const char *name,
                       const struct object **object, struct err *err)
{
    struct world *world = owner;

    if (world->trouble)
        return err_set(err, -ETIMEDOUT, "%s", world->trouble);
    for (size_t i = 0; i < world->count; i++) {
        *object = world->objects[i].object;
        if ((*object)->kind == kind && str_equal((*object)->metadata.name, name))
            return 0;
    }
    return -ENOENT;
}

static int find_field(void *owner, const struct field_reference *field, const char **value,
                      struct err *err)
{
    *value = "a field";
    return str_equal(field->field_path, "metadata.name") ||
                   str_equal(field->field_path, "metadata.labels")
               ? 0
               : err_set(err, -EINVAL, "unsupported fieldPath: %s", field->field_path);
}

static int find_resource(void *owner, const struct resource_reference *resource, const char **value,
                         struct err *err)
{
    *value = "250";
    return str_equal(resource->container_name, "a")
               ? 0
               : err_set(err, -ENOENT, "container %s not found", resource->container_name);
}

static int find_token(void *owner, const struct token_projection *token, const char **value,
                      struct err *err)
{
    struct world *world = owner;

    *value = world->token;
    return *value ? 0 : err_set(err, -EIO, "failed to fetch token: no");
}

static void world_init(struct world *world)
{
    static const char *const objects[] = {
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: one, b: two}, "
        "binaryData: {x: AAEC}}",
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {p: cGFzcw==}, stringData: {a: "
        "secret}}",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: empty}}",
    };

    *world = (struct world){.arena = ARENA_INIT_DOCUMENT, .token = "t0ken"};
    for (size_t i = 0; i < array_size(objects); i++)
        document_read(&world->objects[world->count++], objects[i]);
}

static void world_deinit(struct world *world)
{
    while (world->count)
        document_deinit(&world->objects[--world->count]);
    arena_deinit(&world->arena);
}

/* "a 644 one, x 400 secret", in their order; or the sentence. */
static char *files_of(const struct payload *payload)
{
    struct strbuf text = STRBUF_INIT;

    array_for_each (file, payload->files) {
        strbuf_printf(&text, "%s%s %o ", text.length ? ", " : "", file->path, file->mode);
        for (size_t i = 0; i < file->length; i++)
            strbuf_printf(&text, file->bytes[i] < ' ' ? "\\%d" : "%c", file->bytes[i]);
        if (file->owner >= 0)
            strbuf_printf(&text, " of %lld", (long long)file->owner);
    }
    return strbuf_take(&text);
}

#define POD                                                                                        \
    "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {securityContext: {%s}, "            \
    "containers: "                                                                                 \
    "[{name: a, image: a%s}, {name: b, image: a, securityContext: {runAsUser: 7}}], volumes: "     \
    "[{name: v, %s}]}}"

static char *fill_in(struct world *world, const char *pod_security, const char *container,
                     int64_t group, const char *source)
{
    char *yaml = mem_printf(POD, pod_security, container, source), *text;
    struct volume_sources sources = {world, find_object, find_field, find_resource, find_token};

    world->order = (struct volume_order){.name = "v", .group = group};
    document_read(&world->pod, yaml);
    assert_non_null(world->pod.object);
    if (volume_fill(pod_of(world->pod.object), &sources, &world->arena, &world->order,
                    &world->err) == 0)
        text = files_of(world->order.payload);
    else
        text = mem_strdup(world->err.text);
    document_deinit(&world->pod);
    free(yaml);
    return text;
}

struct fill_case {
    const char *source;
    const char *expected;
};

static void assert_fills(struct world *world, const struct fill_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = fill_in(world, "", "", -1, cases[i].source);
        const char *found = text, *failed = "MountVolume.SetUp failed for volume \"v\" : ";

        if (str_has_prefix(text, failed))
            found += strlen(failed);
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s\nexpected: %s\nfound:    %s", cases[i].source, cases[i].expected, found);
        free(text);
    }
}

#define LONG_NAME                                                                                  \
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"  \
    "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"  \
    "23456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"

static void test_objects(void **state)
{
    static const struct fill_case cases[] = {
        {"configMap: {name: c}", "a 644 one, b 644 two, x 644 \\0\\1\\2"},
        {"configMap: {name: c, defaultMode: 0400}", "a 400 one, b 400 two, x 400 \\0\\1\\2"},
        {"configMap: {name: c, items: [{key: a, path: deep/a, mode: 0755}, {key: x, path: x}]}",
         "deep/a 755 one, x 644 \\0\\1\\2"},
        {"configMap: {name: c, items: [{key: nil, path: nil}, {key: a, path: a}]}",
         "configmap references non-existent config key: nil"},
        {"configMap: {name: c, optional: true, items: [{key: nil, path: nil}, {key: a, path: a}]}",
         "a 644 one"},
        {"configMap: {name: empty}", ""},
        {"configMap: {name: none}", "configmap \"none\" not found"},
        {"configMap: {name: none, optional: true}", ""},
        {"configMap: {name: s}", "configmap \"s\" not found"},
        {"secret: {secretName: s}", "p 644 pass, a 644 secret"},
        {"secret: {secretName: s, items: [{key: p, path: p}]}", "p 644 pass"},
        {"secret: {secretName: s, items: [{key: nil, path: p}]}",
         "secret references non-existent secret key: nil"},
        {"secret: {secretName: c}", "secret \"c\" not found"},
        {"configMap: {name: c, items: [{key: a, path: n" LONG_NAME "}]}",
         "invalid path: filenames must be less than or equal to 255 characters"},
        {"configMap: {name: c, items: [{key: a, path: x}, {key: b, path: ./x/}]}", "x 644 two"},
        {"configMap: {name: c, items: [{key: a, path: x/y/z}, {key: b, path: x/y}]}",
         "x/y cannot be a file and the directory of x/y/z"},
    };
    struct world world;

    world_init(&world);
    assert_fills(&world, cases, array_size(cases));
    world.trouble = "failed to sync configmap cache: timed out waiting for the condition";
    assert_fills(&world, &(struct fill_case){"configMap: {name: c, optional: true}", world.trouble},
                 1);
    world_deinit(&world);
}

#define FIELD "{path: f, fieldRef: {fieldPath: metadata.labels}}"

static void test_fields(void **state)
{
    static const struct fill_case cases[] = {
        {"downwardAPI: {items: [" FIELD
         ", {path: r, mode: 0600, resourceFieldRef: {containerName: a, resource: limits.cpu}}]}",
         "f 644 a field, r 600 250"},
        {"downwardAPI: {items: [{path: f, fieldRef: {fieldPath: spec.x}}, {path: r, "
         "resourceFieldRef: {containerName: c, resource: limits.cpu}}]}",
         "[unsupported fieldPath: spec.x, container c not found]"},
        {"downwardAPI: {items: [{path: r, resourceFieldRef: {resource: limits.cpu}}]}",
         "the resourceFieldRef of r must name a container"},
        {"downwardAPI: {}", ""},
    };
    struct world world;

    world_init(&world);
    assert_fills(&world, cases, array_size(cases));
    world_deinit(&world);
}

static void test_projections(void **state)
{
    static const struct fill_case cases[] = {
        {"projected: {sources: [{configMap: {name: c, items: [{key: a, path: a, mode: 0444}]}}, "
         "{secret: {name: s}}, {downwardAPI: {items: [" FIELD "]}}, {serviceAccountToken: {path: "
         "token}}]}",
         "a 644 secret, p 644 pass, f 644 a field, token 644 t0ken"},
        {"projected: {sources: [{configMap: {name: nil}}, {secret: {name: nil}}, {configMap: "
         "{name: "
         "nil}}]}",
         "[configmap \"nil\" not found, secret \"nil\" not found]"},
        {"projected: {sources: [{configMap: {name: nil}}]}", "configmap \"nil\" not found"},
        {"projected: {sources: [{configMap: {name: nil, optional: true}}, {secret: {name: s, "
         "optional: true, items: [{key: nil, path: nil}, {key: p, path: p}]}}]}",
         "p 644 pass"},
        {"projected: {sources: [{clusterTrustBundle: {name: b, path: b}}]}",
         "clusterTrustBundle projections cannot be made by this version"},
        {"projected: {sources: []}", ""},
    };
    struct world world;

    world_init(&world);
    assert_fills(&world, cases, array_size(cases));
    world_deinit(&world);
}

struct owner_case {
    const char *pod;       /* its securityContext */
    const char *container; /* the first one's */
    int64_t group;
    const char *expected;
};

static void test_owners_of_tokens(void **state)
{
    static const struct owner_case cases[] = {
        {"", "", -1, "a 644 one, t 644 t0ken"}, /* b has a user, a has none */
        {"", ", securityContext: {runAsUser: 8}", -1, "a 644 one, t 644 t0ken"},
        {"", ", securityContext: {runAsUser: 7}", -1, "a 644 one, t 600 t0ken of 7"},
        {"runAsUser: 7", "", -1, "a 644 one, t 600 t0ken of 7"},
        {"", "", 4000, "a 644 one, t 640 t0ken"},
        {"runAsUser: 7", "", 4000, "a 644 one, t 640 t0ken of 7"},
    };
    struct world world;

    world_init(&world);
    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = fill_in(&world, cases[i].pod, cases[i].container, cases[i].group,
                             "projected: {sources: [{configMap: {name: c, items: [{key: a, path: "
                             "a}]}}, {serviceAccountToken: {path: t}}]}");

        assert_string_equal(text, cases[i].expected);
        free(text);
    }
    world.token = NULL;
    assert_fills(&world,
                 &(struct fill_case){"projected: {sources: [{serviceAccountToken: {path: t}}]}",
                                     "failed to fetch token: no"},
                 1);
    world_deinit(&world);
}

static void test_a_group_may_read(void **state)
{
    struct world world;
    char *text;

    world_init(&world);
    text = fill_in(&world, "", "", 4000, "secret: {secretName: s, defaultMode: 0400}");
    assert_string_equal(text, "p 440 pass, a 440 secret");
    free(text);
    world_deinit(&world);
}

/* A ConfigMap as large as it may be, many times. */
static void test_limits(void **state)
{
    struct strbuf yaml = STRBUF_INIT, source = STRBUF_INIT;
    char *bytes = letters('x', 1 << 20), *text;
    struct world world;

    world_init(&world);
    strbuf_printf(&yaml, "{apiVersion: v1, kind: ConfigMap, metadata: {name: big}, data: {a: %s}}",
                  bytes);
    document_read(&world.objects[world.count++], yaml.text);
    strbuf_add(&source, "projected: {sources: [");
    for (int i = 0; i < 65; i++)
        strbuf_printf(&source, "%s{configMap: {name: big, items: [{key: a, path: p%d}]}}",
                      i ? ", " : "", i);
    strbuf_add(&source, "]}");
    text = fill_in(&world, "", "", -1, source.text);
    assert_non_null(strstr(text, "more than the 67108864 allowed"));
    free(text);
    free(bytes);
    strbuf_deinit(&yaml);
    strbuf_deinit(&source);
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects),          cmocka_unit_test(test_fields),
        cmocka_unit_test(test_projections),      cmocka_unit_test(test_owners_of_tokens),
        cmocka_unit_test(test_a_group_may_read), cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
