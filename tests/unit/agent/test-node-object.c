/* agent/node-object: a Node as it is created, as a turn finds it, and as it is taken over. */
#include "node-fixture.h"

#define CONDITION(type, status, reason, message)                                                   \
    "{\"type\":\"" type "\",\"status\":\"" status                                                  \
    "\",\"lastHeartbeatTime\":\"2026-01-02T03:04:05Z\",\"lastTransitionTime\":"                    \
    "\"2026-01-02T03:04:05Z\",\"reason\":\"" reason "\",\"message\":\"" message "\"}"

static void test_as_created(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node = node_object_new(&fixture->inputs, &fixture->trouble);

    assert_int_equal(fixture->trouble.code, 0);
    assert_string_equal(
        node_text_of(fixture, node),
        "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
        "\"name\":\"n\",\"labels\":{"
        "\"beta.kubernetes.io/arch\":\"amd64\",\"beta.kubernetes.io/"
        "os\":\"linux\","
        "\"kubernetes.io/arch\":\"amd64\",\"kubernetes.io/"
        "hostname\":\"n\","
        "\"kubernetes.io/os\":\"linux\"},\"annotations\":{"
        "\"volumes.kubernetes.io/"
        "controller-managed-attach-detach\":\"true\"}},\"status\":{"
        "\"capacity\":{\"cpu\":\"4\",\"ephemeral-storage\":"
        "\"264212084Ki\","
        "\"memory\":\"24684084Ki\",\"pods\":\"110\"},"
        "\"allocatable\":{\"cpu\":\"4\",\"ephemeral-storage\":"
        "\"264212084Ki\","
        "\"memory\":\"24684084Ki\",\"pods\":\"110\"},\"conditions\":"
        "[" CONDITION("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available") "," CONDITION(
            "DiskPressure", "False", "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure") "," CONDITION("PIDPressur"
                                                          "e",
                                                          "False",
                                                          "KubeletHasS"
                                                          "ufficientPI"
                                                          "D",
                                                          "kubelet "
                                                          "has "
                                                          "sufficient "
                                                          "PID "
                                                          "available") "," CONDITION("Ready",
                                                                                     "True",
                                                                                     "KubeletReady",
                                                                                     "kubelet is "
                                                                                     "posting "
                                                                                     "ready status") "],\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.0.0.5\"},"
                                                                                                     "{\"type\":\"Hostname\",\"address\":\"n\"}],"
                                                                                                     "\"daemonEndpoints\":{\"kubeletEndpoint\":{\"Port\":10250}},\"nodeInfo\":{"
                                                                                                     "\"machineID\":\"mid\",\"systemUUID\":\"sid\",\"bootID\":\"bid\","
                                                                                                     "\"kernelVersion\":\"6.1.0\",\"osImage\":\"Debian GNU/Linux 12 (bookworm)\","
                                                                                                     "\"containerRuntimeVersion\":\"containerd://v2.1.0\",\"kubeletVersion\":\"v1.36.2\","
                                                                                                     "\"kubeProxyVersion\":\"\",\"operatingSystem\":\"linux\",\"architecture\":\"amd64\"}}}");
    node_free(node);
}

/* By the server's own rules. */
static void test_it_is_valid(void **state)
{
    struct node_fixture *fixture = *state;
    struct taint taint = {.key = "gpu", .value = "yes", .effect = "NoExecute"};
    struct json document = {.type = JSON_OBJECT};
    struct node *node;
    struct report report;

    fixture->config.taints.items = &taint;
    fixture->config.taints.count = 1;
    fixture->machine.swap_bytes = 1024;
    fixture->inputs.declared_features = words(fixture, "A B/c");
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    report_init(&report, &document);
    object_validate(&node->object, &report);
    if (report.errors)
        fail_msg("%s: %s", report.findings.items[0].path, report.findings.items[0].message);
    report_deinit(&report);
    node_free(node);
}

/* check 8: what admission adds is not for the agent to send. */
static void test_labels_taints_and_provider(void **state)
{
    struct node_fixture *fixture = *state;
    struct string_pair labels[] = {{"a", "b"}, {"kubernetes.io/hostname", "other"}};
    struct taint taint = {.key = "gpu", .value = "yes", .effect = "NoExecute"};
    struct node *node;

    fixture->config.node_labels.items = labels;
    fixture->config.node_labels.count = 2;
    fixture->config.taints.items = &taint;
    fixture->config.taints.count = 1;
    fixture->config.provider_id = "cloud:///1";
    fixture->config.controller_attach_detach = false;
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_part(fixture, node, "\"kubernetes.io/hostname\":\"other\",");
    assert_part(fixture, node, "\"a\":\"b\"}},\"spec\":{"); /* there are no annotations */
    assert_part(fixture, node,
                "\"spec\":{\"providerID\":\"cloud:///1\",\"taints\":[{\"key\":\"gpu\",\"value\":"
                "\"yes\",\"effect\":\"NoExecute\"}]},");
    node_free(node);
}

