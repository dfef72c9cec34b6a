/* probes/attempt-grpc: health checks of a real gRPC server, and of what is none. P32 of the
 * reference's checks. */
#include "health-server.h"
#include "listener.h"
#include "place.h"

#include "nodeagent/base/str.h"

#include <string.h>

static struct health_server health;

static int set_up(void **state)
{
    grpc_init();
    server_start(&health.server, "127.0.0.1:0", health_answer);
    return 0;
}

static int tear_down(void **state)
{
    server_stop(&health.server);
    grpc_shutdown();
    return 0;
}

static void ask(struct place *place, int port, const char *name, usec_t timeout)
{
    struct grpc_action grpc = {.port = port, .service = name};
    struct handler handler = {.grpc = &grpc};

    attempt(place, (struct probe_order){&handler, .ip = "127.0.0.1", .timeout = timeout}, false);
}

static void test_answers(void **state)
{
    static const struct {
        const char *service;
        usec_t timeout;
        enum probe_verdict verdict;
        const char *text;
        int32_t code;
    } cases[] = {
        {NULL, 0, PROBE_SUCCESS, "service healthy", 1},
        {"", 0, PROBE_SUCCESS, "service healthy", 1},
        {"down", 0, PROBE_BAD_STATUS, "service unhealthy (responded with \"NOT_SERVING\")", 2},
        {"unknown", 0, PROBE_BAD_STATUS, "service unhealthy (responded with \"UNKNOWN\")", 0},
        {"strange", 0, PROBE_BAD_STATUS, "service unhealthy (responded with \"9\")", 9},
        {"garbage", 0, PROBE_BROKEN,
         "error: health rpc probe failed: rpc error: code = Internal desc = grpc: failed to "
         "unmarshal the received message"},
        {"nothing", 0, PROBE_BROKEN,
         "error: health rpc probe failed: rpc error: code = Internal desc = grpc: failed to "
         "unmarshal the received message"},
        {"missing", 0, PROBE_BAD_STATUS,
         "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service"},
        {"unimplemented", 0, PROBE_BAD_STATUS,
         "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
         "unknown method \xc3\xa4 100%"},
        {"late", USEC_PER_SEC, PROBE_RESPONSE_TIMEOUT,
         "timeout: health rpc did not complete within 1s"},
        {"hang", SHORTLY, PROBE_RESPONSE_TIMEOUT,
         "timeout: health rpc did not complete within 200ms"},
    };
    struct place *place = *state;
    char target[64];

    snprintf(target, sizeof(target), "127.0.0.1:%d", health.server.port);
    for (size_t i = 0; i < array_size(cases); i++) {
        ask(place, health.server.port, cases[i].service, cases[i].timeout);
        assert_outcome(place, cases[i].verdict, cases[i].text);
        assert_int_equal(place->outcome.code, cases[i].code);
        assert_string_equal(place->outcome.target, target);
        assert_string_equal(health.method, "/grpc.health.v1.Health/Check");
    }
}

static void assert_no_connection(struct place *place, int port, enum probe_verdict verdict,
                                 const char *timeout)
{
    char text[128];

    snprintf(text, sizeof(text),
             "timeout: failed to connect service \"127.0.0.1:%d\" within %s: context deadline "
             "exceeded",
             port, timeout);
    assert_outcome(place, verdict, text);
}

/* Whom nobody answers does not wait for the rest of the time. */
static void test_refused(void **state)
{
    struct place *place = *state;
    usec_t began = clock_boottime();

    ask(place, 1, NULL, 10 * USEC_PER_SEC);
    assert_no_connection(place, 1, PROBE_REFUSED, "10s");
    assert_true(clock_boottime() - began < 5 * USEC_PER_SEC);
}

static void test_silence(void **state)
{
    struct place *place = *state;
    struct listener listener;

    listener_start_full(&listener);
    ask(place, listener.port, NULL, SHORTLY);
    assert_no_connection(place, listener.port, PROBE_CONNECT_TIMEOUT, "200ms");
    listener_stop(&listener);
}

/* servers of another kind */

struct speaker {
    struct listener listener;
    const void *bytes;
    size_t length;
};

