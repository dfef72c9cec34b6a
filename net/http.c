/*
 * The HTTP client's calls. A call goes
 *
 *     [look the name up, in the pool] ─► curl ─► [redirected: once more] ─► [posted] ─► done
 *
 * so that `done` never comes from within curl, which must not be called from its own callbacks, nor
 * from within what the owner called: then it is posted.
 * One timer is the deadline of it all. Calls keep their curl handles for those that come after
 * them: making one costs as much as a request.
 */
#include "nodeagent/net/http.h"
#include "http-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    REDIRECTS_MAX = 10,   /* the same as in Go, and so in the kubelet */
    REQUESTS_MAX = 10,    /* of probes, which count them and not the redirections */
    IDLE_MAX = 256,       /* handles of probes kept for calls to come: thousands come a second */
    IDLE_LASTING_MAX = 8, /* the same of others, whose calls come rarely, or all at once */
};

/* calls that are used again */

static struct http_call *call_take(struct http *http)
{
    struct http_call *call = list_first(&http->idle, struct http_call, link);
    CURL *easy;

    if (call) {
        easy = call->easy;
        list_unlink(&call->link);
        http->idle_count--;
        memset(call, 0, sizeof(*call));
    } else {
        call = mem_new(struct http_call);
        easy = curl_easy_init();
        assert_that(easy);
    }
    call->http = http;
    call->easy = easy;
    list_init(&call->link);
    list_init(&call->fed);
    list_init(&call->name);
    list_init(&call->hold);
    return call;
}

static void call_destroy(struct http_call *call)
{
    curl_easy_cleanup(call->easy);
    free(call);
}

static void call_give(struct http_call *call)
{
    list_unlink(&call->link);
    list_unlink(&call->fed);
    free(call->server_name);
    curl_easy_reset(call->easy);
    curl_slist_free_all(call->headers);
    curl_slist_free_all(call->headers_elsewhere);
    curl_slist_free_all(call->addresses);
    curl_slist_free_all(call->route);
    curl_url_cleanup(call->renamed);
    http_url_deinit(&call->url);
    http_url_deinit(&call->next);
    strbuf_deinit(&call->head);
    strbuf_deinit(&call->body);
    if (!call->http ||
        call->http->idle_count >= (call->http->lasting ? IDLE_LASTING_MAX : IDLE_MAX)) {
        call_destroy(call);
        return;
    }
    call->http->idle_count++;
    list_push_front(&call->http->idle, &call->link);
}

/* the end of a call */

static void call_stop(struct http_call *call)
{
    http_name_leave(call);
    http_curl_detach(call);
    wheel_cancel(&call->deadline);
}

/* False: who was told cancelled the call. */
static bool call_feed(struct http_call *call)
{
    _cleanup_(strbuf_deinit) struct strbuf piece = call->body;
    struct http *http = call->http;

    list_unlink(&call->fed);
    call->body = STRBUF_INIT;
    call->reply.body = "";
    call->reply.length = 0;
    http->feeding = call;
    call->request.data(call->owner, piece.text, piece.length);
    if (http->feeding != call)
        return false;
    http->feeding = NULL;
    return true;
}

static void http_feed(struct http *http)
{
    struct http_call *call;

    while ((call = list_first(&http->fed, struct http_call, fed)))
        call_feed(call);
}

static void feed_posted(struct loop_post *post)
{
    http_feed(container_of(post, struct http, feed));
}

void http_call_fed(struct http_call *call)
{
    struct http *http = call->http;

    if (!list_empty(&call->fed))
        return;
    list_push_back(&http->fed, &call->fed);
    if (http->called)
        return;
    loop_post_cancel(http->loop, &http->feed); /* another may have brought it about */
    loop_post(http->loop, &http->feed);
}

static void call_posted(struct loop_post *post)
{
    struct http_call *call = container_of(post, struct http_call, post);

    if (!list_empty(&call->fed) && !call_feed(call))
        return;
    call->http->in_flight--;
    call->telling = true;
    call->done(call->owner, &call->reply);
    call_give(call);
}

static void call_end(struct http_call *call)
{
    struct http_reply *reply = &call->reply;

    http_trouble_times(call);
    call_stop(call);
    call->over = true;
    reply->body = call->body.text ? call->body.text : "";
    reply->length = call->body.length;
    reply->head = call->head.text ? call->head.text : "";
    reply->url = call->url.shown;
    if (call->http->called)
        list_push_back(&call->http->ended, &call->post.link);
    else
        loop_post(call->http->loop, &call->post);
}

/* Whoever is told may end others of them, or the client. */
void http_tell(struct http *http)
{
    struct list ended;
    struct loop_post *post;

    http_feed(http);
    list_init(&ended);
    list_splice(&ended, &http->ended);
    while ((post = list_first(&ended, struct loop_post, link))) {
        list_unlink(&post->link);
        call_posted(post);
    }
}

