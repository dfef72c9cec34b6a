/* probes/telling: what operators and Prometheus are told. */
#include "prober-world.h"

static char *told(void)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    probers_write(world.probers, NULL, &writer);
    json_writer_deinit(&writer);
    return text.text;
}

static void expect(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("%s\nis not in\n%s", part, text ? text : "nothing");
}

static void test_operators_see_state_timing_and_history(void **state)
{
    char *text;

    world_pod("", ",'readinessProbe':{'httpGet':{'port':80},'periodSeconds':1},"
                  "'startupProbe':{'tcpSocket':{'port':80},'periodSeconds':1}");
    world.verdict = PROBE_REFUSED;
    world_run("one");
    world_pass(1500 * USEC_PER_MSEC);
    text = told();
    expect(text, "\"container\":\"c\",\"containerID\":\"one\",\"type\":\"Startup\",\"handler\":"
                 "\"tcpSocket\",\"state\":\"undecided\"");
    expect(text, "\"type\":\"Readiness\",\"handler\":\"httpGet\",\"state\":\"waits for startup\"");
    expect(text, "\"run\":2,\"runSucceeded\":false,\"inFlight\":false,\"nextMicroseconds\":500000,"
                 "\"text\":\"so the test wants it\",\"attempts\":2");
    expect(text, "\"verdict\":\"refused\",\"code\":0,\"lateMicroseconds\":1000,"
                 "\"connectedMicroseconds\":100,\"firstByteMicroseconds\":200,"
                 "\"totalMicroseconds\":300}");
    free(text);
    world.verdict = PROBE_SUCCESS;
    world_pass(60 * USEC_PER_SEC);
    text = told();
    expect(text, "\"state\":\"passed\"");
    expect(text, "\"state\":\"passing\"");
    free(text);
}

static void test_metrics_have_the_references_labels(void **state)
{
    struct strbuf text = STRBUF_INIT;

    world_pod("", ",'livenessProbe':{'httpGet':{'port':80},'periodSeconds':1}");
    world_run("one");
    world_pass(2500 * USEC_PER_MSEC);
    world.verdict = PROBE_REFUSED;
    world_pass(1000 * USEC_PER_MSEC);
    probers_write_metrics(world.probers, &text);
    expect(text.text, "# TYPE prober_probe_total counter\n");
    expect(text.text, "prober_probe_total{container=\"c\",namespace=\"n\",pod=\"p\",pod_uid=\"u\","
                      "probe_type=\"Liveness\",result=\"successful\"} 3\n");
    expect(text.text, "result=\"failed\"} 1\n");
    expect(text.text, "prober_probe_duration_seconds_bucket{container=\"c\",namespace=\"n\",pod="
                      "\"p\",probe_type=\"Liveness\",le=\"0.005\"} 3\n");
    expect(text.text, "le=\"+Inf\"} 3\n");
    expect(text.text, "prober_probe_duration_seconds_sum{container=\"c\",namespace=\"n\",pod=\"p\","
                      "probe_type=\"Liveness\"} 0.000900\n");
    expect(text.text, "nodeagent_probe_lateness_seconds_max{");
    strbuf_deinit(&text);
    probers_forget(world.probers, "u");
    probers_write_metrics(world.probers, &text);
    assert_null(strstr(text.text, "{"));
    strbuf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_operators_see_state_timing_and_history),
        world_test(test_metrics_have_the_references_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
