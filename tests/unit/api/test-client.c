/* api/client: requests to a server that answers, refuses, and says nothing. */
#include "http-server.h"
#include "hung-lookup.h"

#include "nodeagent/api/client.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>

#define PATIENCE (20 * USEC_PER_SEC)

struct place {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct http_server server;
    struct api *api;
    bool anonymous; /* there is no credential yet */
    uint64_t generation;
    unsigned refused;
    atomic_uint failures; /* that the server answers first */
    atomic_int last_fd;   /* of its connections */
    atomic_int silent_fd; /* on which it says nothing */
    char request[4096];   /* the last */
    unsigned done;
    int code; /* of the last failure; -1: no answer */
    char body[256];
    struct strbuf pieces;
};

static bool answer(struct http_server *server, int fd, const char *path, const char *request)
{
    struct place *place = server->data;

    snprintf(place->request, sizeof(place->request), "%s", request);
    place->last_fd = fd;
    if (!strcmp(path, "/prefix/deaf") || place->silent_fd == fd)
        return true;
    if (place->failures && place->failures--) {
        if (!strcmp(path, "/prefix/broken"))
            return false;
        return http_reply_with(fd, "429 Too Many Requests", "Retry-After: 1\r\n", "{}");
    }
    if (!strcmp(path, "/prefix/slow"))
        usleep(500000);
    if (!strcmp(path, "/prefix/401"))
        return http_reply_with(fd, "401 Unauthorized", "", "{}");
    if (!strcmp(path, "/prefix/500"))
        return http_reply_with(fd, "500 Oh", "", "{}");
    if (!strcmp(path, "/prefix/stream")) {
        http_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 3; i++) {
            http_send(fd, "4\r\none\n\r\n");
            usleep(100000);
        }
        return http_send(fd, "0\r\n\r\n");
    }
    return http_reply_with(fd, "200 OK", "", "fine");
}

static int identify(void *owner, struct api_identity *identity, struct err *err)
{
    struct place *place = owner;

    identity->authorization = "Bearer secret";
    identity->generation = place->generation;
    return place->anonymous ? -EAGAIN : 0;
}

static void on_refused(void *owner, usec_t began)
{
    struct place *place = owner;

    place->refused++;
}

static int set_up_at(void **state, const char *host)
{
    struct place *place = mem_new(struct place);
    struct api_options options = {
        .user_agent = "tested/1",
        .rate = 1000,
        .burst = 1000,
        .event_rate = 10,
        .event_burst = 1,
        .owner = place,
        .identify = identify,
        .refused = on_refused,
    };
    char *url;

    place->silent_fd = -1;
    place->wheel = options.wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&place->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&place->driver, place->wheel, place->loop, NULL), 0);
    assert_int_equal(work_new(&place->work, place->loop, place->wheel, NULL), 0);
    http_server_start(&place->server, answer, place);
    url = mem_printf("http://%s:%u/prefix", host, place->server.port);
    options.server = url;
    options.loop = place->loop;
    options.work = place->work;
    assert_int_equal(api_new(&place->api, &options, NULL), 0);
    free(url);
    *state = place;
    return 0;
}

static int set_up(void **state)
{
    return set_up_at(state, "127.0.0.1");
}

static int set_up_with_name(void **state)
{
    return set_up_at(state, "localhost");
}

static int tear_down(void **state)
{
    struct place *place = *state;

    api_free(place->api);
    http_server_stop(&place->server);
    work_free(place->work);
    wheel_driver_free(place->driver);
    wheel_free(place->wheel);
    loop_free(place->loop);
    strbuf_deinit(&place->pieces);
    free(place);
    return 0;
}

static void take(void *owner, const struct api_reply *reply)
{
    struct place *place = owner;

    place->done++;
    place->code = 0;
    if (reply->failure)
        place->code = reply->failure->code ? reply->failure->code : -1;
    snprintf(place->body, sizeof(place->body), "%s",
             reply->failure ? reply->failure->err.text : reply->body);
}

static void turn_until_done(struct place *place, unsigned done)
{
    usec_t patience = clock_boottime() + PATIENCE;

    while (place->done < done) {
        assert_true(clock_boottime() < patience);
        assert_true(loop_turn(place->loop, 100 * USEC_PER_MSEC, NULL) >= 0);
    }
}

