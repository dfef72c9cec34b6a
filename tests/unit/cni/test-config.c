/* cni/config: one network from a text or a file, and what is refused, where. */
#include "cni-fixture.h"

static void refused(const char *text, const char *sentence)
{
    struct cni_network *network;
    struct err err;

    assert_int_not_equal(cni_network_parse(&network, "/c/x", text, strlen(text), &err), 0);
    assert_null(network);
    if (!strstr(err.text, sentence))
        fail_msg("\"%s\" is not in: %s", sentence, err.text);
}

static void refused_plugin(const char *plugin, const char *sentence)
{
    _cleanup_(mem_free_at) char *text = mem_printf("{\"name\":\"n\",\"plugins\":[%s]}", plugin);

    refused(text, sentence);
}

static void test_check_05_a_list(void **state)
{
    _cleanup_(cni_network_free_at) struct cni_network *network =
        network_of("{\"cniVersion\":\"1.0.0\",\"name\":\"a\",\"name\":\"b\",\"x\":{\"y\":1.0},"
                   "\"disableCheck\":\"TRUE\",\"disableGC\":true,\"plugins\":["
                   "{\"type\":\"bridge\",\"ipam\":{\"type\":\"host-local\"}},"
                   "{\"Type\":\"portmap\",\"capabilities\":{\"portMappings\":true}}]}");

    assert_string_equal(network->name, "b");
    assert_string_equal(network->version, "1.0.0");
    assert_true(network->disable_check && network->disable_gc);
    assert_int_equal(network->plugins.count, 2);
    assert_string_equal(network->plugins.items[1].type, "portmap");
    assert_null(network->plugins.items[0].capabilities);
    assert_non_null(network->plugins.items[1].capabilities);
    assert_true(cni_network_has_plugin(network, "bridge"));
    assert_false(cni_network_has_plugin(network, "host-local"));
    assert_has(network->text.text, "\"x\":{\"y\":1.0}");
    assert_has(network->text.text, "\"loadOnlyInlinedPlugins\":true");
    assert_has_not(network->text.text, "\"a\"");
}

/* The text says all of it: it can be read again, and says the same. */
static void test_the_text_is_the_network(void **state)
{
    _cleanup_(cni_network_free_at) struct cni_network
        *network = network_of("{\"cniVersions\":[\"0.4.0\"],\"cniVersion\":\"0.3.1\","
                              "\"name\":\"n\",\"disableCheck\":true,"
                              "\"plugins\":[{\"type\":\"a\",\"n\":12345678901234567890}]}"),
        *again = network_of(network->text.text);

    assert_string_equal(network->version, "0.4.0");
    assert_string_equal(again->version, "0.4.0");
    assert_true(again->disable_check);
    assert_string_equal(again->text.text, network->text.text);
    assert_has(again->text.text, "12345678901234567890");
}

static void version_is(const char *members, const char *version)
{
    _cleanup_(mem_free_at) char *text =
        mem_printf("{%s\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]}", members);
    _cleanup_(cni_network_free_at) struct cni_network *network = network_of(text);

    assert_string_equal(network->version, version);
}

static void test_check_03_the_highest_version_known_here(void **state)
{
    version_is("", "0.1.0");
    version_is("\"cniVersion\":\"\",", "0.1.0");
    version_is("\"cniVersion\":\"0.3.1\",\"cniVersions\":[\"0.4.0\",\"1.0.0\",\"2.0.0\"],",
               "1.0.0");
    version_is("\"cniVersion\":\"9.0.0\",\"cniVersions\":[\"0.4.0\"],", "0.4.0");
    version_is("\"cniVersion\":\"1.1.0\",\"cniVersions\":null,", "1.1.0");
    refused("{\"name\":\"n\",\"cniVersion\":\"v1.0.0\"}",
            "/c/x:1:26: cniVersion must be a version");
    refused("{\"name\":\"n\",\"cniVersions\":[\"1.0.0\",\"x\"]}", "cniVersions must be a version");
    refused("{\"name\":\"n\",\"cniVersions\":{}}", "cniVersions must be a list");
    refused("{\"name\":\"n\",\"cniVersion\":\"9.0.0\"}",
            "none of those known here: 0.1.0 to 1.1.0");
    refused("{\"name\":\"n\",\"cniVersion\":1}", "cniVersion must be a version");
}

static void test_checks_05_06_and_37_what_is_refused(void **state)
{
    refused("{\"plugins\":[]}", "/c/x:1:1: the network has no \"name\"");
    refused("{\"name\":7}", "/c/x:1:9: name must be a string, but is a number");
    refused("{\n  \"name\": \"../evil\"}", "/c/x:2:11: name must begin with a letter or digit");
    refused("[]", "must be an object, but is a list");
    refused("", "the JSON text ends too early");
    refused("{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]} x", "/c/x:1:");
    refused("{\"name\":\"n\"", "the JSON text ends too early");
    refused("{\"name\":\"n\"}", "the network n has no plugins");
    refused("{\"name\":\"n\",\"plugins\":[]}", "plugins must be a list of at least one");
    refused("{\"name\":\"n\",\"disableGC\":\"yes\"}", "disableGC must be true or false");
    refused("{\"name\":\"n\",\"disableCheck\":1}", "disableCheck must be true or false");
    refused("{\"name\":\"n\",\"loadOnlyInlinedPlugins\":[]}", "must be true or false");
    refused_plugin("7", "a plugin must be an object");
    refused_plugin("{}", "the plugin has no \"type\"");
    refused_plugin("{\"type\":1}", "type must be a string");
    refused_plugin("{\"type\":\"../../bin/sh\"}", "type must be the name of a program");
    refused_plugin("{\"type\":\"a\\u0000b\"}", "type must be a string");
    refused_plugin("{\"type\":\"a\",\"ipam\":{\"type\":\"x/y\"}}", "ipam.type must be the name");
    refused_plugin("{\"type\":\"a\",\"delegate\":{\"type\":1}}", "delegate.type must be a string");
    refused_plugin("{\"type\":\"a\",\"capabilities\":[]}", "capabilities must be an object");
    refused_plugin("{\"type\":\"a\",\"capabilities\":{\"mac\":1}}",
                   "capabilities.mac must be true or false");
}

