/* probes/timing: periods and timeouts below a second, by annotations. */
#include "prober-world.h"

static const char *const liveness = ",'livenessProbe':{'tcpSocket':{'port':1},'periodSeconds':5,"
                                    "'timeoutSeconds':2,'initialDelaySeconds':7}";

static int annotated(const char *annotation, struct probe_timing *timing, struct err *err)
{
    const struct pod *pod;

    world_pod(annotation, liveness);
    pod = pod_of(world.object);
    *timing = probe_timing_of(pod->spec.containers.items[0].liveness_probe);
    return probe_timing_annotated(timing, pod, "c", PROBE_LIVENESS, err);
}

static void test_any_subset_can_be_set(void **state)
{
    static const struct {
        const char *annotation;
        unsigned period, timeout, delay; /* milliseconds */
    } cases[] = {
        {"", 5000, 2000, 7000},
        {"'nodeagent.dev/probe.c.liveness':'period=200ms,timeout=100ms,delay=0ms'", 200, 100, 0},
        {"'nodeagent.dev/probe.c.liveness':'period=50ms'", 50, 2000, 7000},
        {"'nodeagent.dev/probe.c.liveness':' timeout=1.5s, delay=250ms'", 5000, 1500, 250},
        {"'nodeagent.dev/probe.c.readiness':'period=50ms'", 5000, 2000, 7000},
        {"'nodeagent.dev/probe.other.liveness':'period=50ms'", 5000, 2000, 7000},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct probe_timing timing;
        struct err err = {0};

        assert_int_equal(annotated(cases[i].annotation, &timing, &err), 0);
        assert_int_equal(timing.period, cases[i].period * USEC_PER_MSEC);
        assert_int_equal(timing.timeout, cases[i].timeout * USEC_PER_MSEC);
        assert_int_equal(timing.delay, cases[i].delay * USEC_PER_MSEC);
    }
}

static void test_what_is_wrong_changes_nothing_and_is_named(void **state)
{
    static const struct {
        const char *value, *sentence;
    } cases[] = {
        {"period=200", "200 is no duration: write it like 200ms or 1.5s"},
        {"timeout=100ms,perod=1s", "perod=1s: must be period=, timeout= or delay= and a duration"},
        {"delay=-1s", "-1s is too short: at least 0 ms"},
        {"period=49ms", "49ms is too short: at least 50 ms"},
        {"period", "period: must be"},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "is too long"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *annotation = mem_printf("'nodeagent.dev/probe.c.liveness':'%s'", cases[i].value);
        struct probe_timing timing;
        struct err err;

        assert_int_equal(annotated(annotation, &timing, &err), -22);
        assert_int_equal(timing.period, 5 * USEC_PER_SEC);
        assert_int_equal(timing.timeout, 2 * USEC_PER_SEC);
        assert_non_null(strstr(err.text, "annotation nodeagent.dev/probe.c.liveness: "));
        if (!strstr(err.text, cases[i].sentence))
            fail_msg("%s: %s", cases[i].value, err.text);
        free(annotation);
    }
}

static void test_names_of_annotations_are_checked(void **state)
{
    static const struct {
        const char *annotation, *sentence; /* NULL: it is good */
    } cases[] = {
        {"'nodeagent.dev/other':'x'", NULL},
        {"'nodeagent.dev/probe.c.liveness':'period=1s'", NULL},
        {"'nodeagent.dev/probe.c.readiness':'period=1s'", "the pod has no such probe"},
        {"'nodeagent.dev/probe.c.livenes':'period=1s'", "the pod has no such probe"},
        {"'nodeagent.dev/probe.close':'fin'", NULL},
        {"'nodeagent.dev/probe.close':'rst'", "must be fin"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const struct pod *pod;
        struct err err = {0};
        int r;

        world_pod(cases[i].annotation, liveness);
        pod = pod_of(world.object);
        r = probe_annotation_check(pod, &pod->object.metadata.annotations.items[0], &err);
        assert_int_equal(r, cases[i].sentence ? -22 : 0);
        if (cases[i].sentence)
            assert_non_null(strstr(err.text, cases[i].sentence));
    }
    world_pod("'nodeagent.dev/probe.close':'fin'", liveness);
    assert_true(probe_closes(pod_of(world.object)));
    world_pod("", liveness);
    assert_false(probe_closes(pod_of(world.object)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_any_subset_can_be_set),
        world_test(test_what_is_wrong_changes_nothing_and_is_named),
        world_test(test_names_of_annotations_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
