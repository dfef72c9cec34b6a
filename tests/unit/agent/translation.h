/*
 * What the tests of translations share: a node, pods read from YAML, ConfigMaps and Secrets, and
 * messages as texts that a test can compare.
 */
#pragma once

#include "../objects/fixture.h"

#include "translate-internal.h"

enum {
    TEST_OBJECTS_MAX = 4,
};

struct fixture {
    struct document document;
    struct document objects[TEST_OBJECTS_MAX];
    size_t object_count;
    struct arena arena;
    struct config config;
    struct node_facts node;
    struct resolv_conf host;
    struct translation translation;
    struct err err;
};

static inline const struct object *fixture_look_up(void *owner, const struct object_kind *kind,
                                                   const char *name_space, const char *name)
{
    struct fixture *test = owner;

    for (size_t i = 0; i < test->object_count; i++) {
        const struct object *object = test->objects[i].object;

        if (object->kind == kind && str_equal(object->metadata.name, name) &&
            str_equal(object->metadata.name_space, name_space))
            return object;
    }
    return NULL;
}

static inline struct string_list words(struct fixture *test, const char *text)
{
    struct string_list list = {0};

    while (*text) {
        size_t length = strcspn(text, " ");

        strings_add(&test->arena, &list, arena_strndup(&test->arena, text, length));
        text += length + (text[length] == ' ');
    }
    return list;
}

/* A node of 4 CPUs and 16 GiB with what kubeadm configures, and the pod. */
static inline void fixture_init(struct fixture *test, const char *yaml)
{
    *test = (struct fixture){.arena = ARENA_INIT_DOCUMENT};
    document_read(&test->document, yaml);
    assert_non_null(test->document.object);
    test->config = (struct config){
        .root_dir = "/var/lib/kubelet",
        .pod_logs_dir = "/var/log/pods",
        .resolv_conf = "/etc/resolv.conf",
        .cluster_dns = words(test, "10.0.0.10"),
        .cluster_domain = "cluster.local",
        .cgroup_root = "/",
        .cpu_cfs_quota = true,
        .cpu_cfs_quota_period = 100000,
    };
    test->node = (struct node_facts){
        .config = &test->config,
        .addresses = words(test, "192.0.2.1"),
        .memory_bytes = 16ll << 30,
        .swap_bytes = 8ll << 30,
        .cgroup_v2 = true,
        .swap_accounting = true,
        .hugepage_sizes = words(test, "1GB 2MB"),
        .cgroup_driver = CGROUP_DRIVER_CGROUPFS,
    };
    test->translation = (struct translation){
        .arena = &test->arena,
        .node = &test->node,
        .pod = pod_of(test->document.object),
        .pod_ips = words(test, "10.1.0.7"),
        .lookup = fixture_look_up,
        .lookup_owner = test,
    };
}

static inline void fixture_add(struct fixture *test, const char *yaml)
{
    assert_true(test->object_count < TEST_OBJECTS_MAX);
    document_read(&test->objects[test->object_count], yaml);
    assert_non_null(test->objects[test->object_count].object);
    test->object_count++;
}

static inline void fixture_deinit(struct fixture *test)
{
    for (size_t i = 0; i < test->object_count; i++)
        document_deinit(&test->objects[i]);
    document_deinit(&test->document);
    arena_deinit(&test->arena);
}

/* texts */

static inline const char *text_of(struct fixture *test, size_t count, char *const *list)
{
    struct string_list strings = {(const char **)list, count};
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        text = arena_printf(&test->arena, "%s%s%s", text, i ? " " : "", strings.items[i]);
    return text;
}

static inline const char *pairs_text(struct fixture *test, size_t count, Cri__Pair *const *pairs)
{
    const char *text = "";

    for (size_t i = 0; i < count; i++)
        text = arena_printf(&test->arena, "%s%s%s=%s", text, i ? " " : "", pairs[i]->key,
                            pairs[i]->value);
    return text;
}

