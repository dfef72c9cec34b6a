/* cni/request: what a plugin gets on stdin. */
#include "cni-fixture.h"

#include "plugin.h"

static void request_is(const char *plugin, const char *capabilities, const char *previous,
                       const char *expected)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    _cleanup_(mem_free_at) char *text =
        mem_printf("{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"plugins\":[%s]}", plugin);
    _cleanup_(cni_network_free_at) struct cni_network *network = network_of(text);
    struct cni_attachment attachment = attachment_of("c1");
    const struct plugin_call call = {
        .network = network,
        .plugin = &network->plugins.items[0],
        .attachment = &attachment,
        .previous = previous ? json_of(&arena, previous) : NULL,
    };

    attachment.capabilities = capabilities ? json_of(&arena, capabilities) : NULL;
    request_write(&call, &out);
    assert_string_equal(out.text, expected);
}

#define HEAD "{\"cniVersion\":\"0.4.0\",\"name\":\"n\","

static void test_check_13_the_plugins_object_as_it_was_written(void **state)
{
    request_is("{\"type\":\"a\",\"big\":12345678901234567890,\"one\":1.0,\"s\":\"\\u00e9\\n\","
               "\"x\":1,\"x\":[null,{\"y\":true}]}",
               NULL, NULL,
               HEAD "\"type\":\"a\",\"big\":12345678901234567890,\"one\":1.0,\"s\":\"é\\n\","
                    "\"x\":[null,{\"y\":true}]}");
}

static void test_the_callers_members_are_replaced(void **state)
{
    request_is("{\"type\":\"a\",\"name\":\"x\",\"Name\":\"y\",\"cniVersion\":\"9\","
               "\"prevResult\":{},\"runtimeConfig\":{\"mac\":\"x\"},\"cni.dev/attachments\":[]}",
               NULL, "{\"ips\":[],\"new\":1}",
               HEAD "\"type\":\"a\",\"prevResult\":{\"ips\":[],\"new\":1}}");
}

static void test_check_11_capabilities_are_a_filter(void **state)
{
    request_is(
        "{\"type\":\"a\",\"capabilities\":{\"portMappings\":true,\"dns\":false,\"mac\":true}}",
        "{\"portMappings\":[{\"HostPort\":80}],\"dns\":{},\"bandwidth\":{}}", NULL,
        HEAD "\"type\":\"a\",\"capabilities\":{\"portMappings\":true,\"dns\":false,"
             "\"mac\":true},\"runtimeConfig\":{\"portMappings\":[{\"HostPort\":80}]}}");
    request_is("{\"type\":\"a\",\"capabilities\":{\"ips\":true}}", "{\"dns\":{}}", NULL,
               HEAD "\"type\":\"a\",\"capabilities\":{\"ips\":true}}");
    request_is("{\"type\":\"a\"}", "{\"dns\":{}}", NULL, HEAD "\"type\":\"a\"}");
}

static void test_valid_attachments(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    _cleanup_(cni_network_free_at) struct cni_network *network =
        network_of("{\"name\":\"n\",\"cniVersion\":\"1.1.0\",\"plugins\":[{\"type\":\"a\"}]}");
    const struct cni_valid items[] = {{"c1", "eth0"}};
    const struct valid_list valid = {items, 1};
    const struct plugin_call call = {
        .network = network,
        .plugin = &network->plugins.items[0],
        .valid = &valid,
    };

    request_write(&call, &out);
    assert_string_equal(out.text,
                        "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"type\":\"a\","
                        "\"cni.dev/valid-attachments\":[{\"containerID\":\"c1\","
                        "\"ifname\":\"eth0\"}],"
                        "\"cni.dev/attachments\":[{\"containerID\":\"c1\",\"ifname\":\"eth0\"}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_13_the_plugins_object_as_it_was_written),
        cmocka_unit_test(test_the_callers_members_are_replaced),
        cmocka_unit_test(test_check_11_capabilities_are_a_filter),
        cmocka_unit_test(test_valid_attachments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