static void turn_for(struct place *place, usec_t duration)
{
    usec_t until = clock_boottime() + duration, now;

    while ((now = clock_boottime()) < until)
        assert_true(loop_turn(place->loop, until - now, NULL) >= 0);
}

/* Begins it, waits for its end, and returns how long that took. */
static usec_t ask(struct place *place, struct api_request request)
{
    usec_t began = clock_boottime();
    unsigned before = place->done;

    api_begin(place->api, &request, take, place);
    assert_int_equal(place->done, before);
    turn_until_done(place, before + 1);
    return clock_boottime() - began;
}

static void test_a_request(void **state)
{
    struct place *place = *state;

    ask(place,
        (struct api_request){
            .method = "PATCH", .path = "/pod?x=y", .body = "{}", .type = API_STRATEGIC_MERGE});
    assert_int_equal(place->code, 0);
    assert_string_equal(place->body, "fine");
    assert_non_null(strstr(place->request, "PATCH /prefix/pod?x=y HTTP/1.1\r\n"));
    assert_non_null(strstr(place->request, "User-Agent: tested/1\r\n"));
    assert_non_null(strstr(place->request, "Accept: application/json\r\n"));
    assert_non_null(strstr(place->request, "Authorization: Bearer secret\r\n"));
    assert_non_null(
        strstr(place->request, "Content-Type: application/strategic-merge-patch+json\r\n"));
    assert_non_null(strstr(place->request, "Content-Length: 2\r\n"));
    ask(place, (struct api_request){.method = "DELETE", .path = "/pod", .body = "{\"a\":1}"});
    assert_non_null(strstr(place->request, "DELETE /prefix/pod HTTP/1.1\r\n"));
    assert_non_null(strstr(place->request, "Content-Type: application/json\r\n"));
    ask(place, (struct api_request){.method = "GET", .path = "/pod"});
    assert_non_null(strstr(place->request, "GET /prefix/pod HTTP/1.1\r\n"));
    assert_null(strstr(place->request, "Content-Type"));
    assert_int_equal(place->server.count, 1); /* connections */
}

/* API check 6 */
static void test_the_server_says_when_to_come_again(void **state)
{
    struct place *place = *state;

    place->failures = 2;
    assert_in_range(ask(place, (struct api_request){.method = "PATCH", .path = "/x", .body = "{}"}),
                    2 * USEC_PER_SEC, 4 * USEC_PER_SEC);
    assert_int_equal(place->code, 0);
    assert_int_equal(place->server.requests, 3);
    ask(place, (struct api_request){.method = "PATCH", .path = "/500", .body = "{}"});
    assert_int_equal(place->code, 500);
    assert_string_equal(place->body, "PATCH /500: the API server answers 500");
    assert_int_equal(place->server.requests, 4);
}

static void test_what_changes_nothing_is_asked_again(void **state)
{
    struct place *place = *state;

    place->failures = 1;
    ask(place, (struct api_request){.method = "GET", .path = "/broken"});
    assert_int_equal(place->code, 0);
    place->failures = 100; /* curl tries again over a connection that is not an old one */
    ask(place, (struct api_request){.method = "POST", .path = "/broken", .body = "{}"});
    assert_int_equal(place->code, -1);
    place->failures = 100;
    ask(place, (struct api_request){.method = "GET", .path = "/broken"});
    assert_int_equal(place->code, -1);
}

static void test_a_refused_credential_is_told(void **state)
{
    struct place *place = *state;

    ask(place, (struct api_request){.method = "GET", .path = "/401"});
    assert_int_equal(place->code, 401);
    assert_int_equal(place->refused, 1);
}

static void test_who_has_no_credential_waits(void **state)
{
    struct place *place = *state;

    place->anonymous = true;
    api_begin(place->api, &(struct api_request){.method = "GET", .path = "/x"}, take, place);
    turn_for(place, 100 * USEC_PER_MSEC);
    api_identity_changed(place->api);
    turn_for(place, 100 * USEC_PER_MSEC);
    assert_int_equal(place->server.requests, 0);
    place->anonymous = false;
    api_identity_changed(place->api);
    turn_until_done(place, 1);
    assert_int_equal(place->code, 0);
}

