/* cni/attachment, cni/recorded: ADD, DEL and CHECK with their records. */
#include "cni-fixture.h"

#define LIST                                                                                       \
    "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"one\",\"x\":1},"            \
    "{\"type\":\"two\",\"capabilities\":{\"portMappings\":true}}]}"

/* A record as containerd's own library writes it; the config is that of OTHER. */
#define OTHER "{\"cniVersion\":\"0.4.0\",\"name\":\"other\",\"plugins\":[{\"type\":\"one\"}]}"
#define OTHER_BASE64                                                                               \
    "eyJjbmlWZXJzaW9uIjoiMC40LjAiLCJuYW1lIjoib3RoZXIiLCJwbHVnaW5zIjpbeyJ0eXBlIjoib25lIn1dfQ=="
#define FOREIGN_RECORD                                                                             \
    "{\"kind\":\"cniCacheV1\",\"containerId\":\"c1\",\"config\":\"" OTHER_BASE64                   \
    "\",\"ifName\":\"eth0\",\"networkName\":\"other\",\"netns\":\"/gone\",\"cniArgs\":"            \
    "[[\"IgnoreUnknown\",\"1\"],[\"K8S_POD_NAME\",\"p\"]],\"capabilityArgs\":{\"dns\":{}},"        \
    "\"result\":{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\","                            \
    "\"address\":\"10.9.9.9/8\"}],\"dns\":{}}}"

static struct cni_failure failure;

static void healthy_plugins(void)
{
    write_plugin("one", ANSWER(RESULT_1_0));
    write_plugin("two", ANSWER(RESULT_1_0));
}

static int add(const struct cni_attachment *attachment, struct strbuf *result)
{
    _cleanup_(cni_network_free_at) struct cni_network *network = network_of(LIST);
    const struct cni_setup setup = setup_of();

    return cni_add(&setup, network, attachment, result, &failure);
}

static int add_one(const char *container_id)
{
    _cleanup_(strbuf_deinit) struct strbuf result = STRBUF_INIT;
    const struct cni_attachment attachment = attachment_of(container_id);

    return add(&attachment, &result);
}

static int del_with(const char *list, const char *container_id, const char *netns, bool unrecorded)
{
    _cleanup_(cni_network_free_at) struct cni_network *network = list ? network_of(list) : NULL;
    const struct cni_setup setup = setup_of();
    struct cni_attachment attachment = attachment_of(container_id);

    attachment.netns = netns;
    return cni_del(&setup, network, &attachment, unrecorded, &failure);
}

static int del(const char *container_id)
{
    return del_with(LIST, container_id, NETNS, false);
}

static int check(const char *container_id)
{
    _cleanup_(cni_network_free_at) struct cni_network *network = network_of(LIST);
    const struct cni_setup setup = setup_of();
    const struct cni_attachment attachment = attachment_of(container_id);

    return cni_check(&setup, network, &attachment, &failure);
}

/* ADD and DEL */

static void test_checks_17_and_18_add_and_del(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf result = STRBUF_INIT;
    struct cni_attachment attachment = attachment_of("c1");
    struct cni_entries entries;

    healthy_plugins();
    attachment.capabilities = json_of(&arena, "{\"portMappings\":[{\"HostPort\":80}],\"dns\":{}}");
    assert_int_equal(add(&attachment, &result), 0);
    assert_string_equal(result.text, RESULT_1_0);
    assert_int_equal(cni_entries_load(CACHE, &arena, &entries, NULL), 0);
    assert_int_equal(entries.items.count, 1);
    assert_string_equal(entries.items.items[0].file, "n-c1-eth0");
    assert_true(entries.items.items[0].ours);
    assert_non_null(entries.items.items[0].result);
    assert_int_equal(del("c1"), 0);
    assert_string_equal(log_text(), "one ADD\ntwo ADD\ntwo DEL\none DEL\n");
    assert_has(contents(RUN "/two.DEL.in"),
               "\"runtimeConfig\":{\"portMappings\":[{\"HostPort\":80}]}");
    assert_has(contents(RUN "/two.DEL.in"), "\"prevResult\":" RESULT_1_0);
    assert_has(contents(RUN "/two.DEL.env"), "CNI_ARGS=IgnoreUnknown=1\n");
    assert_has(contents(RUN "/two.DEL.env"), "CNI_NETNS=" NETNS "\n");
    assert_int_equal(count_records(), 0);
    assert_int_equal(del("c1"), 0);
    assert_int_equal(del("c1"), 0);
    assert_string_equal(log_text(), "one ADD\ntwo ADD\ntwo DEL\none DEL\n");
}

