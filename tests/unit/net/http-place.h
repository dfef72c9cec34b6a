/* The place of each test of the HTTP client: a loop with all that it needs, and a server. */
#pragma once

#include "http-server.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/net/http.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#define PATIENCE (20 * USEC_PER_SEC)

enum {
    CALLS_MAX = 64,
};

struct place {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct http *http;
    struct http_server server;
    struct http_call *call;
    unsigned done;
    /* the last reply */
    enum net_trouble trouble;
    int status;
    char *body;
    size_t length;
    bool cut;
    bool left;
    char *head;
    char *url;
    struct net_times times;
    struct err err;
    /* what to do when it comes */
    bool free_at_once;
    struct http_call *cancel_too;
};

static inline int place_set_up(void **state, http_answer_fn *answer)
{
    struct place *place = mem_new(struct place);

    place->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&place->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&place->driver, place->wheel, place->loop, NULL), 0);
    assert_int_equal(work_new(&place->work, place->loop, place->wheel, NULL), 0);
    assert_int_equal(http_new(&place->http,
                              &(struct http_options){
                                  .loop = place->loop,
                                  .wheel = place->wheel,
                                  .work = place->work,
                                  .class = LOOP_API,
                                  .calls_max = CALLS_MAX,
                              },
                              NULL),
                     0);
    http_server_start(&place->server, answer, NULL);
    *state = place;
    return 0;
}

static inline void forget_reply(struct place *place)
{
    free(place->body);
    free(place->head);
    free(place->url);
    place->body = place->head = place->url = NULL;
}

static inline int tear_down(void **state)
{
    struct place *place = *state;

    assert_null(http_free(place->http));
    http_server_stop(&place->server);
    assert_null(work_free(place->work));
    wheel_driver_free(place->driver);
    wheel_free(place->wheel);
    loop_free(place->loop);
    forget_reply(place);
    free(place);
    return 0;
}

static inline void take(void *owner, const struct http_reply *reply)
{
    struct place *place = owner;

    forget_reply(place);
    place->done++;
    place->trouble = reply->trouble;
    place->status = reply->status;
    assert_int_equal(reply->body[reply->length], '\0');
    place->body = mem_strndup(reply->body, reply->length);
    place->length = reply->length;
    place->cut = reply->cut;
    place->left = reply->left;
    place->head = mem_strdup(reply->head);
    place->url = mem_strdup(reply->url);
    place->times = reply->times;
    place->err = reply->err;
    assert_true(reply->times.ended > 0);
    assert_int_equal(reply->trouble == NET_ANSWERED, reply->err.code == 0);
    if (place->cancel_too)
        http_cancel(place->cancel_too);
    place->cancel_too = NULL;
    if (place->free_at_once)
        place->http = http_free(place->http);
}

static inline void turn_until_done(struct place *place, unsigned done)
{
    usec_t patience = clock_boottime() + PATIENCE;

    while (place->done < done) {
        assert_true(clock_boottime() < patience);
        assert_true(loop_turn(place->loop, 100 * USEC_PER_MSEC, NULL) >= 0);
    }
}

static inline void turn_for(struct place *place, usec_t duration)
{
    usec_t until = clock_boottime() + duration, now;

    while ((now = clock_boottime()) < until)
        assert_true(loop_turn(place->loop, until - now, NULL) >= 0);
}

/* Begins what is asked for at `url`, and waits for the end of it. */
static inline void ask_url(struct place *place, const char *url, struct http_request request)
{
    unsigned before = place->done;
    struct err err;

    request.url = url;
    request.timeout = request.timeout ? request.timeout : PATIENCE;
    request.answer_max = request.answer_max ? request.answer_max : 100000;
    if (http_begin(&place->call, place->http, &request, take, place, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(place->done, before); /* never from within */
    turn_until_done(place, before + 1);
}

static inline void ask(struct place *place, const char *path, struct http_request request)
{
    char *url = mem_printf("http://127.0.0.1:%u%s", place->server.port, path);

    ask_url(place, url, request);
    free(url);
}
