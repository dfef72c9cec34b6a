/*
 * The least that probes can cost: the same requests at the same times by nothing but curl's
 * multi_socket and epoll, or connections by nothing but connect() and epoll.
 *
 *     probe-bare http|tcp ADDRESS PORT RATE SECONDS
 *
 * Requests begin at whole milliseconds, as on the wheel. What is measured begins a second after the
 * beginning. Prints `name value unit` lines.
 */
#include "probe-costs.h"

#include "nodeagent/base/macros.h"
#include "nodeagent/base/mem.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS = 128,
    TIMEOUT_MS = 1000,
};

struct bare {
    int epoll;
    struct sockaddr_in address;
    uint64_t begun;
    uint64_t ended;
    uint64_t failed;
    /* curl */
    CURLM *multi;
    int64_t timer; /* when it wants to be called, in milliseconds; -1: it does not */
    char url[128];
    struct curl_slist *headers;
    CURL **idle; /* handles that are used again */
    size_t idle_count;
};

static const struct linger reset = {.l_onoff = 1, .l_linger = 0};

/* curl */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
    struct bare *bare = data;
    struct epoll_event event = {.data.fd = fd};

    if (what == CURL_POLL_REMOVE)
        return epoll_ctl(bare->epoll, EPOLL_CTL_DEL, fd, NULL), 0;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    epoll_ctl(bare->epoll, assigned ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    curl_multi_assign(bare->multi, fd, bare);
    return 0;
}

static int on_timer(CURLM *multi, long milliseconds, void *data)
{
    ((struct bare *)data)->timer = milliseconds < 0 ? -1 : costs_now() / 1000 + milliseconds;
    return 0;
}

static int on_close(void *data, curl_socket_t fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    return close(fd);
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *data)
{
    return size * count;
}

static CURL *handle_new(const struct bare *bare)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, bare->headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    return easy;
}

static void take_messages(struct bare *bare)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(bare->multi, &left))) {
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        long status = 0;

        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_multi_remove_handle(bare->multi, easy);
        bare->idle[bare->idle_count++] = easy;
        bare->ended++;
        bare->failed += code != CURLE_OK || status != 200;
    }
}

static void act(struct bare *bare, curl_socket_t fd, int events)
{
    int running;

    curl_multi_socket_action(bare->multi, fd, events, &running);
    take_messages(bare);
}

static void begin_http(struct bare *bare)
{
    CURL *easy = bare->idle_count ? bare->idle[--bare->idle_count] : handle_new(bare);

    curl_easy_setopt(easy, CURLOPT_URL, bare->url);
    curl_multi_add_handle(bare->multi, easy);
    act(bare, CURL_SOCKET_TIMEOUT, 0);
}

static void ready_http(struct bare *bare, int fd, uint32_t events)
{
    act(bare, fd,
        (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
            (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
}

/* connections */

static void begin_tcp(struct bare *bare)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    if (connect(fd, (struct sockaddr *)&bare->address, sizeof(bare->address)) < 0 &&
        errno != EINPROGRESS)
        bare->failed++;
    epoll_ctl(bare->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void ready_tcp(struct bare *bare, int fd, uint32_t events)
{
    bare->ended++;
    bare->failed += (events & (EPOLLERR | EPOLLHUP)) != 0;
    close(fd);
}

/* turns */

static void serve(struct bare *bare, bool http, int64_t until)
{
    struct epoll_event events[EVENTS];
    int64_t left = until - costs_now();
    struct timespec wait = {.tv_nsec = left > 0 ? left * 1000 : 0};
    int count = epoll_pwait2(bare->epoll, events, EVENTS, &wait, NULL);

    for (int i = 0; i < count; i++)
        (http ? ready_http : ready_tcp)(bare, events[i].data.fd, events[i].events);
    if (bare->timer >= 0 && costs_now() / 1000 >= bare->timer) {
        bare->timer = -1;
        act(bare, CURL_SOCKET_TIMEOUT, 0);
    }
}

static void run(struct bare *bare, bool http, uint64_t rate, int64_t seconds)
{
    int64_t begin = costs_now() / 1000 * 1000, now, end = begin + (seconds + 1) * 1000000, cpu = 0;
    uint64_t before = 0;

    for (now = begin; now < end; now = costs_now()) {
        int64_t next = now / 1000 * 1000 + 1000;

        while (bare->begun < (uint64_t)(now / 1000 * 1000 - begin) * rate / 1000000) {
            (http ? begin_http : begin_tcp)(bare);
            bare->begun++;
        }
        if (!cpu && now - begin >= 1000000) {
            cpu = costs_cpu();
            before = bare->ended;
        }
        serve(bare, http, next);
    }
    printf("cpu %.3f us\n", (double)(costs_cpu() - cpu) / (double)(bare->ended - before));
    printf("count %llu attempts\n", (unsigned long long)(bare->ended - before));
    printf("failures %llu attempts\n", (unsigned long long)bare->failed);
    printf("time-wait %u sockets\n", costs_time_wait());
}

static void open_curl(struct bare *bare, const char *address, const char *port, uint64_t rate)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    bare->multi = curl_multi_init();
    curl_multi_setopt(bare->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(bare->multi, CURLMOPT_SOCKETDATA, bare);
    curl_multi_setopt(bare->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(bare->multi, CURLMOPT_TIMERDATA, bare);
    curl_multi_setopt(bare->multi, CURLMOPT_MAXCONNECTS, 8L);
    curl_multi_setopt(bare->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    bare->idle = mem_zalloc(2 * TIMEOUT_MS * rate / 1000 * sizeof(CURL *));
    bare->headers = curl_slist_append(NULL, "User-Agent: kube-probe/1.36");
    bare->headers = curl_slist_append(bare->headers, "Accept: */*");
    bare->headers = curl_slist_append(bare->headers, "Connection: close");
    snprintf(bare->url, sizeof(bare->url), "http://%s:%s/ready", address, port);
}

static void close_curl(struct bare *bare)
{
    while (bare->idle_count)
        curl_easy_cleanup(bare->idle[--bare->idle_count]);
    curl_multi_cleanup(bare->multi);
    curl_slist_free_all(bare->headers);
    free(bare->idle);
    curl_global_cleanup();
}

int main(int argc, char **argv)
{
    struct bare bare = {
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .address = {.sin_family = AF_INET},
        .timer = -1,
    };
    bool http;

    if (argc != 6 || inet_pton(AF_INET, argv[2], &bare.address.sin_addr) != 1) {
        fprintf(stderr, "usage: probe-bare http|tcp ADDRESS PORT RATE SECONDS\n");
        return 2;
    }
    http = !strcmp(argv[1], "http");
    bare.address.sin_port = htons((uint16_t)atoi(argv[3]));
    costs_allow_descriptors();
    if (http)
        open_curl(&bare, argv[2], argv[3], strtoull(argv[4], NULL, 10));
    run(&bare, http, strtoull(argv[4], NULL, 10), atoll(argv[5]));
    if (http)
        close_curl(&bare);
    return 0;
}