/* The record is there before the first plugin, for whoever must clean up. */
static void test_check_39_recorded_before_the_first_plugin(void **state)
{
    healthy_plugins();
    write_plugin("one", "cp " CACHE "/results/n-c1-eth0 " RUN "/record\n" ANSWER(RESULT_1_0));
    assert_int_equal(add_one("c1"), 0);
    assert_has(contents(RUN "/record"), "\"containerId\":\"c1\"");
    assert_has_not(contents(RUN "/record"), "\"result\"");
}

static void test_checks_10_and_28_a_failed_add_is_undone(void **state)
{
    healthy_plugins();
    write_plugin("two",
                 "[ $CNI_COMMAND = DEL ] || { echo '{\"code\":11,\"msg\":\"m\"}'; exit 1; }");
    assert_true(add_one("c1") < 0);
    assert_int_equal(failure.code, 11);
    assert_string_equal(failure.plugin, "two");
    assert_string_equal(log_text(), "one ADD\ntwo ADD\ntwo DEL\none DEL\n");
    assert_int_equal(count_records(), 0);
}

/* What could not be undone is on record, and the next ADD or DEL deletes it. */
static void test_what_cannot_be_undone_stays_recorded(void **state)
{
    healthy_plugins();
    write_plugin("two", "echo '{\"code\":11,\"msg\":\"m\"}'; exit 1");
    assert_true(add_one("c1") < 0);
    assert_int_equal(failure.code, 11);
    assert_has(failure.err.text, "failed (add): m; it could not be undone: plugin type=\"two\"");
    assert_int_equal(count_records(), 1);
    healthy_plugins();
    unlink(RUN "/log");
    assert_int_equal(add_one("c1"), 0);
    assert_string_equal(log_text(), "two DEL\none DEL\none ADD\ntwo ADD\n");
    assert_int_equal(del("c1"), 0);
    assert_int_equal(count_records(), 0);
}

static void test_an_add_too_many_harms_nobody(void **state)
{
    healthy_plugins();
    assert_int_equal(add_one("c1"), 0);
    assert_int_equal(add_one("c1"), -EEXIST);
    assert_has(failure.err.text, "container c1 is attached to network n as eth0 already");
    assert_string_equal(log_text(), "one ADD\ntwo ADD\n");
    assert_int_equal(count_records(), 1);
}

/* One at a time for a container: an ADD that was killed is over when the next operation begins. */
static void test_checks_07_and_44_refused_before_any_plugin(void **state)
{
    const struct {
        struct cni_attachment attachment;
        unsigned code;
    } bad[] = {
        {{.container_id = "bad/id", .ifname = "eth0", .netns = NETNS}, 4},
        {{.container_id = "", .ifname = "eth0", .netns = NETNS}, 3},
        {{.container_id = "c", .ifname = "0123456789abcdef", .netns = NETNS}, 4},
        {{.container_id = "c", .netns = NETNS}, 4},
        {{.container_id = "c", .ifname = "eth0", .netns = NETNS, .args = "A"}, 4},
        {{.container_id = "c", .ifname = "eth0", .netns = "/proc/self/ns/net"}, 8},
        {{.container_id = "c", .ifname = "eth0", .netns = "/srv/missing"}, 8},
        {{.container_id = "c", .ifname = "eth0", .netns = "/etc/passwd"}, 8},
        {{.container_id = "c", .ifname = "eth0"}, 8},
        {{.container_id = "c", .ifname = "eth0", .netns = "/\xff"}, 4},
    };
    _cleanup_(strbuf_deinit) struct strbuf result = STRBUF_INIT;

    healthy_plugins();
    for (size_t i = 0; i < array_size(bad); i++) {
        assert_int_equal(add(&bad[i].attachment, &result), -EINVAL);
        assert_int_equal(failure.code, bad[i].code);
    }
    assert_false(exists(RUN "/log"));
    assert_int_equal(count_records(), 0);
}