/* "" when there is none. */
static inline const char *pair_of(size_t count, Cri__Pair *const *pairs, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(pairs[i]->key, name))
            return pairs[i]->value;
    return "";
}

/* The messages can be sent and arrive as they were. */
static inline void assert_sendable(const ProtobufCMessage *message)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = mem_alloc(length + 1), *again = mem_alloc(length + 1);
    ProtobufCMessage *read;

    assert_int_equal(protobuf_c_message_pack(message, packed), length);
    read = protobuf_c_message_unpack(message->descriptor, NULL, length, packed);
    assert_non_null(read);
    assert_int_equal(protobuf_c_message_pack(read, again), length);
    assert_memory_equal(packed, again, length);
    protobuf_c_message_free_unpacked(read, NULL);
    free(again);
    free(packed);
}

/* sandboxes */

static inline Cri__PodSandboxConfig *sandbox_of(struct fixture *test)
{
    Cri__PodSandboxConfig *sandbox;
    struct string_map warnings;

    if (translate_sandbox(&test->translation, &test->host, 0, &sandbox, &warnings, &test->err) < 0)
        fail_msg("%s", test->err.text);
    assert_sendable(&sandbox->base);
    return sandbox;
}

static inline void assert_sandbox_fails(struct fixture *test, const char *sentence)
{
    Cri__PodSandboxConfig *sandbox;
    struct string_map warnings;

    assert_true(
        translate_sandbox(&test->translation, &test->host, 0, &sandbox, &warnings, &test->err) < 0);
    assert_string_equal(test->err.text, sentence);
}

/* containers */

static inline struct container_order order_of(struct fixture *test, const char *name)
{
    struct pod_container_ref ref = pod_container_find(test->translation.pod, name);
    struct container_place *places;

    assert_non_null(ref.container);
    places = arena_array(&test->arena, struct container_place, ref.container->volume_mounts.count);
    for (size_t i = 0; i < ref.container->volume_mounts.count; i++)
        places[i].host_path =
            arena_printf(&test->arena, "/volumes/%s", ref.container->volume_mounts.items[i].name);
    return (struct container_order){
        .container = ref.container,
        .kind = ref.kind,
        .image_id = "sha256:0123",
        .places = places,
        .hosts_path = "/etc-hosts",
        .termination_path = "/termination",
    };
}

static inline Cri__ContainerConfig *container_of_order(struct fixture *test,
                                                       const struct container_order *order)
{
    Cri__ContainerConfig *config;

    if (translate_container(&test->translation, order, &config, &test->err) < 0)
        fail_msg("%s", test->err.text);
    assert_sendable(&config->base);
    return config;
}

static inline Cri__ContainerConfig *container_named(struct fixture *test, const char *name)
{
    struct container_order order = order_of(test, name);

    return container_of_order(test, &order);
}

static inline void assert_order_fails(struct fixture *test, const struct container_order *order,
                                      const char *sentence)
{
    Cri__ContainerConfig *config;

    assert_true(translate_container(&test->translation, order, &config, &test->err) < 0);
    assert_string_equal(test->err.text, sentence);
}

static inline void assert_container_fails(struct fixture *test, const char *name,
                                          const char *sentence)
{
    struct container_order order = order_of(test, name);

    assert_order_fails(test, &order, sentence);
}

/* One pod with container "a"; the text goes where the hole of the frame is. */
#define IN_CONTAINER                                                                               \
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1}, spec: {"           \
    "containers: [{name: a, image: busybox, %s}]}}"
#define IN_SPEC                                                                                    \
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1}, spec: {"           \
    "containers: [{name: a, image: busybox}], %s}}"

static inline void fixture_init_in(struct fixture *test, const char *frame, const char *text)
{
    char *yaml = fill_frame(frame, text);

    fixture_init(test, yaml);
    free(yaml);
}
