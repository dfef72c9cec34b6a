/* net/rpc: calls to a real gRPC server, in this process, that misbehaves on demand. */
#include "rpc-server.h"
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/net/rpc.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void server_answer(struct server *server, grpc_call *call, const char *method)
{
    grpc_byte_buffer *request = NULL;
    grpc_op begin[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &request},
    };
    unsigned number;

    server_batch(server, call, begin, array_size(begin));
    if (!request) {
        server_finish(server, call, GRPC_STATUS_CANCELLED, "the client is gone already");
    } else if (!strcmp(method, "/test/Echo")) {
        grpc_op send = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request};

        server_batch(server, call, &send, 1);
        server_finish(server, call, GRPC_STATUS_OK, "");
    } else if (!strcmp(method, "/test/Hang")) {
        server_hang(server, call);
    } else if (!strcmp(method, "/test/Large")) {
        grpc_slice large = grpc_slice_malloc(RPC_MESSAGE_MAX + 1);

        memset(GRPC_SLICE_START_PTR(large), 'x', RPC_MESSAGE_MAX + 1);
        server_send(server, call, large);
        server_finish(server, call, GRPC_STATUS_OK, "");
    } else if (!strcmp(method, "/test/Long")) {
        char *text = mem_zalloc(6001);

        memset(text, 'x', 6000);
        server_finish(server, call, GRPC_STATUS_UNKNOWN, text);
        free(text);
    } else if (sscanf(method, "/test/Count%u", &number) == 1) {
        for (unsigned i = 0; i < number; i++)
            server_send(server, call, grpc_slice_from_copied_buffer((char *)&i, sizeof(i)));
        server_finish(server, call, GRPC_STATUS_ABORTED, "counted");
    } else {
        server_finish(server, call, GRPC_STATUS_NOT_FOUND, "no such method");
    }
    if (request)
        grpc_byte_buffer_destroy(request);
}

/* the place of each test: a loop, a client, a channel to a server */

struct place {
    struct loop *loop;
    struct rpc *rpc;
    struct rpc_channel *channel;
    struct server server;
    char directory[64];
    char target[128];
    bool serving;
    unsigned done;
    unsigned messages;
    unsigned stop_at;
    struct rpc_call *call;
    enum rpc_status status;
    char *text;
    char *bytes;
    size_t length;
};

