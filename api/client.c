/*
 * A call of the API server goes
 *
 *     [its turn] ─► [a credential] ─► HTTP ─► done
 *         ▲                            │
 *         └── asked to come later ◄────┘
 *
 * All go over one client, so over one connection where the server speaks HTTP/2. A heartbeat that
 * gets no answer on it is sent again over a second client, with a connection of its own: if that is
 * answered the first connection is dead, though somebody on the way still acknowledges what is
 * sent, and is given up with all that waits for it. If it is not, the server is slow or away: then
 * a new connection would only be one more thing it has to do.
 */
#include "nodeagent/api/client.h"
#include "limiter.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"
#include "remedy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS_MAX = 4096,            /* in flight */
    STREAMS_MAX = 3584,          /* of them, so that others find room */
    HEADERS_MAX = 8,             /* of a request */
    TRIES_MAX = 10,              /* when the server says when to come again */
    ANSWER_BYTES_MAX = 64 << 20, /* a list of all services */
};

#define RECONNECT_USEC (1 * USEC_PER_SEC) /* before a GET is repeated whose connection broke */
#define HEARTBEAT_USEC (4 * USEC_PER_SEC) /* for the head of an answer to one */
/* How long a server may send somebody away: a heartbeat is soon made again, and what is longer
 * would outlast the trouble. */
#define RETRY_HEARTBEAT_USEC (2 * USEC_PER_SEC)
#define RETRY_MAX_USEC (30 * USEC_PER_SEC)
#define LEAVING_USEC API_TIMEOUT /* for what was asked in a former identity */

struct api {
    struct api_options options;
    char *server;
    char *user_agent;
    char *proxy;
    struct http *http;
    struct http *spare;  /* NULL: not needed so far */
    struct http *former; /* of another identity, until what it was asked is answered; or NULL */
    struct wheel_timer leaving;
    uint64_t generation;
    struct limiter limiters[API_HEARTBEAT];
    struct list calls;
    struct list unanswered; /* who waits for the server */
    struct list refused;    /* who waits for another identity */
    unsigned streams;       /* under way */
    usec_t heard;           /* when something came over `http` last */
};

struct api_call {
    struct api *api;
    struct list link;
    struct wheel_timer timer; /* its turn */
    struct http_call *http_call;
    struct http *over; /* the attempt at hand */
    bool spare;        /* it goes over that client */
    bool waits;        /* for a credential */
    bool broken;       /* its connection broke once, and it was repeated */
    unsigned tries;    /* 0: nothing was sent yet */
    usec_t began;      /* the attempt at hand */
    usec_t asked;      /* over the client that all use, a heartbeat's; 0: it was not */
    enum api_class class;
    usec_t timeout;
    char *method;
    char *path;
    char *body;
    char *type;
    http_data_fn *data;
    api_done_fn *done;
    void *owner;
};

/* ends */

/* Without the query, which tells a reader little and differs from try to try. */
static char *path_of(const struct api_call *call)
{
    return mem_strndup(call->path, strcspn(call->path, "?"));
}

static void call_free(struct api_call *call)
{
    list_unlink(&call->link);
    call->api->streams -= call->data != NULL;
    wheel_cancel(&call->timer);
    free(call->method);
    free(call->path);
    free(call->body);
    free(call->type);
    free(call);
}

static void call_done(struct api_call *call, const struct api_reply *reply)
{
    struct api_reply told = *reply;
    char *path = path_of(call);

    told.method = call->method;
    told.path = path;
    call->done(call->owner, &told);
    free(path);
    call_free(call);
}

static void call_failed(struct api_call *call, const struct api_failure *failure)
{
    struct api_reply reply = {.body = "", .failure = failure};

    call_done(call, &reply);
}

static void call_later(struct api_call *call, usec_t delay)
{
    wheel_arm(call->api->options.wheel, &call->timer, usec_add(clock_boottime(), delay));
}

static bool is_get(const struct api_call *call)
{
    return !strcmp(call->method, "GET");
}

/* connections */

static int client_new(struct http **result, const struct api *api, struct err *err)
{
    struct http_options options = {
        .loop = api->options.loop,
        .wheel = api->options.wheel,
        .work = api->options.work,
        .class = LOOP_API,
        .calls_max = CALLS_MAX,
        .lasting = true,
        .knowing = api->http,
    };

    return http_new(result, &options, err);
}

