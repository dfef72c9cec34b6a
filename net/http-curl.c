/*
 * Driving curl: it tells which sockets it waits for and when it wants to be called; the sockets are
 * one set on the loop, the time is a timer on the wheel. It is called at once when it has something
 * new to do.
 *
 * curl would start a thread to look a name up; it is handed the addresses, and asks nobody.
 */
#include "http-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS_KEPT = 8,             /* idle ones; more servers than that are asked by nobody */
    HEAD_BYTES_MAX = 256 * 1024,      /* of one request's answers, interim ones included */
    HEAD_BYTES_KEPT_MAX = 64 * 1024,  /* for who wants to see it */
    UPLOAD_BYTES = 16 * 1024,         /* at once, of what is sent: the least there can be */
    STATUS_SWITCHING_PROTOCOLS = 101, /* the one below 200 after which no other answer comes */
};

struct http_socket {
    struct loop_socket socket;
    struct list link;
    struct http *http;
    CURL *easy;  /* whose it is */
    bool corked; /* what is sent is held back until an answer is waited for */
};

/* at work */

static void act(struct http *http, curl_socket_t fd, int events)
{
    int running, left;
    CURLMsg *message;

    http->acting = true;
    do {
        http->added = false;
        curl_multi_socket_action(http->multi, fd, events, &running);
        while ((message = curl_multi_info_read(http->multi, &left))) {
            CURLcode code = message->data.result;
            struct http_call *call = NULL;

            if (message->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
            http_call_finished(call, code);
        }
        fd = CURL_SOCKET_TIMEOUT;
        events = 0;
    } while (http->added);
    http->acting = false;
}

/* From the loop. */
static void act_and_tell(struct http *http, curl_socket_t fd, int events)
{
    http->called = true;
    act(http, fd, events);
    http->called = false;
    http_tell(http);
}

static int curl_events(uint32_t events)
{
    int happened = 0;

    if (events & EPOLLIN)
        happened |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        happened |= CURL_CSELECT_OUT;
    if (events & (EPOLLERR | EPOLLHUP))
        happened |= CURL_CSELECT_ERR;
    return happened;
}

static void socket_ready(struct loop_socket *socket, uint32_t events)
{
    act_and_tell(container_of(socket, struct http_socket, socket)->http, socket->fd,
                 curl_events(events));
}

static void socket_free(struct http_socket *socket)
{
    loop_set_remove(&socket->socket);
    list_unlink(&socket->link);
    free(socket);
}

/* HTTP/2 begins with a handful of small frames, each of which would be a packet. */
static bool is_corked(const struct http_call *call)
{
    return call->request.once && call->request.version == HTTP_VERSION_2;
}

static void cork(int fd, int on)
{
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

static void uncork(struct http_socket *socket)
{
    if (socket->corked)
        cork(socket->socket.fd, 0);
    socket->corked = false;
}

static struct http_call *call_of(CURL *easy)
{
    char *call = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
    return (struct http_call *)call;
}

static struct http_socket *socket_new(struct http *http, CURL *easy, curl_socket_t fd)
{
    struct http_socket *socket = mem_new(struct http_socket);

    socket->http = http;
    socket->easy = easy;
    socket->corked = is_corked(call_of(easy));
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
        socket = socket_new(http, easy, fd);
    if (what & CURL_POLL_IN) {
        uncork(socket);
        events |= EPOLLIN;
    }
    if (what & CURL_POLL_OUT)
        events |= EPOLLOUT;
    if (socket->socket.set)
        loop_set_change(&socket->socket, events, NULL);
    return 0;
}

/* It may take care of other calls, too. */
void http_curl_look(struct http_call *call)
{
    list_for_each (node, &call->http->sockets) {
        struct http_socket *ours = list_entry(node, struct http_socket, link);
        struct pollfd ready = {.fd = ours->socket.fd, .events = (short)ours->socket.events};

        if (ours->easy == call->easy && ours->socket.set && poll(&ready, 1, 0) > 0) {
            act(call->http, ready.fd, curl_events((uint32_t)ready.revents));
            return;
        }
    }
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
    act_and_tell(container_of(timer, struct http, timer), CURL_SOCKET_TIMEOUT, 0);
}

/* connections that are being made */

/* A server that speaks HTTP/2 needs few connections, and shaking hands is the dearest that it does:
 * while one is made, others wait, since there is room for them on it. curl by itself lets them wait
 * for the very first alone, and then lets all of them go. Until the first answer shows which
 * version it is, connections are made one after the other. */
static bool must_wait(const struct http_call *call)
{
    const struct http *http = call->http;

    return http->multiplexes && http->opening && http->opening != call;
}

static void is_open(struct http_call *call)
{
    struct http *http = call->http;

    if (http->opening != call)
        return;
    http->opening = NULL;
    loop_post_cancel(http->loop, &http->release);
    if (!list_empty(&http->held))
        loop_post(http->loop, &http->release);
}

/* The first that finds no room opens another, and those behind it wait again. */
static void release_posted(struct loop_post *post)
{
    struct http *http = container_of(post, struct http, release);
    struct http_call *call;
    struct list held;

    list_init(&held);
    list_splice(&held, &http->held);
    while ((call = list_first(&held, struct http_call, hold))) {
        list_unlink(&call->hold);
        http_curl_send(call);
    }
}

/* Its request is sent next. */
static int on_ready(void *data, char *ip, char *local_ip, int port, int local_port)
{
    is_open(data);
    return CURL_PREREQFUNC_OK;
}

/* sockets' beginnings */

/* Whatever becomes of it, the socket is reset when it is closed: else its port would stay in use
 * for a minute whenever this side is the first to close. It is told now, since curl asks nobody
 * how to close a socket that it gives up while connecting. */
static void set_reset(int fd)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* A peer that is silently gone is noticed: idle for 3 s it is asked every 2 s, three times; what
 * was sent has to be acknowledged within 8 s. */
static void set_watched(int fd)
{
    static const int on = 1, idle = 3, interval = 2, count = 3;
    static const unsigned unacknowledged = 8000;

    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof(unacknowledged));
}

static curl_socket_t on_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_call *call = data;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    call->socket_code = fd < 0 ? -errno : 0;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if (call->request.once && !call->request.close)
        set_reset(fd);
    if (is_corked(call))
        cork(fd, 1);
    if (call->http->lasting) {
        set_watched(fd);
        call->http->opening = call;
    }
    return fd;
}

