/* net/http-name: a client that lasts, and the name of the server that it asks. */
#include "http-place.h"
#include "http-private.h"
#include "hung-lookup.h"

#include <errno.h>
#include <signal.h>

#define SHORT (60 * USEC_PER_MSEC) /* in which nobody answers */
#define SOON (600 * USEC_PER_MSEC) /* long before a look-up that hangs ends */

static bool answer(struct http_server *server, int fd, const char *path, const char *request)
{
    return http_reply_with(fd, "200 OK", "", "hello");
}

static struct http *lasting_client(struct place *place, const struct http *knowing)
{
    struct http_options options = {
        .loop = place->loop,
        .wheel = place->wheel,
        .work = place->work,
        .class = LOOP_API,
        .calls_max = CALLS_MAX,
        .lasting = true,
        .knowing = knowing,
    };
    struct http *http;

    assert_int_equal(http_new(&http, &options, NULL), 0);
    return http;
}

static int set_up(void **state)
{
    struct place *place;

    place_set_up(state, answer);
    place = *state;
    http_free(place->http);
    place->http = lasting_client(place, NULL);
    return 0;
}

static void ask_name(struct place *place, const char *host, usec_t timeout)
{
    char *url = mem_printf("http://%s:%u/text", host, place->server.port);

    ask_url(place, url, (struct http_request){.timeout = timeout});
    free(url);
}

static void wait_for_lookup(struct place *place)
{
    usec_t patience = clock_boottime() + PATIENCE;

    while (place->http->name.lookup) {
        assert_true(clock_boottime() < patience);
        assert_true(loop_turn(place->loop, 10 * USEC_PER_MSEC, NULL) >= 0);
    }
}

static void test_it_is_looked_up_once_for_all(void **state)
{
    struct place *place = *state;
    char *url = mem_printf("http://localhost:%u/text", place->server.port);
    struct http_request request = {.url = url, .timeout = PATIENCE, .answer_max = 100};
    struct http_call *calls[20];

    for (size_t i = 0; i < array_size(calls); i++)
        assert_int_equal(http_begin(&calls[i], place->http, &request, take, place, NULL), 0);
    http_cancel(calls[0]); /* who asked first */
    turn_until_done(place, array_size(calls) - 1);
    assert_int_equal(place->status, 200);
    ask_name(place, "localhost", 0);
    assert_int_equal(place->status, 200);
    assert_int_equal(work_stats(place->work)->finished, 1);
    free(url);
}

static void test_it_is_looked_up_again_beside_the_calls(void **state)
{
    struct place *place = *state;

    ask_name(place, "localhost", 0);
    place->http->name.again = 0;
    free(place->http->name.addresses);
    place->http->name.addresses = mem_strdup("127.0.0.2"); /* there the server was until now */
    ask_name(place, "localhost", 0);
    wait_for_lookup(place);
    assert_non_null(strstr(place->http->name.addresses, "127.0.0.1"));
    assert_true(place->http->name.again > clock_boottime());
    assert_int_equal(work_stats(place->work)->finished, 2);
}

/* Its name servers say nothing: the look-up hangs, and the calls do not. */
static void test_what_is_known_is_good_while_nobody_tells_otherwise(void **state)
{
    struct place *place = *state;
    struct hung_lookup hung;
    struct http *other;

    ask_name(place, "localhost", 0);
    hung_lookup_begin(&hung, place->work, "localhost", 3 * SOON);
    place->http->name.again = 0;
    ask_name(place, "localhost", SOON);
    assert_int_equal(place->status, 200);
    assert_non_null(place->http->name.lookup);
    wait_for_lookup(place); /* which fails */
    ask_name(place, "localhost", SOON);
    assert_int_equal(place->status, 200);
    assert_true(place->http->name.again > clock_boottime()); /* not at each call */
    assert_null(place->http->name.lookup);
    place->http->name.again = 0;
    ask_name(place, "localhost", SOON); /* it is stuck, which is known at once */
    assert_int_equal(place->status, 200);

    other = place->http;
    place->http = lasting_client(place, other);
    http_free(other);
    ask_name(place, "localhost", SOON);
    assert_int_equal(place->status, 200);
    hung_lookup_end(&hung);
    while (work_stats(place->work)->stuck)
        turn_for(place, 10 * USEC_PER_MSEC);
    hung_lookup_close(&hung);
}

/* Who asks first dies of that; what it began serves those who come later. */
static void test_a_lookup_outlives_calls(void **state)
{
    struct place *place = *state;
    struct hung_lookup hung;
    struct work_job *job;

    hung_lookup_begin(&hung, place->work, "localhost", PATIENCE);
    ask_name(place, "localhost", SHORT);
    assert_int_equal(place->trouble, NET_NAME);
    assert_int_equal(place->err.code, -ETIMEDOUT);
    job = place->http->name.lookup;
    assert_non_null(job);
    ask_name(place, "localhost", SHORT); /* and who waits with it */
    assert_int_equal(place->trouble, NET_NAME);
    assert_non_null(strstr(place->err.text, ", its name servers do not answer"));
    assert_ptr_equal(place->http->name.lookup, job);
    hung_lookup_end(&hung);
    ask_name(place, "localhost", 0);
    assert_int_equal(place->status, 200);
    assert_int_equal(work_stats(place->work)->finished, 2);
    hung_lookup_close(&hung);
}

static void test_freed_while_it_is_looked_up(void **state)
{
    struct place *place = *state;
    struct hung_lookup hung;

    hung_lookup_begin(&hung, place->work, "localhost", PATIENCE);
    ask_name(place, "localhost", SHORT);
    place->http = http_free(place->http);
    hung_lookup_end(&hung);
    while (work_stats(place->work)->busy)
        turn_for(place, 10 * USEC_PER_MSEC);
    hung_lookup_close(&hung);
}

static void test_a_name_that_is_none(void **state)
{
    struct place *place = *state;

    ask_name(place, "nobody.invalid", 0);
    assert_int_equal(place->trouble, NET_NAME);
    assert_non_null(strstr(place->err.text, "its name cannot be resolved: "));
    ask_name(place, "localhost", 0); /* another server than it lasts for */
    assert_int_equal(place->status, 200);
    assert_null(place->http->name.addresses);
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_it_is_looked_up_once_for_all),
        in_place(test_it_is_looked_up_again_beside_the_calls),
        in_place(test_what_is_known_is_good_while_nobody_tells_otherwise),
        in_place(test_a_lookup_outlives_calls),
        in_place(test_freed_while_it_is_looked_up),
        in_place(test_a_name_that_is_none),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