/* What its calls were about to be answered is not known: only what changes nothing is repeated. A
 * stream ends as any other does: its owner begins it anew, who knows from where. */
static void call_give_up(struct api_call *call)
{
    struct api_failure failure = {0};

    http_cancel(call->http_call);
    call->http_call = NULL;
    if (is_get(call) && !call->data) {
        call_later(call, 0);
        return;
    }
    if (call->data) {
        call_done(call, &(struct api_reply){.body = ""});
        return;
    }
    err_set(&failure.err, -ECONNRESET, "%s %s: the connection was given up", call->method,
            call->path);
    call_failed(call, &failure);
}

/* Whoever is told may begin and cancel calls. */
static void give_up_calls(struct api *api, const struct http *over, bool all)
{
    struct api_call *call;
    struct list doomed;

    list_init(&doomed);
    list_for_each_safe (node, &api->calls) {
        call = list_entry(node, struct api_call, link);
        if (!call->http_call || call->over != over || !(all || is_get(call)))
            continue;
        list_unlink(&call->link);
        list_push_back(&doomed, &call->link);
    }
    while ((call = list_first(&doomed, struct api_call, link))) {
        list_unlink(&call->link);
        list_push_back(&api->calls, &call->link);
        call_give_up(call);
    }
}

static void give_up(struct api *api, struct http **http)
{
    struct http *doomed = *http;

    *http = NULL;
    give_up_calls(api, doomed, true);
    http_free(doomed);
}

static void on_left(struct wheel_timer *timer)
{
    struct api *api = container_of(timer, struct api, leaving);

    give_up(api, &api->former);
}

/* `dead`: nothing will be answered. If they are only somebody else's, what was to change something
 * is waited for: whether it did would not be known. */
static void replace_connections(struct api *api, bool dead)
{
    struct http *fresh;
    struct err err;

    if (client_new(&fresh, api, &err) < 0) {
        log_warning("%s: the connections cannot be made anew: %s", api->server, err.text);
        return;
    }
    give_up(api, &api->former);
    api->former = api->http;
    api->http = fresh;
    if (dead) {
        give_up(api, &api->former);
    } else {
        give_up_calls(api, api->former, false);
        wheel_arm(api->options.wheel, &api->leaving, usec_add(clock_boottime(), LEAVING_USEC));
    }
}

/* attempts */

static bool is_unanswered(const struct http_reply *reply)
{
    return reply->trouble == NET_CONNECT_TIMEOUT || reply->trouble == NET_RESPONSE_TIMEOUT;
}

static bool is_broken(const struct http_reply *reply)
{
    return reply->trouble == NET_CLOSED || reply->trouble == NET_BODY_CLOSED ||
           reply->trouble == NET_REFUSED;
}

/* The other side went away in the midst of the handshake: nothing was asked yet. */
static bool is_unsent(const struct http_reply *reply)
{
    return reply->trouble == NET_TLS && strstr(reply->err.text, "SSL_ERROR_SYSCALL");
}

/* Of a stream its owner knows from where to go on, once it has begun. */
static bool may_be_repeated(const struct api_call *call, const struct http_reply *reply)
{
    if (is_unsent(reply))
        return true;
    return is_get(call) && (call->data ? reply->trouble == NET_CLOSED : is_broken(reply));
}

static void call_send(struct api_call *call);

/* The query is cut out: it tells a reader little, and differs from try to try. */
static void leave_query_out(const struct api_call *call, struct err *err)
{
    const char *query = strchr(call->path, '?');
    char *at = query ? strstr(err->text, query) : NULL;

    if (at)
        memmove(at, at + strlen(query), strlen(at + strlen(query)) + 1);
}

static void call_unanswered(struct api_call *call, const struct http_reply *reply)
{
    struct api_failure failure = {.err = reply->err};

    leave_query_out(call, &failure.err);
    remedy_add(&failure.err, !call->api->heard);
    if (call->class == API_HEARTBEAT && !call->spare && is_unanswered(reply)) {
        call->spare = true;
        call->asked = call->over == call->api->http ? call->began : 0;
        call_send(call);
        return;
    }
    if (call->spare && is_unanswered(reply))
        give_up(call->api, &call->api->spare);
    if (may_be_repeated(call, reply) && !call->broken) {
        call->broken = true;
        call_later(call, RECONNECT_USEC);
        return;
    }
    call_failed(call, &failure);
}

