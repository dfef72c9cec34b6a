/* probes/attempt-tcp: connecting, on loopback. */
#include "listener.h"
#include "place.h"

static void test_connections(void **state)
{
    struct place *place = *state;
    struct listener listener, nobody;
    char text[128];

    listener_start(&listener, 16);
    listener_start(&nobody, 16);
    listener_stop(&nobody);
    for (int close = 0; close < 2; close++) {
        struct tcp_socket_action tcp = {.port = {.number = listener.port}};
        struct handler handler = {.tcp_socket = &tcp};
        struct probe_order order = {&handler, .ip = "127.0.0.1", .close = close};

        attempt(place, order, false);
        assert_outcome(place, PROBE_SUCCESS, "");
        snprintf(text, sizeof(text), "127.0.0.1:%d", listener.port);
        assert_string_equal(place->outcome.target, text);
        assert_true(place->outcome.times.connected > 0);
        tcp.port.number = nobody.port;
        attempt(place, order, false);
        snprintf(text, sizeof(text), "dial tcp 127.0.0.1:%d: connect: connection refused",
                 nobody.port);
        assert_outcome(place, PROBE_REFUSED, text);
    }
    listener_stop(&listener);
}

/* A full queue of connections drops what comes. */
static void test_silence(void **state)
{
    struct place *place = *state;
    struct listener listener;
    char text[128];

    listener_start_full(&listener);
    attempt(place,
            (struct probe_order){
                &(struct handler){
                    .tcp_socket = &(struct tcp_socket_action){.port = {.number = listener.port}}},
                .ip = "127.0.0.1", .timeout = SHORTLY},
            false);
    snprintf(text, sizeof(text), "dial tcp 127.0.0.1:%d: i/o timeout", listener.port);
    assert_outcome(place, PROBE_CONNECT_TIMEOUT, text);
    listener_stop(&listener);
}

static void test_names(void **state)
{
    struct place *place = *state;
    struct tcp_socket_action tcp = {.port = {.number = 80}, .host = "no such name"};
    struct handler handler = {.tcp_socket = &tcp};

    attempt(place, (struct probe_order){&handler}, false);
    assert_outcome(place, PROBE_BROKEN, "dial tcp: lookup no such name: no such host");
}

static void test_no_target(void **state)
{
    struct place *place = *state;
    struct tcp_socket_action tcp = {.port = {.string = "web"}};
    struct handler handler = {.tcp_socket = &tcp};

    attempt(place, (struct probe_order){&handler, .ip = "127.0.0.1"}, false);
    assert_outcome(place, PROBE_ERRORED, "strconv.Atoi: parsing \"web\": invalid syntax");
    assert_string_equal(place->outcome.target, "");
}

static void test_cancel(void **state)
{
    struct place *place = *state;
    struct listener listener;

    listener_start_full(&listener);
    probe_attempt_cancel(probe_attempt_begin(
        place->engine,
        &(struct probe_order){
            &(struct handler){.tcp_socket =
                                  &(struct tcp_socket_action){.port = {.number = listener.port}}},
            .ip = "127.0.0.1", .timeout = SHORTLY},
        false, take, place));
    listener_stop(&listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_connections), in_place(test_silence), in_place(test_names),
        in_place(test_no_target),   in_place(test_cancel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
