/*
 * The HTTP client. curl tells which sockets it waits for and when it wants to be called; the
 * sockets are one set on the loop, the time is a timer on the wheel. A call goes
 *
 *     [look the name up, in the pool] ─► curl ─► [redirected: once more] ─► posted ─► done
 *
 * so that `done` never comes from within curl, which must not be called from its own callbacks.
 * curl would start a thread to look a name up; it is handed the addresses, and asks nobody.
 */
#include "nodeagent/net/http.h"
#include "http-url.h"
#include "lookup.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    REDIRECTS_MAX = 10,   /* the same as in Go, and so in the kubelet */
    CONNECTIONS_KEPT = 8, /* idle ones; more servers than that are asked by nobody */
};

struct http {
    struct loop *loop;
    struct wheel *wheel;
    struct work *work;
    CURLM *multi;
    struct loop_set *set;
    struct wheel_timer timer; /* curl's */
    struct list calls;
    struct list sockets;
    size_t in_flight;
};

struct http_socket {
    struct loop_socket socket;
    struct list link;
    struct http *http;
};

struct http_call {
    struct http *http;
    struct list link;
    CURL *easy;
    bool added; /* to the multi handle */
    struct http_url url;
    struct curl_slist *headers;
    struct curl_slist *addresses;
    struct work_job *lookup;
    struct wheel_timer deadline;
    struct loop_post post;
    usec_t timeout;
    unsigned redirects;
    struct strbuf body;
    size_t body_max;
    bool too_long;
    char words[CURL_ERROR_SIZE];
    struct http_reply reply;
    http_done_fn *done;
    void *owner;
};

static int call_begin(struct http_call *call, struct err *err);

/* the end of a call */

static void call_stop(struct http_call *call)
{
    struct work_job *lookup = call->lookup;

    call->lookup = NULL;
    if (lookup)
        work_cancel(lookup);
    if (call->added)
        curl_multi_remove_handle(call->http->multi, call->easy);
    call->added = false;
    wheel_cancel(&call->deadline);
}

/* Does not need the client any more. */
static void call_free(struct http_call *call)
{
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->addresses);
    http_url_deinit(&call->url);
    strbuf_deinit(&call->body);
    free(call);
}

static void call_leave(struct http_call *call)
{
    list_unlink(&call->link);
    call->http->in_flight--;
}

static void call_posted(struct loop_post *post)
{
    struct http_call *call = container_of(post, struct http_call, post);

    call_leave(call);
    call->done(call->owner, &call->reply);
    call_free(call);
}

static void call_end(struct http_call *call)
{
    call_stop(call);
    loop_post(call->http->loop, &call->post);
}

/* With call->reply.err. */
static void call_fail(struct http_call *call)
{
    call->reply.status = 0;
    call->reply.body = "";
    call->reply.length = 0;
    call_end(call);
}

static void call_timed_out(struct wheel_timer *timer)
{
    struct http_call *call = container_of(timer, struct http_call, deadline);

    err_set(&call->reply.err, -ETIMEDOUT, "%s: no answer within %g s%s", call->url.shown,
            (double)call->timeout / (double)USEC_PER_SEC,
            call->lookup ? ", its name servers do not answer" : "");
    call_fail(call);
}

/* Sentences stay the same from try to try; curl's have durations in them. */
static void explain(struct http_call *call, CURLcode code)
{
    const char *words = call->words[0] ? call->words : curl_easy_strerror(code);
    struct err *err = &call->reply.err;
    long number = 0;

    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
    if (call->too_long || code == CURLE_FILESIZE_EXCEEDED)
        err_set(err, -EFBIG, "%s: the answer has more than the %zu bytes allowed", call->url.shown,
                call->body_max);
    else if (code == CURLE_COULDNT_CONNECT && number > 0)
        err_set(err, (int)-number, "%s: cannot connect: %s", call->url.shown,
                strerror((int)number));
    else
        err_set(err, -EIO, "%s: %s", call->url.shown, words);
}

static bool is_redirection(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Whether it goes on elsewhere, or has failed to. */
static bool call_redirected(struct http_call *call, long status)
{
    struct err *err = &call->reply.err;
    char *location = NULL;

    curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &location);
    if (!is_redirection(status) || !location)
        return false;
    strbuf_truncate(&call->body, 0);
    if (++call->redirects > REDIRECTS_MAX) {
        err_set(err, -ELOOP, "%s: redirects more than %d times", call->url.shown, REDIRECTS_MAX);
        call_fail(call);
    } else if (http_url_follow(&call->url, location, err) < 0 || call_begin(call, err) < 0) {
        call_fail(call);
    }
    return true;
}

