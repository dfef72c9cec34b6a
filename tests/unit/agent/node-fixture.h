/* What tests of the Node object share: a machine, its network and its runtime, which a test changes
 * as it likes; reading Nodes and comparing parts of them. */
#pragma once

#include "test.h"

#include "node-object-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1767323045) /* 2026-01-02T03:04:05Z */

struct node_fixture {
    struct arena arena;
    struct config config;
    struct node_machine machine;
    struct interface_address addresses[4];
    struct node_network network;
    struct node_runtime runtime;
    struct node_inputs inputs;
    struct err trouble;
};

static inline struct interface_address address_of(const char *interface, const char *address,
                                                  bool usable)
{
    return (struct interface_address){interface, address, address_is_v6(address), usable};
}

static inline int set_up(void **state)
{
    static struct node_fixture fixture;

    fixture = (struct node_fixture){
        .arena = ARENA_INIT_DOCUMENT,
        .config =
            {
                .node_name = "n",
                .max_pods = 110,
                .local_storage_isolation = true,
                .controller_attach_detach = true,
                .kubernetes_version = "v1.36.2",
                .node_status_images_max = 50,
            },
        .machine =
            {
                .machine_id = "mid",
                .system_uuid = "sid",
                .boot_id = "bid",
                .kernel_version = "6.1.0",
                .os_image = "Debian GNU/Linux 12 (bookworm)",
                .architecture = "amd64",
                .cpus = 4,
                .memory_bytes = INT64_C(24684084) << 10,
                .storage_bytes = INT64_C(264212084) << 10,
                .devices_remembered = true,
            },
        .addresses =
            {
                address_of("lo", "127.0.0.1", false),
                address_of("eth0", "10.0.0.5", true),
                address_of("eth0", "fd00::5", true),
                address_of("eth1", "192.168.1.5", true),
            },
        .runtime =
            {
                .name = "containerd",
                .version = "v2.1.0",
                .ready = {.told = true, .good = true},
                .network = {.told = true, .good = true},
            },
    };
    fixture.network.addresses.items = fixture.addresses;
    fixture.network.addresses.count = array_size(fixture.addresses);
    fixture.network.gateway_v4 = "10.0.0.5";
    fixture.network.gateway_v6 = "fd00::5";
    fixture.inputs = (struct node_inputs){
        .config = &fixture.config,
        .machine = &fixture.machine,
        .network = &fixture.network,
        .runtime = &fixture.runtime,
        .port = 10250,
        .now_usec = NOW * 1000000 + 678901,
    };
    *state = &fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct node_fixture *fixture = *state;

    arena_deinit(&fixture->arena);
    return 0;
}

#define with_node(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* "a b" as a list. */
static inline struct string_list words(struct node_fixture *fixture, const char *text)
{
    struct string_list list = {0};
    char *copy = arena_strdup(&fixture->arena, text), *rest, *word;

    for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        strings_add(&fixture->arena, &list, word);
    return list;
}

static inline struct quantity amount(const char *text)
{
    struct quantity quantity;
    struct err err;

    assert_int_equal(quantity_parse(text, strlen(text), &quantity, &err), 0);
    return quantity;
}

static inline struct quantity_map reserved(struct node_fixture *fixture, const char *name,
                                           const char *text)
{
    struct quantity_map map = {.items = arena_new(&fixture->arena, struct quantity_pair),
                               .count = 1};

    map.items[0] = (struct quantity_pair){name, amount(text)};
    return map;
}

/* A Node as the API server has it; the caller's reference. */
static inline struct node *node_read(struct node_fixture *fixture, const char *text)
{
    struct json_findings *findings = arena_new(&fixture->arena, struct json_findings);
    struct object *object;
    struct report report;
    struct json *root;
    struct err err;

    if (json_parse(&fixture->arena, text, strlen(text), &json_limits_manifest, findings, &root,
                   &err) < 0)
        fail_msg("%s: %s", err.text, text);
    report_init(&report, root);
    object = object_decode(root, OBJECT_DROP_RAW, &report);
    if (!object)
        fail_msg("%s: %s", text, report.findings.items[0].message);
    report_deinit(&report);
    return node_of(object);
}

static inline const char *node_text_of(struct node_fixture *fixture, const struct node *node)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    object_encode(&node->object, &writer);
    json_writer_deinit(&writer);
    return arena_strndup(&fixture->arena, text.text, text.length);
}

/* The Node's JSON contains `part`; "" is in all. */
static inline void assert_part(struct node_fixture *fixture, const struct node *node,
                               const char *part)
{
    const char *text = node_text_of(fixture, node);

    if (!strstr(text, part))
        fail_msg("no %s\nin %s", part, text);
}

static inline void assert_no_part(struct node_fixture *fixture, const struct node *node,
                                  const char *part)
{
    const char *text = node_text_of(fixture, node);

    if (strstr(text, part))
        fail_msg("there is %s\nin %s", part, text);
}

static inline void node_free(struct node *node)
{
    object_unref(&node->object);
}