static void test_never_itself(void **state)
{
    _cleanup_(cni_network_free_at) struct cni_network *network =
        network_of("{\"name\":\"n\",\"plugins\":[{\"type\":\"" CNI_PROGRAM "\"}]}");
    _cleanup_(strbuf_deinit) struct strbuf result = STRBUF_INIT;
    const struct cni_attachment attachment = attachment_of("c1");
    const struct cni_setup setup = setup_of();

    assert_int_equal(cni_add(&setup, network, &attachment, &result, &failure), -ELOOP);
    assert_has(failure.err.text, "which would call itself");
}

/* DEL by what is recorded */

static void test_check_42_del_by_the_configuration_of_the_add(void **state)
{
    healthy_plugins();
    assert_int_equal(add_one("c1"), 0);
    unlink(RUN "/log");
    assert_int_equal(del_with(OTHER, "c1", NETNS, true), 0);
    assert_string_equal(log_text(), "two DEL\none DEL\n");
    assert_has(contents(RUN "/one.DEL.in"), "\"x\":1");
    assert_int_equal(add_one("c1"), 0);
    assert_int_equal(del_with(NULL, "c1", NETNS, false), 0);
    assert_int_equal(count_records(), 0);
}

static void test_del_of_another_runtimes_record(void **state)
{
    healthy_plugins();
    mkdir(CACHE "/results", 0700);
    write_mode(CACHE "/results/other-c1-eth0", FOREIGN_RECORD, 0600);
    assert_int_equal(del("c1"), 0);
    assert_string_equal(log_text(), "one DEL\n");
    assert_has(contents(RUN "/one.DEL.in"), "\"name\":\"other\"");
    assert_has(contents(RUN "/one.DEL.in"), "\"address\":\"10.9.9.9/8\"");
    assert_has(contents(RUN "/one.DEL.env"), "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=p\n");
    assert_int_equal(count_records(), 0);
}

/* What a runtime wrote about its call of this project's plugin is the runtime's. */
static void test_the_runtimes_own_record_is_left_alone(void **state)
{
    mkdir(CACHE "/results", 0700);
    /* {"name":"w","plugins":[{"type":"nodeagent-cni"}]} */
    write_mode(CACHE "/results/w-c1-eth0",
               "{\"kind\":\"cniCacheV1\",\"containerId\":\"c1\",\"ifName\":\"eth0\","
               "\"networkName\":\"w\",\"config\":\"eyJuYW1lIjoidyIsInBsdWdpbnMiOlt7InR5cGUiOiJub2Rl"
               "YWdlbnQtY25pIn1dfQ==\"}",
               0600);
    assert_int_equal(del("c1"), 0);
    assert_int_equal(count_records(), 1);
}

static void test_check_14_del_of_a_damaged_record(void **state)
{
    healthy_plugins();
    assert_int_equal(add_one("c1"), 0);
    unlink(RUN "/log");
    assert_int_equal(truncate(CACHE "/results/n-c1-eth0", 0), 0);
    assert_int_equal(del("c1"), 0);
    assert_string_equal(log_text(), "two DEL\none DEL\n");
    assert_has_not(contents(RUN "/one.DEL.in"), "prevResult");
    assert_int_equal(count_records(), 0);
}

static void test_del_of_a_record_that_nobody_can_act_on(void **state)
{
    mkdir(CACHE "/results", 0700);
    write_mode(CACHE "/results/gone-c1-eth0",
               "{\"kind\":\"cniCacheV1\",\"containerId\":\"c1\",\"ifName\":\"eth0\","
               "\"networkName\":\"gone\",\"config\":\"e30=\"}",
               0600);
    assert_int_equal(del("c1"), 0);
    assert_int_equal(count_records(), 0);
}