static void call_finished(struct http_call *call, CURLcode code)
{
    long status = 0;

    curl_multi_remove_handle(call->http->multi, call->easy);
    call->added = false;
    if (code != CURLE_OK) {
        explain(call, code);
        call_fail(call);
        return;
    }
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (call_redirected(call, status))
        return;
    call->reply.status = (int)status;
    call->reply.body = call->body.text ? call->body.text : "";
    call->reply.length = call->body.length;
    call_end(call);
}

/* driving curl */

static void act(struct http *http, curl_socket_t fd, int events)
{
    int running, left;
    CURLMsg *message;

    curl_multi_socket_action(http->multi, fd, events, &running);
    while ((message = curl_multi_info_read(http->multi, &left))) {
        CURLcode code = message->data.result;
        struct http_call *call = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        call_finished(call, code);
    }
}

static void socket_ready(struct loop_socket *socket, uint32_t events)
{
    struct http_socket *ours = container_of(socket, struct http_socket, socket);
    int happened = 0;

    if (events & EPOLLIN)
        happened |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        happened |= CURL_CSELECT_OUT;
    if (events & (EPOLLERR | EPOLLHUP))
        happened |= CURL_CSELECT_ERR;
    act(ours->http, socket->fd, happened);
}

static void socket_free(struct http_socket *socket)
{
    loop_set_remove(&socket->socket);
    list_unlink(&socket->link);
    free(socket);
}

static struct http_socket *socket_new(struct http *http, curl_socket_t fd)
{
    struct http_socket *socket = mem_new(struct http_socket);

    socket->http = http;
    list_push_back(&http->sockets, &socket->link);
    /* If it cannot be watched the call runs into its timeout. */
    loop_set_add(http->set, &socket->socket, fd, 0, socket_ready, NULL);
    curl_multi_assign(http->multi, fd, socket);
    return socket;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
    struct http_socket *socket = assigned;
    struct http *http = data;
    uint32_t events = 0;

    if (what == CURL_POLL_REMOVE) {
        if (socket)
            socket_free(socket);
        return 0;
    }
    if (!socket)
        socket = socket_new(http, fd);
    if (what != CURL_POLL_OUT)
        events |= EPOLLIN;
    if (what != CURL_POLL_IN)
        events |= EPOLLOUT;
    if (socket->socket.set)
        loop_set_change(&socket->socket, events, NULL);
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *data)
{
    struct http *http = data;

    if (milliseconds < 0)
        wheel_cancel(&http->timer);
    else
        wheel_arm(http->wheel, &http->timer,
                  usec_add(clock_boottime(), (usec_t)milliseconds * USEC_PER_MSEC));
    return 0;
}

static void timer_fired(struct wheel_timer *timer)
{
    act(container_of(timer, struct http, timer), CURL_SOCKET_TIMEOUT, 0);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct http_call *call = data;
    size_t length = size * count;

    if (length > call->body_max - call->body.length) {
        call->too_long = true;
        return 0;
    }
    strbuf_add_bytes(&call->body, bytes, length);
    return length;
}

/* calls */

/* These options exist and their values are valid, or this is not the curl that we know. */
#define set(call, option, value)                                                                   \
    assert_that(curl_easy_setopt((call)->easy, option, value) == CURLE_OK)