static void call_timed_out(struct wheel_timer *timer)
{
    struct http_call *call = container_of(timer, struct http_call, deadline);

    /* A busy machine may have let this one sleep since the answer came: that is not held against
     * who answered. */
    http_curl_look(call);
    if (call->over)
        return;
    http_trouble_late(call);
    call_end(call);
}

/* asking */

static void call_send(struct http_call *call)
{
    call->sent = MAX(usec_sub(clock_boottime(), call->began), 1);
    call->reply.times = (struct net_times){.resolved = call->sent};
    http_curl_send(call);
}

static void call_set_addresses(struct http_call *call, const char *addresses)
{
    /* "+": forgotten after a while, so that names do not pile up. */
    char *entry = mem_printf("+%s:%u:%s", call->url.host, call->url.port, addresses);

    curl_slist_free_all(call->addresses);
    call->addresses = curl_slist_append(NULL, entry);
    free(entry);
}

void http_call_named(struct http_call *call, const char *addresses, const struct err *err)
{
    if (addresses) {
        call_set_addresses(call, addresses);
        call_send(call);
    } else {
        http_trouble_name(call, err->code, err->text);
        call_end(call);
    }
}

static void call_begin(struct http_call *call)
{
    if (call->url.literal || call->request.proxy)
        call_send(call);
    else
        http_name_find(call);
}

/* redirections */

