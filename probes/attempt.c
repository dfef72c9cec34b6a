/*
 * Attempts. Each is one allocation, an arena that holds the attempt and what it needs, and is over
 * with one call of whom it waited for:
 *
 *     begin ─► target ─► [net, or the runtime] ─► finish ─► done
 *                 └────► [posted] ────────────────┘
 */
#include "attempt-internal.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>

enum {
    ARENA_FIRST = 1 << 10, /* with the attempt and the URL of nearly all probes */
    ARENA_LAST = 16 << 10, /* an output of 10 KiB */
};

/* the end */

static void attempt_free(struct probe_attempt *attempt)
{
    struct arena arena = attempt->arena;

    arena_deinit(&arena);
}

void attempt_finish(struct probe_attempt *attempt, enum probe_verdict verdict, const char *text)
{
    struct probe_outcome *outcome = &attempt->outcome;

    attempt->stop = NULL;
    outcome->verdict = verdict;
    outcome->text = text;
    if (!outcome->times.ended)
        outcome->times.ended = MAX(usec_sub(clock_boottime(), attempt->began), (usec_t)1);
    attempt->engine->in_flight--; /* first: the next one may begin from within */
    attempt->done(attempt->owner, outcome);
    attempt_free(attempt);
}

void attempt_finish_http(struct probe_attempt *attempt, const struct http_reply *reply,
                         enum probe_verdict verdict, const char *text)
{
    struct probe_outcome *outcome = &attempt->outcome;

    outcome->body = reply->body;
    outcome->body_length = reply->length;
    outcome->body_cut = reply->cut;
    if (attempt->keep_head)
        outcome->head = reply->head;
    outcome->times = reply->times;
    attempt_finish(attempt, verdict, text);
}

static void attempt_posted(struct loop_post *post)
{
    struct probe_attempt *attempt = container_of(post, struct probe_attempt, post);

    attempt_finish(attempt, attempt->outcome.verdict, attempt->outcome.text);
}

void attempt_end(struct probe_attempt *attempt, enum probe_verdict verdict, const char *text)
{
    attempt->outcome.verdict = verdict;
    attempt->outcome.text = text;
    loop_post(attempt->engine->options.loop, &attempt->post);
}

void attempt_errored(struct probe_attempt *attempt, const struct err *err)
{
    attempt_end(attempt, PROBE_ERRORED, arena_strdup(&attempt->arena, err->text));
}

/* what net says */

enum probe_verdict attempt_verdict(enum net_trouble trouble)
{
    switch (trouble) {
    case NET_ANSWERED:
        return PROBE_SUCCESS;
    case NET_REFUSED:
        return PROBE_REFUSED;
    case NET_CONNECT_TIMEOUT:
        return PROBE_CONNECT_TIMEOUT;
    case NET_RESPONSE_TIMEOUT:
    case NET_BODY_TIMEOUT:
        return PROBE_RESPONSE_TIMEOUT;
    case NET_TLS:
        return PROBE_TLS;
    case NET_LOCAL:
        return PROBE_ERRORED;
    case NET_NAME:
    case NET_UNREACHABLE:
    case NET_CLOSED:
    case NET_BODY_CLOSED:
    case NET_PROTOCOL:
        break;
    }
    return PROBE_BROKEN;
}

void attempt_stop_http(struct probe_attempt *attempt)
{
    http_cancel(attempt->http);
}

/* attempts */

static struct probe_attempt *attempt_new(struct probe_engine *engine,
                                         const struct probe_order *order)
{
    struct arena arena = ARENA_INIT(ARENA_FIRST, ARENA_LAST);
    struct probe_attempt *attempt = arena_new(&arena, struct probe_attempt);

    attempt->arena = arena;
    attempt->engine = engine;
    attempt->timeout = order->timeout;
    attempt->began = clock_boottime();
    attempt->outcome.target = attempt->outcome.body = attempt->outcome.head = "";
    loop_post_init(&attempt->post, attempt_posted);
    engine->in_flight++;
    return attempt;
}

static void attempt_dispatch(struct probe_attempt *attempt, const struct probe_order *order)
{
    const struct handler *handler = order->handler;

    if (attempt->engine->in_flight > attempt->engine->options.attempts_max)
        attempt_end(attempt, PROBE_ERRORED,
                    arena_printf(&attempt->arena, "%u attempts are under way already",
                                 attempt->engine->options.attempts_max));
    else if (handler->http_get)
        attempt_http(attempt, order);
    else if (handler->tcp_socket)
        attempt_tcp(attempt, order);
    else if (handler->grpc)
        attempt_grpc(attempt, order);
    else if (handler->exec)
        attempt_exec(attempt, order);
    else
        attempt_end(attempt, PROBE_ERRORED, "missing probe handler");
}

struct probe_attempt *probe_attempt_begin(struct probe_engine *engine,
                                          const struct probe_order *order, bool keep_head,
                                          probe_done_fn *done, void *owner)
{
    struct probe_attempt *attempt = attempt_new(engine, order);

    attempt->keep_head = keep_head;
    attempt->done = done;
    attempt->owner = owner;
    attempt_dispatch(attempt, order);
    return attempt;
}

void probe_attempt_cancel(struct probe_attempt *attempt)
{
    loop_post_cancel(attempt->engine->options.loop, &attempt->post);
    if (attempt->stop)
        attempt->stop(attempt);
    attempt->engine->in_flight--;
    attempt_free(attempt);
}

/* the engine */

int probe_engine_new(struct probe_engine **result, const struct probe_engine_options *options,
                     struct err *err)
{
    struct http_options http = {
        .loop = options->loop,
        .wheel = options->wheel,
        .work = options->work,
        .class = LOOP_COMPLETIONS,
        .calls_max = options->attempts_max,
    };
    struct probe_engine *engine = mem_new(struct probe_engine);
    int r;

    engine->options = *options;
    r = http_new(&engine->http, &http, err);
    if (r == 0)
        r = tcp_new(&engine->tcp, options->loop, options->wheel, options->work, err);
    if (r < 0) {
        probe_engine_free(engine);
        return r;
    }
    engine->agent_header = mem_printf("User-Agent: %s", options->user_agent);
    engine->plain_headers[0] = engine->agent_header;
    engine->plain_headers[1] = "Accept: */*";
    engine->plain_headers[2] = "Connection: close";
    *result = engine;
    return 0;
}

struct probe_engine *probe_engine_free(struct probe_engine *engine)
{
    if (!engine)
        return NULL;
    assert_that(!engine->in_flight);
    tcp_free(engine->tcp);
    http_free(engine->http);
    free(engine->agent_header);
    free(engine);
    return NULL;
}
