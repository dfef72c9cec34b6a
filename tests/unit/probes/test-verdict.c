/* probes/verdict: names, and what counts as what. */
#include "test.h"

#include "nodeagent/probes/attempt.h"

static void test_names(void **state)
{
    static const struct {
        enum probe_verdict verdict;
        const char *name;
        bool succeeded;
        bool failed;
    } cases[] = {
        {PROBE_SUCCESS, "success", true, false},
        {PROBE_WARNING, "warning", true, false},
        {PROBE_REFUSED, "refused", false, true},
        {PROBE_CONNECT_TIMEOUT, "connect timeout", false, true},
        {PROBE_RESPONSE_TIMEOUT, "no response in time", false, true},
        {PROBE_BAD_STATUS, "bad status", false, true},
        {PROBE_TLS, "TLS", false, true},
        {PROBE_EXEC_EXIT, "exec exit", false, true},
        {PROBE_EXEC_TIMEOUT, "exec timeout", false, true},
        {PROBE_BROKEN, "broken", false, true},
        {PROBE_AGENT_LATE, "agent late", false, false},
        {PROBE_ERRORED, "errored", false, false},
    };

    assert_int_equal(array_size(cases), PROBE_VERDICTS);
    for (size_t i = 0; i < array_size(cases); i++) {
        assert_string_equal(probe_verdict_name(cases[i].verdict), cases[i].name);
        assert_int_equal(probe_succeeded(cases[i].verdict), cases[i].succeeded);
        assert_int_equal(probe_failed(cases[i].verdict), cases[i].failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