static bool is_redirection(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_host(const char *header)
{
    return !strncasecmp(header, "Host:", strlen("Host:"));
}

static bool redirects_too_often(struct http_call *call)
{
    struct err *err = &call->reply.err;

    if (call->request.redirects == HTTP_FOLLOW_SAME_SIDE && call->redirects == REDIRECTS_MAX)
        err_set(err, -ELOOP, "%s: redirects more than %d times", call->url.shown, REDIRECTS_MAX);
    else if (call->request.redirects == HTTP_FOLLOW_SAME_HOST &&
             call->redirects + 1 == REQUESTS_MAX)
        err_set(err, -ELOOP, "%s: stopped after %d redirects", call->url.shown, REQUESTS_MAX);
    return err->code;
}

/* Its head was the one that there is a limit for. */
static bool call_wants_body(struct http_call *call)
{
    if (call->request.head_timeout)
        wheel_arm(call->http->wheel, &call->deadline, usec_add(call->began, call->request.timeout));
    return true;
}

bool http_call_has_head(struct http_call *call)
{
    struct http_reply *reply = &call->reply;
    struct curl_header *location;
    int r;

    if (!is_redirection(reply->status) ||
        curl_easy_header(call->easy, "Location", 0, CURLH_HEADER, -1, &location) != CURLHE_OK ||
        str_empty(location->value))
        return call_wants_body(call);
    r = http_url_follow(&call->next, &call->url, location->value, call->request.redirects,
                        &reply->err);
    if (r == -EXDEV && call->request.redirects == HTTP_FOLLOW_SAME_HOST) {
        reply->err = (struct err){0};
        reply->left = true;
        return call_wants_body(call);
    }
    if (r == 0 && redirects_too_often(call)) {
        http_url_deinit(&call->next);
        r = -ELOOP;
    }
    call->next_elsewhere = http_url_is_absolute(location->value);
    reply->trouble = r < 0 ? NET_PROTOCOL : NET_ANSWERED;
    /* Of a connection that is used again the rest has to be read. */
    return r == 0 && !call->request.once;
}

/* A host that was named for the first server does not hold for what names its own; but where the
 * server has another name for TLS, it is the URL's. */
static void call_choose_headers(struct http_call *call)
{
    curl_slist_free_all(call->headers_elsewhere);
    call->headers_elsewhere = NULL;
    if (!call->next_elsewhere || call->server_name)
        return;
    for (struct curl_slist *header = call->headers; header; header = header->next)
        if (!is_host(header->data))
            call->headers_elsewhere = curl_slist_append(call->headers_elsewhere, header->data);
}

static void call_go_on(struct http_call *call)
{
    bool get = call->reply.status < 307;

    call_choose_headers(call);
    /* Where one came from is not told in the clear. */
    http_curl_redirect(call, call->url.secure && !call->next.secure ? NULL : call->url.shown, get);
    http_url_deinit(&call->url);
    call->url = call->next;
    call->next = (struct http_url){0};
    call->redirects++;
    call->head_bytes = 0;
    call->head_done = false;
    call->ended = false;
    call->reply.status = 0;
    strbuf_truncate(&call->head, 0);
    strbuf_truncate(&call->body, 0);
    call_begin(call);
}

void http_call_finished(struct http_call *call, CURLcode code)
{
    if (!call->ended && (code != CURLE_OK || !call->head_done))
        http_trouble_failed(call, code);
    if (call->reply.trouble || !call->next.parts) {
        call_end(call);
        return;
    }
    http_curl_detach(call);
    call_go_on(call);
}

/* calls */

/* "Name: value", "Name:" or "Name;", as curl has it. */
static bool is_header(const char *header)
{
    size_t name = strcspn(header, ":;");

    if (!name || strpbrk(header, "\r\n"))
        return false;
    return header[name] == ':' || str_equal(header + name, ";");
}

static int check_headers(const struct http_request *request, const char *shown, struct err *err)
{
    for (const char *const *header = request->headers; header && *header; header++)
        if (!is_header(*header))
            return err_set(err, -EINVAL, "%s: a header must be one line \"Name: value\"", shown);
    return 0;
}

static int check_calls(const struct http *http, const char *shown, struct err *err)
{
    if (http->in_flight < http->calls_max)
        return 0;
    return err_set(err, -EBUSY, "%s: %u requests are under way already", shown, http->calls_max);
}

/* What is asked for is the URL's host, whatever curl finds in the URL that it gets. */
static void call_name_server(struct http_call *call, const char *name)
{
    char *host = http_url_written(call->url.host);
    char *header = mem_printf("Host: %s:%u", host, call->url.port);

    call->server_name = mem_strdup(name);
    call->headers = curl_slist_append(call->headers, header);
    free(host);
    free(header);
}

static void call_configure(struct http_call *call, const struct http_request *request)
{
    for (const char *const *header = request->headers; header && *header; header++)
        call->headers = curl_slist_append(call->headers, *header);
    call->request = *request;
    call->request.url = NULL;
    call->request.headers = NULL;
    call->request.body = NULL;
    call->request.method = NULL;
    call->request.identity = NULL;
    if (request->identity && request->identity->server_name && call->url.secure)
        call_name_server(call, request->identity->server_name);
    http_curl_configure(call, request);
}

int http_begin(struct http_call **result, struct http *http, const struct http_request *request,
               http_done_fn *done, void *owner, struct err *err)
{
    struct http_call *call;
    struct http_url url;
    int r;

    assert_that(request->timeout && request->timeout != USEC_NEVER);
    r = http_url_parse(&url, request->url, err);
    if (r < 0)
        return r;
    r = check_calls(http, url.shown, err);
    if (r == 0)
        r = check_headers(request, url.shown, err);
    if (r < 0) {
        http_url_deinit(&url);
        return r;
    }
    call = call_take(http);
    call->url = url;
    call->done = done;
    call->owner = owner;
    call->began = clock_boottime();
    loop_post_init(&call->post, call_posted);
    wheel_timer_init(&call->deadline, call_timed_out);
    call_configure(call, request);
    list_push_back(&http->calls, &call->link);
    http->in_flight++;
    wheel_arm(
        http->wheel, &call->deadline,
        usec_add(call->began, request->head_timeout ? request->head_timeout : request->timeout));
    *result = call;
    call_begin(call);
    return 0;
}

void http_cancel(struct http_call *call)
{
    if (call->http->feeding == call)
        call->http->feeding = NULL;
    call_stop(call);
    loop_post_cancel(call->http->loop, &call->post);
    call->http->in_flight--;
    call_give(call);
}

/* the client */

int http_new(struct http **result, const struct http_options *options, struct err *err)
{
    struct http *http = mem_new(struct http);
    int r;

    http->loop = options->loop;
    http->wheel = options->wheel;
    http->work = options->work;
    http->calls_max = options->calls_max;
    http->lasting = http->multiplexes = options->lasting;
    loop_post_init(&http->feed, feed_posted);
    list_init(&http->fed);
    list_init(&http->calls);
    list_init(&http->idle);
    list_init(&http->ended);
    http_name_init(http, options->knowing);
    r = http_curl_init(http, options->class, err);
    if (r < 0) {
        http_name_deinit(http);
        free(http);
        return r;
    }
    *result = http;
    return 0;
}

struct http *http_free(struct http *http)
{
    if (!http)
        return NULL;
    list_for_each_safe (node, &http->calls) {
        struct http_call *call = list_entry(node, struct http_call, link);

        if (call->telling) {
            list_unlink(&call->link);
            call->http = NULL;
        } else {
            http_cancel(call);
        }
    }
    list_for_each_safe (node, &http->idle)
        call_destroy(list_entry(node, struct http_call, link));
    http_curl_deinit(http);
    loop_post_cancel(http->loop, &http->feed);
    http_name_deinit(http);
    free(http);
    return NULL;
}