/* Encryption begins: it is connected. */
static CURLcode on_secure(CURL *easy, void *context, void *data)
{
    struct http_call *call = data;

    call->reply.times.connected = usec_sub(clock_boottime(), call->began);
    return CURLE_OK;
}

/* what comes */

static bool is_blank(const char *line, size_t length)
{
    return length && (line[0] == '\r' || line[0] == '\n');
}

static bool is_fed(const struct http_call *call)
{
    return call->request.data && call->reply.status >= 200 && call->reply.status < 300;
}

static bool announces_too_much(const struct http_call *call)
{
    struct curl_header *length;

    if (call->request.cut || call->next.parts || is_fed(call) ||
        curl_easy_header(call->easy, "Content-Length", 0, CURLH_HEADER, -1, &length) != CURLHE_OK)
        return false;
    return strtoull(length->value, NULL, 10) > call->request.answer_max;
}

/* Lines of 1xx come first, trailers after the end. */
static bool head_ended(struct http_call *call)
{
    long status = 0, version = 0;

    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
    call->http->multiplexes = call->http->lasting && version == CURL_HTTP_VERSION_2_0;
    if (status >= 100 && status < 200 && status != STATUS_SWITCHING_PROTOCOLS) {
        strbuf_truncate(&call->head, 0);
        return true;
    }
    call->head_done = true;
    call->reply.status = (int)status;
    call->ended = !http_call_has_head(call) || status == STATUS_SWITCHING_PROTOCOLS;
    call->too_long = !call->ended && announces_too_much(call);
    return !call->ended && !call->too_long;
}