static void test_with_a_cloud(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node;

    fixture->config.external_cloud = true;
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_part(fixture, node,
                "\"taints\":[{\"key\":\"node.cloudprovider.kubernetes.io/uninitialized\","
                "\"value\":\"true\",\"effect\":\"NoSchedule\"}]");
    assert_part(fixture, node, "\"addresses\":[{\"type\":\"Hostname\",\"address\":\"n\"}]");
    assert_no_part(fixture, node, "provided-node-ip");
    node_free(node);

    fixture->config.node_ip = words(fixture, "10.0.0.5 fd00::5");
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_part(fixture, node, "\"alpha.kubernetes.io/provided-node-ip\":\"10.0.0.5,fd00::5\"");
    node_free(node);
}

static void test_node_info(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *node;

    fixture->machine.swap_bytes = 1 << 30;
    fixture->runtime.name = "";
    fixture->config.kubernetes_version = "v1.34.0";
    fixture->inputs.port = 0;
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_part(fixture, node, "\"containerRuntimeVersion\":\"\",\"kubeletVersion\":\"v1.34.0\"");
    assert_part(fixture, node, "\"swap\":{\"capacity\":1073741824}");
    assert_no_part(fixture, node, "daemonEndpoints");
    node_free(node);
}

static void test_images(void **state)
{
    struct node_fixture *fixture = *state;
    struct node_image image = {.size_bytes = 7};
    struct node_image_list images = {&image, 1};
    struct node *node = node_object_new(&fixture->inputs, &fixture->trouble);

    assert_no_part(fixture, node, "\"images\""); /* not known yet */
    node_free(node);
    fixture->runtime.images = &images;
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_part(fixture, node, "\"images\":[{\"names\":[],\"sizeBytes\":7}]");
    node_free(node);
}

static void test_what_the_runtime_can_do(void **state)
{
    struct node_fixture *fixture = *state;
    struct runtime_handler_features both = {OPT_TRUE, OPT_FALSE};
    struct runtime_handler handlers[] = {{"runc", &both}, {"", &both}, {"gvisor", NULL}};
    struct node *node;

    fixture->runtime.handlers_known = true;
    fixture->runtime.handlers.items = handlers;
    fixture->runtime.handlers.count = array_size(handlers);
    fixture->runtime.features_known = true;
    fixture->inputs.declared_features = words(fixture, "A B");
    node = node_object_new(&fixture->inputs, &fixture->trouble);
    assert_part(
        fixture, node,
        "\"runtimeHandlers\":[{\"name\":\"\",\"features\":{\"recursiveReadOnlyMounts\":true,"
        "\"userNamespaces\":false}},{\"name\":\"gvisor\"},{\"name\":\"runc\",\"features\":{"
        "\"recursiveReadOnlyMounts\":true,\"userNamespaces\":false}}],"
        "\"features\":{\"supplementalGroupsPolicy\":false},\"declaredFeatures\":[\"A\",\"B\"]");
    node_free(node);
}

/* one that is there */

#define SEEN                                                                                       \
    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n\",\"uid\":\"u\","         \
    "\"labels\":{\"kubernetes.io/os\":\"linux\",\"kubernetes.io/arch\":\"s390x\","                 \
    "\"topology.kubernetes.io/zone\":\"a\",\"x\":\"y\"},\"annotations\":{\"k\":\"v\"}},"           \
    "\"spec\":{\"podCIDR\":\"10.1.0.0/"                                                            \
    "24\",\"taints\":[{\"key\":\"t\",\"effect\":\"NoExecute\"}]},"                                 \
    "\"status\":{\"capacity\":{\"cpu\":\"2\",\"hugepages-1Gi\":\"1Gi\",\"example.com/gpu\":\"3\"," \
    "\"memory\":\"1Gi\"},\"allocatable\":{\"cpu\":\"2\",\"example.com/old\":\"1\"},"               \
    "\"images\":[{\"names\":[\"i:1\"],\"sizeBytes\":1}],\"volumesInUse\":[\"v\"]}}"

