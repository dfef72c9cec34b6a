/*
 * Attempts: when a tick is due the prober waits for its turn, attempts, and takes the verdict.
 *
 *     tick ─► queue ─► attempt ─► verdict ─► result, event, history ─► next tick
 *
 * What fails for want of time counts only if this agent did not take too much of that time before
 * the request was sent. It is measured: until the attempt began, and by a pulse that beats while
 * attempts are in flight.
 */
#include "prober.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>
#include <string.h>

#define PULSE_USEC (10 * USEC_PER_MSEC)
#define EXCUSE_USEC (100 * USEC_PER_MSEC)
#define PULSE_SLACK_USEC (5 * USEC_PER_MSEC) /* a beat that is no later is in time */

/* the pulse */

static usec_t lateness(const struct probers *probers)
{
    usec_t late = usec_sub(clock_boottime(), probers->pulse_due);

    return late > PULSE_SLACK_USEC ? late : 0;
}

/* The time that this agent has been held up so far. */
static usec_t held_up(const struct probers *probers)
{
    return probers->held_up + (wheel_timer_armed(&probers->pulse) ? lateness(probers) : 0);
}

static void beat(struct probers *probers)
{
    probers->pulse_due = usec_add(clock_boottime(), PULSE_USEC);
    wheel_arm(probers->options.wheel, &probers->pulse, probers->pulse_due);
}

static void on_pulse(struct wheel_timer *timer)
{
    struct probers *probers = container_of(timer, struct probers, pulse);

    probers->held_up += lateness(probers);
    beat(probers);
}

/* turns */

static void begin(struct prober *prober);

static unsigned queue_limit(const struct probers *probers, enum prober_queue queue)
{
    switch (queue) {
    case QUEUE_SLOW:
        return PROBE_SLOW_MAX;
    case QUEUE_EXEC:
        return probers->options.execs_max;
    default:
        return PROBE_ATTEMPTS_MAX;
    }
}

static void begin_waiting(struct probers *probers)
{
    for (enum prober_queue queue = 0; queue < QUEUES; queue++)
        while (!list_empty(&probers->queues[queue]) && probers->in_flight < PROBE_ATTEMPTS_MAX &&
               probers->took[queue] < queue_limit(probers, queue))
            begin(list_first(&probers->queues[queue], struct prober, queue));
}

static enum prober_queue queue_of(const struct prober *prober)
{
    if (prober->probe->handler.exec)
        return QUEUE_EXEC;
    return prober->slow ? QUEUE_SLOW : QUEUE_QUICK;
}

static void wait_for_turn(struct prober *prober)
{
    struct probers *probers = prober->of->pod->probers;

    prober->took = queue_of(prober);
    list_push_back(&probers->queues[prober->took], &prober->queue);
    begin_waiting(probers);
}

static void on_tick(struct wheel_timer *timer)
{
    struct prober *prober = container_of(timer, struct prober, timer);

    prober->due = prober->judge.due;
    prober->lag = usec_sub(clock_boottime(), prober->armed);
    prober->tries = 0;
    wait_for_turn(prober);
}

void prober_arm(struct prober *prober)
{
    if (prober->attempt || !list_empty(&prober->queue))
        return;
    prober->armed = MAX(prober->judge.due, clock_boottime());
    wheel_arm(prober->of->pod->probers->options.wheel, &prober->timer, prober->judge.due);
}

static void turn_over(struct prober *prober)
{
    struct probers *probers = prober->of->pod->probers;

    prober->attempt = NULL;
    probers->took[prober->took]--;
    if (!--probers->in_flight)
        wheel_cancel(&probers->pulse);
}

void prober_rest(struct prober *prober)
{
    struct probers *probers = prober->of->pod->probers;

    wheel_cancel(&prober->timer);
    list_unlink(&prober->queue);
    if (!prober->attempt)
        return;
    probe_attempt_cancel(prober->attempt);
    turn_over(prober);
    begin_waiting(probers);
}

/* verdicts */

/* Only these may come of our own slowness; nobody is refused for it. */
static bool is_for_want_of_time(enum probe_verdict verdict)
{
    return verdict == PROBE_CONNECT_TIMEOUT || verdict == PROBE_RESPONSE_TIMEOUT ||
           verdict == PROBE_EXEC_TIMEOUT || verdict == PROBE_BROKEN;
}

/* What an attempt may lose to this agent before its failure is ours. */
static usec_t excuse(const struct probe_timing *timing)
{
    return MIN(timing->timeout / 10, EXCUSE_USEC);
}

/* Up to when the request was sent: how long the answer took to be noticed is no matter, as it is
 * looked for once more at the end. A connection is made without us, and whole seconds of a command
 * are the runtime's to count; parts of one are counted here, by when its end is noticed. */
