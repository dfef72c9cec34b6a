/* cri/client: typed calls, against a gRPC server that answers as a runtime would, or worse. */
#include "rpc-server.h"
#include "test.h"

#include "nodeagent/cri/client.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* the runtime */

static void answer_with(struct server *server, grpc_call *call, const ProtobufCMessage *message)
{
    grpc_slice slice = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

    protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
    server_send(server, call, slice);
}

/* Repeats what the request said, so that the test sees that both ways are right. */
static void answer_version(struct server *server, grpc_call *call, grpc_byte_buffer *request)
{
    Cri__VersionResponse response = CRI__VERSION_RESPONSE__INIT;
    Cri__VersionRequest *version;
    grpc_byte_buffer_reader reader;
    grpc_slice slice;

    grpc_byte_buffer_reader_init(&reader, request);
    slice = grpc_byte_buffer_reader_readall(&reader);
    version =
        cri__version_request__unpack(NULL, GRPC_SLICE_LENGTH(slice), GRPC_SLICE_START_PTR(slice));
    response.version = version->version;
    response.runtime_name = (char *)"test";
    answer_with(server, call, &response.base);
    cri__version_request__free_unpacked(version, NULL);
    grpc_slice_unref(slice);
    grpc_byte_buffer_reader_destroy(&reader);
}

static void answer_events(struct server *server, grpc_call *call)
{
    Cri__ContainerEventResponse event = CRI__CONTAINER_EVENT_RESPONSE__INIT;

    event.container_id = (char *)"one";
    answer_with(server, call, &event.base);
    server_send(server, call, grpc_slice_from_copied_string("\xff garbage"));
    event.container_id = (char *)"two";
    event.container_event_type = CRI__CONTAINER_EVENT_TYPE__CONTAINER_STOPPED_EVENT;
    answer_with(server, call, &event.base);
}

static void runtime_answer(struct server *server, grpc_call *call, const char *method)
{
    grpc_byte_buffer *request = NULL;
    grpc_op begin[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &request},
    };
    grpc_status_code status = GRPC_STATUS_OK;

    server_batch(server, call, begin, array_size(begin));
    if (!request)
        status = GRPC_STATUS_CANCELLED; /* the client is gone already */
    else if (!strcmp(method, "/runtime.v1.RuntimeService/Version"))
        answer_version(server, call, request);
    else if (!strcmp(method, "/runtime.v1.ImageService/ImageFsInfo"))
        server_send(server, call, grpc_slice_from_copied_string("\xff garbage"));
    else if (!strcmp(method, "/runtime.v1.RuntimeService/GetContainerEvents"))
        answer_events(server, call);
    else
        status = GRPC_STATUS_UNIMPLEMENTED;
    server_finish(server, call, status, "unknown method");
    if (request)
        grpc_byte_buffer_destroy(request);
}

/* the place of each test */

struct place {
    struct loop *loop;
    struct rpc *rpc;
    struct cri *cri;
    struct server server;
    char directory[64];
    char endpoint[128];
    struct cri_call *call;
    unsigned done;
    enum rpc_status status;
    char text[256];
    char events[256];
    bool cancels; /* at the first event */
    bool frees;   /* the connection, when done */
};

