/* cri/cache-deed: what the owner did is known without a look at the pod. */
#include "cache-world.h"

#include "nodeagent/base/str.h"

#include <string.h>

static struct cri_deed deed(enum cri_deed_kind kind, const char *id)
{
    return (struct cri_deed){
        .kind = kind,
        .id = id,
        .name = "web",
        .name_space = "ns",
        .container = "main",
        .sandbox_id = "s",
    };
}

/* A pod with this, which was looked at; nothing is called any more. */
static void begin(struct world *world)
{
    world_begin(world);
    world_pass(world, 100 * USEC_PER_MSEC);
    world_forget_calls(world);
    *world->told = '\0';
}

static usec_t learned;

static void learn(struct world *world, enum cri_deed_kind kind, const char *id)
{
    struct cri_deed done = deed(kind, id);

    learned = world_now(world);

    cri_cache_learn(world->cache, "a", &done);
}

/* Only these details were asked for, and the owner was told at a look not older than the deed. */
static void expect_status_calls(struct world *world, unsigned sandbox, unsigned container)
{
    world_settle(world);
    assert_int_equal(world_calls(world, "ListPodSandbox"), 0);
    assert_int_equal(world_calls(world, "ListContainers"), 0);
    assert_int_equal(world_calls(world, "PodSandboxStatus"), sandbox);
    assert_int_equal(world_calls(world, "ContainerStatus"), container);
    assert_true(cri_cache_looked(world->cache, "a") >= learned);
    assert_non_null(strstr(world->told, "a,"));
    *world->told = '\0';
    world_forget_calls(world);
}

static void expect_look(struct world *world)
{
    world_settle(world);
    assert_int_equal(world_calls_about(world, "ListPodSandbox", "a"), 1);
    assert_int_equal(world_calls_about(world, "ListContainers", "a"), 1);
    world_forget_calls(world);
}

static const struct cri_pod *shown(struct world *world)
{
    return cri_cache_pod(world->cache, "a");
}

static void test_what_was_made(void **state)
{
    struct world *world = *state;

    begin(world);
    world_sandbox(world, "a", "s")->ip = "10.0.0.1";
    learn(world, CRI_RAN_SANDBOX, "s");
    expect_status_calls(world, 1, 0);
    assert_string_equal(shown(world)->name, "web");
    assert_string_equal(shown(world)->name_space, "ns");
    assert_string_equal(shown(world)->sandboxes.items[0].ips[0], "10.0.0.1");
    assert_true(shown(world)->sandboxes.items[0].ready);

    world_container(world, "a", "c")->sandbox_id = "s";
    learn(world, CRI_STARTED_CONTAINER, "c");
    expect_status_calls(world, 0, 1);
    assert_int_equal(shown(world)->containers.count, 1);
    assert_int_equal(shown(world)->containers.items[0].state, CRI_RUNNING);
    assert_string_equal(shown(world)->containers.items[0].name, "main");
}

/* A look at the whole finds nothing to correct. */
static void test_it_is_what_a_look_shows(void **state)
{
    struct world *world = *state;
    uint64_t version;

    begin(world);
    world_sandbox(world, "a", "s")->ip = "10.0.0.1";
    learn(world, CRI_RAN_SANDBOX, "s");
    world_settle(world);
    world_container(world, "a", "c")->sandbox_id = "s";
    world->containers[0].name = "main";
    world->containers[0].restarts = "7";
    learn(world, CRI_STARTED_CONTAINER, "c");
    world_settle(world);
    version = shown(world)->version;
    world_pass(world, 30 * USEC_PER_SEC);
    assert_int_equal(shown(world)->containers.items[0].restart_count, 7);
    assert_int_equal(shown(world)->version, version);
}

static void test_what_was_ended(void **state)
{
    struct world *world = *state;

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c")->sandbox_id = "s";
    begin(world);
    world->containers[0].state = CRI_EXITED;
    world->containers[0].exit_code = 3;
    learn(world, CRI_STOPPED_CONTAINER, "c");
    expect_status_calls(world, 0, 1);
    assert_int_equal(shown(world)->containers.items[0].state, CRI_EXITED);
    assert_int_equal(shown(world)->containers.items[0].exit_code, 3);

    world->sandboxes[0].not_ready = true;
    learn(world, CRI_STOPPED_SANDBOX, "s");
    expect_status_calls(world, 0, 0);
    assert_false(shown(world)->sandboxes.items[0].ready);

    world->containers[0].id = NULL;
    learn(world, CRI_REMOVED, "c");
    expect_status_calls(world, 0, 0);
    assert_int_equal(shown(world)->containers.count, 0);
    world->sandboxes[0].id = NULL;
    learn(world, CRI_REMOVED, "s");
    expect_status_calls(world, 0, 0);
    assert_null(shown(world));
}