static void call_again(struct api_call *call, const struct api_failure *failure)
{
    call->spare = false;
    if (call->class != API_HEARTBEAT)
        call_later(call, MIN(failure->retry_after, RETRY_MAX_USEC));
    else if (failure->retry_after <= RETRY_HEARTBEAT_USEC)
        call_later(call, failure->retry_after);
    else
        call_failed(call, failure);
}

static void call_answered(struct api_call *call, const struct http_reply *reply)
{
    struct api_reply told = {.body = reply->body, .length = reply->length};
    struct api *api = call->api;
    struct api_failure failure;
    char *shown, *path;

    if (reply->status >= 200 && reply->status < 300) {
        call_done(call, &told);
        return;
    }
    path = path_of(call);
    shown = mem_printf("%s %s", call->method, path);
    api_failure_read(&failure, shown, reply->status, reply->head, reply->body, reply->length);
    free(shown);
    free(path);
    if (reply->status == 401) {
        remedy_add_unauthorized(&failure.err);
        api->options.refused(api->options.owner, call->began);
    }
    if ((reply->status == 429 || reply->status >= 500) && failure.retry_after &&
        call->tries < TRIES_MAX)
        call_again(call, &failure);
    else
        call_failed(call, &failure);
}

static void call_waiters(struct list *of)
{
    struct api_waiter *waiter;
    struct list waiters;

    list_init(&waiters);
    list_splice(&waiters, of);
    while ((waiter = list_first(&waiters, struct api_waiter, link))) {
        list_unlink(&waiter->link);
        waiter->passed(waiter);
    }
}

void api_wait(struct api *api, struct api_waiter *waiter, const struct api_failure *failure)
{
    list_unlink(&waiter->link);
    if (!failure->code)
        list_push_back(&api->unanswered, &waiter->link);
    else if (api_failure_is_of_identity(failure))
        list_push_back(&api->refused, &waiter->link);
}

static void on_reply(void *owner, const struct http_reply *reply)
{
    struct api_call *call = owner;
    struct api *api = call->api;
    /* Nothing came over it since this heartbeat went out, and the server is there. */
    bool dead = call->spare && !reply->trouble && api->heard < call->asked;

    call->http_call = NULL;
    if (call->over == api->http && !reply->trouble)
        api->heard = clock_boottime();
    if (!reply->trouble)
        call_waiters(&api->unanswered);
    if (reply->trouble)
        call_unanswered(call, reply);
    else
        call_answered(call, reply);
    if (!dead)
        return;
    log_notice("%s: a connection is dead, and all is asked anew over another", api->server);
    replace_connections(api, true);
}

static void on_data(void *owner, const char *bytes, size_t length)
{
    struct api_call *call = owner;

    call->api->heard = clock_boottime();
    call->data(call->owner, bytes, length);
}

static usec_t head_timeout(const struct api_call *call)
{
    if (call->class == API_HEARTBEAT)
        return HEARTBEAT_USEC;
    return call->data ? API_STREAM_HEAD : 0;
}

static int call_ask(struct api_call *call, const struct api_identity *identity, struct err *err)
{
    struct api *api = call->api;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(1024, 1024);
    const char *headers[HEADERS_MAX] = {api->user_agent, "Accept: application/json", "Expect:"};
    struct http_request request = {
        .url = arena_printf(&arena, "%s%s", api->server, call->path),
        .method = call->method,
        .headers = headers,
        .body = call->body,
        .body_length = call->body ? strlen(call->body) : 0,
        .version = HTTP_VERSION_ANY,
        .timeout = call->timeout,
        .head_timeout = head_timeout(call),
        .answer_max = ANSWER_BYTES_MAX,
        .data = call->data ? on_data : NULL,
        .identity = &identity->tls,
        .unverified = api->options.unverified,
        .proxy = api->proxy,
        .compressed = api->options.compressed && !call->data,
        .keep_head = true,
    };
    size_t count = 3;

    if (identity->authorization)
        headers[count++] = arena_printf(&arena, "Authorization: %s", identity->authorization);
    if (call->body)
        headers[count++] = arena_printf(&arena, "Content-Type: %s", call->type);
    call->over = call->spare ? api->spare : api->http;
    return http_begin(&call->http_call, call->over, &request, on_reply, call, err);
}

