/* agent/node-patch: what is sent of a change, and whether it is one. */
#include "node-fixture.h"

#include "node-patch.h"

#define NODE(metadata, status)                                                                     \
    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n\"" metadata               \
    "},\"status\":{" status "}}"

#define OLD "2025-01-01T00:00:00Z"
#define NEW "2026-01-02T03:04:05Z"
#define CONDITION(type, status, reason, heartbeat, transition)                                     \
    "{\"type\":\"" type "\",\"status\":\"" status "\",\"lastHeartbeatTime\":\"" heartbeat          \
    "\",\"lastTransitionTime\":\"" transition "\",\"reason\":\"" reason "\",\"message\":\"m\"}"
#define DISK(heartbeat) CONDITION("DiskPressure", "False", "r", heartbeat, OLD)
#define FOREIGN CONDITION("KernelDeadlock", "False", "r", OLD, OLD)

static const struct patch_case {
    const char *seen, *computed;
    const char *patch;
    bool worth_telling;
} cases[] = {
    {NODE("", ""), NODE("", ""), "{}", false},
    /* conditions */
    {NODE("", "\"conditions\":[" DISK(OLD) "," FOREIGN "]"),
     NODE("", "\"conditions\":[" DISK(NEW) "," FOREIGN "]"),
     "{\"status\":{\"$setElementOrder/conditions\":[{\"type\":\"DiskPressure\"},{\"type\":"
     "\"KernelDeadlock\"}],\"conditions\":[{\"type\":\"DiskPressure\",\"lastHeartbeatTime\":"
     "\"" NEW "\"}]}}",
     false},
    {NODE("", "\"conditions\":[" FOREIGN "," CONDITION("Ready", "False", "r", OLD, OLD) "]"),
     NODE("", "\"conditions\":[" FOREIGN "," CONDITION("Ready", "True", "s", NEW, NEW) "]"),
     "{\"status\":{\"$setElementOrder/conditions\":[{\"type\":\"KernelDeadlock\"},{\"type\":"
     "\"Ready\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastHeartbeatTime\":"
     "\"" NEW "\",\"lastTransitionTime\":\"" NEW "\",\"reason\":\"s\"}]}}",
     true},
    {NODE("", ""), NODE("", "\"conditions\":[" DISK(NEW) "]"),
     "{\"status\":{\"$setElementOrder/conditions\":[{\"type\":\"DiskPressure\"}],\"conditions\":"
     "[" DISK(NEW) "]}}",
     true},
    /* addresses, of which two may have one type */
    {NODE("", "\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.0.0.5\"}]"),
     NODE("", "\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.0.0.5\"},{\"type\":"
              "\"InternalIP\",\"address\":\"fd00::5\"}]"),
     "{\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.0.0.5\"},{\"type\":"
     "\"InternalIP\",\"address\":\"fd00::5\"},{\"$patch\":\"replace\"}]}}",
     true},
    /* whole lists, and what is gone */
    {NODE("", "\"images\":[{\"names\":[\"a\"],\"sizeBytes\":1}],\"volumesInUse\":[\"v\"],"
              "\"declaredFeatures\":[\"A\"],\"features\":{\"supplementalGroupsPolicy\":true}"),
     NODE("", "\"images\":[{\"names\":[\"b\"],\"sizeBytes\":2},{\"names\":[\"a\"],\"sizeBytes\":"
              "1}],\"runtimeHandlers\":[{\"name\":\"\"}],\"features\":{"
              "\"supplementalGroupsPolicy\":false}"),
     "{\"status\":{\"images\":[{\"names\":[\"b\"],\"sizeBytes\":2},{\"names\":[\"a\"],"
     "\"sizeBytes\":1}],\"runtimeHandlers\":[{\"name\":\"\"}],\"features\":{"
     "\"supplementalGroupsPolicy\":false},\"volumesInUse\":null,\"declaredFeatures\":null}}",
     true},
    /* resources */
    {NODE("", "\"capacity\":{\"cpu\":\"4\",\"example.com/foo\":\"1\",\"memory\":\"1Gi\"}"),
     NODE("", "\"capacity\":{\"cpu\":\"4\",\"memory\":\"2Gi\",\"pods\":\"110\"}"),
     "{\"status\":{\"capacity\":{\"memory\":\"2Gi\",\"pods\":\"110\",\"example.com/foo\":null},"
     "\"allocatable\":{\"memory\":\"2Gi\",\"pods\":\"110\",\"example.com/foo\":null}}}",
     true},
    {NODE("", "\"capacity\":{\"cpu\":\"4000m\",\"memory\":\"1024Mi\"}"),
     NODE("", "\"capacity\":{\"memory\":\"1Gi\",\"cpu\":\"4\"}"), "{}", false},
    /* structures are merged */
    {NODE("", "\"nodeInfo\":{\"machineID\":\"m\",\"bootID\":\"1\",\"swap\":{\"capacity\":5}},"
              "\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":1}}"),
     NODE("", "\"nodeInfo\":{\"machineID\":\"m\",\"bootID\":\"2\"},\"daemonEndpoints\":{"
              "\"kubeletEndpoint\":{\"Port\":2}}"),
     "{\"status\":{\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":2}},\"nodeInfo\":{"
     "\"bootID\":\"2\",\"swap\":null}}}",
     true},
    /* metadata: only labels and annotations */
    {NODE(",\"uid\":\"u\",\"labels\":{\"a\":\"1\",\"b\":\"2\"},\"annotations\":{\"k\":\"v\"}", ""),
     NODE(",\"labels\":{\"a\":\"1\",\"b\":\"3\",\"c\":\"\"}", ""),
     "{\"metadata\":{\"labels\":{\"b\":\"3\",\"c\":\"\"},\"annotations\":{\"k\":null}}}", true},
};

