/* agent/network-list: is nodeagent-cni among what containerd says of its networks? */
#include "test.h"

#include "network-list.h"

#include <string.h>

#define LOOPBACK                                                                                   \
    "{\"IFName\":\"lo\",\"Config\":{\"Name\":\"cni-loopback\",\"CNIVersion\":\"0.3.1\","           \
    "\"Plugins\":[{\"Network\":{\"type\":\"loopback\"},\"Source\":\"{}\"}]}}"
#define OTHER                                                                                      \
    "{\"IFName\":\"eth0\",\"Config\":{\"Name\":\"net\",\"CNIVersion\":\"1.0.0\",\"Plugins\":"      \
    "[{\"Network\":{\"type\":\"bridge\"},\"Source\":\"{\\\"type\\\":\\\"bridge\\\"}\"}]}}"
#define OURS(source)                                                                               \
    "{\"IFName\":\"eth1\",\"Config\":{\"Name\":\"own\",\"CNIVersion\":\"1.0.0\",\"Plugins\":"      \
    "[{\"Network\":{\"type\":\"nodeagent-cni\"},\"Source\":\"" source "\"}]}}"
#define STATUS(networks)                                                                           \
    "{\"PluginDirs\":[\"/opt/cni/bin\",\"/usr/lib/cni\"],\"PluginConfDir\":\"/p\","                \
    "\"Networks\":[" networks "]}"

static void test_what_is_not_ours(void **state)
{
    static const char *const statuses[] = {
        "",
        "[]",
        "{",
        "{\"Networks\":7}",
        "{\"Networks\":[7,{},{\"Config\":[]},{\"Config\":{\"Plugins\":[]}},"
        "{\"Config\":{\"Plugins\":[3]}}]}",
        STATUS(LOOPBACK),
        STATUS(LOOPBACK "," OTHER),
        STATUS(OURS("")),
        STATUS(OURS("[]")),
        STATUS(OURS("{")),
    };

    (void)state;
    for (size_t i = 0; i < array_size(statuses); i++) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        struct network_list list;

        if (network_list_read(&list, statuses[i], &arena))
            fail_msg("%s", statuses[i]);
    }
    struct network_list list;
    assert_false(network_list_read(&list, NULL, NULL));
}

static void test_its_settings(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct network_list list;
    struct json_writer writer;

    (void)state;
    assert_true(network_list_read(
        &list,
        STATUS(LOOPBACK "," OTHER "," OURS(
            "{\\\"type\\\":\\\"nodeagent-cni\\\",\\\"confDir\\\":\\\"/c\\\",\\\"name\\\":\\\"x\\\","
            "\\\"report\\\":false,\\\"n\\\":12345678901234567890}")),
        &arena));
    assert_string_equal(list.conf_dir, "/c");
    assert_string_equal(list.path, "/opt/cni/bin:/usr/lib/cni");
    assert_string_equal(list.ifname, "eth1");
    json_writer_init(&writer, &text, false);
    network_list_begin(&list, &writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    assert_string_equal(text.text, "{\"cniVersion\":\"1.0.0\",\"name\":\"own\",\"report\":true,"
                                   "\"type\":\"nodeagent-cni\",\"confDir\":\"/c\","
                                   "\"n\":12345678901234567890}");
}

static void test_what_is_not_said(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct network_list list;

    (void)state;
    assert_true(network_list_read(
        &list,
        "{\"Networks\":[{\"Config\":{\"Plugins\":[{\"Network\":{\"type\":\"nodeagent-cni\"},"
        "\"Source\":\"{}\"}]}}]}",
        &arena));
    assert_string_equal(list.conf_dir, "/etc/cni/net.d");
    assert_string_equal(list.path, "/opt/cni/bin");
    assert_string_equal(list.ifname, "eth0");
    assert_string_equal(list.name, "nodeagent-cni");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_ours),
        cmocka_unit_test(test_its_settings),
        cmocka_unit_test(test_what_is_not_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
