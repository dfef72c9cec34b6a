/*
 * What a failure was: curl has a hundred codes and words with durations in them; those who judge
 * want the step at which it failed, and a sentence that stays the same from try to try.
 */
#include "http-private.h"
#include "nodeagent/sys/clock.h"
#include "trouble.h"

#include <errno.h>
#include <string.h>

/* times */

static usec_t when(const struct http_call *call, CURLINFO which)
{
    curl_off_t usec = 0;

    curl_easy_getinfo(call->easy, which, &usec);
    return usec > 0 ? call->sent + (usec_t)usec : 0;
}

void http_trouble_times(struct http_call *call)
{
    struct net_times *times = &call->reply.times;

    if (call->attached) {
        if (!times->connected)
            times->connected = when(call, CURLINFO_CONNECT_TIME_T);
        times->secured = call->url.secure ? when(call, CURLINFO_APPCONNECT_TIME_T) : 0;
        times->first_byte = when(call, CURLINFO_STARTTRANSFER_TIME_T);
    }
    times->ended = MAX(usec_sub(clock_boottime(), call->began), 1);
}

/* too late */

static void set_late(struct http_call *call, enum net_trouble trouble, const char *what,
                     const char *why)
{
    bool head = call->request.head_timeout && (!call->head_done || call->next.parts);
    usec_t limit = head ? call->request.head_timeout : call->request.timeout;

    call->reply.trouble = trouble;
    err_set(&call->reply.err, -ETIMEDOUT, "%s: %s within %g s%s", call->url.shown, what,
            (double)limit / (double)USEC_PER_SEC, why);
}

void http_trouble_late(struct http_call *call)
{
    bool ready = call->attached && when(call, CURLINFO_PRETRANSFER_TIME_T);
    bool connected = ready || call->reply.times.connected;

    if (call->head_done)
        set_late(call, NET_BODY_TIMEOUT, "no whole answer", "");
    else if (http_name_is_awaited(call))
        set_late(call, NET_NAME, "no answer", ", its name servers do not answer");
    else if (!connected)
        set_late(call, NET_CONNECT_TIMEOUT, "cannot connect", "");
    else if (call->url.secure && !ready)
        set_late(call, NET_RESPONSE_TIMEOUT, "no TLS handshake", "");
    else
        set_late(call, NET_RESPONSE_TIMEOUT, "no answer", "");
}

/* failed */

void http_trouble_name(struct http_call *call, int code, const char *text)
{
    call->reply.trouble = net_trouble_of_lookup(code);
    err_set(&call->reply.err, code, "%s: %s", call->url.shown, text);
}

static enum net_trouble trouble_of(const struct http_call *call, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return NET_NAME;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2_STREAM:
        return call->head_done ? NET_BODY_CLOSED : NET_CLOSED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
        return NET_TLS;
    case CURLE_FAILED_INIT:
    case CURLE_OUT_OF_MEMORY:
        return NET_LOCAL;
    default:
        return NET_PROTOCOL;
    }
}

static bool explain_connecting(struct http_call *call, CURLcode code)
{
    long number = 0;

    if (code != CURLE_COULDNT_CONNECT)
        return false;
    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
    if (call->socket_code)
        number = -call->socket_code;
    call->reply.trouble = number ? net_trouble_of_connect((int)-number) : NET_UNREACHABLE;
    err_set(&call->reply.err, number ? (int)-number : -EHOSTUNREACH, "%s: cannot connect: %s",
            call->url.shown, number ? strerror((int)number) : "there is no way to the address");
    return true;
}

/* What we, or curl for us, did not want to read. */
static bool explain_too_much(struct http_call *call, CURLcode code)
{
    struct err *err = &call->reply.err;
    bool body = call->too_long;
    /* So curl calls a line that is longer than its buffers ever get. */
    bool head = call->head_bytes && !call->head_done &&
                (code == CURLE_WRITE_ERROR || code == CURLE_OUT_OF_MEMORY);

    if (!body && !head)
        return false;
    call->reply.trouble = NET_PROTOCOL;
    if (body)
        err_set(err, -EFBIG, "%s: the answer has more than the %zu bytes allowed", call->url.shown,
                call->request.answer_max);
    else
        err_set(err, -EFBIG, "%s: the head of the answer is too long", call->url.shown);
    return true;
}

/* The system's code where curl has one of this very failure: it keeps those of earlier ones. */
static int code_of(const struct http_call *call, CURLcode code)
{
    long number = 0;

    if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR)
        curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
    return number == ECONNRESET || number == EPIPE ? (int)-number : -EIO;
}

static const char *words_of(const struct http_call *call, CURLcode code)
{
    /* So it also calls an answer in an older version. */
    if (code == CURLE_GOT_NOTHING && call->request.version == HTTP_VERSION_2)
        return "no answer in HTTP/2";
    return call->words[0] ? call->words : curl_easy_strerror(code);
}

void http_trouble_failed(struct http_call *call, CURLcode code)
{
    const char *words = words_of(call, code);
    struct err *err = &call->reply.err;

    if (code == CURLE_OPERATION_TIMEDOUT) {
        http_trouble_late(call); /* it gives up connecting after 300 s */
        return;
    }
    if (explain_connecting(call, code) || explain_too_much(call, code))
        return;
    call->reply.trouble = trouble_of(call, code);
    if (code == CURLE_OK) { /* it does not mind that a head has no end */
        call->reply.trouble = NET_CLOSED;
        err_set(err, -EIO, "%s: closed amid the head of the answer", call->url.shown);
    } else {
        err_set(err, code_of(call, code), "%s: %s", call->url.shown, words);
    }
}
