/* net/lookup: names to addresses, in the pool. */
#include "hung-lookup.h"
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/net/lookup.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT (20 * USEC_PER_SEC)

struct place {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct work_job *job;
    unsigned done;
    char *addresses;
    struct err err;
};

static int set_up(void **state)
{
    struct place *place = mem_new(struct place);

    place->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&place->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&place->driver, place->wheel, place->loop, NULL), 0);
    assert_int_equal(work_new(&place->work, place->loop, place->wheel, NULL), 0);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    work_free(place->work);
    wheel_driver_free(place->driver);
    wheel_free(place->wheel);
    loop_free(place->loop);
    free(place->addresses);
    free(place);
    return 0;
}

static void take(void *owner, const char *addresses, const struct err *err)
{
    struct place *place = owner;

    place->done++;
    place->addresses = addresses ? mem_strdup(addresses) : NULL;
    place->err = *err;
}

static void look_up(struct place *place, const char *host)
{
    unsigned before = place->done;

    free(place->addresses);
    place->addresses = NULL;
    assert_int_equal(lookup_start(place->work, host, LIMIT, take, place, &place->job, NULL), 0);
    assert_int_equal(place->done, before);
    while (place->done == before)
        assert_true(loop_turn(place->loop, 100 * USEC_PER_MSEC, NULL) >= 0);
}

static void test_names(void **state)
{
    struct place *place = *state;

    look_up(place, "localhost");
    assert_non_null(place->addresses);
    assert_non_null(strstr(place->addresses, "127.0.0.1"));
    look_up(place, "127.0.0.2");
    assert_string_equal(place->addresses, "127.0.0.2");
    look_up(place, "fd00::1");
    assert_string_equal(place->addresses, "[fd00::1]");
    look_up(place, "nobody.invalid");
    assert_null(place->addresses);
    assert_int_equal(place->err.code, -EHOSTUNREACH);
    assert_true(str_has_prefix(place->err.text, "its name cannot be resolved: "));
    look_up(place, "fe80::1%lo");
    assert_null(place->addresses);
    assert_string_equal(place->err.text, "its name has no address that can be used");
}

static void test_cancelled(void **state)
{
    struct place *place = *state;

    assert_int_equal(lookup_start(place->work, "localhost", LIMIT, take, place, &place->job, NULL),
                     0);
    work_cancel(place->job);
    assert_int_equal(place->done, 1);
    assert_int_equal(place->err.code, -ECANCELED);
}

static void test_servers_that_do_not_answer(void **state)
{
    struct place *place = *state;
    struct hung_lookup hung;
    struct err err;

    hung_lookup_begin(&hung, place->work, "slow", 20 * USEC_PER_MSEC);
    look_up(place, "slow");
    assert_int_equal(place->err.code, -ETIMEDOUT);
    assert_string_equal(place->err.text, "its name servers do not answer");
    assert_int_equal(lookup_start(place->work, "slow", LIMIT, take, place, &place->job, &err),
                     -EBUSY);
    look_up(place, "localhost");
    assert_non_null(place->addresses);
    hung_lookup_end(&hung);
    while (work_stats(place->work)->stuck)
        assert_true(loop_turn(place->loop, 100 * USEC_PER_MSEC, NULL) >= 0);
    hung_lookup_close(&hung);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_servers_that_do_not_answer, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
