/* cri/cache: when it looks, what it then shows, and whom it tells. */
#include "cache-world.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* when the whole is looked at */

static void test_the_first_look_is_at_once(void **state)
{
    struct world *world = *state;

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c");
    world_begin(world);
    assert_int_equal(world_calls(world, "ListPodSandbox"), 0);
    assert_null(cri_cache_pod(world->cache, "a"));
    assert_int_equal(cri_cache_looked(world->cache, "a"), 0);
    assert_null(cri_cache_trouble(world->cache, "a"));

    world_pass(world, 2 * USEC_PER_MSEC);
    assert_non_null(cri_cache_pod(world->cache, "a"));
    assert_true(cri_cache_looked(world->cache, "a") > 0);
    assert_true(cri_cache_looked(world->cache, "never") > 0);
    assert_true(cri_cache_health(world->cache).looked > 0);
    assert_int_equal(cri_cache_health(world->cache).looks, 1);
    world_expect_told(world, "a,*,");
}

static unsigned looks_in(struct world *world, usec_t usec)
{
    world_forget_calls(world);
    world_pass(world, usec);
    return world_calls(world, "ListPodSandbox");
}

static void test_without_hints_an_exit_is_noticed_within_two_seconds(void **state)
{
    struct world *world = *state;
    struct world_container *container;

    world->no_containerd_events = world->no_cri_events = true;
    world_sandbox(world, "a", "s");
    container = world_container(world, "a", "c");
    world_begin(world);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_string_equal(cri_cache_health(world->cache).hint_source, "none");
    for (unsigned i = 0; i < 20; i++) {
        *world->told = '\0';
        container->state = container->state == CRI_EXITED ? CRI_RUNNING : CRI_EXITED;
        world_pass(world, 2 * USEC_PER_SEC);
        assert_non_null(strstr(world->told, "a,"));
    }
    assert_in_range(looks_in(world, 60 * USEC_PER_SEC), 25, 34);
}

static void test_expectations_make_looks_frequent(void **state)
{
    struct world *world = *state;

    world->no_containerd_events = world->no_cri_events = true;
    world_begin(world);
    world_pass(world, 10 * USEC_PER_SEC);
    cri_cache_expect(world->cache, "changing");
    cri_cache_expect(world->cache, "changing");
    assert_in_range(looks_in(world, 60 * USEC_PER_SEC), 59, 61);
    cri_cache_expect_no_more(world->cache, "changing");
    assert_in_range(looks_in(world, 60 * USEC_PER_SEC), 59, 61);
    cri_cache_expect_no_more(world->cache, "changing");
    assert_in_range(looks_in(world, 60 * USEC_PER_SEC), 32, 35);
}

static void test_an_expectation_shortens_the_pause_that_goes_on(void **state)
{
    struct world *world = *state;

    world_begin(world);
    world_pass(world, 12 * USEC_PER_SEC);
    assert_int_equal(looks_in(world, USEC_PER_SEC), 0);
    cri_cache_expect(world->cache, "changing");
    assert_int_equal(looks_in(world, 2 * USEC_PER_SEC), 1);
    cri_cache_expect_no_more(world->cache, "changing");
}

static void test_with_hints_the_whole_is_looked_at_seldom(void **state)
{
    struct world *world = *state;

    world_begin(world);
    world_pass(world, 15 * USEC_PER_SEC);
    assert_string_equal(cri_cache_health(world->cache).hint_source, "containerd events");
    assert_in_range(looks_in(world, 60 * USEC_PER_SEC), 5, 6);
    cri_cache_expect(world->cache, "changing");
    assert_in_range(looks_in(world, 60 * USEC_PER_SEC), 32, 35);
    cri_cache_expect_no_more(world->cache, "changing");
}

/* failures */