static void call_configure(struct http_call *call)
{
    set(call, CURLOPT_PRIVATE, call);
    set(call, CURLOPT_NOSIGNAL, 1L);
    set(call, CURLOPT_PROTOCOLS_STR, "http,https");
    set(call, CURLOPT_FOLLOWLOCATION, 0L);
    set(call, CURLOPT_PROXY, ""); /* what the environment says is not for us */
    /* A dead HTTP/2 connection would be used again for ever: it survives its streams' timeouts. */
    set(call, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    set(call, CURLOPT_USERAGENT, "nodeagent");
    set(call, CURLOPT_HTTPHEADER, call->headers);
    set(call, CURLOPT_ERRORBUFFER, call->words);
    set(call, CURLOPT_WRITEFUNCTION, on_body);
    set(call, CURLOPT_WRITEDATA, call);
    set(call, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->body_max);
}

static void call_send(struct http_call *call)
{
    set(call, CURLOPT_CURLU, call->url.parts);
    set(call, CURLOPT_RESOLVE, call->addresses);
    assert_that(curl_multi_add_handle(call->http->multi, call->easy) == CURLM_OK);
    call->added = true;
}

static void call_looked_up(void *owner, const char *addresses, const struct err *err)
{
    struct http_call *call = owner;
    char *entry;

    if (err->code == -ECANCELED)
        return; /* by call_stop() */
    call->lookup = NULL;
    if (!addresses) {
        err_set(&call->reply.err, err->code, "%s: %s", call->url.shown, err->text);
        call_fail(call);
        return;
    }
    /* "+": forgotten after a while, so that names do not pile up. */
    entry = mem_printf("+%s:%u:%s", call->url.host, call->url.port, addresses);
    curl_slist_free_all(call->addresses);
    call->addresses = curl_slist_append(NULL, entry);
    free(entry);
    call_send(call);
}

static int call_begin(struct http_call *call, struct err *err)
{
    int r;

    if (call->url.literal) {
        call_send(call);
        return 0;
    }
    r = lookup_start(call->http->work, call->url.host, call->timeout, call_looked_up, call,
                     &call->lookup, err);
    if (r < 0)
        err_prefix(err, "%s", call->url.shown);
    return r;
}

static bool is_header(const char *header)
{
    const char *colon = strchr(header, ':');

    return colon && colon != header && !strpbrk(header, "\r\n");
}

static int call_headers(struct http_call *call, const char *const *headers, struct err *err)
{
    for (; headers && *headers; headers++) {
        if (!is_header(*headers))
            return err_set(err, -EINVAL, "%s: a header must be one line \"Name: value\"",
                           call->url.shown);
        call->headers = curl_slist_append(call->headers, *headers);
    }
    return 0;
}

int http_get(struct http_call **result, struct http *http, const struct http_request *request,
             http_done_fn *done, void *owner, struct err *err)
{
    struct http_call *call;
    struct http_url url;
    int r;

    assert_that(request->timeout && request->timeout != USEC_NEVER);
    r = http_url_parse(&url, request->url, err);
    if (r < 0)
        return r;
    if (http->in_flight == HTTP_CALLS_MAX) {
        r = err_set(err, -EBUSY, "%s: %d requests are under way already", url.shown,
                    HTTP_CALLS_MAX);
        http_url_deinit(&url);
        return r;
    }
    call = mem_new(struct http_call);
    call->http = http;
    call->url = url;
    call->timeout = request->timeout;
    call->body_max = request->body_max;
    call->done = done;
    call->owner = owner;
    call->easy = curl_easy_init();
    assert_that(call->easy);
    loop_post_init(&call->post, call_posted);
    wheel_timer_init(&call->deadline, call_timed_out);
    r = call_headers(call, request->headers, err);
    if (r == 0) {
        call_configure(call);
        r = call_begin(call, err);
    }
    if (r < 0) {
        call_free(call);
        return r;
    }
    list_push_back(&http->calls, &call->link);
    http->in_flight++;
    wheel_arm(http->wheel, &call->deadline, usec_add(clock_boottime(), call->timeout));
    *result = call;
    return 0;
}

void http_cancel(struct http_call *call)
{
    call_stop(call);
    loop_post_cancel(call->http->loop, &call->post);
    call_leave(call);
    call_free(call);
}

/* the client */

int http_new(struct http **result, struct loop *loop, struct wheel *wheel, struct work *work,
             struct err *err)
{
    struct http *http = mem_new(struct http);
    int r = loop_set_new(&http->set, loop, LOOP_API, err);

    if (r < 0) {
        free(http);
        return r;
    }
    assert_that(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    http->loop = loop;
    http->wheel = wheel;
    http->work = work;
    http->multi = curl_multi_init();
    assert_that(http->multi);
    list_init(&http->calls);
    list_init(&http->sockets);
    wheel_timer_init(&http->timer, timer_fired);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    *result = http;
    return 0;
}

struct http *http_free(struct http *http)
{
    if (!http)
        return NULL;
    list_for_each_safe (node, &http->calls)
        http_cancel(list_entry(node, struct http_call, link));
    curl_multi_cleanup(http->multi);
    list_for_each_safe (node, &http->sockets)
        socket_free(list_entry(node, struct http_socket, link));
    wheel_cancel(&http->timer);
    loop_set_free(http->set);
    curl_global_cleanup();
    free(http);
    return NULL;
}
