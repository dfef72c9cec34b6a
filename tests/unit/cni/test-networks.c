/* cni/networks: which file of a directory counts. */
#include "cni-fixture.h"

static void networks_are(const char *names, size_t problems)
{
    struct cni_networks networks;
    _cleanup_(strbuf_deinit) struct strbuf found = STRBUF_INIT;

    strbuf_add(&found, "");
    assert_int_equal(cni_networks_load(&networks, CONF, NULL), 0);
    array_for_each (network, networks.items)
        strbuf_printf(&found, "%s ", (*network)->name);
    assert_string_equal(found.text, names);
    assert_int_equal(networks.problems.count, problems);
    cni_networks_deinit(&networks);
}

static void test_checks_01_and_02_order_and_names_of_files(void **state)
{
    networks_are("", 0);
    write_conf("10-a.conflist", "{\"name\":\"a\",\"plugins\":[{\"type\":\"x\"}]}");
    write_conf("05-b.conf", "{\"name\":\"b\",\"type\":\"x\"}");
    networks_are("b a ", 0);
    write_conf(".00-z.conflist", "{\"name\":\"z\",\"plugins\":[{\"type\":\"x\"}]}");
    write_conf("00-y.conflist~", "not looked at");
    write_conf("00-y.conf.swp", "not looked at");
    write_conf("99-c.json", "{\"name\":\"c\",\"type\":\"x\"}");
    mkdir(CONF "/01-d.conf", 0755);
    networks_are("z b a c ", 0);
}

static void test_wrong_files_are_named(void **state)
{
    struct cni_networks networks;

    write_conf("00-a.conflist", "{\"name\":\"a\",\n\"plugins\":[]}");
    write_conf("10-b.conf", "{\"name\":\"b\",\"type\":\"x\"}");
    write_conf("20-b.conf", "{\"name\":\"b\",\"type\":\"x\"}");
    networks_are("b ", 2);
    assert_int_equal(cni_networks_load(&networks, CONF, NULL), 0);
    assert_string_equal(networks.problems.items[0],
                        CONF "/00-a.conflist:2:11: plugins must be a list of at least one plugin");
    assert_string_equal(networks.problems.items[1],
                        CONF "/20-b.conf: the network b is already in " CONF
                             "/10-b.conf; one of them must go or be renamed");
    cni_networks_deinit(&networks);
}

static void test_files_are_told_in_order(void **state)
{
    struct cni_networks networks;

    write_conf("00-us.conf", "{\"name\":\"us\",\"type\":\"nodeagent-cni\"}");
    write_conf("10-a.conf", "{");
    write_conf("20-b.conf", "{\"name\":\"b\",\"type\":\"x\"}");
    write_conf("30-b.conf", "{\"name\":\"b\",\"type\":\"x\"}");
    write_conf("40-c.conf", "{\"name\":\"c\",\"type\":\"x\"}");
    assert_int_equal(cni_networks_load(&networks, CONF, NULL), 0);
    assert_int_equal(networks.files.count, 5);
    for (size_t i = 0; i < 5; i++) {
        const struct cni_file *file = &networks.files.items[i];

        assert_int_equal(file->path[strlen(CONF "/")], '0' + i);
        assert_int_equal(!file->network, i == 1 || i == 3);
        assert_int_equal(!file->problem, !!file->network);
        if (file->problem)
            assert_true(str_has_prefix(file->problem, file->path));
    }
    assert_string_equal(cni_networks_first(&networks)->name, "b");
    cni_networks_deinit(&networks);
    assert_null(cni_networks_first(&networks));
}

static void test_check_06_names_lead_nowhere_else(void **state)
{
    mkdir("/srv/evil", 0755);
    write_mode("/srv/evil/x.conf", "{\"type\":\"x\"}", 0644);
    write_conf("a.conflist", "{\"name\":\"../evil\"}");
    networks_are("", 1);
}

static void test_the_directory(void **state)
{
    struct cni_networks networks;
    struct err err;

    assert_int_equal(cni_networks_load(&networks, "/srv/missing", &err), 0);
    cni_networks_deinit(&networks);
    assert_int_equal(chmod(CONF, 0777), 0);
    assert_int_equal(cni_networks_load(&networks, CONF, &err), -EPERM);
    assert_has(err.text, "can be written by everybody");
    cni_networks_deinit(&networks);
    assert_int_equal(cni_networks_load(&networks, CONF "/a.conf/b", &err), 0);
    write_conf("a.conf", "");
    assert_int_equal(cni_networks_load(&networks, CONF "/a.conf", &err), -ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_checks_01_and_02_order_and_names_of_files),
        in_place(test_wrong_files_are_named),
        in_place(test_files_are_told_in_order),
        in_place(test_check_06_names_lead_nowhere_else),
        in_place(test_the_directory),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
