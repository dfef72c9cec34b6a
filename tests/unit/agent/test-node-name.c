/* agent/node-name: looking the node's name up, with the test's clock, wheel and answers. */
#include "test.h"

#include "node-name.h"
#include "nodeagent/base/str.h"
#include "nodeagent/net/lookup.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>

#define BOOT (1000 * USEC_PER_SEC)

static struct world {
    usec_t now;
    struct wheel *wheel;
    lookup_fn *done; /* of a look-up that is under way */
    void *owner;
    bool refused;
    unsigned cancelled;
    unsigned changed;
} world;

usec_t clock_monotonic(void)
{
    return BOOT + world.now;
}

usec_t clock_boottime(void)
{
    return BOOT + world.now;
}

usec_t clock_wall(void)
{
    return BOOT + world.now;
}

int lookup_start(struct work *work, const char *host, usec_t limit, lookup_fn *done, void *owner,
                 struct work_job **job, struct err *err)
{
    assert_string_equal(host, "n");
    if (world.refused)
        return err_set(err, -ENOBUFS, "the queue is full");
    world.done = done;
    world.owner = owner;
    *job = (struct work_job *)&world;
    return 0;
}

static void answer(const char *addresses)
{
    lookup_fn *done = world.done;
    struct err err;

    err_set(&err, -EHOSTUNREACH, "its name servers do not answer");
    world.done = NULL;
    done(world.owner, addresses, &err);
}

void work_cancel(struct work_job *job)
{
    world.cancelled++;
    answer(NULL);
}

static void on_changed(void *owner)
{
    world.changed++;
}

/* In so many microseconds a look-up begins, and not before. */
static void turn_after(usec_t delay)
{
    struct wheel_timer *timer;

    world.now += delay - USEC_PER_MSEC;
    assert_null(wheel_pop(world.wheel, clock_boottime()));
    world.now += 2 * USEC_PER_MSEC;
    timer = wheel_pop(world.wheel, clock_boottime());
    assert_non_null(timer);
    timer->fire(timer);
}

static struct node_name *make(void)
{
    struct node_name_options options = {
        .name = "n",
        .wheel = world.wheel,
        .changed = on_changed,
    };

    return node_name_new(&options);
}

static int begin(void **state)
{
    world = (struct world){.wheel = wheel_new(BOOT)};
    *state = make();
    return 0;
}

static int end(void **state)
{
    *state = node_name_free(*state);
    assert_int_equal(wheel_next(world.wheel), USEC_NEVER);
    wheel_free(world.wheel);
    return 0;
}

#define AT_ONCE USEC_PER_MSEC

static void test_an_answer(void **state)
{
    const struct string_list *addresses = node_name_addresses(*state);

    turn_after(AT_ONCE);
    assert_false(node_name_is_settled(*state));
    answer("10.0.0.5,[fd00::5]");
    assert_true(node_name_is_settled(*state));
    assert_int_equal(world.changed, 1);
    assert_int_equal(addresses->count, 2);
    assert_string_equal(addresses->items[0], "10.0.0.5");
    assert_string_equal(addresses->items[1], "fd00::5");

    turn_after(NODE_NAME_USEC);
    answer("10.0.0.5,[fd00::5]");
    assert_int_equal(world.changed, 1);
    turn_after(NODE_NAME_USEC);
    answer("10.0.0.6");
    assert_int_equal(world.changed, 2);
    assert_int_equal(addresses->count, 1);
    assert_string_equal(addresses->items[0], "10.0.0.6");
}

static void test_a_failure_takes_nothing_back(void **state)
{
    turn_after(AT_ONCE);
    answer(NULL);
    assert_true(node_name_is_settled(*state)); /* it is no use to wait */
    assert_int_equal(world.changed, 0);
    assert_int_equal(node_name_addresses(*state)->count, 0);
    turn_after(NODE_NAME_RETRY_USEC);
    answer("10.0.0.5");
    turn_after(NODE_NAME_USEC);
    answer(NULL);
    assert_int_equal(world.changed, 1);
    assert_int_equal(node_name_addresses(*state)->count, 1);
}

static void test_name_servers_that_do_not_answer(void **state)
{
    turn_after(AT_ONCE);
    world.now = NODE_NAME_PATIENCE_USEC - 1;
    assert_false(node_name_is_settled(*state));
    world.now++;
    assert_true(node_name_is_settled(*state));
}

static void test_a_pool_that_is_full(void **state)
{
    world.refused = true;
    turn_after(AT_ONCE);
    turn_after(NODE_NAME_RETRY_USEC);
    assert_true(node_name_is_settled(*state));
}

static void test_it_is_freed_meanwhile(void **state)
{
    turn_after(AT_ONCE);
    node_name_free(*state);
    assert_int_equal(world.cancelled, 1);
    assert_int_equal(world.changed, 0);
    *state = NULL;
}

#define with_name(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_name(test_an_answer),
        with_name(test_a_failure_takes_nothing_back),
        with_name(test_name_servers_that_do_not_answer),
        with_name(test_a_pool_that_is_full),
        with_name(test_it_is_freed_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
