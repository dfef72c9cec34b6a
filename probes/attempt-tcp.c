/* tcpSocket: a connection is all that is asked for. */
#include "attempt-internal.h"
#include "text.h"

#include <errno.h>

/* In the words of Go's net. */
static const char *why(struct probe_attempt *attempt, const struct tcp_reply *reply)
{
    struct arena *arena = &attempt->arena;
    const struct target *target = &attempt->target;

    switch (reply->trouble) {
    case NET_NAME:
        return text_lookup(arena, target->host, reply->err.code);
    case NET_CONNECT_TIMEOUT:
        return arena_printf(arena, "dial tcp %s: i/o timeout", target->authority);
    case NET_LOCAL:
        return arena_strdup(arena, reply->err.text);
    default:
        return text_dial(arena, target->authority, reply->err.code);
    }
}

static void connected(void *owner, const struct tcp_reply *reply)
{
    struct probe_attempt *attempt = owner;
    bool good = reply->trouble == NET_ANSWERED;

    attempt->outcome.times = reply->times;
    attempt_finish(attempt, attempt_verdict(reply->trouble), good ? "" : why(attempt, reply));
}

static void stop(struct probe_attempt *attempt)
{
    tcp_cancel(attempt->tcp);
}

void attempt_tcp(struct probe_attempt *attempt, const struct probe_order *order)
{
    struct tcp_request request = {.timeout = order->timeout, .close = order->close};
    struct err err;

    if (target_tcp(&attempt->target, &attempt->arena, order, &err) < 0) {
        attempt_errored(attempt, &err);
        return;
    }
    attempt->outcome.target = attempt->target.shown;
    request.host = attempt->target.host;
    request.port = attempt->target.port;
    attempt->tcp = tcp_connect(attempt->engine->tcp, &request, connected, attempt);
    attempt->stop = stop;
}