static void test_cases(void **state)
{
    struct node_fixture *fixture = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        struct node *seen = node_read(fixture, cases[i].seen);
        struct node *computed = node_read(fixture, cases[i].computed);
        _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;
        bool worth_telling = node_patch_write(seen, computed, &patch);

        assert_string_equal(patch.text, cases[i].patch);
        assert_int_equal(worth_telling, cases[i].worth_telling);
        node_free(seen);
        node_free(computed);
    }
}

/* The specification is never in it, whatever somebody else did to it. */
static void test_no_specification(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *seen = node_read(fixture, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":"
                                           "{\"name\":\"n\"},\"spec\":{\"unschedulable\":true}}");
    struct node *computed = node_read(fixture, NODE("", ""));
    _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;

    assert_false(node_patch_write(seen, computed, &patch));
    assert_string_equal(patch.text, "{}");
    node_free(seen);
    node_free(computed);
}

/* A Node with something in all its parts. */
static void fill(struct node_fixture *fixture)
{
    static struct huge_pages pages[] = {{1 << 30, 0}, {2 << 20, 2}};
    static struct node_image images[] = {{.size_bytes = 7}, {.size_bytes = 5}};
    static struct node_image_list image_list = {images, array_size(images)};
    static struct runtime_handler_features features = {OPT_TRUE, OPT_FALSE};
    static struct runtime_handler handlers[] = {{"runc", &features}, {"", NULL}};
    static struct string_list none;

    fixture->machine.huge_pages.items = pages;
    fixture->machine.huge_pages.count = array_size(pages);
    fixture->machine.swap_bytes = 1024;
    fixture->config.system_reserved = reserved(fixture, "cpu", "1500u");
    fixture->config.storage_threshold.ratio = 0.1f;
    fixture->config.node_ip = words(fixture, "10.0.0.5 fd00::5");
    images[0].names = words(fixture, "a:1 b:1");
    fixture->runtime.images = &image_list;
    fixture->runtime.handlers_known = fixture->runtime.features_known = true;
    fixture->runtime.handlers.items = handlers;
    fixture->runtime.handlers.count = array_size(handlers);
    fixture->inputs.volumes_in_use = &none;
    fixture->inputs.declared_features = words(fixture, "A B");
}

/* Turn after turn of an idle node: only heartbeats (checks 14 and 16). */
static void test_an_idle_node(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *seen;

    fill(fixture);
    seen = node_object_new(&fixture->inputs, &fixture->trouble);
    for (int turn = 0; turn < 10; turn++) {
        _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;
        struct node *computed;

        fixture->inputs.seen = seen;
        fixture->inputs.now_usec += 10 * (int64_t)USEC_PER_SEC;
        computed = node_object_refresh(&fixture->inputs, &fixture->trouble);
        if (node_patch_write(seen, computed, &patch))
            fail_msg("%s", patch.text);
        assert_true(str_has_prefix(patch.text, "{\"status\":{\"$setElementOrder/conditions\":"));
        assert_null(strstr(patch.text, "lastTransitionTime"));
        node_free(seen);
        seen = node_read(fixture, node_text_of(fixture, computed)); /* as it comes back */
        node_free(computed);
    }
    node_free(seen);
}

/* What a server drops is known by a patch that is the same each time. */
static void test_a_server_that_drops_a_field(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *kept, *told;

    fill(fixture);
    fixture->inputs.declared_features = (struct string_list){0};
    kept = node_object_new(&fixture->inputs, &fixture->trouble);
    fixture->inputs.declared_features = words(fixture, "A B");
    fixture->inputs.seen = kept;
    fixture->inputs.still = true;
    for (int turn = 0; turn < 2; turn++) {
        _cleanup_(strbuf_deinit) struct strbuf patch = STRBUF_INIT;

        fixture->inputs.now_usec += 10 * (int64_t)USEC_PER_SEC;
        told = node_object_refresh(&fixture->inputs, &fixture->trouble);
        assert_true(node_patch_write(kept, told, &patch));
        assert_string_equal(patch.text, "{\"status\":{\"declaredFeatures\":[\"A\",\"B\"]}}");
        node_free(told);
    }
    node_free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_node(test_cases),
        with_node(test_no_specification),
        with_node(test_an_idle_node),
        with_node(test_a_server_that_drops_a_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