static void test_limits(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    for (int i = 0; i <= CNI_PLUGINS_MAX; i++)
        strbuf_printf(&text, "%s{\"type\":\"a\"}", i ? "," : "");
    refused_plugin(text.text, "more than 32 plugins");
    strbuf_truncate(&text, 0);
    for (int i = 0; i <= CNI_CONFIG_BYTES_MAX; i++)
        strbuf_add_char(&text, ' ');
    refused(text.text, "more than the 1048576 bytes allowed");
}

/* files */

static struct cni_network *load(const char *name)
{
    _cleanup_(mem_free_at) char *path = mem_printf(CONF "/%s", name);
    struct cni_network *network;
    struct err err;

    if (cni_network_load(&network, path, &err) < 0)
        fail_msg("%s", err.text);
    return network;
}

static void not_loaded(const char *name, const char *sentence)
{
    _cleanup_(mem_free_at) char *path = mem_printf(CONF "/%s", name);
    struct cni_network *network;
    struct err err;

    assert_true(cni_network_load(&network, path, &err) < 0);
    if (!strstr(err.text, sentence))
        fail_msg("\"%s\" is not in: %s", sentence, err.text);
}

static void test_a_single_plugin_becomes_a_list(void **state)
{
    write_conf("a.conf", "{\"cniVersion\":\"0.4.0\",\"name\":\"n\",\"type\":\"bridge\",\"x\":1}");
    _cleanup_(cni_network_free_at) struct cni_network *network = load("a.conf");

    assert_string_equal(network->name, "n");
    assert_string_equal(network->version, "0.4.0");
    assert_string_equal(network->place, CONF "/a.conf");
    assert_string_equal(network->plugins.items[0].type, "bridge");
    assert_has(network->text.text, "\"plugins\":[{");
    write_conf("b.json", "{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]}");
    not_loaded("b.json", "a list of plugins belongs into a file *.conflist");
    write_conf("c.conf", "{\"name\":\"n\"}");
    not_loaded("c.conf", "the plugin has no \"type\"");
}

static void test_plugins_of_the_directory_follow(void **state)
{
    write_conf("a.conflist", "{\"name\":\"n\",\"plugins\":[{\"type\":\"one\"}]}");
    mkdir(CONF "/n", 0755);
    write_conf("n/60-c.conf", "{\"type\":\"three\"}");
    write_conf("n/50-b.conf", "{\"type\":\"two\"}");
    write_conf("n/55.json", "not looked at");
    _cleanup_(cni_network_free_at) struct cni_network *network = load("a.conflist");

    assert_int_equal(network->plugins.count, 3);
    assert_string_equal(network->plugins.items[1].type, "two");
    assert_string_equal(network->plugins.items[2].type, "three");
    assert_has(network->text.text, "[{\"type\":\"one\"},{\"type\":\"two\"},{\"type\":\"three\"}]");
    write_conf("n/70-d.conf", "{");
    not_loaded("a.conflist", CONF "/n/70-d.conf:1:2: the JSON text ends too early");
}

static void test_check_04_the_directory_alone_is_enough(void **state)
{
    mkdir(CONF "/n", 0755);
    write_conf("n/50-x.conf", "{\"type\":\"x\"}");
    write_conf("a.conflist", "{\"name\":\"n\"}");
    _cleanup_(cni_network_free_at) struct cni_network *network = load("a.conflist");

    assert_int_equal(network->plugins.count, 1);
    write_conf("a.conflist", "{\"name\":\"n\",\"loadOnlyInlinedPlugins\":true}");
    not_loaded("a.conflist", "the network n has no plugins");
    write_conf("a.conflist", "{\"name\":\"n\",\"plugins\":[]}");
    not_loaded("a.conflist", "plugins must be a list of at least one");
    write_conf("a.conflist", "{\"name\":\"m\"}");
    not_loaded("a.conflist", "the network m has no plugins");
}

static void test_only_root_writes(void **state)
{
    write_conf("a.conf", "{\"name\":\"n\",\"type\":\"a\"}");
    assert_int_equal(chmod(CONF "/a.conf", 0666), 0);
    not_loaded("a.conf", "can be written by everybody");
    assert_int_equal(chmod(CONF "/a.conf", 0600), 0);
    cni_network_free(load("a.conf"));
    assert_int_equal(chown(CONF "/a.conf", 1000, 1000), 0);
    not_loaded("a.conf", "belongs to user 1000, not to root");
    not_loaded("missing.conf", "cannot read " CONF "/missing.conf: No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_05_a_list),
        cmocka_unit_test(test_the_text_is_the_network),
        cmocka_unit_test(test_check_03_the_highest_version_known_here),
        cmocka_unit_test(test_checks_05_06_and_37_what_is_refused),
        cmocka_unit_test(test_limits),
        in_place(test_a_single_plugin_becomes_a_list),
        in_place(test_plugins_of_the_directory_follow),
        in_place(test_check_04_the_directory_alone_is_enough),
        in_place(test_only_root_writes),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
