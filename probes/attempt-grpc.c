/*
 * grpc: one call of gRPC's health service, by way of the HTTP client: a channel of gRPC's for each
 * attempt costs six times as much. Nothing of it is ever an error of ours: all that goes wrong is a
 * failure.
 */
#include "attempt-internal.h"
#include "health.h"
#include "health.pb-c.h"
#include "text.h"

#include "nodeagent/net/rpc.h"

#include <errno.h>
#include <inttypes.h>

enum {
    TIMEOUT_DIGITS_MAX = 99999999, /* of gRPC's timeout header */
};

/* In microseconds, or in what still fits; the rest of a unit is not worth an early end. */
static const char *timeout_header(struct arena *arena, usec_t timeout)
{
    if (timeout <= TIMEOUT_DIGITS_MAX)
        return arena_printf(arena, "grpc-timeout: %" PRIu64 "u", timeout);
    if (timeout / USEC_PER_MSEC <= TIMEOUT_DIGITS_MAX)
        return arena_printf(arena, "grpc-timeout: %" PRIu64 "m", timeout / USEC_PER_MSEC);
    return arena_printf(arena, "grpc-timeout: %" PRIu64 "S",
                        MIN(timeout / USEC_PER_SEC, (usec_t)TIMEOUT_DIGITS_MAX));
}

/* words */

static const char *no_connection(struct probe_attempt *attempt)
{
    struct arena *arena = &attempt->arena;

    return arena_printf(
        arena, "timeout: failed to connect service %s within %s: context deadline exceeded",
        text_quoted(arena, attempt->target.authority), text_duration(arena, attempt->timeout));
}

static const char *no_answer(struct probe_attempt *attempt)
{
    return arena_printf(&attempt->arena, "timeout: health rpc did not complete within %s",
                        text_duration(&attempt->arena, attempt->timeout));
}

static const char *code_name(struct arena *arena, int code)
{
    return code <= RPC_UNAUTHENTICATED ? rpc_status_name((enum rpc_status)code)
                                       : arena_printf(arena, "Code(%d)", code);
}

static const char *rpc_failure(struct probe_attempt *attempt, int code, const char *message)
{
    struct arena *arena = &attempt->arena;

    if (code == RPC_UNIMPLEMENTED)
        return arena_printf(arena,
                            "error: this server does not implement the grpc health protocol "
                            "(grpc.health.v1.Health): %s",
                            message);
    if (code == RPC_DEADLINE_EXCEEDED)
        return no_answer(attempt);
    return arena_printf(arena, "error: health rpc probe failed: rpc error: code = %s desc = %s",
                        code_name(arena, code), message);
}

/* verdicts */

static void fail(struct probe_attempt *attempt, const struct http_reply *reply,
                 enum probe_verdict verdict, int code, const char *message)
{
    attempt_finish_http(attempt, reply, verdict, rpc_failure(attempt, code, message));
}

/* What gRPC takes the status of an answer for that is none of its own. */
static int code_of_http(int status)
{
    switch (status) {
    case 400:
        return RPC_INTERNAL;
    case 401:
        return RPC_UNAUTHENTICATED;
    case 403:
        return RPC_PERMISSION_DENIED;
    case 404:
        return RPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return RPC_UNAVAILABLE;
    default:
        return RPC_UNKNOWN;
    }
}

static void judge_health(struct probe_attempt *attempt, const struct http_reply *reply)
{
    struct arena *arena = &attempt->arena;
    int32_t *status = &attempt->outcome.code;

    if (health_answer_read(reply->body, reply->length, status) < 0)
        fail(attempt, reply, PROBE_BROKEN, RPC_INTERNAL,
             "grpc: failed to unmarshal the received message");
    else if (*status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING)
        attempt_finish_http(attempt, reply, PROBE_SUCCESS, "service healthy");
    else
        attempt_finish_http(attempt, reply, PROBE_BAD_STATUS,
                            arena_printf(arena, "service unhealthy (responded with \"%s\")",
                                         health_name(arena, *status)));
}

static void judge_answer(struct probe_attempt *attempt, const struct http_reply *reply)
{
    struct arena *arena = &attempt->arena;
    struct health_status status = health_status_read(arena, reply->head);

    if (status.set && status.code == RPC_OK)
        judge_health(attempt, reply);
    else if (status.set && status.code == RPC_DEADLINE_EXCEEDED)
        fail(attempt, reply, PROBE_RESPONSE_TIMEOUT, status.code, status.message);
    else if (status.set)
        fail(attempt, reply, PROBE_BAD_STATUS, status.code, status.message);
    else if (reply->status != 200)
        fail(attempt, reply, PROBE_BAD_STATUS, code_of_http(reply->status),
             arena_printf(arena, "unexpected HTTP status code received from server: %d",
                          reply->status));
    else
        fail(attempt, reply, PROBE_BROKEN, RPC_INTERNAL,
             "server closed the stream without sending trailers");
}

/* To gRPC there is a connection when the other side has said that it speaks HTTP/2. */
static void judge_trouble(struct probe_attempt *attempt, const struct http_reply *reply)
{
    enum probe_verdict verdict = attempt_verdict(reply->trouble);

    if (reply->trouble == NET_LOCAL)
        attempt_finish_http(attempt, reply, verdict,
                            arena_strdup(&attempt->arena, reply->err.text));
    else if (verdict == PROBE_RESPONSE_TIMEOUT)
        attempt_finish_http(attempt, reply, verdict, no_answer(attempt));
    else if (reply->err.code == -EFBIG)
        fail(attempt, reply, verdict, RPC_RESOURCE_EXHAUSTED,
             "grpc: received message larger than max");
    else if (reply->status)
        fail(attempt, reply, verdict, RPC_UNAVAILABLE, "error reading from server: EOF");
    else
        attempt_finish_http(attempt, reply, verdict, no_connection(attempt));
}

static void answered(void *owner, const struct http_reply *reply)
{
    struct probe_attempt *attempt = owner;

    if (reply->trouble == NET_ANSWERED)
        judge_answer(attempt, reply);
    else
        judge_trouble(attempt, reply);
}

void attempt_grpc(struct probe_attempt *attempt, const struct probe_order *order)
{
    struct arena *arena = &attempt->arena;
    struct target *target = &attempt->target;
    struct http_request request = {
        .version = HTTP_VERSION_2,
        .redirects = HTTP_FOLLOW_SAME_HOST,
        .timeout = order->timeout,
        .answer_max = PROBE_OUTPUT_MAX,
        .once = true,
        .close = order->close,
        .keep_head = true,
    };
    struct err err;

    if (target_grpc(target, arena, order, &err) < 0) {
        attempt_errored(attempt, &err);
        return;
    }
    attempt->outcome.target = target->shown;
    request.url = target->url;
    request.body = health_request(arena, order->handler->grpc->service, &request.body_length);
    request.headers = (const char *const[]){"Content-Type: application/grpc",
                                            "TE: trailers",
                                            "Accept:",
                                            attempt->engine->agent_header,
                                            timeout_header(arena, order->timeout),
                                            arena_printf(arena, "Host: %s", target->authority),
                                            NULL};
    if (http_begin(&attempt->http, attempt->engine->http, &request, answered, attempt, &err) < 0)
        attempt_errored(attempt, &err);
    else
        attempt->stop = attempt_stop_http;
}
