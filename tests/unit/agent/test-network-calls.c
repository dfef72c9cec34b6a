/* agent/network-calls: what nodeagent-cni tells of its calls. */
#include "test.h"

#include "network-calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS "\"args\":\"IgnoreUnknown=1;K8S_POD_NAME=web;K8S_POD_UID=u-1\""
#define ADD                                                                                        \
    "{\"verb\":\"ADD\"," ARGS ",\"usec\":3000,\"plugins\":["                                       \
    "{\"type\":\"bridge\",\"verb\":\"ADD\",\"usec\":1200,\"failed\":false},"                       \
    "{\"type\":\"portmap\",\"verb\":\"ADD\",\"usec\":700,\"failed\":true}]}"

static struct network_call take(struct network_calls *calls, const char *text)
{
    struct network_call call;
    struct err err;

    if (network_calls_take(calls, text, strlen(text), &call, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return call;
}

static void assert_written(const struct network_calls *calls, const char *expected)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    network_calls_write(calls, &writer);
    json_writer_deinit(&writer);
    assert_string_equal(text.text, expected);
}

static void test_calls_are_counted(void **state)
{
    struct network_calls *calls = network_calls_new();
    struct network_call call = take(calls, ADD);

    (void)state;
    assert_string_equal(call.uid, "u-1");
    assert_string_equal(call.text, ADD);
    assert_false(call.failed);
    free(call.text);
    free(take(calls, ADD).text);
    call = take(calls, "{\"verb\":\"DEL\",\"plugins\":[{\"type\":\"bridge\",\"verb\":\"DEL\","
                       "\"usec\":2500000}],\"failure\":{\"code\":11}}");
    assert_true(call.failed);
    assert_null(call.text);
    assert_string_equal(call.uid, "");
    assert_written(calls, "[{\"plugin\":\"bridge\",\"verb\":\"ADD\",\"calls\":2,\"failures\":0,"
                          "\"seconds\":0.002400,\"longest\":0.001200},"
                          "{\"plugin\":\"portmap\",\"verb\":\"ADD\",\"calls\":2,\"failures\":2,"
                          "\"seconds\":0.001400,\"longest\":0.000700},"
                          "{\"plugin\":\"bridge\",\"verb\":\"DEL\",\"calls\":1,\"failures\":0,"
                          "\"seconds\":2.500000,\"longest\":2.500000}]");
    network_calls_free(calls);
}

static void test_what_makes_no_sense(void **state)
{
    static const char *const accepted[] = {
        "{}",
        "{\"plugins\":7,\"verb\":[],\"args\":{}}",
        "{\"verb\":\"DEL\",\"args\":\"K8S_POD_UID=\"}",
    };
    static const char *const refused[] = {"", "[]", "7", "{", "{}{}"};
    struct network_calls *calls = network_calls_new();
    struct network_call call;
    struct err err;

    (void)state;
    for (size_t i = 0; i < array_size(accepted); i++) {
        call = take(calls, accepted[i]);
        assert_string_equal(call.uid, "");
        assert_null(call.text);
    }
    for (size_t i = 0; i < array_size(refused); i++)
        assert_true(network_calls_take(calls, refused[i], strlen(refused[i]), &call, &err) < 0);
    assert_written(calls, "[]");
    network_calls_free(calls);
}

/* Whoever makes up names of plugins gets no more memory for them. */
static void test_there_is_an_end(void **state)
{
    struct network_calls *calls = network_calls_new();
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;
    size_t before;

    (void)state;
    for (int i = 0; i < 2 * NETWORK_PLUGINS_MAX; i++) {
        char one[512];

        snprintf(one, sizeof(one),
                 "{\"plugins\":[{\"type\":\"p%d%0200d\",\"verb\":\"ADD\",\"usec\":-5}]}", i, i);
        take(calls, one);
    }
    json_writer_init(&writer, &text, false);
    network_calls_write(calls, &writer);
    before = 0;
    for (const char *at = text.text; (at = strstr(at, "\"plugin\":")); at++)
        before++;
    assert_int_equal(before, NETWORK_PLUGINS_MAX);
    json_writer_deinit(&writer);
    network_calls_free(calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_counted),
        cmocka_unit_test(test_what_makes_no_sense),
        cmocka_unit_test(test_there_is_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