static void test_del_without_a_record(void **state)
{
    healthy_plugins();
    assert_int_equal(del("c1"), 0);
    assert_false(exists(RUN "/log"));
    assert_int_equal(del_with(LIST, "c1", NETNS, true), 0);
    assert_string_equal(log_text(), "two DEL\none DEL\n");
}

static void test_a_failed_del_stays_recorded(void **state)
{
    healthy_plugins();
    assert_int_equal(add_one("c1"), 0);
    write_plugin("one", "exit 1");
    assert_true(del("c1") < 0);
    assert_string_equal(failure.plugin, "one");
    assert_int_equal(count_records(), 1);
    healthy_plugins();
    assert_int_equal(del("c1"), 0);
    assert_int_equal(count_records(), 0);
}

static void netns_of_del_is(const char *netns, const char *expected)
{
    _cleanup_(mem_free_at) char *line = mem_printf("CNI_NETNS=%s\n", expected);

    assert_int_equal(add_one("c1"), 0);
    assert_int_equal(del_with(LIST, "c1", netns, false), 0);
    assert_has(contents(RUN "/one.DEL.env"), line);
}

#define LIST_RULES "iptables -t nat -S POSTROUTING"

/* Plugins do not finish what they have not begun, as it seems to them. */
static void test_a_del_that_was_broken_off(void **state)
{
    static const char rule[] =
        "iptables -t nat -A POSTROUTING -m comment --comment 'name: \"n\" id: \"c1\"' -j ACCEPT";

    write_plugin("one", ANSWER(RESULT_1_0));
    write_plugin("two", ANSWER(RESULT_1_0));
    assert_int_equal(add_one("c1"), 0);
    assert_int_equal(system(rule), 0);
    write_plugin("one", "kill -9 $$");
    assert_true(del("c1") < 0);
    assert_int_equal(system(LIST_RULES " | grep -q c1"), 0);
    write_plugin("one", "");
    assert_int_equal(del("c1"), 0);
    assert_int_not_equal(system(LIST_RULES " | grep -q c1"), 0);
}

static void test_checks_15_and_16_what_del_tells_of_the_namespace(void **state)
{
    healthy_plugins();
    netns_of_del_is(NETNS, NETNS);
    netns_of_del_is("", NETNS);
    netns_of_del_is("/srv/missing", "");
    netns_of_del_is("/proc/self/ns/net", "");
    write_mode("/srv/stale", "", 0600);
    netns_of_del_is("/srv/stale", "");
    assert_false(exists("/srv/stale"));
    write_mode("/srv/file", "something", 0600);
    netns_of_del_is("/srv/file", "");
    assert_true(exists("/srv/file"));
}

/* CHECK */

static void test_check(void **state)
{
    healthy_plugins();
    assert_int_equal(check("c1"), -ENOENT);
    assert_has(failure.err.text, "nothing is attached to container c1 as eth0");
    assert_int_equal(add_one("c1"), 0);
    assert_int_equal(check("c1"), 0);
    assert_has(contents(RUN "/one.CHECK.in"), "\"prevResult\":" RESULT_1_0);
    write_plugin("two", "[ $CNI_COMMAND != CHECK ]");
    assert_true(check("c1") < 0);
    assert_string_equal(failure.plugin, "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_checks_17_and_18_add_and_del),
        in_place(test_check_39_recorded_before_the_first_plugin),
        in_place(test_checks_10_and_28_a_failed_add_is_undone),
        in_place(test_what_cannot_be_undone_stays_recorded),
        in_place(test_an_add_too_many_harms_nobody),
        in_place(test_checks_07_and_44_refused_before_any_plugin),
        in_place(test_never_itself),
        in_place(test_check_42_del_by_the_configuration_of_the_add),
        in_place(test_del_of_another_runtimes_record),
        in_place(test_the_runtimes_own_record_is_left_alone),
        in_place(test_check_14_del_of_a_damaged_record),
        in_place(test_del_of_a_record_that_nobody_can_act_on),
        in_place(test_del_without_a_record),
        in_place(test_a_failed_del_stays_recorded),
        in_place(test_a_del_that_was_broken_off),
        in_place(test_checks_15_and_16_what_del_tells_of_the_namespace),
        in_place(test_check),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
