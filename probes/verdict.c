/* The names of verdicts. */
#include "nodeagent/probes/attempt.h"

const char *probe_verdict_name(enum probe_verdict verdict)
{
    static const char *const names[PROBE_VERDICTS] = {
        [PROBE_SUCCESS] = "success",
        [PROBE_WARNING] = "warning",
        [PROBE_REFUSED] = "refused",
        [PROBE_CONNECT_TIMEOUT] = "connect timeout",
        [PROBE_RESPONSE_TIMEOUT] = "no response in time",
        [PROBE_BAD_STATUS] = "bad status",
        [PROBE_TLS] = "TLS",
        [PROBE_EXEC_EXIT] = "exec exit",
        [PROBE_EXEC_TIMEOUT] = "exec timeout",
        [PROBE_BROKEN] = "broken",
        [PROBE_AGENT_LATE] = "agent late",
        [PROBE_ERRORED] = "errored",
    };

    assert_that(verdict < PROBE_VERDICTS);
    return names[verdict];
}