/* check 9 */
static void test_adoption(void **state)
{
    struct node_fixture *fixture = *state;
    struct string_pair labels[] = {{"a", "b"}, {"topology.kubernetes.io/zone", "b"}};
    struct taint taint = {.key = "gpu", .effect = "NoExecute"};
    struct node *seen = node_read(fixture, SEEN), *node;
    const char *before = node_text_of(fixture, seen);

    fixture->config.node_labels.items = labels;
    fixture->config.node_labels.count = 2;
    fixture->config.taints.items = &taint;
    fixture->config.taints.count = 1;
    fixture->config.provider_id = "p";
    fixture->inputs.seen = seen;
    node = node_object_adopt(&fixture->inputs, &fixture->trouble);
    assert_part(fixture, node,
                "\"labels\":{\"kubernetes.io/os\":\"linux\",\"kubernetes.io/arch\":\"amd64\","
                "\"topology.kubernetes.io/zone\":\"b\",\"x\":\"y\",\"kubernetes.io/hostname\":"
                "\"n\",\"beta.kubernetes.io/os\":\"linux\",\"beta.kubernetes.io/arch\":\"amd64\"},"
                "\"annotations\":{\"k\":\"v\","
                "\"volumes.kubernetes.io/controller-managed-attach-detach\":\"true\"}}");
    assert_part(fixture, node,
                "\"taints\":[{\"key\":\"t\",\"effect\":\"NoExecute\"}]},\"status\":{");
    assert_part(fixture, node,
                "\"capacity\":{\"cpu\":\"4\",\"ephemeral-storage\":\"264212084Ki\",\"memory\":"
                "\"24684084Ki\",\"pods\":\"110\",\"example.com/gpu\":\"3\"},\"allocatable\":{"
                "\"cpu\":\"4\",\"ephemeral-storage\":\"264212084Ki\",\"memory\":\"24684084Ki\","
                "\"pods\":\"110\",\"example.com/gpu\":\"3\"}");
    node_free(node);

    fixture->machine.devices_remembered = false;
    fixture->config.controller_attach_detach = false;
    node = node_object_adopt(&fixture->inputs, &fixture->trouble);
    assert_part(fixture, node, "\"example.com/gpu\":\"0\"},\"allocatable\"");
    assert_part(fixture, node, "\"annotations\":{\"k\":\"v\"}");
    node_free(node);

    assert_string_equal(node_text_of(fixture, seen), before); /* what others hold stays as it is */
    node_free(seen);
}

static void test_a_turn(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *seen = node_read(fixture, SEEN), *node;
    const char *before = node_text_of(fixture, seen);
    struct node_image_list no_images = {0};
    struct string_list none = {0};

    fixture->config.controller_attach_detach = false;
    fixture->machine.devices_remembered = false;
    fixture->inputs.seen = seen;
    node = node_object_refresh(&fixture->inputs, &fixture->trouble);
    assert_part(fixture, node,
                "\"labels\":{\"kubernetes.io/os\":\"linux\",\"kubernetes.io/arch\":\"amd64\","
                "\"topology.kubernetes.io/zone\":\"a\",\"x\":\"y\"}");
    assert_part(fixture, node, "\"example.com/gpu\":\"3\"}"); /* only a start forgets devices */
    assert_part(fixture, node, "\"images\":[{\"names\":[\"i:1\"],\"sizeBytes\":1}]");
    assert_part(fixture, node, "\"volumesInUse\":[\"v\"]");
    node_free(node);

    fixture->inputs.volumes_in_use = &none;
    fixture->runtime.images = &no_images;
    node = node_object_refresh(&fixture->inputs, &fixture->trouble);
    assert_no_part(fixture, node, "\"images\"");
    assert_no_part(fixture, node, "volumesInUse");
    node_free(node);
    assert_string_equal(node_text_of(fixture, seen), before);
    node_free(seen);
}

static void test_texts_of_others(void **state)
{
    struct node_fixture *fixture = *state;
    char longer[NODE_TEXT_MAX + 10];

    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_string_equal(node_text(NULL, &fixture->arena), "");
    assert_string_equal(node_text("a\xc3\xb6\xffz", &fixture->arena), "a\xc3\xb6?z");
    assert_int_equal(strlen(node_text(longer, &fixture->arena)), NODE_TEXT_MAX);
    longer[NODE_TEXT_MAX - 1] = '\xc3';
    longer[NODE_TEXT_MAX] = '\xb6';
    assert_int_equal(strlen(node_text(longer, &fixture->arena)), NODE_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_node(test_as_created),
        with_node(test_it_is_valid),
        with_node(test_labels_taints_and_provider),
        with_node(test_with_a_cloud),
        with_node(test_node_info),
        with_node(test_images),
        with_node(test_what_the_runtime_can_do),
        with_node(test_adoption),
        with_node(test_a_turn),
        with_node(test_texts_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
