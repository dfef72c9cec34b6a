/* cni/netns: what a path is. */
#include "cni-fixture.h"

#include "netns.h"

static void test_kinds(void **state)
{
    assert_int_equal(netns_look(NULL), NETNS_GONE);
    assert_int_equal(netns_look(""), NETNS_GONE);
    assert_int_equal(netns_look("/srv/missing"), NETNS_GONE);
    assert_int_equal(netns_look(NETNS), NETNS_FOREIGN);
    assert_int_equal(netns_look("/proc/self/ns/net"), NETNS_OWN);
    assert_int_equal(netns_look("/srv"), NETNS_NONE);
    write_mode("/srv/file", "x", 0600);
    assert_int_equal(netns_look("/srv/file"), NETNS_NONE);
    assert_int_equal(umount2(NETNS, MNT_DETACH), 0);
    assert_int_equal(netns_look(NETNS), NETNS_STALE);
}

static void test_what_is_gone(void **state)
{
    assert_true(cni_netns_is_gone("/srv/missing"));
    assert_false(cni_netns_is_gone(NULL));
    assert_false(cni_netns_is_gone(""));
    assert_false(cni_netns_is_gone("/srv"));
    assert_false(cni_netns_is_gone("/proc/self/ns/net"));
    assert_false(cni_netns_is_gone(NETNS));
    assert_int_equal(umount2(NETNS, MNT_DETACH), 0);
    assert_true(cni_netns_is_gone(NETNS));
}

#define RUNTIMES "/run/netns/cni-1"

static void test_those_of_runtimes_are_removed(void **state)
{
    struct err err;

    assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), 0);
    mkdir("/run/netns", 0755);
    write_mode(RUNTIMES, "", 0600);
    assert_false(netns_is_runtimes(RUNTIMES));
    assert_int_equal(mount(NETNS, RUNTIMES, NULL, MS_BIND, NULL), 0);
    assert_true(netns_is_runtimes(RUNTIMES));
    assert_false(netns_is_runtimes("/run/netns/cni-1/../../../srv/netns"));
    assert_false(netns_is_runtimes(NETNS));
    assert_false(netns_is_runtimes(NULL));
    assert_int_equal(netns_remove(RUNTIMES, &err), 0);
    assert_false(exists(RUNTIMES));
    assert_int_equal(netns_look(NETNS), NETNS_FOREIGN);
    mkdir("/run/netns/cni-2", 0755);
    assert_int_equal(netns_remove("/run/netns/cni-2", &err), -EISDIR);
    umount2("/run", MNT_DETACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_kinds),
        in_place(test_what_is_gone),
        in_place(test_those_of_runtimes_are_removed),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