static size_t on_header(char *line, size_t size, size_t count, void *data)
{
    struct http_call *call = data;
    size_t length = size * count;
    bool blank = is_blank(line, length);

    call->head_bytes += length;
    if (call->head_bytes > HEAD_BYTES_MAX)
        return 0;
    if (call->request.keep_head && !blank && call->head.length + length <= HEAD_BYTES_KEPT_MAX)
        strbuf_add_bytes(&call->head, line, length);
    return blank && !call->head_done && !head_ended(call) ? 0 : length;
}

/* An answer that is cut ends with the last byte allowed: a peer that does not say how long it is
 * may never send another. */
static bool body_is_full(struct http_call *call)
{
    curl_off_t length = -1;

    if (!call->request.cut || call->body.length < call->request.answer_max)
        return false;
    curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return length < 0 || (size_t)length > call->request.answer_max;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct http_call *call = data;
    size_t length = size * count, room = call->request.answer_max - call->body.length;

    if (call->next.parts)
        return length; /* nobody reads what a redirection says */
    if (is_fed(call))
        http_call_fed(call);
    if (length > room && !call->request.cut) {
        call->too_long = true;
        return 0;
    }
    strbuf_add_bytes(&call->body, bytes, MIN(length, room));
    call->ended = call->reply.cut = length > room || body_is_full(call);
    return call->ended ? 0 : length;
}

/* requests */

/* These options exist and their values are valid, or this is not the curl that we know. */
#define set(call, option, value)                                                                   \
    assert_that(curl_easy_setopt((call)->easy, option, value) == CURLE_OK)

static long version_of(const struct http_request *request)
{
    switch (request->version) {
    case HTTP_VERSION_ANY:
        return CURL_HTTP_VERSION_2TLS;
    case HTTP_VERSION_2:
        return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    default:
        return CURL_HTTP_VERSION_1_1;
    }
}

static void configure_once(struct http_call *call)
{
    /* By default it is eight times that, which in hundreds of calls at once is megabytes. */
    set(call, CURLOPT_BUFFERSIZE, 2048L);
    set(call, CURLOPT_FRESH_CONNECT, 1L);
    set(call, CURLOPT_FORBID_REUSE, 1L);
    set(call, CURLOPT_SSL_SESSIONID_CACHE, 0L);
}

/* Without the authorities' certificates: reading them costs more than all the rest. */
static void configure_unverified(struct http_call *call)
{
    set(call, CURLOPT_SSL_VERIFYPEER, 0L);
    set(call, CURLOPT_SSL_VERIFYHOST, 0L);
    set(call, CURLOPT_CAINFO, (char *)NULL);
    set(call, CURLOPT_CAPATH, (char *)NULL);
}

static void set_blob(struct http_call *call, CURLoption option, const char *pem, size_t length)
{
    struct curl_blob blob = {.data = (void *)pem, .len = length, .flags = CURL_BLOB_COPY};

    if (pem)
        set(call, option, &blob);
}

static void configure_identity(struct http_call *call, const struct http_identity *identity)
{
    if (identity->authorities) {
        set(call, CURLOPT_CAINFO, (char *)NULL);
        set(call, CURLOPT_CAPATH, (char *)NULL);
    }
    set_blob(call, CURLOPT_CAINFO_BLOB, identity->authorities, identity->authorities_length);
    set_blob(call, CURLOPT_SSLCERT_BLOB, identity->certificate, identity->certificate_length);
    set_blob(call, CURLOPT_SSLKEY_BLOB, identity->key, identity->key_length);
}