/* What changes something is waited for on the former one: whether it did would not be known. */
static void test_another_certificate_is_another_connection(void **state)
{
    struct place *place = *state;

    ask(place, (struct api_request){.method = "GET", .path = "/x"});
    api_begin(place->api, &(struct api_request){.method = "GET", .path = "/deaf"}, take, place);
    api_begin(place->api, &(struct api_request){.method = "PUT", .path = "/slow", .body = "{}"},
              take, place);
    turn_for(place, 200 * USEC_PER_MSEC);
    assert_int_equal(place->server.requests, 3);
    place->generation++;
    api_identity_changed(place->api);
    turn_for(place, 200 * USEC_PER_MSEC);
    assert_int_equal(place->done, 1);
    assert_int_equal(place->server.requests, 4); /* the GET again */
    turn_until_done(place, 2);
    assert_int_equal(place->code, 0);
    ask(place, (struct api_request){.method = "GET", .path = "/x"});
    assert_int_equal(place->code, 0);
}

static void test_who_is_somebody_else_again_waits_no_longer(void **state)
{
    struct place *place = *state;

    api_begin(place->api, &(struct api_request){.method = "PUT", .path = "/deaf", .body = "{}"},
              take, place);
    turn_for(place, 200 * USEC_PER_MSEC);
    place->generation++;
    api_identity_changed(place->api);
    turn_for(place, 200 * USEC_PER_MSEC);
    assert_int_equal(place->done, 0);
    place->generation++;
    api_identity_changed(place->api);
    turn_for(place, 200 * USEC_PER_MSEC);
    assert_int_equal(place->done, 1);
    assert_int_equal(place->code, -1);
}

static void passed(struct api_waiter *waiter)
{
    waiter->passed = NULL;
}

static void test_who_waits_for_an_answer_is_called_once(void **state)
{
    struct place *place = *state;
    struct api_waiter waiter = {.passed = passed}, gone = {.passed = passed};
    const struct api_failure no_answer = {.code = 0};

    list_init(&waiter.link);
    list_init(&gone.link);
    api_wait(place->api, &waiter, &no_answer);
    api_wait(place->api, &gone, &no_answer);
    list_unlink(&gone.link);
    ask(place, (struct api_request){.method = "GET", .path = "/500"});
    assert_null(waiter.passed);
    assert_non_null(gone.passed);
    ask(place, (struct api_request){.method = "GET", .path = "/x"});
}

/* That others are answered, with 401 perhaps, is nothing new to it. */
static void test_who_was_refused_is_called_with_another_identity(void **state)
{
    struct place *place = *state;
    struct api_waiter refused = {.passed = passed}, failed = {.passed = passed};

    list_init(&refused.link);
    list_init(&failed.link);
    api_wait(place->api, &refused, &(struct api_failure){.code = 403});
    api_wait(place->api, &failed, &(struct api_failure){.code = 500});
    ask(place, (struct api_request){.method = "GET", .path = "/401"});
    assert_non_null(refused.passed);
    place->anonymous = true;
    api_identity_changed(place->api);
    assert_non_null(refused.passed);
    place->anonymous = false;
    api_identity_changed(place->api);
    assert_null(refused.passed);
    assert_non_null(failed.passed);
}

static void test_events_hold_nobody_up(void **state)
{
    struct place *place = *state;
    usec_t took;

    for (int i = 0; i < 11; i++)
        api_begin(place->api,
                  &(struct api_request){.method = "GET", .path = "/x", .class = API_EVENTS}, take,
                  place);
    took = ask(place, (struct api_request){.method = "GET", .path = "/x", .class = API_HEARTBEAT});
    assert_in_range(took, 0, 500 * USEC_PER_MSEC);
    turn_until_done(place, 12);
}

/* A hundred that were given up would hold up the next for ten seconds. */
static void test_what_was_not_sent_costs_nothing(void **state)
{
    static const struct api_request event = {.method = "GET", .path = "/x", .class = API_EVENTS};
    struct place *place = *state;

    ask(place, event);
    for (int i = 0; i < 100; i++)
        api_cancel(api_begin(place->api, &event, take, place));
    assert_in_range(ask(place, event), 0, 5 * USEC_PER_SEC);
}

