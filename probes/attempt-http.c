/*
 * httpGet. What an event says of a failure is what Go's HTTP client says, in whose place we are:
 * dashboards and people look for these words.
 */
#include "attempt-internal.h"
#include "headers.h"
#include "text.h"

#include "nodeagent/base/str.h"

#include <errno.h>
#include <string.h>

/* words */

/* net's own sentence, without the URL that it begins with. */
static const char *sentence(struct arena *arena, const struct http_reply *reply)
{
    const char *text = reply->err.text;
    size_t length = strlen(reply->url);

    if (!strncmp(text, reply->url, length) && str_has_prefix(text + length, ": "))
        text += length + strlen(": ");
    return arena_strdup(arena, text);
}

/* OpenSSL takes the first bytes of an answer in the clear for the number of a version. */
static const char *tls_words(struct arena *arena, const struct http_reply *reply)
{
    if (strstr(reply->err.text, "wrong version number"))
        return "http: server gave HTTP response to HTTPS client";
    return sentence(arena, reply);
}

/* Codes of their own have: too many redirections, one to nowhere, a head that is too long. */
static const char *broken_words(struct arena *arena, const struct http_reply *reply)
{
    const char *why = sentence(arena, reply);

    if (reply->err.code != -EIO)
        return why;
    return arena_printf(arena,
                        "net/http: HTTP/1.x transport connection broken: malformed HTTP response: "
                        "%s",
                        why);
}

static const char *closed_words(struct arena *arena, const struct http_reply *reply)
{
    if (reply->err.code == -ECONNRESET)
        return arena_printf(arena, "read: %s", text_errno(arena, ECONNRESET));
    return "EOF";
}

/* "10.0.0.1:80" of "http://10.0.0.1:80/x" */
static const char *authority_of(struct arena *arena, const char *url)
{
    const char *start = strstr(url, "://");

    start = start ? start + strlen("://") : url;
    return arena_strndup(arena, start, strcspn(start, "/?#"));
}

static const char *words(struct probe_attempt *attempt, const struct http_reply *reply)
{
    struct arena *arena = &attempt->arena;

    switch (reply->trouble) {
    case NET_NAME:
        if (reply->err.code != -ETIMEDOUT)
            return text_lookup(arena, attempt->target.host, reply->err.code);
        break;
    case NET_REFUSED:
    case NET_UNREACHABLE:
        return text_dial(arena, authority_of(arena, reply->url), reply->err.code);
    case NET_TLS:
        return tls_words(arena, reply);
    case NET_CLOSED:
        return closed_words(arena, reply);
    case NET_PROTOCOL:
        return broken_words(arena, reply);
    default:
        break;
    }
    return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
}

/* With the URL that was asked last, which is not the first after a redirection. */
static const char *failure(struct probe_attempt *attempt, const struct http_reply *reply)
{
    const struct target *target = &attempt->target;
    struct arena *arena = &attempt->arena;
    const char *url = str_equal(reply->url, target->url) ? target->shown : reply->url;

    if (reply->trouble == NET_LOCAL)
        return arena_strdup(arena, reply->err.text);
    if (reply->trouble == NET_BODY_TIMEOUT)
        return "context deadline exceeded (Client.Timeout or context cancellation while reading "
               "body)";
    if (reply->trouble == NET_BODY_CLOSED)
        return "unexpected EOF";
    return arena_printf(arena, "Get %s: %s", text_quoted(arena, url), words(attempt, reply));
}

/* verdicts */

static const char *redirected(struct probe_attempt *attempt, const struct http_reply *reply)
{
    return arena_printf(&attempt->arena, "Probe terminated redirects, Response body: %s",
                        text_repaired(&attempt->arena, reply->body, reply->length));
}

static void answered(void *owner, const struct http_reply *reply)
{
    struct probe_attempt *attempt = owner;
    int status = reply->status;

    attempt->outcome.code = status;
    if (reply->trouble != NET_ANSWERED)
        attempt_finish_http(attempt, reply, attempt_verdict(reply->trouble),
                            failure(attempt, reply));
    else if (status >= 200 && status < 300)
        attempt_finish_http(attempt, reply, PROBE_SUCCESS, "");
    else if (status >= 300 && status < 400)
        attempt_finish_http(attempt, reply, PROBE_WARNING, redirected(attempt, reply));
    else
        attempt_finish_http(
            attempt, reply, PROBE_BAD_STATUS,
            arena_printf(&attempt->arena, "HTTP probe failed with statuscode: %d", status));
}

/* A failure of a request that is never sent. */
static void refuse(struct probe_attempt *attempt, const char *why)
{
    struct arena *arena = &attempt->arena;

    attempt_end(attempt, PROBE_BROKEN,
                arena_printf(arena, "Get %s: %s", text_quoted(arena, attempt->target.shown), why));
}

void attempt_http(struct probe_attempt *attempt, const struct probe_order *order)
{
    struct target *target = &attempt->target;
    struct http_request request = {
        .redirects = HTTP_FOLLOW_SAME_HOST,
        .timeout = order->timeout,
        .answer_max = PROBE_OUTPUT_MAX,
        .cut = true,
        .once = true,
        .close = order->close,
        .unverified = true,
        .keep_head = attempt->keep_head,
    };
    struct err err;

    if (target_http(target, &attempt->arena, order, &err) < 0) {
        attempt_errored(attempt, &err);
        return;
    }
    attempt->outcome.target = target->shown;
    if (target->hostless) {
        refuse(attempt, "http: no Host in request URL");
    } else if (headers_of(&request.headers, attempt, order->handler->http_get, &err) < 0) {
        refuse(attempt, err.text);
    } else {
        request.url = target->url;
        request.version = target->secure ? HTTP_VERSION_ANY : HTTP_VERSION_1_1;
        if (http_begin(&attempt->http, attempt->engine->http, &request, answered, attempt, &err) <
            0)
            attempt_errored(attempt, &err);
        else
            attempt->stop = attempt_stop_http;
    }
}