static int set_up(void **state)
{
    struct place *place = mem_new(struct place);

    strcpy(place->directory, "/tmp/nodeagent-rpc-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->target, sizeof(place->target), "unix://%s/socket", place->directory);
    assert_int_equal(loop_new(&place->loop, NULL), 0);
    assert_int_equal(rpc_new(&place->rpc, place->loop, NULL), 0);
    server_start(&place->server, place->target, server_answer);
    place->serving = true;
    assert_int_equal(rpc_channel_new(&place->channel, place->rpc, place->target, NULL), 0);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char path[128];

    assert_null(rpc_channel_free(place->channel));
    if (place->serving)
        server_stop(&place->server);
    assert_null(rpc_free(place->rpc));
    assert_null(loop_free(place->loop));
    snprintf(path, sizeof(path), "%s/socket", place->directory);
    unlink(path);
    rmdir(place->directory);
    free(place->text);
    free(place->bytes);
    free(place);
    return 0;
}

static void on_done(void *owner, const struct rpc_reply *reply)
{
    struct place *place = owner;

    free(place->text);
    free(place->bytes);
    place->done++;
    place->status = reply->status;
    place->text = mem_strdup(reply->text);
    place->bytes = mem_strndup(reply->length ? reply->bytes : "", reply->length);
    place->length = reply->length;
}

static void on_message(void *owner, const void *bytes, size_t length)
{
    struct place *place = owner;
    unsigned number;

    assert_int_equal(length, sizeof(number));
    memcpy(&number, bytes, sizeof(number));
    assert_int_equal(number, place->messages++);
    if (place->messages == place->stop_at)
        rpc_cancel(place->call);
}

static void turn_until(struct place *place, unsigned done)
{
    usec_t patience = clock_monotonic() + 20 * USEC_PER_SEC;

    while (place->done < done) {
        assert_true(loop_turn(place->loop, USEC_PER_SEC, NULL) >= 0);
        assert_true(clock_monotonic() < patience);
    }
}

static struct rpc_request request_of(const char *method, usec_t timeout)
{
    return (struct rpc_request){
        .method = method, .bytes = "hello", .length = 5, .timeout = timeout};
}

static void call(struct place *place, const char *method, usec_t timeout)
{
    struct rpc_request request = request_of(method, timeout);
    unsigned before = place->done;

    assert_int_equal(rpc_unary(&place->call, place->channel, &request, on_done, place, NULL), 0);
    assert_int_equal(place->done, before); /* never from within */
    turn_until(place, before + 1);
}

/* tests */

static void test_an_answer_is_what_the_server_sent(void **state)
{
    struct place *place = *state;

    call(place, "/test/Echo", USEC_NEVER);
    assert_int_equal(place->status, RPC_OK);
    assert_int_equal(place->length, 5);
    assert_string_equal(place->bytes, "hello");
    assert_string_equal(place->text, "");
    assert_int_equal(rpc_channel_in_flight(place->channel), 0);
}

static void test_an_empty_request_and_answer(void **state)
{
    struct place *place = *state;
    struct rpc_request request = {.method = "/test/Echo", .timeout = USEC_NEVER};

    assert_int_equal(rpc_unary(&place->call, place->channel, &request, on_done, place, NULL), 0);
    turn_until(place, 1);
    assert_int_equal(place->status, RPC_OK);
    assert_int_equal(place->length, 0);
}

static void test_a_failure_has_its_status_and_text(void **state)
{
    struct place *place = *state;

    call(place, "/test/Nothing", USEC_NEVER);
    assert_int_equal(place->status, RPC_NOT_FOUND);
    assert_string_equal(place->text, "no such method");
    assert_int_equal(place->length, 0);
}

static void test_a_long_failure_text_is_cut(void **state)
{
    struct place *place = *state;

    call(place, "/test/Long", USEC_NEVER);
    assert_int_equal(place->status, RPC_UNKNOWN);
    assert_int_equal(strlen(place->text), RPC_STATUS_TEXT_MAX);
}

static void test_a_deadline_ends_a_call_that_hangs(void **state)
{
    struct place *place = *state;
    usec_t begun = clock_monotonic();

    call(place, "/test/Hang", 100 * USEC_PER_MSEC);
    assert_int_equal(place->status, RPC_DEADLINE_EXCEEDED);
    assert_true(clock_monotonic() - begun >= 90 * USEC_PER_MSEC);
}

static void test_an_answer_beyond_the_limit_is_refused(void **state)
{
    struct place *place = *state;

    call(place, "/test/Large", USEC_NEVER);
    assert_int_equal(place->status, RPC_RESOURCE_EXHAUSTED);
}

static void test_a_cancelled_call_says_nothing(void **state)
{
    struct place *place = *state;
    struct rpc_request request = request_of("/test/Hang", USEC_NEVER);

    assert_int_equal(rpc_unary(&place->call, place->channel, &request, on_done, place, NULL), 0);
    assert_int_equal(rpc_channel_in_flight(place->channel), 1);
    rpc_cancel(place->call);
    assert_int_equal(rpc_channel_in_flight(place->channel), 0);
    call(place, "/test/Echo", USEC_NEVER); /* the server is free again */
    assert_int_equal(place->done, 1);
}

static void test_a_stream_delivers_in_order_then_its_status(void **state)
{
    struct place *place = *state;
    struct rpc_request request = request_of("/test/Count500", USEC_NEVER);

    assert_int_equal(
        rpc_stream(&place->call, place->channel, &request, on_message, on_done, place, NULL), 0);
    turn_until(place, 1);
    assert_int_equal(place->messages, 500);
    assert_int_equal(place->status, RPC_ABORTED);
    assert_string_equal(place->text, "counted");
}

static void test_a_stream_can_be_cancelled_from_its_message(void **state)
{
    struct place *place = *state;
    struct rpc_request request = request_of("/test/Count500", USEC_NEVER);

    place->stop_at = 3;
    assert_int_equal(
        rpc_stream(&place->call, place->channel, &request, on_message, on_done, place, NULL), 0);
    while (place->messages < 3)
        loop_turn(place->loop, USEC_PER_SEC, NULL);
    call(place, "/test/Echo", USEC_NEVER);
    assert_int_equal(place->messages, 3);
    assert_int_equal(place->done, 1);
}

static void test_a_stream_that_fails_at_once(void **state)
{
    struct place *place = *state;
    struct rpc_request request = request_of("/test/Nothing", USEC_NEVER);

    assert_int_equal(
        rpc_stream(&place->call, place->channel, &request, on_message, on_done, place, NULL), 0);
    turn_until(place, 1);
    assert_int_equal(place->status, RPC_NOT_FOUND);
    assert_int_equal(place->messages, 0);
}

static void test_without_a_server_a_call_fails_at_once_and_later_works(void **state)
{
    struct place *place = *state;
    usec_t begun = clock_monotonic(), patience = begun + 20 * USEC_PER_SEC;

    call(place, "/test/Echo", USEC_NEVER);
    server_stop(&place->server);
    place->serving = false;
    call(place, "/test/Echo", USEC_NEVER);
    assert_int_equal(place->status, RPC_UNAVAILABLE);
    assert_true(*place->text);

    server_start(&place->server, place->target, server_answer);
    place->serving = true;
    do {
        call(place, "/test/Echo", USEC_NEVER);
        assert_true(clock_monotonic() < patience);
    } while (place->status != RPC_OK);
}

static void test_a_server_that_ends_fails_what_is_in_flight(void **state)
{
    struct place *place = *state;
    struct rpc_request request = request_of("/test/Hang", USEC_NEVER);

    assert_int_equal(rpc_unary(&place->call, place->channel, &request, on_done, place, NULL), 0);
    while (!place->server.calls)
        loop_turn(place->loop, 10 * USEC_PER_MSEC, NULL);
    server_stop(&place->server);
    place->serving = false;
    turn_until(place, 1);
    assert_int_not_equal(place->status, RPC_OK);
}

struct connections {
    unsigned told;
    size_t count;
    int socket;
};

static void on_connected(void *owner, const int *sockets, size_t count)
{
    struct connections *connections = owner;

    connections->told++;
    connections->count = count;
    connections->socket = count ? dup(sockets[0]) : -1;
}

/* The socket that is told of is the one that calls go through. */
static void test_each_new_connection_is_told_of(void **state)
{
    struct place *place = *state;
    struct rpc_request hang = request_of("/test/Hang", USEC_NEVER);
    struct connections connections = {0};

    rpc_channel_watch(place->channel, on_connected, &connections);
    call(place, "/test/Echo", USEC_NEVER);
    call(place, "/test/Echo", USEC_NEVER);
    assert_int_equal(connections.told, 1);
    assert_int_equal(connections.count, 1);
    assert_int_equal(rpc_unary(&place->call, place->channel, &hang, on_done, place, NULL), 0);
    while (!place->server.calls)
        loop_turn(place->loop, 10 * USEC_PER_MSEC, NULL);
    assert_int_equal(shutdown(connections.socket, SHUT_RDWR), 0);
    close(connections.socket);
    turn_until(place, 3);
    assert_int_equal(place->status, RPC_UNAVAILABLE);
    for (int i = 0; i < 100 && place->status != RPC_OK; i++) {
        call(place, "/test/Echo", USEC_PER_SEC);
        usleep(50000);
    }
    assert_int_equal(connections.told, 2);
    assert_true(connections.count >= 1); /* the one before may not be closed yet */
    close(connections.socket);
}

static void test_a_deadline_is_no_connection(void **state)
{
    struct place *place = *state;
    struct connections connections = {0};

    rpc_channel_watch(place->channel, on_connected, &connections);
    call(place, "/test/Hang", 50 * USEC_PER_MSEC);
    assert_int_equal(place->status, RPC_DEADLINE_EXCEEDED);
    assert_int_equal(connections.told, 0);
    call(place, "/test/Echo", USEC_NEVER);
    assert_int_equal(connections.told, 1);
    call(place, "/test/Hang", 50 * USEC_PER_MSEC);
    call(place, "/test/Echo", USEC_NEVER);
    assert_int_equal(connections.told, 1); /* it is the same yet */
    close(connections.socket);
}

/* Something that is no gRPC server at all. */
static void *answer_garbage(void *data)
{
    int server = *(int *)data, client;
    char bytes[4096];

    memset(bytes, 'G', sizeof(bytes));
    while ((client = accept(server, NULL, NULL)) >= 0) {
        if (write(client, bytes, sizeof(bytes)) < 0)
            perror("write");
        close(client);
    }
    return NULL;
}

static void test_garbage_is_unavailable(void **state)
{
    struct place *place = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct rpc_channel *good = place->channel;
    pthread_t thread;
    char target[128];

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/garbage", place->directory);
    snprintf(target, sizeof(target), "unix://%s", address.sun_path);
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server, 10), 0);
    assert_int_equal(pthread_create(&thread, NULL, answer_garbage, &server), 0);
    assert_int_equal(rpc_channel_new(&place->channel, place->rpc, target, NULL), 0);
    call(place, "/test/Echo", 5 * USEC_PER_SEC);
    assert_int_equal(place->status, RPC_UNAVAILABLE);
    rpc_channel_free(place->channel);
    place->channel = good;
    shutdown(server, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(server);
    unlink(address.sun_path);
}

