/* cri/cache-hint: what containerd tells, and how often the pod is looked at for it. */
#include "cache-world.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include "containerd-events.pb-c.h"

#include <stdlib.h>

/* A message whose one field that counts is the container's id: that is how they begin. */
static void tell(struct world *world, const char *topic, const char *id)
{
    Containerd__Envelope envelope = CONTAINERD__ENVELOPE__INIT;
    Containerd__Any event = CONTAINERD__ANY__INIT;
    Containerd__TaskDelete ended = CONTAINERD__TASK_DELETE__INIT;
    uint8_t inner[256];
    uint8_t *bytes;

    ended.container_id = (char *)id;
    event.value.data = inner;
    event.value.len = containerd__task_delete__pack(&ended, inner);
    envelope.topic = (char *)topic;
    envelope.event = &event;
    bytes = mem_alloc(containerd__envelope__get_packed_size(&envelope));
    world_stream_message(world, bytes, containerd__envelope__pack(&envelope, bytes));
    free(bytes);
    world_settle(world);
}

static const struct cri_container *begin(struct world *world)
{
    world_sandbox(world, "a", "s");
    world_container(world, "a", "c")->sandbox_id = "s";
    world_begin(world);
    world_pass(world, 15 * USEC_PER_SEC);
    world_forget_calls(world);
    return cri_cache_pod(world->cache, "a")->containers.items;
}

static const struct cri_container *shown(struct world *world)
{
    return cri_cache_pod(world->cache, "a")->containers.items;
}

/* containerd shows an end some milliseconds after it has told of it. */
static void test_an_end_is_seen_soon_after_it_shows(void **state)
{
    struct world *world = *state;

    assert_int_equal(begin(world)->state, CRI_RUNNING);
    tell(world, "/tasks/delete", "c");
    world_pass(world, 22 * USEC_PER_MSEC);
    assert_int_equal(shown(world)->state, CRI_RUNNING);
    world->containers[0].state = CRI_EXITED;
    world_pass(world, 6 * USEC_PER_MSEC);
    assert_int_equal(shown(world)->state, CRI_EXITED);
    world_forget_calls(world);
    world_pass(world, 5 * USEC_PER_SEC);
    assert_int_equal(world_calls_about(world, "ListContainers", "a"), 0);
}

static void test_an_end_that_never_shows_is_not_looked_for_forever(void **state)
{
    struct world *world = *state;

    begin(world);
    tell(world, "/tasks/delete", "c");
    world_pass(world, 60 * USEC_PER_SEC);
    assert_in_range(world_calls_about(world, "ListContainers", "a"), 8, 20);
}

static void test_the_reason_may_come_after_the_end(void **state)
{
    struct world *world = *state;

    begin(world);
    world->containers[0].state = CRI_EXITED;
    world->containers[0].exit_code = 137;
    world->containers[0].reason = "Error";
    tell(world, "/tasks/oom", "c");
    tell(world, "/tasks/delete", "c");
    world_pass(world, 100 * USEC_PER_MSEC);
    assert_string_equal(shown(world)->reason, "Error");
    world->containers[0].reason = "OOMKilled";
    world_pass(world, 200 * USEC_PER_MSEC);
    assert_string_equal(shown(world)->reason, "OOMKilled");
    world_forget_calls(world);
    world_pass(world, 5 * USEC_PER_SEC);
    assert_int_equal(world_calls_about(world, "ListContainers", "a"), 0);
}

/* Memory ran out in a process of it that was not the first. */
static void test_a_reason_that_never_comes_is_not_looked_for_forever(void **state)
{
    struct world *world = *state;

    begin(world);
    tell(world, "/tasks/oom", "c");
    world_pass(world, 500 * USEC_PER_MSEC);
    world->containers[0].state = CRI_EXITED;
    world->containers[0].reason = "Completed";
    tell(world, "/tasks/delete", "c");
    world_pass(world, 60 * USEC_PER_SEC);
    assert_string_equal(shown(world)->reason, "Completed");
    assert_in_range(world_calls_about(world, "ContainerStatus", "c"), 1, 20);
}

/* The owner looks when it is done, and the whole is looked at meanwhile. */
static void test_hints_about_what_the_owner_changes_cost_no_looks_of_their_own(void **state)
{
    struct world *world = *state;

    begin(world);
    cri_cache_expect(world->cache, "a");
    tell(world, "/tasks/delete", "c");
    world_pass(world, 5 * USEC_PER_SEC);
    world->containers[0].state = CRI_EXITED;
    world_pass(world, 2 * USEC_PER_SEC);
    assert_int_equal(shown(world)->state, CRI_EXITED);
    assert_int_equal(world_calls_about(world, "ListContainers", "a"), 0);
    cri_cache_expect_no_more(world->cache, "a");
}

static void test_hints_that_waited_for_the_owner_are_followed_when_it_is_done(void **state)
{
    struct world *world = *state;

    begin(world);
    cri_cache_expect(world->cache, "a");
    tell(world, "/tasks/delete", "c");
    world_pass(world, 10 * USEC_PER_MSEC);
    world->containers[0].state = CRI_EXITED;
    cri_cache_expect_no_more(world->cache, "a");
    world_pass(world, 40 * USEC_PER_MSEC);
    assert_int_equal(shown(world)->state, CRI_EXITED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_an_end_is_seen_soon_after_it_shows),
        world_test(test_an_end_that_never_shows_is_not_looked_for_forever),
        world_test(test_the_reason_may_come_after_the_end),
        world_test(test_a_reason_that_never_comes_is_not_looked_for_forever),
        world_test(test_hints_about_what_the_owner_changes_cost_no_looks_of_their_own),
        world_test(test_hints_that_waited_for_the_owner_are_followed_when_it_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
