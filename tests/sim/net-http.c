/*
 * net/http: the way to the model API server. On the way requests get lost, come late or hang, with
 * or without their effect; connections break, or are dead and nobody knows; streams are torn.
 * Without an API server in the world there is no HTTP.
 */
#include "api-server.h"
#include "bugs.h"
#include "checks.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/net/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER "https://api"

#define WAY_MIN (usec_t)200
#define WAY_MAX (20 * USEC_PER_MSEC)
#define LATE_MIN (200 * USEC_PER_MSEC)
#define LATE_MAX (100 * USEC_PER_SEC)
#define TCP_NOTICES (10 * USEC_PER_SEC)
#define BOOKMARK_EVERY (60 * USEC_PER_SEC)

/* Of 10,000 requests; of watches that tell something. */
enum {
    RATE_FAILS = 150,
    RATE_LOST = 150,
    RATE_HANGS = 60,
    RATE_LATE = 150,
    RATE_TORN = 150,
    RATE_EXPIRES = 40,
    RATE_STALLS = 150,
};

struct http {
    struct list link;
    unsigned calls;
    unsigned calls_max;
    bool dead; /* nothing gets through, and nobody says so */
    struct event *noticed;
};

struct http_call {
    struct api_call api;
    struct http *http;
    http_done_fn *done;
    http_data_fn *data;
    void *owner;
    struct event *arrival, *answer, *timeout, *head_timeout, *delivery, *bookmark, *end;
    bool reply_lost;
    bool hangs;
    usec_t answered_late;
    bool headed; /* the head of an answer was told */
    enum net_trouble trouble;
    int status;
    char *head;
    char *body;
};

int http_new(struct http **result, const struct http_options *options, struct err *err)
{
    struct http *http = mem_new(struct http);

    list_init(&http->link);
    http->calls_max = options->calls_max;
    if (world->api)
        list_push_back(&world->api->clients, &http->link);
    *result = http;
    return 0;
}

struct http *http_free(struct http *http)
{
    if (!http)
        return NULL;
    if (world->api)
        list_for_each_safe (node, &world->api->calls) {
            struct http_call *call = list_entry(node, struct api_call, link)->client;

            if (call->http == http)
                http_cancel(call);
        }
    event_cancel(http->noticed);
    list_unlink(&http->link);
    free(http);
    return NULL;
}

/* ends */

static void events_cancel(struct http_call *call)
{
    struct event **events[] = {&call->arrival,      &call->answer,   &call->timeout,
                               &call->head_timeout, &call->delivery, &call->bookmark,
                               &call->end};

    for (size_t i = 0; i < array_size(events); i++) {
        event_cancel(*events[i]);
        *events[i] = NULL;
    }
}

static void call_unlink(struct http_call *call)
{
    events_cancel(call);
    list_unlink(&call->api.link);
    if (world->api->telling == &call->api)
        world->api->telling = NULL;
}

static void call_free(struct http_call *call)
{
    strbuf_deinit(&call->api.pending);
    free(call->api.query);
    free(call->api.body);
    free(call->head);
    free(call->body);
    free(call);
}

/* Nobody waits for it any more. What is on its way has its effect now or never: a server does not
 * go on with what its client gave up long ago. */
static void call_settle(struct http_call *call)
{
    struct api_answer answer = {0};

    if (call->arrival && world->api->state == API_IS_UP && !call->http->dead &&
        strcmp(call->api.method, "GET") && !choose(SITE_GIVEN_UP_ROLLS_BACK, call->api.key, 5000))
        api_serve(&call->api, &answer);
    strbuf_deinit(&answer.body);
    event_cancel(call->arrival);
    call->arrival = NULL;
}

void http_cancel(struct http_call *call)
{
    call->http->calls--;
    call_settle(call);
    call_unlink(call);
    call_free(call);
}