static void take_piece(void *owner, const char *bytes, size_t length)
{
    struct place *place = owner;

    strbuf_add_bytes(&place->pieces, bytes, length);
    strbuf_add_char(&place->pieces, '|');
}

static void test_a_stream_is_told_as_it_comes(void **state)
{
    struct place *place = *state;

    ask(place, (struct api_request){.method = "GET", .path = "/stream", .data = take_piece});
    assert_int_equal(place->code, 0);
    assert_string_equal(place->body, "");
    assert_string_equal(place->pieces.text, "one\n|one\n|one\n|");
    ask(place, (struct api_request){.method = "GET", .path = "/500", .data = take_piece});
    assert_int_equal(place->code, 500);
}

static void test_a_stream_that_does_not_begin_is_asked_for_again(void **state)
{
    static const struct api_request stream = {
        .method = "GET",
        .path = "/broken",
        .data = take_piece,
    };
    struct place *place = *state;

    place->failures = 1;
    ask(place, stream);
    assert_int_equal(place->code, 0);
    assert_string_equal(place->pieces.text, "fine|");
    place->failures = 100;
    ask(place, stream);
    assert_int_equal(place->code, -1);
}

static void begin_deaf_stream(struct place *place)
{
    api_begin(place->api,
              &(struct api_request){.method = "GET", .path = "/deaf", .data = take_piece}, take,
              place);
    turn_for(place, 100 * USEC_PER_MSEC);
}

static const struct api_request heartbeat = {
    .method = "GET",
    .path = "/x",
    .class = API_HEARTBEAT,
};

/* API check 7: somebody on the way acknowledges what is sent, and says nothing. */
static void test_a_dead_connection_is_given_up(void **state)
{
    struct place *place = *state;

    begin_deaf_stream(place);
    assert_in_range(ask(place, heartbeat), 0, 3 * USEC_PER_SEC);
    place->silent_fd = place->last_fd;
    assert_in_range(ask(place, heartbeat), 4 * USEC_PER_SEC, 6 * USEC_PER_SEC);
    assert_int_equal(place->done, 3); /* the stream has ended, too */
    assert_in_range(ask(place, heartbeat), 0, 3 * USEC_PER_SEC);
    assert_int_equal(place->code, 0);
}

/* The server is slow, or away: whoever waits for it goes on to do so. */
static void test_who_answers_nobody_has_no_dead_connection(void **state)
{
    struct place *place = *state;

    begin_deaf_stream(place);
    assert_in_range(
        ask(place, (struct api_request){.method = "GET", .path = "/deaf", .class = API_HEARTBEAT}),
        8 * USEC_PER_SEC, 10 * USEC_PER_SEC);
    assert_int_equal(place->code, -1);
    assert_int_equal(place->done, 1);
}

/* Whatever connection is made next, over whatever client: where the server is was known. */
static void test_name_servers_that_say_nothing_stop_no_heartbeat(void **state)
{
    struct place *place = *state;
    struct hung_lookup hung;

    ask(place, heartbeat);
    hung_lookup_begin(&hung, place->work, "localhost", PATIENCE);
    place->silent_fd = place->last_fd;
    assert_in_range(ask(place, heartbeat), 4 * USEC_PER_SEC, 6 * USEC_PER_SEC);
    assert_int_equal(place->code, 0);
    place->generation++;
    api_identity_changed(place->api);
    assert_in_range(ask(place, heartbeat), 0, 3 * USEC_PER_SEC);
    assert_int_equal(place->code, 0);
    hung_lookup_end(&hung);
    while (work_stats(place->work)->busy)
        turn_for(place, 10 * USEC_PER_MSEC);
    hung_lookup_close(&hung);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_server_says_when_to_come_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_changes_nothing_is_asked_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_credential_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_has_no_credential_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_certificate_is_another_connection, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_somebody_else_again_waits_no_longer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_who_waits_for_an_answer_is_called_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_who_was_refused_is_called_with_another_identity,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_hold_nobody_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_not_sent_costs_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_stream_is_told_as_it_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_stream_that_does_not_begin_is_asked_for_again,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_dead_connection_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_answers_nobody_has_no_dead_connection, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_name_servers_that_say_nothing_stop_no_heartbeat,
                                        set_up_with_name, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