/* Until the frame with the message is there: no server answers what it was not asked yet. */
static void hear(int fd)
{
    static const char message[] = "\0\0\5\0\1\0\0\0\1";
    char bytes[4096];
    size_t length = 0;
    ssize_t got;

    while (!memmem(bytes, length, message, sizeof(message) - 1)) {
        got = recv(fd, bytes + length, sizeof(bytes) - length, 0);
        if (got <= 0)
            return;
        length += (size_t)got;
    }
}

static void *speak(void *data)
{
    struct speaker *speaker = data;
    int fd = accept(speaker->listener.fd, NULL, NULL);
    char bytes[1024];

    hear(fd);
    send(fd, speaker->bytes, speaker->length, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof(bytes), 0) > 0)
        ;
    close(fd);
    return NULL;
}

#define SETTINGS "\0\0\0\4\0\0\0\0\0"
/* HEADERS of stream 1, one with the end of it; HPACK's static table has :status 200 and 404 */
#define STATUS_404 "\0\0\1\1\5\0\0\0\1\x8d"
#define STATUS_200 "\0\0\1\1\5\0\0\0\1\x88"
#define STATUS_200_OPEN "\0\0\1\1\4\0\0\0\1\x88"

static void ask_speaker(struct place *place, struct speaker *speaker)
{
    pthread_t thread;

    listener_start(&speaker->listener, 1);
    pthread_create(&thread, NULL, speak, speaker);
    ask(place, speaker->listener.port, NULL, 5 * USEC_PER_SEC);
    pthread_join(thread, NULL);
    listener_stop(&speaker->listener);
}

static void test_other_servers(void **state)
{
#define TEXT(bytes) bytes, sizeof(bytes) - 1
    static const struct {
        const void *bytes;
        size_t length;
        enum probe_verdict verdict;
        const char *text; /* NULL: it does not count as a connection */
    } cases[] = {
        {TEXT(""), PROBE_BROKEN, NULL},
        {TEXT("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), PROBE_BROKEN, NULL},
        {TEXT("\x15\x03\x01\0\2\2\x46"), PROBE_BROKEN, NULL}, /* P32: a TLS alert */
        {TEXT(SETTINGS STATUS_404), PROBE_BAD_STATUS,
         "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): "
         "unexpected HTTP status code received from server: 404"},
        {TEXT(SETTINGS STATUS_200), PROBE_BROKEN,
         "error: health rpc probe failed: rpc error: code = Internal desc = server closed the "
         "stream without sending trailers"},
        {TEXT(SETTINGS STATUS_200_OPEN), PROBE_BROKEN,
         "error: health rpc probe failed: rpc error: code = Unavailable desc = error reading from "
         "server: EOF"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < array_size(cases); i++) {
        struct speaker speaker = {.bytes = cases[i].bytes, .length = cases[i].length};

        ask_speaker(place, &speaker);
        if (cases[i].text)
            assert_outcome(place, cases[i].verdict, cases[i].text);
        else
            assert_no_connection(place, speaker.listener.port, cases[i].verdict, "5s");
    }
}

static void test_a_long_answer(void **state)
{
    static const char head[] = SETTINGS STATUS_200_OPEN "\0\x2e\xe0\0\0\0\0\0\1"; /* DATA */
    static char bytes[sizeof(head) - 1 + 12000];
    struct speaker speaker = {.bytes = bytes, .length = sizeof(bytes)};
    struct place *place = *state;

    memcpy(bytes, head, sizeof(head) - 1);
    ask_speaker(place, &speaker);
    assert_outcome(place, PROBE_BROKEN,
                   "error: health rpc probe failed: rpc error: code = ResourceExhausted desc = "
                   "grpc: received message larger than max");
}

static void test_no_address(void **state)
{
    struct place *place = *state;
    struct grpc_action grpc = {.port = 1};
    struct handler handler = {.grpc = &grpc};

    attempt(place, (struct probe_order){&handler}, false);
    assert_outcome(place, PROBE_ERRORED, "the pod has no address yet, and the probe names no host");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_answers),       in_place(test_refused),       in_place(test_silence),
        in_place(test_other_servers), in_place(test_a_long_answer), in_place(test_no_address),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