void net_http_agent_died(void)
{
    world->api->sent_count = 0;
    while (!list_empty(&world->api->calls)) {
        struct http_call *call = list_first(&world->api->calls, struct api_call, link)->client;

        call_settle(call);
        call_unlink(call);
        call_free(call);
    }
    while (!list_empty(&world->api->clients)) {
        struct http *http = list_first(&world->api->clients, struct http, link);

        event_cancel(http->noticed);
        list_unlink(&http->link);
    }
}

/* answers */

static void call_done(struct http_call *call)
{
    static const char *const sentences[] = {
        [NET_REFUSED] = "connection refused",
        [NET_CONNECT_TIMEOUT] = "no connection in time",
        [NET_RESPONSE_TIMEOUT] = "no answer in time",
        [NET_BODY_TIMEOUT] = "the answer did not end in time",
        [NET_CLOSED] = "the connection was reset",
        [NET_BODY_CLOSED] = "the connection was reset amid the answer",
    };
    struct http_reply reply = {
        .trouble = call->trouble,
        .status = call->status,
        .body = call->body ? call->body : "",
        .length = call->body ? strlen(call->body) : 0,
        .head = call->head ? call->head : "",
        .url = SERVER,
    };

    if (call->trouble)
        err_set(&reply.err, -EIO, "%s %s: %s", call->api.method, SERVER, sentences[call->trouble]);
    if (call->status == 200 && call->body)
        cluster_note_arrival(call->body, strlen(call->body));
    call->http->calls--;
    call_unlink(call);
    call->done(call->owner, &reply);
    call_free(call);
}

static void call_answered(void *data)
{
    struct http_call *call = data;

    call->answer = NULL;
    call_done(call);
}

/* The call ends so, as soon as the agent looks. */
static void call_ends(struct http_call *call, enum net_trouble trouble, usec_t delay)
{
    call_settle(call);
    events_cancel(call);
    call->api.streams = false;
    call->trouble = trouble;
    call->status = call->headed ? 200 : 0;
    free(call->body);
    call->body = NULL;
    call->answer = event_add_agent(delay, trouble ? "answer, failed:" : "stream ends",
                                   call->api.key, call_answered, call);
}

static void call_closes(struct http_call *call, usec_t delay)
{
    call_ends(call, call->headed ? NET_BODY_CLOSED : NET_CLOSED, delay);
}

static void call_times_out(struct http_call *call)
{
    call_settle(call);
    call->trouble = call->headed ? NET_BODY_TIMEOUT : NET_RESPONSE_TIMEOUT;
    call->status = call->headed ? 200 : 0;
    free(call->body);
    call->body = NULL;
    call_done(call);
}

static void on_timeout(void *data)
{
    struct http_call *call = data;

    call->timeout = NULL;
    call_times_out(call);
}

static void on_head_timeout(void *data)
{
    struct http_call *call = data;

    call->head_timeout = NULL;
    call_times_out(call);
}

static usec_t way(const struct http_call *call)
{
    return draw_usec(SITE_LATENCY, call->api.key, WAY_MIN, WAY_MAX);
}

static usec_t late(const struct http_call *call)
{
    return draw_usec_wide(SITE_LATENCY, call->api.key, LATE_MIN, LATE_MAX);
}

static void call_answer(struct http_call *call, struct api_answer *answer)
{
    if (call->reply_lost) {
        call_closes(call, way(call));
        return;
    }
    if (call->hangs)
        return;
    call->status = answer->status;
    call->body = strbuf_take(&answer->body);
    if (answer->retry_after)
        call->head =
            mem_printf("HTTP/1.1 %d -\r\nRetry-After: %u\r\n", answer->status, answer->retry_after);
    call->answer = event_add_agent(way(call) + call->answered_late, "answer", call->api.key,
                                   call_answered, call);
}

/* streams */

/* False: the call is gone, or its end is near. */
static bool call_tell(struct http_call *call, const char *bytes, size_t length)
{
    if (!length)
        return true;
    world->api->telling = &call->api;
    call->data(call->owner, bytes, length);
    if (!world->api->telling)
        return false;
    world->api->telling = NULL;
    return true;
}

