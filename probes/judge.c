/* Ticks and thresholds. */
#include "nodeagent/probes/judge.h"

#include "nodeagent/base/mem.h"

struct probe_timing probe_timing_of(const struct probe *probe)
{
    return (struct probe_timing){
        .delay = usec_mul(USEC_PER_SEC, (uint64_t)MAX(probe->initial_delay_seconds, 0)),
        .period = usec_mul(USEC_PER_SEC, (uint64_t)MAX(probe->period_seconds, 1)),
        .timeout = usec_mul(USEC_PER_SEC, (uint64_t)MAX(probe->timeout_seconds, 1)),
        .success_threshold = (uint32_t)MAX(probe->success_threshold, 1),
        .failure_threshold = (uint32_t)MAX(probe->failure_threshold, 1),
    };
}

/* The first tick that is not before this. */
static usec_t tick_from(const struct judge *judge, usec_t from)
{
    usec_t period = judge->timing->period, passed;

    if (from <= judge->first)
        return judge->first;
    passed = (from - judge->first + period - 1) / period;
    return usec_add(judge->first, usec_mul(period, passed));
}

static bool is_final(const struct judge *judge)
{
    return judge->result != PROBE_UNDECIDED &&
           (judge->type == PROBE_STARTUP ||
            (judge->type == PROBE_LIVENESS && judge->result == PROBE_NOT_PASSED));
}

void judge_init(struct judge *judge, enum probe_type type, const struct probe_timing *timing,
                usec_t started, enum probe_result remembered, bool gated, usec_t now)
{
    *judge = (struct judge){
        .type = type,
        .result = remembered,
        .timing = timing,
        .first = usec_add(started, timing->delay),
        .due = USEC_NEVER,
    };
    judge->held = is_final(judge);
    if (judge->held || gated)
        return;
    judge->due = remembered == PROBE_UNDECIDED ? MAX(judge->first, now) : tick_from(judge, now);
}

void judge_open(struct judge *judge, usec_t now)
{
    if (judge->held || judge->due != USEC_NEVER)
        return;
    /* It is wanted to be ready: that is found out at once. */
    judge->due = judge->type == PROBE_READINESS ? MAX(judge->first, now) : tick_from(judge, now);
}

void judge_begin(struct judge *judge, usec_t now)
{
    judge->due = tick_from(judge, now + 1);
}

bool judge_take(struct judge *judge, enum probe_verdict verdict)
{
    bool good = probe_succeeded(verdict);
    enum probe_result before = judge->result;

    if (!good && !probe_failed(verdict))
        return false;
    judge->run = judge->run && good == judge->last_good ? judge->run + 1 : 1;
    judge->last_good = good;
    if (judge->run < (good ? judge->timing->success_threshold : judge->timing->failure_threshold))
        return false;
    judge->result = good ? PROBE_PASSED : PROBE_NOT_PASSED;
    if (is_final(judge)) {
        judge->held = true;
        judge->due = USEC_NEVER;
    }
    return judge->result != before;
}

char *judge_event(enum probe_type type, enum probe_verdict verdict, const char *text,
                  const char **reason)
{
    const char *how;

    if (verdict == PROBE_WARNING)
        how = "warning";
    else if (verdict == PROBE_ERRORED)
        how = "errored and resulted in unknown state";
    else if (probe_failed(verdict))
        how = "failed";
    else
        return NULL;
    *reason = verdict == PROBE_WARNING ? "ProbeWarning" : "Unhealthy";
    return mem_printf("%s probe %s: %s", probe_type_name(type), how, text);
}
