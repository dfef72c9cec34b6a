/* agent/probe-command, -order, -report, -hints, -tell, -json: orders, and what is told. */
#include "test.h"

#include "probe-command.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOW (1000 * USEC_PER_SEC)

struct place {
    struct errand errand;
    struct arena arena;
    struct err err;
};

/* Apostrophes stand for quotes. */
static int read_order(struct place *place, const char *text)
{
    char *copy = mem_strdup(text);
    struct json_findings findings;
    struct json *order;
    int r;

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    place->arena = ARENA_INIT_DOCUMENT;
    assert_int_equal(json_parse(&place->arena, copy, strlen(copy), &json_limits_manifest, &findings,
                                &order, &place->err),
                     0);
    r = errand_read(&place->errand, order, NOW, &place->err);
    free(copy);
    return r;
}

static void done(struct place *place)
{
    errand_deinit(&place->errand);
    arena_deinit(&place->arena);
}

/* One container with one probe; `more` of the order. */
static struct errand_probe *order(struct place *place, const char *type, const char *probe,
                                  const char *status, const char *more)
{
    char *text =
        mem_printf("{'pod':{'metadata':{'name':'web','namespace':'shop'},'spec':{'containers':[{"
                   "'name':'main','ports':[{'name':'http','containerPort':8080}],"
                   "'%sProbe':{%s}}]},'status':{%s}},'probes':[{'container':'main','type':'%c%s'%s",
                   type, probe, status, type[0] - 32, type + 1, more);

    if (read_order(place, text) < 0)
        fail_msg("%s", place->err.text);
    free(text);
    return &place->errand.probes.items[0];
}

#define HTTP "'httpGet':{'port':'http'}"
#define END "]}"

/* orders */

static void test_an_order(void **state)
{
    struct place place = {0};
    struct errand_probe *probe =
        order(&place, "readiness", HTTP ",'periodSeconds':7,'failureThreshold':2",
              "'podIP':'10.0.0.1','containerStatuses':[{'name':'main','containerID':"
              "'containerd://abc','state':{'running':{}}}]",
              ",'known':{'state':'passing','run':5,'runSucceeded':true}}],'count':3,"
              "'delayMicroseconds':2000,'timeoutMicroseconds':300000,'successThreshold':4,"
              "'close':true,'json':true,'showSecrets':true,'runtimeEndpoint':'unix:///x'}");

    assert_string_equal(probe->container_id, "abc");
    assert_int_equal(probe->judge.type, PROBE_READINESS);
    assert_int_equal(probe->judge.result, PROBE_PASSED);
    assert_int_equal(probe->judge.run, 5);
    assert_true(probe->judge.last_good);
    assert_int_equal(probe->timing.timeout, 300 * USEC_PER_MSEC);
    assert_int_equal(probe->timing.period, 7 * USEC_PER_SEC);
    assert_int_equal(probe->timing.success_threshold, 4);
    assert_int_equal(probe->timing.failure_threshold, 2);
    assert_int_equal(probe->due, NOW + 2000);
    assert_int_equal(place.errand.count, 3);
    assert_true(place.errand.close && place.errand.json && place.errand.show_secrets);
    assert_string_equal(place.errand.runtime_endpoint, "unix:///x");
    assert_false(errand_needs_runtime(&place.errand));
    done(&place);

    probe = order(&place, "liveness", "'exec':{'command':['true']}",
                  "'containerStatuses':[{'name':'main','containerID':'containerd://abc','state':"
                  "{'terminated':{'exitCode':1}}}]",
                  "}" END);
    assert_null(probe->container_id); /* it does not run */
    assert_string_equal(probe->idle, "ended with exit code 1");
    assert_null(probe->state);
    assert_int_equal(place.errand.count, 0);
    assert_true(errand_needs_runtime(&place.errand));
    done(&place);
}

