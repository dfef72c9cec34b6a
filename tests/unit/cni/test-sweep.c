/* cni/sweep: what the plugins of a network still know of a container that nobody knows. */
#include "sweep-fixture.h"

#define HOST_LOCAL "{\"type\":\"one\",\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"/srv/run\"}}"

static void test_strangers_get_a_del(void **state)
{
    _cleanup_(play_deinit) struct play play;

    write_plugin("one", "");
    mkdir(RUN "/n", 0755);
    play_init(&play, HOST_LOCAL);
    write_old(RUN "/n/10.1.0.2", "gone\r\nnet1", 600);
    play.gc.dry_run = true;
    sweep(&play.collection);
    assert_false(exists(RUN "/log"));
    play.gc.dry_run = false;
    collection_lose(&play.collection, &(struct gone){"n", "deleted", "eth0", true});
    sweep(&play.collection);
    sweep(&play.collection);
    assert_int_equal(play.collection.first, 0);
    assert_string_equal(log_text(), "one DEL\n");
    assert_has(contents(RUN "/one.DEL.env"), "CNI_CONTAINERID=gone\n");
    assert_has(contents(RUN "/one.DEL.env"), "CNI_IFNAME=net1\n");
    assert_has(contents(RUN "/one.DEL.env"), "CNI_NETNS=\n");
}

static void test_a_failure_is_told(void **state)
{
    _cleanup_(play_deinit) struct play play;

    write_plugin("one", "exit 1");
    play_init(&play, HOST_LOCAL);
    collection_lose(&play.collection, &(struct gone){"n", "gone", "eth0", false});
    sweep(&play.collection);
    assert_true(play.collection.first < 0);
    assert_string_equal(play.failure.plugin, "one");
}

static void test_networks_that_forbid_it(void **state)
{
    _cleanup_(play_deinit) struct play play;

    write_plugin("one", "");
    mkdir(RUN "/n", 0755);
    play_init(&play, HOST_LOCAL);
    play.network->disable_gc = true;
    write_old(RUN "/n/10.1.0.2", "gone\r\neth0", 600);
    sweep(&play.collection);
    assert_true(exists(RUN "/n/10.1.0.2"));
    assert_false(exists(RUN "/log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_strangers_get_a_del),
        in_place(test_a_failure_is_told),
        in_place(test_networks_that_forbid_it),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