static void test_failures_back_off_and_say_why(void **state)
{
    struct world *world = *state;
    static const usec_t msec[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    usec_t before, after;

    world_sandbox(world, "a", "s");
    world_begin(world);
    world_pass(world, 100 * USEC_PER_MSEC);
    world_expect_told(world, "a,*,");
    world_rule(world, (struct world_rule){.status = RPC_UNAVAILABLE, .text = "connect: no socket"});
    world_pass(world, 2 * USEC_PER_SEC);
    assert_string_equal(cri_cache_health(world->cache).trouble,
                        "ListPodSandbox: Unavailable: connect: no socket");
    world->rule_count = 0;
    world_pass(world, 10 * USEC_PER_SEC);
    assert_null(cri_cache_health(world->cache).trouble);

    world_rule(world, (struct world_rule){.method = "ListContainers", .status = RPC_INTERNAL});
    world_forget_calls(world);
    while (!cri_cache_health(world->cache).trouble)
        world_pass(world, USEC_PER_MSEC);
    for (size_t i = 0; i < array_size(msec); i++) {
        before = world_last_call(world, "ListContainers");
        do
            world_pass(world, USEC_PER_MSEC);
        while (world_last_call(world, "ListContainers") == before);
        after = world_last_call(world, "ListContainers");
        assert_in_range(after - before, (msec[i] - 2) * USEC_PER_MSEC,
                        (msec[i] + 3) * USEC_PER_MSEC);
    }
    assert_string_equal(cri_cache_trouble(world->cache, "a"),
                        "ListContainers: SomeStatus: so the test wants it");
    assert_string_equal(cri_cache_trouble(world->cache, "other"),
                        cri_cache_trouble(world->cache, "a"));
    assert_non_null(cri_cache_pod(world->cache, "a"));
    assert_true(cri_cache_health(world->cache).failures >= array_size(msec));

    world->rule_count = 0;
    *world->told = '\0';
    world_pass(world, 6 * USEC_PER_SEC);
    assert_null(cri_cache_trouble(world->cache, "a"));
    assert_null(cri_cache_health(world->cache).trouble);
    assert_non_null(strstr(world->told, "*,"));
}

static void test_an_expectation_does_not_shorten_the_back_off(void **state)
{
    struct world *world = *state;

    world_rule(world, (struct world_rule){.status = RPC_UNAVAILABLE});
    world_begin(world);
    world_pass(world, 60 * USEC_PER_SEC);
    cri_cache_expect(world->cache, "changing");
    assert_in_range(looks_in(world, 50 * USEC_PER_SEC), 9, 11);
    cri_cache_expect_no_more(world->cache, "changing");
    assert_int_equal(cri_cache_looked(world->cache, "a"), 0);
    world_expect_told(world, "");
}

static void test_calls_that_cannot_be_made_are_failures(void **state)
{
    struct world *world = *state;

    world_rule(world, (struct world_rule){.method = "ListContainers", .refuse = true});
    world_begin(world);
    world_pass(world, 2 * USEC_PER_MSEC);
    assert_string_equal(cri_cache_health(world->cache).trouble,
                        "ListContainers: 1024 calls are in flight already");
    assert_int_equal(world_in_flight(world, NULL), 0);
    cri_cache_look(world->cache, "a");
    world_pass(world, 2 * USEC_PER_MSEC);
    world_expect_told(world, "a,");
    world->rule_count = 0;
    world_pass(world, USEC_PER_SEC);
    assert_null(cri_cache_trouble(world->cache, "a"));
}

/* pods */

static void test_what_vanished_is_told_and_forgotten(void **state)
{
    struct world *world = *state;
    struct world_sandbox *sandbox = world_sandbox(world, "a", "s");
    usec_t looked;

    world_begin(world);
    world_pass(world, USEC_PER_SEC);
    world_expect_told(world, "a,*,");
    looked = cri_cache_looked(world->cache, "a");
    sandbox->id = NULL;
    world_pass(world, 2 * USEC_PER_SEC);
    world_expect_told(world, "a,*,");
    assert_null(cri_cache_pod(world->cache, "a"));
    assert_true(cri_cache_looked(world->cache, "a") > looked);
    assert_int_equal(cri_cache_looked(world->cache, "a"), cri_cache_looked(world->cache, "b"));
}

static void test_what_did_not_change_is_not_told(void **state)
{
    struct world *world = *state;
    uint64_t version;

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c");
    world_begin(world);
    world_pass(world, USEC_PER_SEC);
    version = cri_cache_pod(world->cache, "a")->version;
    *world->told = '\0';
    world_pass(world, 30 * USEC_PER_SEC);
    assert_null(strchr(world->told, 'a'));
    assert_int_equal(cri_cache_pod(world->cache, "a")->version, version);
}

static void test_versions_grow_with_changes(void **state)
{
    struct world *world = *state;
    struct world_container *container;
    uint64_t version;

    world_sandbox(world, "a", "s");
    container = world_container(world, "a", "c");
    world_begin(world);
    world_pass(world, USEC_PER_SEC);
    version = cri_cache_pod(world->cache, "a")->version;
    container->state = CRI_EXITED;
    world_pass(world, 20 * USEC_PER_SEC);
    assert_true(cri_cache_pod(world->cache, "a")->version > version);
}

static void test_all_pods_can_be_walked_through(void **state)
{
    struct world *world = *state;
    const struct cri_pod *pod;
    unsigned seen = 0;

    world_sandbox(world, "a", "s");
    world_container(world, "b", "c");
    world_sandbox(world, "d", "s2")->id = NULL;
    world_rule(world, (struct world_rule){.about = "c", .hold = true});
    world_begin(world);
    cri_cache_look(world->cache, "e");
    world_pass(world, USEC_PER_MSEC * 10);
    for (size_t at = 0; (pod = cri_cache_next(world->cache, &at));) {
        seen++;
        assert_true(str_equal(pod->uid, "a") || str_equal(pod->uid, "b"));
        assert_string_equal(pod->name, "pod");
        assert_string_equal(pod->name_space, "default");
        assert_int_equal(pod->containers.count, 0);
    }
    assert_int_equal(seen, 2);
    assert_null(cri_cache_pod(world->cache, "b"));
}

/* asking and telling */

static void ask_again(struct world *world, const char *uid)
{
    if (str_equal(uid, "a") && strlen(world->told) < 20)
        cri_cache_look(world->cache, uid);
    if (!uid)
        cri_cache_look(world->cache, "new");
}

static void test_the_owner_may_ask_when_told(void **state)
{
    struct world *world = *state;

    world->on_told = ask_again;
    world_sandbox(world, "a", "s");
    world_begin(world);
    world_pass(world, 100 * USEC_PER_MSEC);
    world_expect_told(world, "a,*,a,new,a,a,a,a,a,");
}

static void test_nothing_is_told_from_within(void **state)
{
    struct world *world = *state;

    world_rule(world, (struct world_rule){.refuse = true});
    world_begin(world);
    cri_cache_look(world->cache, "a");
    cri_cache_expect(world->cache, "changing");
    world_expect_told(world, "");
    cri_cache_expect_no_more(world->cache, "changing");
    world_turn(world);
    world_expect_told(world, "a,");
}

static void test_it_can_be_freed_at_any_time(void **state)
{
    struct world *world = *state;
    static const char *const held[] = {"ListPodSandbox", "ListContainers", "PodSandboxStatus",
                                       "ContainerStatus", NULL};

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c");
    for (size_t i = 0; i < array_size(held); i++) {
        world->rule_count = 0;
        if (held[i])
            world_rule(world, (struct world_rule){.method = held[i], .hold = true});
        world_begin(world);
        cri_cache_look(world->cache, "a");
        world_pass(world, i % 2 ? USEC_PER_MSEC : 2 * USEC_PER_SEC);
        cri_cache_look(world->cache, "b");
        world->cache = cri_cache_free(world->cache);
        assert_int_equal(world_in_flight(world, NULL), 0);
    }
    assert_null(cri_cache_free(NULL));
}

/* many */

static char *numbered(const char *prefix, unsigned number)
{
    return mem_printf("%s-%04u-0123456789-0123456789-0123456789-0123456789-0123456789", prefix,
                      number);
}

static void test_five_hundred_pods(void **state)
{
    struct world *world = *state;
    const struct cri_pod *pod;
    unsigned seen = 0;
    char *names[1500];

    for (unsigned i = 0; i < 500; i++) {
        names[3 * i] = numbered("uid", i);
        names[3 * i + 1] = numbered("sandbox", i);
        names[3 * i + 2] = numbered("container", i);
        world_sandbox(world, names[3 * i], names[3 * i + 1]);
        world_container(world, names[3 * i], names[3 * i + 2])->sandbox_id = names[3 * i + 1];
    }
    world_begin(world);
    world_pass(world, USEC_PER_MSEC * 500);
    for (size_t at = 0; (pod = cri_cache_next(world->cache, &at)); seen++) {
        assert_int_equal(pod->sandboxes.count, 1);
        assert_int_equal(pod->containers.count, 1);
        assert_string_equal(pod->containers.items[0].sandbox_id, pod->sandboxes.items[0].id);
    }
    assert_int_equal(seen, 500);
    assert_int_equal(world_calls(world, "ContainerStatus"), 500);
    world_forget_calls(world);
    world_pass(world, 30 * USEC_PER_SEC);
    assert_int_equal(world_calls(world, "ContainerStatus"), 0);
    for (size_t i = 0; i < array_size(names); i++)
        free(names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_the_first_look_is_at_once),
        world_test(test_without_hints_an_exit_is_noticed_within_two_seconds),
        world_test(test_expectations_make_looks_frequent),
        world_test(test_an_expectation_shortens_the_pause_that_goes_on),
        world_test(test_with_hints_the_whole_is_looked_at_seldom),
        world_test(test_failures_back_off_and_say_why),
        world_test(test_an_expectation_does_not_shorten_the_back_off),
        world_test(test_calls_that_cannot_be_made_are_failures),
        world_test(test_what_vanished_is_told_and_forgotten),
        world_test(test_what_did_not_change_is_not_told),
        world_test(test_versions_grow_with_changes),
        world_test(test_all_pods_can_be_walked_through),
        world_test(test_the_owner_may_ask_when_told),
        world_test(test_nothing_is_told_from_within),
        world_test(test_it_can_be_freed_at_any_time),
        world_test(test_five_hundred_pods),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