static int set_up(void **state)
{
    struct place *place = mem_new(struct place);

    strcpy(place->directory, "/tmp/nodeagent-cri-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->endpoint, sizeof(place->endpoint), "unix://%s/socket", place->directory);
    assert_int_equal(loop_new(&place->loop, NULL), 0);
    assert_int_equal(rpc_new(&place->rpc, place->loop, NULL), 0);
    server_start(&place->server, place->endpoint, runtime_answer);
    assert_int_equal(cri_new(&place->cri, place->rpc, place->endpoint, NULL, NULL), 0);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char path[128];

    cri_free(place->cri);
    server_stop(&place->server);
    rpc_free(place->rpc);
    loop_free(place->loop);
    snprintf(path, sizeof(path), "%s/socket", place->directory);
    unlink(path);
    rmdir(place->directory);
    free(place);
    return 0;
}

static void on_done(void *owner, const struct cri_reply *reply)
{
    struct place *place = owner;

    place->done++;
    place->status = reply->status;
    snprintf(place->text, sizeof(place->text), "%s", reply->text);
    if (place->frees)
        place->cri = cri_free(place->cri);
}

static void on_version(void *owner, const struct cri_reply *reply)
{
    const Cri__VersionResponse *version = reply->message;

    on_done(owner, reply);
    assert_int_equal(reply->status, RPC_OK);
    assert_string_equal(version->version, "0.1.0");
    assert_string_equal(version->runtime_name, "test");
    assert_string_equal(version->runtime_version, "");
}

static void on_event(void *owner, const void *message)
{
    const Cri__ContainerEventResponse *event = message;
    struct place *place = owner;
    size_t length = strlen(place->events);

    snprintf(place->events + length, sizeof(place->events) - length, "%s %d, ", event->container_id,
             event->container_event_type);
    if (place->cancels)
        cri_cancel(place->call);
}

static void turn_until_done(struct place *place)
{
    usec_t patience = clock_monotonic() + 20 * USEC_PER_SEC;

    while (!place->done) {
        assert_true(loop_turn(place->loop, USEC_PER_SEC, NULL) >= 0);
        assert_true(clock_monotonic() < patience);
    }
}

/* tests */

static void test_a_request_and_its_response(void **state)
{
    struct place *place = *state;
    Cri__VersionRequest request = CRI__VERSION_REQUEST__INIT;

    request.version = (char *)"0.1.0";
    assert_int_equal(cri_call(&place->call, place->cri, &cri_version, &request.base,
                              10 * USEC_PER_SEC, on_version, place, NULL),
                     0);
    turn_until_done(place);
}

static void test_a_failure(void **state)
{
    struct place *place = *state;
    Cri__RuntimeConfigRequest request = CRI__RUNTIME_CONFIG_REQUEST__INIT;

    assert_int_equal(cri_call(&place->call, place->cri, &cri_runtime_config, &request.base,
                              10 * USEC_PER_SEC, on_done, place, NULL),
                     0);
    turn_until_done(place);
    assert_int_equal(place->status, RPC_UNIMPLEMENTED);
    assert_string_equal(place->text, "unknown method");
}

static void test_a_response_that_is_garbage(void **state)
{
    struct place *place = *state;
    Cri__ImageFsInfoRequest request = CRI__IMAGE_FS_INFO_REQUEST__INIT;

    assert_int_equal(cri_call(&place->call, place->cri, &cri_image_fs_info, &request.base,
                              10 * USEC_PER_SEC, on_done, place, NULL),
                     0);
    turn_until_done(place);
    assert_int_equal(place->status, RPC_INTERNAL);
    assert_string_equal(place->text, "the runtime's answer cannot be decoded");
}

static void test_events_that_are_garbage_are_passed_over(void **state)
{
    struct place *place = *state;
    Cri__GetEventsRequest request = CRI__GET_EVENTS_REQUEST__INIT;

    assert_int_equal(cri_watch(&place->call, place->cri, &cri_get_container_events, &request.base,
                               on_event, on_done, place, NULL),
                     0);
    turn_until_done(place);
    assert_string_equal(place->events, "one 0, two 2, ");
    assert_int_equal(place->status, RPC_OK);
}

static void test_a_watch_can_be_cancelled_from_its_event(void **state)
{
    struct place *place = *state;
    Cri__GetEventsRequest events = CRI__GET_EVENTS_REQUEST__INIT;
    Cri__VersionRequest version = CRI__VERSION_REQUEST__INIT;
    struct cri_call *call;

    place->cancels = true;
    assert_int_equal(cri_watch(&place->call, place->cri, &cri_get_container_events, &events.base,
                               on_event, on_done, place, NULL),
                     0);
    while (!*place->events)
        loop_turn(place->loop, USEC_PER_SEC, NULL);
    version.version = (char *)"0.1.0";
    assert_int_equal(cri_call(&call, place->cri, &cri_version, &version.base, USEC_NEVER,
                              on_version, place, NULL),
                     0);
    turn_until_done(place);
    assert_string_equal(place->events, "one 0, ");
}

static void test_the_connection_may_go_in_the_callback_and_with_calls_in_flight(void **state)
{
    struct place *place = *state;
    Cri__VersionRequest request = CRI__VERSION_REQUEST__INIT;

    place->frees = true;
    for (int i = 0; i < 10; i++)
        assert_int_equal(cri_call(&place->call, place->cri, &cri_version, &request.base, USEC_NEVER,
                                  on_done, place, NULL),
                         0);
    turn_until_done(place);
    assert_null(place->cri);
    loop_turn(place->loop, 50 * USEC_PER_MSEC, NULL);
    assert_int_equal(place->done, 1);
}

static void test_a_wrong_endpoint(void **state)
{
    struct place *place = *state;
    struct cri *cri;
    struct err err;

    assert_int_equal(cri_new(&cri, place->rpc, "tcp://127.0.0.1:1", NULL, &err), -EINVAL);
    assert_int_equal(cri_new(&cri, place->rpc, "/run/x.sock", "http://x", &err), -EINVAL);
    assert_non_null(strstr(err.text, "http://x"));
}

#define cri_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cri_test(test_a_request_and_its_response),
        cri_test(test_a_failure),
        cri_test(test_a_response_that_is_garbage),
        cri_test(test_events_that_are_garbage_are_passed_over),
        cri_test(test_a_watch_can_be_cancelled_from_its_event),
        cri_test(test_the_connection_may_go_in_the_callback_and_with_calls_in_flight),
        cri_test(test_a_wrong_endpoint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
