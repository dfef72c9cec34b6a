/*
 * Translations: the text up to the first NUL is a manifest, up to the next a resolv.conf, the rest
 * a seccomp profile. For a pod that is right there are messages that can be sent, or a sentence.
 */
#include "../../agent/translate-check.h"
#include "../../agent/translate.h"
#include "fuzz.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/yaml.h"

#include <stdlib.h>

enum {
    FUZZ_LIMIT_NODES = 20000,
    FUZZ_MEMORY_MAX = 64 << 20, /* of one translation; arguments may be 6 MiB, in doubling blocks */
};

static const struct json_limits limits = {.bytes_max = 1 << 20, .nodes_max = FUZZ_LIMIT_NODES};

static const struct object *look_up(void *owner, const struct object_kind *kind,
                                    const char *name_space, const char *name)
{
    return NULL;
}

static void check_message(const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = mem_alloc(length + 1);

    assert_that(protobuf_c_message_pack(message, packed) == length);
    free(packed);
}

static void check_env(const Cri__ContainerConfig *config)
{
    struct map seen = MAP_INIT;

    for (size_t i = 0; i < config->n_envs; i++)
        assert_that(!map_put(&seen, config->envs[i]->key, config->envs[i]));
    map_deinit(&seen);
}

static void check_mounts(const Cri__ContainerConfig *config)
{
    for (size_t i = 0; i < config->n_mounts; i++)
        assert_that(config->mounts[i]->container_path[0] && config->mounts[i]->host_path[0]);
}

static void check_container(const struct translation *translation,
                            const struct container *container)
{
    struct container_place *places =
        arena_array(translation->arena, struct container_place, container->volume_mounts.count);
    struct container_order order = {
        .container = container,
        .image_id = "sha256:0",
        .places = places,
        .hosts_path = "/hosts",
        .termination_path = "/termination",
        .target_id = "target",
    };
    Cri__ContainerConfig *config;
    struct err err = {0};
    int r = translate_check_capabilities(container, &err);

    for (size_t i = 0; i < container->volume_mounts.count; i++)
        places[i].host_path = "/volume";
    if (r == 0)
        r = translate_container(translation, &order, &config, &err);
    if (r < 0) {
        check_sentence(&err, r);
        return;
    }
    check_message(&config->base);
    check_env(config);
    check_mounts(config);
}

static void check_sandbox(const struct translation *translation, const struct resolv_conf *host)
{
    Cri__PodSandboxConfig *sandbox;
    struct string_map warnings;
    struct err err = {0};
    int r = translate_sandbox(translation, host, 0, &sandbox, &warnings, &err);

    if (r < 0) {
        check_sentence(&err, r);
        return;
    }
    assert_that(strlen(sandbox->hostname) <= 64);
    assert_that(sandbox->dns_config->n_servers <= 3 && sandbox->dns_config->n_searches <= 32);
    check_message(&sandbox->base);
}

static void check_pod(const struct pod *pod, struct arena *arena, const struct resolv_conf *host)
{
    struct config config = {
        .root_dir = "/root",
        .pod_logs_dir = "/logs",
        .resolv_conf = "/etc/resolv.conf",
        .cluster_domain = "cluster.local",
        .cgroup_root = "/",
        .cpu_cfs_quota = true,
        .cpu_cfs_quota_period = 100000,
        .limited_swap = true,
    };
    struct node_facts node = {
        .config = &config,
        .memory_bytes = 1ll << 34,
        .swap_bytes = 1ll << 33,
        .cgroup_v2 = true,
        .swap_accounting = true,
    };
    struct translation translation = {
        .arena = arena, .node = &node, .pod = pod, .static_pod = true, .lookup = look_up};

    check_sandbox(&translation, host);
    array_for_each (container, pod->spec.init_containers)
        check_container(&translation, container);
    array_for_each (container, pod->spec.containers)
        check_container(&translation, container);
}

static void check_manifest(const char *text, struct arena *arena, const struct resolv_conf *host)
{
    struct yaml_stream stream = {.text = text, .length = strlen(text)};
    struct arena document = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct report report;
    struct object *object;
    struct json *root;

    if (yaml_next(&stream, &document, &limits, &findings, &root, NULL) > 0) {
        report_init(&report, root);
        object = object_decode_as(&object_kind_pod, root, OBJECT_DROP_RAW, &report);
        if (object)
            object_validate(object, &report);
        if (object && !report.errors)
            check_pod(pod_of(object), arena, host);
        object_unref(object);
        report_deinit(&report);
    }
    arena_deinit(&document);
}

static void check_profile(const char *text, size_t length)
{
    struct strbuf unknown = STRBUF_INIT;
    struct err err = {0};
    int r = seccomp_profile_check(text, length, &unknown, &err);

    if (r < 0)
        check_sentence(&err, r);
    assert_that(unknown.length < 1024);
    strbuf_deinit(&unknown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size), *end = text + size;
    char *conf = text + MIN(strnlen(text, size) + 1, size);
    char *profile = conf + MIN(strlen(conf) + 1, (size_t)(end - conf));
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct resolv_conf host;
    struct err err = {0};
    int r = resolv_conf_parse(&arena, conf, strlen(conf), &host, &err);

    if (r < 0)
        check_sentence(&err, r);
    else
        check_manifest(text, &arena, &host);
    assert_that(arena_size(&arena) <= FUZZ_MEMORY_MAX);
    check_profile(profile, (size_t)(end - profile));
    arena_deinit(&arena);
    free(text);
    return 0;
}