static void test_orders_that_are_none(void **state)
{
    static const struct {
        const char *order, *sentence;
    } cases[] = {
        {"{}", "the order has no pod"},
        {"[]", "the order has no pod"},
        {"{'pod':{'spec':3}}", "the order has a pod that cannot be read"},
        {"{'pod':{'spec':{}}}", "the order names no probes"},
        {"{'pod':{'spec':{}},'probes':[3]}", "the order names a probe that its pod has not"},
        {"{'pod':{'spec':{'containers':[{'name':'a'}]}},'probes':[{'container':'a','type':"
         "'Liveness'}]}",
         "the order names a probe that its pod has not"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct place place = {0};

        assert_int_equal(read_order(&place, cases[i].order), -EINVAL);
        assert_string_equal(place.err.text, cases[i].sentence);
        done(&place);
    }
}

static void test_exit_codes(void **state)
{
    static const enum probe_exit by_rank[] = {PROBE_EXIT_GOOD, PROBE_EXIT_FAILED, PROBE_EXIT_UNABLE,
                                              PROBE_EXIT_USAGE};

    for (enum probe_verdict verdict = 0; verdict < PROBE_VERDICTS; verdict++)
        assert_int_equal(probe_exit_of(verdict), probe_succeeded(verdict) ? 0
                                                 : probe_failed(verdict)  ? 1
                                                                          : 3);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(probe_exit_worse(by_rank[i], by_rank[j]), by_rank[MAX(i, j)]);
}

/* what follows */

static const char *next_after(struct place *place, struct errand_probe *probe,
                              enum probe_verdict verdict)
{
    struct probe_outcome outcome = {.verdict = verdict, .text = "", .target = "", .head = ""};
    struct errand_report report;

    errand_report(&report, probe, &outcome, &place->arena);
    return report.next;
}

static void test_what_follows(void **state)
{
    static const struct {
        const char *type, *probe, *known;
        enum probe_verdict verdict;
        const char *next;
    } cases[] = {
        {"liveness", "'periodSeconds':10", "", PROBE_REFUSED,
         "2 more failures until restart (about 20s)"},
        {"liveness", "", ",'known':{'state':'passing','run':1}", PROBE_BAD_STATUS,
         "1 more failure until restart (about 10s)"},
        {"liveness", "", ",'known':{'state':'passing','run':2}", PROBE_BAD_STATUS, "restart"},
        {"liveness", "", ",'known':{'state':'failing','run':4}", PROBE_BAD_STATUS, "restart"},
        {"liveness", "", ",'known':{'state':'passing','run':9,'runSucceeded':true}", PROBE_TLS,
         "2 more failures until restart (about 20s)"},
        {"liveness", "'failureThreshold':1", "", PROBE_SUCCESS,
         "alive: restart after 1 failure in a row"},
        {"startup", "'failureThreshold':30", "", PROBE_REFUSED,
         "29 more failures until restart (about 4m50s)"},
        {"startup", "", "", PROBE_WARNING, "started: its liveness and readiness probes begin"},
        {"readiness", "", "", PROBE_SUCCESS, "Ready"},
        {"readiness", "'successThreshold':3", ",'known':{'state':'failing','run':1}", PROBE_SUCCESS,
         "Ready after 2 more successes (about 20s)"},
        {"readiness", "'successThreshold':3",
         ",'known':{'state':'failing','run':1,'runSucceeded':true}", PROBE_SUCCESS,
         "Ready after 1 more success (about 10s)"},
        {"readiness", "", ",'known':{'state':'passing','run':5,'runSucceeded':true}", PROBE_REFUSED,
         "2 more failures until not Ready (about 20s)"},
        {"readiness", "", ",'known':{'state':'passing','run':2}", PROBE_REFUSED,
         "not Ready: 1 success needed"},
        {"readiness", "", "", PROBE_REFUSED, "not Ready: 1 success needed"},
        {"readiness", "", "", PROBE_ERRORED, "nothing: it does not count"},
        {"readiness", "", "", PROBE_AGENT_LATE, "nothing: it does not count"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct place place = {0};
        char *fields = mem_printf("%s%s%s", HTTP, *cases[i].probe ? "," : "", cases[i].probe);
        char *more = mem_printf("%s}" END, cases[i].known);
        struct errand_probe *probe = order(&place, cases[i].type, fields, "", more);

        assert_string_equal(next_after(&place, probe, cases[i].verdict), cases[i].next);
        done(&place);
        free(fields);
        free(more);
    }
}

static void test_what_is_not_restarted(void **state)
{
    struct place place = {0};

    assert_int_equal(read_order(&place,
                                "{'pod':{'spec':{'restartPolicy':'Never','containers':[{'name':'a',"
                                "'livenessProbe':{'tcpSocket':{'port':1},'failureThreshold':1}}]}},"
                                "'probes':[{'container':'a','type':'Liveness'}]}"),
                     0);
    assert_string_equal(next_after(&place, &place.errand.probes.items[0], PROBE_REFUSED),
                        "the container is killed, for good");
    done(&place);
}

/* secrets */

static void test_secrets(void **state)
{
    static const struct {
        const char *name;
        bool secret;
    } cases[] = {
        {"Authorization", true}, {"proxy-authorization", true}, {"Cookie", true},
        {"Set-Cookie", true},    {"X-CSRF-Token", true},        {"x-api-KEY", true},
        {"Host", false},         {"Content-Type", false},       {"", false},
    };
    struct place place = {.arena = ARENA_INIT_DOCUMENT};
    struct errand errand = {0};

    for (size_t i = 0; i < array_size(cases); i++) {
        errand.show_secrets = false;
        assert_string_equal(errand_header_value(&errand, cases[i].name, "v"),
                            cases[i].secret ? "***" : "v");
        errand.show_secrets = true;
        assert_string_equal(errand_header_value(&errand, cases[i].name, "v"), "v");
    }
    assert_string_equal(errand_header_value(&errand, "Host", NULL), "");
    errand.show_secrets = false;
    assert_string_equal(
        errand_head(&errand, "HTTP/1.1 200 a key\nSet-Cookie: a\nA: token\nKey\n", &place.arena),
        "HTTP/1.1 200 a key\nSet-Cookie: ***\nA: token\nKey\n");
    assert_string_equal(errand_head(&errand, NULL, &place.arena), "");
    arena_deinit(&place.arena);
}

/* hints */

static void test_hints(void **state)
{
    static const struct {
        const char *probe;
        struct probe_outcome outcome;
        const char *hint; /* how it begins; NULL: there is none */
    } cases[] = {
        {HTTP, {.verdict = PROBE_SUCCESS}, NULL},
        {"'httpGet':{'port':1,'host':'localhost'}",
         {.verdict = PROBE_SUCCESS},
         "host localhost is the node"},
        {"'tcpSocket':{'port':1,'host':'127.0.0.2'}",
         {.verdict = PROBE_REFUSED},
         "host 127.0.0.2 is the node"},
        {"'tcpSocket':{'port':1,'host':'[::1]'}",
         {.verdict = PROBE_BROKEN},
         "a host is written without brackets"},
        {HTTP ",'timeoutSeconds':10",
         {.verdict = PROBE_SUCCESS},
         "the timeout is not shorter than the period"},
        {HTTP,
         {.verdict = PROBE_BAD_STATUS, .code = 400, .body = "sent to an HTTPS server"},
         "the port speaks TLS"},
        {HTTP, {.verdict = PROBE_BAD_STATUS, .code = 400, .body = "no"}, NULL},
        {"'httpGet':{'port':1,'scheme':'HTTPS'}",
         {.verdict = PROBE_TLS, .text = "x: http: server gave HTTP response to HTTPS client"},
         "the port speaks plain HTTP"},
        {HTTP, {.verdict = PROBE_WARNING}, "a redirection to another host"},
        {HTTP,
         {.verdict = PROBE_RESPONSE_TIMEOUT, .times.first_byte = 5},
         "the head of the answer came in time"},
        {HTTP, {.verdict = PROBE_RESPONSE_TIMEOUT}, NULL},
        {"'grpc':{'port':1}", {.verdict = PROBE_RESPONSE_TIMEOUT}, "gRPC probes speak plain"},
        {"'grpc':{'port':1}", {.verdict = PROBE_REFUSED}, NULL},
        {HTTP, {.verdict = PROBE_ERRORED, .text = "no address"}, "--ip gives the address"},
        {HTTP,
         {.verdict = PROBE_BROKEN, .text = "strconv.Atoi: parsing"},
         "no port of container main has this name"},
        {"'exec':{'command':['a b']}", {.verdict = PROBE_ERRORED}, "a command needs a container"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct place place = {0};
        struct errand_probe *probe = order(&place, "readiness", cases[i].probe, "", "}" END);
        struct probe_outcome outcome = cases[i].outcome;
        struct string_list hints;

        outcome.text = outcome.text ? outcome.text : "";
        errand_hints(&hints, probe, &outcome, &place.arena);
        assert_int_equal(hints.count > 0, cases[i].hint != NULL);
        if (cases[i].hint)
            assert_true(str_has_prefix(hints.items[0], cases[i].hint));
        done(&place);
    }
}

static void test_a_container_that_does_not_run(void **state)
{
    struct place place = {0};
    struct errand_probe *probe =
        order(&place, "readiness", "'exec':{'command':['true']}",
              "'containerStatuses':[{'name':'main','containerID':'x://abc','state':{'waiting':{"
              "'reason':'CrashLoopBackOff'}}}]",
              "}" END);
    struct probe_outcome outcome = {.verdict = PROBE_ERRORED, .text = ""};
    struct string_list hints;

    errand_hints(&hints, probe, &outcome, &place.arena);
    assert_int_equal(hints.count, 1);
    assert_string_equal(hints.items[0], "container main does not run, and the agent does not probe "
                                        "it: it waits: CrashLoopBackOff");
    done(&place);
}

static void test_hints_about_commands(void **state)
{
    struct place place = {0};
    struct errand_probe *probe =
        order(&place, "readiness", "'exec':{'command':['cat /x']}",
              "'containerStatuses':[{'name':'main','containerID':'abc'}]", "}" END);
    struct probe_outcome outcome = {.verdict = PROBE_ERRORED, .text = ""};
    struct string_list hints;

    errand_hints(&hints, probe, &outcome, &place.arena);
    assert_int_equal(hints.count, 1);
    assert_true(str_has_prefix(hints.items[0], "no shell runs the command"));
    ((struct exec_action *)probe->probe->handler.exec)->command.items[0] = "cat";
    outcome.text = "exec: \"cat\": executable file not found in $PATH";
    probe->state = "waits for startup";
    errand_hints(&hints, probe, &outcome, &place.arena);
    assert_int_equal(hints.count, 2);
    assert_true(str_has_prefix(hints.items[0], "the agent does not make this probe"));
    assert_string_equal(hints.items[1], "the command is not in the container's image");
    done(&place);
}

/* telling */

static void test_a_block(void **state)
{
    struct place place = {0};
    struct strbuf out = STRBUF_INIT;
    struct errand_probe *probe =
        order(&place, "liveness",
              "'httpGet':{'port':'http','path':'/a','httpHeaders':[{'name':'X-Key','value':'1'}]},"
              "'initialDelaySeconds':5",
              "'podIP':'10.0.0.1'", ",'known':{'state':'passing','run':1}}" END);
    struct probe_outcome outcome = {
        .verdict = PROBE_BAD_STATUS,
        .text = "HTTP probe failed with statuscode: 500",
        .target = "http://10.0.0.1:8080/a",
        .code = 500,
        .head = "HTTP/1.1 500 No\r\nX: y\r\n",
        .body = "one\ntwo\x1b",
        .body_length = 8,
        .body_cut = true,
        .times = {.resolved = 100, .connected = 1100, .first_byte = 3100, .ended = 4000},
    };
    struct errand_report report;

    probe->attempts = 1;
    errand_report(&report, probe, &outcome, &place.arena);
    errand_tell(&report, false, false, &out);
    assert_string_equal(
        out.text,
        "Liveness probe of pod shop/web, container main: httpGet\n"
        "  target     http://10.0.0.1:8080/a (port http), the pod's address\n"
        "  header     X-Key: ***\n"
        "  timing     timeout 1s, period 10s, thresholds 1 success, 3 failures, initial delay 5s\n"
        "  agent      passing\n"
        "  times      DNS 0.1 ms, connect 1.0 ms, first byte 2.0 ms, total 4.0 ms\n"
        "  answer     HTTP/1.1 500 No\n"
        "             X: y\n"
        "  body       one\n"
        "             two\\x1b\n"
        "             ... (the rest was not read)\n"
        "  verdict    bad status\n"
        "  event      Warning Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: "
        "500\n"
        "  next       1 more failure until restart (about 10s)\n");
    strbuf_truncate(&out, 0);
    probe->attempts = 2;
    errand_report(&report, probe, &outcome, &place.arena);
    errand_tell(&report, true, true, &out);
    assert_string_equal(out.text,
                        "  #2         \x1b[31mbad status\x1b[0m again, total 4.0 ms: restart\n");
    strbuf_deinit(&out);
    done(&place);
}

static void test_commands_and_what_they_left(void **state)
{
    struct place place = {0};
    struct strbuf out = STRBUF_INIT;
    struct errand_probe *probe =
        order(&place, "readiness", "'exec':{'command':['x']}", "", "}],'adHoc':true}");
    struct probe_outcome outcome = {
        .verdict = PROBE_EXEC_EXIT,
        .text = "bad\n",
        .target = "x",
        .code = 3,
        .head = "",
        .body = "bad\n",
        .body_length = 4,
        .left = "sleep (1234)",
        .times = {.ended = 1000},
    };
    struct errand_report report;

    probe->container_id = "abc";
    errand_report(&report, probe, &outcome, &place.arena);
    errand_tell(&report, false, false, &out);
    assert_string_equal(out.text,
                        "Readiness probe: exec\n"
                        "  target     x\n"
                        "  timing     timeout 1s, period 10s, thresholds 1 success, 3 failures\n"
                        "  times      total 1.0 ms\n"
                        "  exit code  3\n"
                        "  output     bad\n"
                        "  verdict    exec exit\n"
                        "  event      Warning Unhealthy: Readiness probe failed: bad\\n\n"
                        "  left       sleep (1234)\n"
                        "  next       not Ready: 1 success needed\n");
    strbuf_truncate(&out, 0);
    errand_write(&report, &out);
    assert_string_equal(
        out.text,
        "{\"containerID\":\"abc\",\"type\":\"Readiness\",\"handler\":\"exec\",\"target\":\"x\","
        "\"timeoutMicroseconds\":1000000,\"periodMicroseconds\":10000000,\"delayMicroseconds\":0,"
        "\"successThreshold\":1,\"failureThreshold\":3,\"attempt\":0,\"times\":{"
        "\"totalMicroseconds\":1000},\"code\":3,\"body\":\"bad\\n\",\"bodyCut\":false,\"left\":"
        "\"sleep (1234)\",\"verdict\":\"exec exit\",\"text\":\"bad\\n\",\"event\":{\"type\":"
        "\"Warning\",\"reason\":\"Unhealthy\",\"message\":\"Readiness probe failed: bad\\n\"},"
        "\"run\":1,\"next\":\"not Ready: 1 success needed\",\"hints\":[]}\n");
    strbuf_deinit(&out);
    done(&place);
}

static void test_bytes_become_utf8(void **state)
{
    struct place place = {0};
    struct strbuf out = STRBUF_INIT;
    struct errand_probe *probe = order(&place, "readiness", HTTP, "", "}" END);
    struct probe_outcome outcome = {.verdict = PROBE_SUCCESS,
                                    .text = "",
                                    .target = "",
                                    .head = "X: \xff\n",
                                    .body = "a\0\xff",
                                    .body_length = 3};
    struct errand_report report;

    errand_report(&report, probe, &outcome, &place.arena);
    errand_write(&report, &out);
    assert_non_null(strstr(out.text, "\"head\":\"X: ?\\n\",\"body\":\"a\\u0000?\""));
    strbuf_deinit(&out);
    done(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_order),
        cmocka_unit_test(test_orders_that_are_none),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_what_follows),
        cmocka_unit_test(test_what_is_not_restarted),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_a_container_that_does_not_run),
        cmocka_unit_test(test_hints_about_commands),
        cmocka_unit_test(test_a_block),
        cmocka_unit_test(test_commands_and_what_they_left),
        cmocka_unit_test(test_bytes_become_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