static void expire(struct strbuf *lines)
{
    strbuf_truncate(lines, 0);
    strbuf_add(lines, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"reason\":"
                      "\"Expired\",\"message\":\"too old resource version\",\"code\":410}}\n");
}

static size_t whole_lines(const struct strbuf *lines)
{
    const char *end = memrchr(lines->text, '\n', lines->length);

    return end ? (size_t)(end - lines->text) + 1 : 0;
}

static void stream_delivers(void *data)
{
    struct http_call *call = data;
    struct strbuf lines;
    size_t first;
    bool torn;

    call->delivery = NULL;
    if (!api_watch_gather(&call->api))
        return;
    lines = call->api.pending;
    call->api.pending = STRBUF_INIT;
    if (choose(SITE_STREAM_EXPIRES, call->api.key, RATE_EXPIRES))
        expire(&lines);
    torn = choose(SITE_STREAM_TORN, call->api.key, RATE_TORN);
    if (torn)
        lines.length = draw(SITE_DETAIL, call->api.key, lines.length);
    cluster_note_arrival(lines.text, whole_lines(&lines));
    first = draw(SITE_DETAIL, call->api.key, lines.length + 1);
    if (call_tell(call, lines.text, first) &&
        call_tell(call, lines.text + first, lines.length - first) && torn)
        call_closes(call, 0);
    strbuf_deinit(&lines);
}

void net_stream_wake(struct http_call *call)
{
    usec_t delay = way(call);

    if (call->delivery || call->http->dead)
        return;
    if (choose(SITE_STREAM_STALLS, call->api.key, RATE_STALLS))
        delay += late(call);
    call->delivery = event_add_agent(delay, "stream", call->api.key, stream_delivers, call);
}

static void bookmark_is_due(void *data);

static void expect_bookmark(struct http_call *call)
{
    call->bookmark =
        event_add_agent(BOOKMARK_EVERY, "bookmark", call->api.key, bookmark_is_due, call);
}

static void bookmark_is_due(void *data)
{
    struct http_call *call = data;

    expect_bookmark(call);
    api_watch_mark(&call->api);
    net_stream_wake(call);
}

static void stream_ends(void *data)
{
    struct http_call *call = data;

    call->end = NULL;
    call_ends(call, NET_ANSWERED, 0);
}

static void stream_begins(struct http_call *call)
{
    const char *seconds = api_parameter(&call->api, "timeoutSeconds");

    event_cancel(call->head_timeout);
    call->head_timeout = NULL;
    call->headed = true;
    call->end =
        event_add_agent((usec_t)strtoull(seconds ? seconds : "600", NULL, 10) * USEC_PER_SEC,
                        "stream's time is over", call->api.key, stream_ends, call);
    expect_bookmark(call);
    net_stream_wake(call);
}

/* sending */

static void comes_again(void *data)
{
    struct api_call *again = data;
    struct api_answer answer = {0};

    if (!world->ended)
        api_serve(again, &answer);
    strbuf_deinit(&answer.body);
    free(again->body);
    free(again->query);
    free(again);
}

/* A deliberate bug. */
static void bring_again(const struct api_call *call)
{
    struct api_call *again = mem_new(struct api_call);

    *again = *call;
    again->body = mem_strdup(call->body);
    again->query = mem_strdup(call->query);
    event_add(late(call->client), "request once more", call->key, comes_again, again);
}

static void request_arrives(void *data)
{
    struct http_call *call = data;
    struct api_answer answer = {0};

    call->arrival = NULL;
    if (!strcmp(call->api.method, "PATCH") && bug_shows(BUG_STATUSES_COME_AGAIN, call->api.key))
        bring_again(&call->api);
    if (world->api->state != API_IS_UP) {
        call_closes(call, 0);
        return;
    }
    if (api_serve_trouble(&call->api, &answer))
        trace("  api: %s is refused with %d", call->api.key, answer.status);
    else
        api_serve(&call->api, &answer);
    if (call->api.streams && !call->reply_lost && !call->hangs)
        stream_begins(call);
    else
        call_answer(call, &answer);
    strbuf_deinit(&answer.body);
}