static void test_calls_in_flight_are_limited(void **state)
{
    struct place *place = *state;
    struct rpc_request request = request_of("/test/Hang", USEC_NEVER);
    struct err err;

    for (int i = 0; i < RPC_CALLS_MAX; i++)
        assert_int_equal(rpc_unary(&place->call, place->channel, &request, on_done, place, NULL),
                         0);
    assert_int_equal(rpc_unary(&place->call, place->channel, &request, on_done, place, &err),
                     -EBUSY);
    assert_non_null(strstr(err.text, "/test/Hang: 1024 calls are in flight already"));
    assert_int_equal(rpc_channel_in_flight(place->channel), RPC_CALLS_MAX);
    assert_int_equal(place->done, 0); /* freeing the channel cancels them all */
}

static void test_statuses_have_names(void **state)
{
    assert_string_equal(rpc_status_name(RPC_NOT_FOUND), "NotFound");
    assert_string_equal(rpc_status_name(RPC_UNAUTHENTICATED), "Unauthenticated");
    assert_string_equal(rpc_status_name((enum rpc_status)99), "Unknown");
}

#define rpc_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        rpc_test(test_an_answer_is_what_the_server_sent),
        rpc_test(test_an_empty_request_and_answer),
        rpc_test(test_a_failure_has_its_status_and_text),
        rpc_test(test_a_long_failure_text_is_cut),
        rpc_test(test_a_deadline_ends_a_call_that_hangs),
        rpc_test(test_an_answer_beyond_the_limit_is_refused),
        rpc_test(test_a_cancelled_call_says_nothing),
        rpc_test(test_a_stream_delivers_in_order_then_its_status),
        rpc_test(test_a_stream_can_be_cancelled_from_its_message),
        rpc_test(test_a_stream_that_fails_at_once),
        rpc_test(test_without_a_server_a_call_fails_at_once_and_later_works),
        rpc_test(test_a_server_that_ends_fails_what_is_in_flight),
        rpc_test(test_each_new_connection_is_told_of),
        rpc_test(test_a_deadline_is_no_connection),
        rpc_test(test_garbage_is_unavailable),
        rpc_test(test_calls_in_flight_are_limited),
        cmocka_unit_test(test_statuses_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