static int check_streams(const struct api_call *call, struct err *err)
{
    if (!call->data || call->api->streams <= STREAMS_MAX)
        return 0;
    return err_set(err, -EBUSY, "%s: more than %d objects are watched already", call->path,
                   STREAMS_MAX);
}

static void call_send(struct api_call *call)
{
    struct api *api = call->api;
    struct api_identity identity = {0};
    struct api_failure failure = {0};
    int r;

    call->began = clock_boottime();
    r = check_streams(call, &failure.err);
    if (r == 0)
        r = api->options.identify(api->options.owner, &identity, &failure.err);
    if (r == -EAGAIN) {
        call->waits = true;
        return;
    }
    call->tries++;
    if (r == 0 && call->spare && !api->spare)
        r = client_new(&api->spare, api, &failure.err);
    if (r == 0)
        r = call_ask(call, &identity, &failure.err);
    if (r < 0)
        call_failed(call, &failure);
}

static void on_turn(struct wheel_timer *timer)
{
    call_send(container_of(timer, struct api_call, timer));
}

/* calls */

struct api_call *api_begin(struct api *api, const struct api_request *request, api_done_fn *done,
                           void *owner)
{
    struct api_call *call = mem_new(struct api_call);
    usec_t now = clock_boottime();

    call->api = api;
    call->class = request->class;
    call->timeout = request->timeout ? request->timeout : API_TIMEOUT;
    call->method = mem_strdup(request->method);
    call->path = mem_strdup(request->path);
    call->body = request->body ? mem_strdup(request->body) : NULL;
    call->type = mem_strdup(request->type ? request->type : "application/json");
    call->data = request->data;
    call->done = done;
    call->owner = owner;
    wheel_timer_init(&call->timer, on_turn);
    list_push_back(&api->calls, &call->link);
    api->streams += call->data != NULL;
    wheel_arm(api->options.wheel, &call->timer,
              call->class == API_HEARTBEAT ? now : limiter_take(&api->limiters[call->class], now));
    return call;
}

void api_cancel(struct api_call *call)
{
    if (call->http_call)
        http_cancel(call->http_call);
    if (!call->tries && call->class != API_HEARTBEAT)
        limiter_give_back(&call->api->limiters[call->class]);
    call_free(call);
}

/* the client */

void api_identity_changed(struct api *api)
{
    struct api_identity identity = {0};
    struct err err;
    int r = api->options.identify(api->options.owner, &identity, &err);

    if (r == -EAGAIN)
        return;
    if (r == 0 && identity.generation != api->generation) {
        api->generation = identity.generation;
        give_up(api, &api->spare);
        replace_connections(api, false);
    }
    list_for_each_safe (node, &api->calls) {
        struct api_call *call = list_entry(node, struct api_call, link);

        if (call->waits)
            call_later(call, 0);
        call->waits = false;
    }
    call_waiters(&api->refused);
}

int api_new(struct api **result, const struct api_options *options, struct err *err)
{
    struct api *api = mem_new(struct api);
    usec_t now = clock_boottime();
    int r;

    api->options = *options;
    api->server = mem_strdup(options->server);
    api->user_agent = mem_printf("User-Agent: %s", options->user_agent);
    api->proxy = options->proxy ? mem_strdup(options->proxy) : NULL;
    list_init(&api->calls);
    list_init(&api->unanswered);
    list_init(&api->refused);
    wheel_timer_init(&api->leaving, on_left);
    limiter_init(&api->limiters[API_GENERAL], options->rate, options->burst, now);
    limiter_init(&api->limiters[API_EVENTS], options->event_rate, options->event_burst, now);
    r = client_new(&api->http, api, err);
    if (r < 0) {
        api_free(api);
        return r;
    }
    *result = api;
    return 0;
}

struct api *api_free(struct api *api)
{
    if (!api)
        return NULL;
    while (!list_empty(&api->calls))
        api_cancel(list_first(&api->calls, struct api_call, link));
    wheel_cancel(&api->leaving);
    http_free(api->http);
    http_free(api->spare);
    http_free(api->former);
    free(api->server);
    free(api->user_agent);
    free(api->proxy);
    free(api);
    return NULL;
}

usec_t api_heard(const struct api *api)
{
    return api->heard;
}