static void test_what_does_not_fit_is_looked_at(void **state)
{
    struct world *world = *state;

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c")->sandbox_id = "s";
    begin(world);
    learn(world, CRI_STOPPED_CONTAINER, "another");
    expect_look(world);
    learn(world, CRI_STOPPED_SANDBOX, "s"); /* in which something runs */
    expect_look(world);
    learn(world, CRI_RAN_SANDBOX, "s"); /* as is known */
    expect_look(world);
    learn(world, CRI_RAN_SANDBOX, "");
    expect_look(world);
}

static void test_what_was_created_may_have_started_by_itself(void **state)
{
    struct world *world = *state;

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c")->sandbox_id = "s";
    world_container(world, "a", "d")->sandbox_id = "s";
    world->containers[1].state = CRI_CREATED;
    begin(world);
    world->containers[0].state = CRI_EXITED;
    world->containers[1].state = CRI_RUNNING;
    learn(world, CRI_STOPPED_CONTAINER, "c");
    expect_look(world);
    assert_int_equal(shown(world)->containers.items[0].state +
                         shown(world)->containers.items[1].state,
                     CRI_EXITED + CRI_RUNNING);
}

/* What the runtime says of a container counts, not what it answered. */
static void test_details_are_believed(void **state)
{
    struct world *world = *state;

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c")->sandbox_id = "s";
    begin(world);
    learn(world, CRI_STOPPED_CONTAINER, "c");
    expect_status_calls(world, 0, 1);
    assert_int_equal(shown(world)->containers.items[0].state, CRI_RUNNING);
}

static void test_while_details_are_missing_it_is_looked_at(void **state)
{
    struct world *world = *state;

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c")->sandbox_id = "s";
    world_container(world, "a", "d")->sandbox_id = "s";
    begin(world);
    world_rule(world, (struct world_rule){.method = "ContainerStatus", .hold = true});
    world->containers[0].state = world->containers[1].state = CRI_EXITED;
    learn(world, CRI_STOPPED_CONTAINER, "c");
    world_settle(world);
    world_forget_calls(world);
    learn(world, CRI_STOPPED_CONTAINER, "d");
    expect_look(world);
    world->rule_count = 0;
    world_release_all(world);
    world_settle(world);
    assert_int_equal(shown(world)->containers.items[0].state, CRI_EXITED);
    assert_int_equal(shown(world)->containers.items[1].state, CRI_EXITED);
}

/* Another look has shown more by then: what was inferred is older than that. */
static void test_news_that_came_meanwhile_are_kept(void **state)
{
    struct world *world = *state;

    world_sandbox(world, "a", "s");
    world_container(world, "a", "c")->sandbox_id = "s";
    begin(world);
    world_rule(world, (struct world_rule){.method = "ListContainers", .about = "", .hold = true});
    world->sandboxes[0].not_ready = true;
    while (!world_in_flight(world, "ListContainers"))
        world_pass(world, 100 * USEC_PER_MSEC);
    world_rule(world, (struct world_rule){.method = "ContainerStatus", .hold = true});
    world->containers[0].state = CRI_EXITED;
    learn(world, CRI_STOPPED_CONTAINER, "c");
    world_settle(world);
    world_release_newest(world, "ListContainers");
    world_settle(world);
    assert_false(shown(world)->sandboxes.items[0].ready);
    world->rule_count = 0;
    world_release_all(world);
    world_pass(world, 100 * USEC_PER_MSEC);
    assert_false(shown(world)->sandboxes.items[0].ready);
    assert_int_equal(shown(world)->containers.items[0].state, CRI_EXITED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_what_was_made),
        world_test(test_it_is_what_a_look_shows),
        world_test(test_what_was_ended),
        world_test(test_what_does_not_fit_is_looked_at),
        world_test(test_what_was_created_may_have_started_by_itself),
        world_test(test_details_are_believed),
        world_test(test_while_details_are_missing_it_is_looked_at),
        world_test(test_news_that_came_meanwhile_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