static void send(struct http_call *call)
{
    const char *key = call->api.key;
    usec_t takes = way(call);

    trace("  asks %s", key);
    if (world->tracing && call->api.body)
        trace("    %s", call->api.body);
    if (world->api->state == API_REFUSES) {
        call_ends(call, NET_REFUSED, takes);
        return;
    }
    if (world->api->state == API_IS_SILENT || call->http->dead)
        return;
    if (choose(SITE_API_FAILS, key, RATE_FAILS)) {
        call_closes(call, takes);
        return;
    }
    call->reply_lost = choose(SITE_API_REPLY_IS_LOST, key, RATE_LOST);
    call->hangs = choose(SITE_API_HANGS, key, RATE_HANGS);
    if (choose(SITE_API_COMES_LATE, key, RATE_LATE))
        takes += late(call);
    if (choose(SITE_API_REPLY_COMES_LATE, key, RATE_LATE))
        call->answered_late = late(call);
    call->arrival = event_add(takes, "request", key, request_arrives, call);
}

static struct http_call *call_new(struct http *http, const struct http_request *request)
{
    struct http_call *call = mem_new(struct http_call);
    const char *method = request->method ? request->method : request->body ? "POST" : "GET";

    call->http = http;
    call->data = request->data;
    call->api.client = call;
    list_init(&call->api.link);
    call->api.body = request->body ? mem_strndup(request->body, request->body_length) : NULL;
    assert_that(str_has_prefix(request->url, SERVER));
    assert_that(api_call_parse(&call->api, method, request->url + strlen(SERVER)));
    call->timeout =
        event_add_agent(request->timeout, "no answer in time:", call->api.key, on_timeout, call);
    if (request->head_timeout)
        call->head_timeout = event_add_agent(
            request->head_timeout, "no answer in time:", call->api.key, on_head_timeout, call);
    return call;
}

int http_begin(struct http_call **result, struct http *http, const struct http_request *request,
               http_done_fn *done, void *owner, struct err *err)
{
    char key[API_KEY_MAX];
    struct http_call *call;

    if (!world->api)
        return err_set(err, -ENOSYS, "simulation: there is no HTTP");
    if (http->calls >= http->calls_max)
        return err_set(err, -EBUSY, "%s: too many calls in flight", request->url);
    call = call_new(http, request);
    call->done = done;
    call->owner = owner;
    memcpy(key, call->api.key, sizeof(key));
    if (life_is_to_end(key)) {
        events_cancel(call);
        call_free(call);
        life_ends_here();
    }
    checks_request_sent(&call->api);
    list_push_back(&world->api->calls, &call->api.link);
    http->calls++;
    send(call);
    *result = call;
    life_may_end(key);
    return 0;
}

/* what befalls connections */

void net_connections_break(void)
{
    list_for_each_safe (node, &world->api->calls)
        call_closes(list_entry(node, struct api_call, link)->client, 0);
}

static void connection_is_noticed(void *data)
{
    struct http *http = data;

    http->noticed = NULL;
    http->dead = false;
    list_for_each_safe (node, &world->api->calls) {
        struct http_call *call = list_entry(node, struct api_call, link)->client;

        if (call->http == http)
            call_closes(call, 0);
    }
}

void net_connections_die(bool noticed)
{
    list_for_each (node, &world->api->clients) {
        struct http *http = list_entry(node, struct http, link);

        if (http->dead)
            continue;
        http->dead = true;
        if (noticed)
            http->noticed = event_add_agent(TCP_NOTICES, "a dead connection is noticed", "",
                                            connection_is_noticed, http);
    }
    list_for_each (node, &world->api->calls) {
        struct http_call *call = list_entry(node, struct api_call, link)->client;

        if (!call->timeout)
            continue; /* it has ended, as the agent is about to see */
        event_cancel(call->arrival);
        event_cancel(call->answer);
        event_cancel(call->delivery);
        event_cancel(call->bookmark);
        event_cancel(call->end);
        call->arrival = call->answer = call->delivery = call->bookmark = call->end = NULL;
        call->api.streams = false;
    }
}