static usec_t taken(const struct prober *prober, enum probe_verdict verdict,
                    const struct net_times *times)
{
    usec_t held = usec_sub(held_up(prober->of->pod->probers), prober->held_up);
    usec_t sent = times->secured ? times->secured : times->connected;

    if (verdict == PROBE_CONNECT_TIMEOUT ||
        (verdict == PROBE_EXEC_TIMEOUT && prober->timing.timeout % USEC_PER_SEC == 0))
        return prober->lag;
    return prober->lag + (sent ? MIN(held, sent) : held);
}

static enum probe_verdict judge_lateness(const struct prober *prober,
                                         const struct probe_outcome *outcome)
{
    if (is_for_want_of_time(outcome->verdict) &&
        taken(prober, outcome->verdict, &outcome->times) > excuse(&prober->timing))
        return PROBE_AGENT_LATE;
    return outcome->verdict;
}

static uint32_t clip(usec_t duration)
{
    return (uint32_t)MIN(duration, UINT32_MAX);
}

static void remember(struct prober *prober, enum probe_verdict verdict,
                     const struct probe_outcome *outcome)
{
    struct history_entry entry = {
        .began = prober->began,
        .code = outcome->code,
        .late = clip(usec_sub(prober->began, prober->due)),
        .connected = clip(outcome->times.connected),
        .first_byte = clip(outcome->times.first_byte),
        .ended = clip(outcome->times.ended),
        .verdict = (uint8_t)verdict,
    };

    history_add(&prober->history, &entry);
    prober->slow = is_for_want_of_time(verdict) && verdict != PROBE_BROKEN;
    free(prober->text);
    prober->text = NULL;
    if (verdict != PROBE_SUCCESS) {
        size_t length = utf8_cut(outcome->text, MIN(strlen(outcome->text), PROBE_TEXT_MAX));

        prober->text = mem_strndup(outcome->text, length);
    }
}

static void tell(const struct prober *prober, enum probe_verdict verdict,
                 const struct probe_outcome *outcome)
{
    const struct watched *pod = prober->of->pod;
    const struct probers_options *options = &pod->probers->options;
    enum probe_type type = prober->judge.type;
    const char *reason;
    _cleanup_(mem_free_at) char *message = judge_event(type, verdict, outcome->text, &reason);

    if (!message)
        return;
    options->event(options->owner, pod->uid, prober->of->container->name, true, reason, message);
    if (!outcome->left)
        return;
    free(message);
    message = mem_printf("%s probe: its command took too long, was killed, and left running: %s",
                         probe_type_name(type), outcome->left);
    options->event(options->owner, pod->uid, prober->of->container->name, true, "ProbeLeftovers",
                   message);
}

static void open_others(const struct prober *prober, usec_t now)
{
    if (prober->judge.type != PROBE_STARTUP || prober->judge.result != PROBE_PASSED)
        return;
    for (enum probe_type type = 0; type < PROBE_TYPES; type++) {
        struct prober *other = prober->of->probers[type];

        if (!other || other == prober)
            continue;
        judge_open(&other->judge, now);
        prober_arm(other);
    }
}

static void on_outcome(void *owner, const struct probe_outcome *outcome)
{
    struct prober *prober = owner;
    struct watched *pod = prober->of->pod;
    struct probers *probers = pod->probers;
    enum probe_verdict verdict = judge_lateness(prober, outcome);
    bool changed;

    turn_over(prober);
    if (verdict == PROBE_ERRORED && ++prober->tries < PROBE_TRIES) {
        wait_for_turn(prober);
        return;
    }
    remember(prober, verdict, outcome);
    changed = judge_take(&prober->judge, verdict);
    if (changed)
        open_others(prober, clock_boottime());
    prober_arm(prober);
    begin_waiting(probers);
    tell(prober, verdict, outcome);
    if (changed)
        probers->options.changed(probers->options.owner, pod->uid);
}

static void begin(struct prober *prober)
{
    struct probers *probers = prober->of->pod->probers;
    struct probe_order order = {
        .handler = &prober->probe->handler,
        .container = prober->of->container,
        .ip = prober->of->pod->ip,
        .container_id = prober->of->id,
        .timeout = prober->timing.timeout,
        .close = prober->of->pod->close,
    };

    list_unlink(&prober->queue);
    probers->took[prober->took]++;
    if (!probers->in_flight++)
        beat(probers);
    prober->began = clock_boottime();
    prober->held_up = held_up(probers);
    judge_begin(&prober->judge, prober->began);
    prober->attempt =
        probe_attempt_begin(probers->options.engine, &order, false, on_outcome, prober);
    prober->lag += usec_sub(clock_boottime(), prober->began);
}

/* the object */

void prober_init(struct prober *prober)
{
    list_init(&prober->queue);
    wheel_timer_init(&prober->timer, on_tick);
}

void turns_init(struct probers *probers)
{
    for (enum prober_queue queue = 0; queue < QUEUES; queue++)
        list_init(&probers->queues[queue]);
    wheel_timer_init(&probers->pulse, on_pulse);
}