void http_curl_configure(struct http_call *call, const struct http_request *request)
{
    set(call, CURLOPT_PRIVATE, call);
    set(call, CURLOPT_NOSIGNAL, 1L);
    set(call, CURLOPT_PROTOCOLS_STR, "http,https");
    /* What the environment says is not for us. */
    set(call, CURLOPT_PROXY, request->proxy ? request->proxy : "");
    set(call, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* its answer is none of the server's */
    set(call, CURLOPT_HTTP_VERSION, version_of(request));
    set(call, CURLOPT_USERAGENT, "nodeagent");
    set(call, CURLOPT_HTTPHEADER, call->headers);
    set(call, CURLOPT_ERRORBUFFER, call->words);
    set(call, CURLOPT_HEADERFUNCTION, on_header);
    set(call, CURLOPT_HEADERDATA, call);
    set(call, CURLOPT_WRITEFUNCTION, on_body);
    set(call, CURLOPT_WRITEDATA, call);
    set(call, CURLOPT_OPENSOCKETFUNCTION, on_open);
    set(call, CURLOPT_OPENSOCKETDATA, call);
    set(call, CURLOPT_SSL_CTX_FUNCTION, on_secure);
    set(call, CURLOPT_SSL_CTX_DATA, call);
    if (request->body) {
        set(call, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        set(call, CURLOPT_COPYPOSTFIELDS, request->body);
        set(call, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BYTES);
    }
    if (request->method)
        set(call, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->compressed)
        set(call, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (request->identity)
        configure_identity(call, request->identity);
    if (call->http->lasting) {
        set(call, CURLOPT_PREREQFUNCTION, on_ready);
        set(call, CURLOPT_PREREQDATA, call);
    }
    if (request->once)
        configure_once(call);
    if (request->unverified)
        configure_unverified(call);
}

void http_curl_redirect(struct http_call *call, const char *referer, bool get)
{
    set(call, CURLOPT_REFERER, referer);
    if (get)
        set(call, CURLOPT_HTTPGET, 1L);
    set(call, CURLOPT_HTTPHEADER,
        call->headers_elsewhere ? call->headers_elsewhere : call->headers);
}

/* curl takes the name for the certificate from the URL. What it connects to, or has the proxy
 * connect to, is the URL's own host. */
static void rename_server(struct http_call *call)
{
    char *name = http_url_written(call->server_name), *host = http_url_written(call->url.host);
    char *route = mem_printf("%s:%u:%s:%u", name, call->url.port, host, call->url.port);

    curl_url_cleanup(call->renamed);
    call->renamed = curl_url_dup(call->url.parts);
    assert_that(curl_url_set(call->renamed, CURLUPART_HOST, name, 0) == CURLUE_OK);
    curl_slist_free_all(call->route);
    call->route = curl_slist_append(NULL, route);
    set(call, CURLOPT_CONNECT_TO, call->route);
    free(name);
    free(host);
    free(route);
}

void http_curl_send(struct http_call *call)
{
    struct http *http = call->http;

    if (must_wait(call)) {
        list_push_back(&http->held, &call->hold);
        return;
    }
    if (call->server_name)
        rename_server(call);
    set(call, CURLOPT_CURLU, call->renamed ? call->renamed : call->url.parts);
    set(call, CURLOPT_RESOLVE, call->addresses);
    /* curl goes through all the addresses it remembers at the end of each call. */
    set(call, CURLOPT_DNS_CACHE_TIMEOUT, call->addresses ? 60L : 0L);
    assert_that(curl_multi_add_handle(http->multi, call->easy) == CURLM_OK);
    call->attached = true;
    http->added = true;
    if (!http->acting)
        act(http, CURL_SOCKET_TIMEOUT, 0);
}

void http_curl_detach(struct http_call *call)
{
    if (call->attached)
        curl_multi_remove_handle(call->http->multi, call->easy);
    call->attached = false;
    list_unlink(&call->hold);
    is_open(call);
}

/* the client's */

int http_curl_init(struct http *http, enum loop_class class, struct err *err)
{
    int r = loop_set_new(&http->set, http->loop, class, err);

    if (r < 0)
        return r;
    assert_that(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    http->multi = curl_multi_init();
    assert_that(http->multi);
    list_init(&http->sockets);
    list_init(&http->held);
    loop_post_init(&http->release, release_posted);
    wheel_timer_init(&http->timer, timer_fired);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    /* Unless it is a lasting one, a connection is one call's: what happens to it happens to nobody
     * else. */
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING,
                      (long)(http->lasting ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING));
    return 0;
}

void http_curl_deinit(struct http *http)
{
    curl_multi_cleanup(http->multi);
    list_for_each_safe (node, &http->sockets)
        socket_free(list_entry(node, struct http_socket, link));
    wheel_cancel(&http->timer);
    loop_post_cancel(http->loop, &http->release);
    loop_set_free(http->set);
    curl_global_cleanup();
}
