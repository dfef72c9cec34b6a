/*
 * Probes, as the agent makes them: its probers on its wheel and loop, of pods that were decoded.
 *
 *     bench-probes load http|tcp|grpc ADDRESS PORT RATE SECONDS
 *     bench-probes idle PROBERS SECONDS
 *     bench-probes watch ADDRESS PORT PROBERS SECONDS
 *
 * `load` has RATE probers with a period of 1 s, spread over the second; what is measured begins a
 * second after the beginning, but for verdicts, which are all counted. `idle` has probers with a
 * period of an hour. Both print `name value unit` lines. `watch` has HTTP probers with a period of
 * 2 s and a port each, from PORT on, and prints each attempt that did not succeed, in microseconds
 * of the boot clock:
 *
 *     attempt PORT TICK BEGAN ENDED VERDICT
 *
 * Attempts are seen where the room writes them down: calls of history_add() come here first.
 */
#include "probe-costs.h"

#include "nodeagent/base/json.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/objects/pod.h"
#include "nodeagent/probes/probers.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"
#include "prober.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WARM_UP_USEC (1 * USEC_PER_SEC)
#define SETTLE_USEC                                                                                \
    (3 * USEC_PER_SEC / 2) /* after the last tick that is measured: a timeout, and more */
#define SAMPLE_USEC (250 * USEC_PER_MSEC)
/* Once, before anything is measured: as many attempts at once as ever will be. What they need is
 * kept for others, and is no growth. */
#define HOLD_UP_USEC (200 * USEC_PER_MSEC)
#define STALL_USEC (1 * USEC_PER_SEC) /* who sees no sample for so long was stopped */
#define LATE_STEP_USEC 100

enum {
    LATE_STEPS = 10000, /* a second; what is later counts there, too */
    EXECS_MAX = 1,
    THIRDS = 3,
    ALLOWED_SECONDS = 1, /* after a stall */
    LOOKED_AT_SECONDS = 2,
    WATCH_PERIOD_SECONDS = 2, /* an attempt that times out is over before the next tick */
};

struct lateness {
    uint64_t count;
    uint64_t steps[LATE_STEPS];
    usec_t longest;
};

struct bench {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct probe_engine *engine;
    struct probers *probers;
    struct object **pods;
    unsigned count; /* of them */
    bool watch;
    bool held_up;
    /* times, of the boot clock */
    usec_t first;   /* tick that is measured */
    usec_t end;     /* ... and those before this */
    usec_t stalled; /* when a stall was over; 0: there was none */
    /* what was seen */
    struct lateness all;
    struct lateness after_stall;
    usec_t recovery; /* after a stall, until the last attempt that it held up */
    uint64_t verdicts[PROBE_VERDICTS];
    struct wheel_timer sampler;
    usec_t sampled;
    int64_t cpu[2];        /* at the first tick, at the end */
    uint64_t memory_third; /* after a third of the time, and at the end */
    uint64_t memory_end;
    uint64_t memory_stall; /* before a stall, and the most after it */
    uint64_t memory_most;
    unsigned descriptors[THIRDS]; /* the fewest in each third of the time */
    unsigned time_wait_most;
};

/* each attempt */

void __real_history_add(struct history *history, const struct history_entry *entry);
void __wrap_history_add(struct history *history, const struct history_entry *entry);

static void lateness_add(struct lateness *lateness, usec_t late)
{
    lateness->count++;
    lateness->steps[MIN(late / LATE_STEP_USEC, (usec_t)LATE_STEPS - 1)]++;
    lateness->longest = MAX(lateness->longest, late);
}

/* In milliseconds: the end of the step that it is in. */
static double lateness_of(const struct lateness *lateness, double share)
{
    uint64_t sum = 0;
    unsigned step = 0;

    while (step < LATE_STEPS &&
           (double)(sum += lateness->steps[step]) < share * (double)lateness->count)
        step++;
    return (step + 1) * (double)LATE_STEP_USEC / USEC_PER_MSEC;
}

static void take_after_stall(struct bench *bench, const struct history_entry *entry, usec_t tick)
{
    usec_t from = bench->stalled + ALLOWED_SECONDS * USEC_PER_SEC;

    if (tick < from && entry->late > LOOP_LATE_USEC)
        bench->recovery = MAX(bench->recovery, usec_sub(entry->began, bench->stalled));
    if (tick >= from && tick < from + LOOKED_AT_SECONDS * USEC_PER_SEC)
        lateness_add(&bench->after_stall, entry->late);
}

static void print_attempt(const struct prober *prober, const struct history_entry *entry)
{
    printf("attempt %d %llu %llu %llu %s\n", prober->probe->handler.http_get->port.number,
           (unsigned long long)(entry->began - entry->late), (unsigned long long)entry->began,
           (unsigned long long)(entry->began + entry->ended), probe_verdict_name(entry->verdict));
}

void __wrap_history_add(struct history *history, const struct history_entry *entry)
{
    const struct prober *prober = container_of(history, struct prober, history);
    struct bench *bench = prober->of->pod->probers->options.owner;
    usec_t tick = entry->began - entry->late;

    bench->verdicts[entry->verdict]++;
    if (tick >= bench->first && tick < bench->end)
        lateness_add(&bench->all, entry->late);
    if (bench->stalled)
        take_after_stall(bench, entry, tick);
    if (bench->watch && !probe_succeeded(entry->verdict))
        print_attempt(prober, entry);
    __real_history_add(history, entry);
}

/* samples */

static void sample_stall(struct bench *bench, usec_t now)
{
    if (now > bench->sampled + STALL_USEC) {
        bench->stalled = now;
        bench->memory_stall = bench->memory_end;
    }
    bench->memory_end = costs_memory();
    if (bench->stalled)
        bench->memory_most = MAX(bench->memory_most, bench->memory_end);
}

static void sample_in_time(struct bench *bench, usec_t now)
{
    usec_t third = (bench->end - bench->first) / THIRDS;
    unsigned at = (unsigned)MIN((now - bench->first) / third, THIRDS - 1U);
    unsigned descriptors = costs_descriptors();

    if (!bench->cpu[0])
        bench->cpu[0] = costs_cpu();
    if (!bench->descriptors[at] || descriptors < bench->descriptors[at])
        bench->descriptors[at] = descriptors;
    if (at == 1 && !bench->memory_third)
        bench->memory_third = bench->memory_end;
    bench->time_wait_most = MAX(bench->time_wait_most, costs_time_wait());
}

static void on_sample(struct wheel_timer *timer)
{
    struct bench *bench = container_of(timer, struct bench, sampler);
    usec_t now = clock_boottime();

    if (now >= bench->end && !bench->cpu[1])
        bench->cpu[1] = costs_cpu();
    if (now >= bench->end + SETTLE_USEC) {
        loop_stop(bench->loop, 0);
        return;
    }
    sample_stall(bench, now);
    if (!bench->held_up && now + WARM_UP_USEC / 2 >= bench->first) {
        bench->held_up = true;
        usleep(HOLD_UP_USEC);
    }
    if (now >= bench->first && now < bench->end)
        sample_in_time(bench, now);
    bench->sampled = now;
    wheel_arm(bench->wheel, timer, now + SAMPLE_USEC);
}

/* pods */

struct plan {
    const char *kind; /* "http", "tcp", "grpc" */
    const char *ip;
    unsigned port;
    bool port_each;
    unsigned period_seconds;
};

static char *document(const struct plan *plan, unsigned number)
{
    unsigned port = plan->port + (plan->port_each ? number : 0);
    char handler[128];

    if (!strcmp(plan->kind, "http"))
        snprintf(handler, sizeof(handler), "\"httpGet\":{\"path\":\"/ready\",\"port\":%u}", port);
    else
        snprintf(handler, sizeof(handler), "\"%s\":{\"port\":%u}",
                 strcmp(plan->kind, "tcp") ? "grpc" : "tcpSocket", port);
    return mem_printf("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"pod-%u\","
                      "\"namespace\":\"default\",\"uid\":\"10000000-0000-4000-8000-%012u\"},"
                      "\"spec\":{\"containers\":[{\"name\":\"main\",\"image\":\"main:1\","
                      "\"readinessProbe\":{%s,\"periodSeconds\":%u,\"timeoutSeconds\":1}}]}}",
                      number, number, handler, plan->period_seconds);
}

static struct object *decode(const char *text)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings *findings = mem_new(struct json_findings);
    struct object *object;
    struct report report;
    struct json *root;

    assert_that(
        json_parse(&arena, text, strlen(text), &json_limits_manifest, findings, &root, NULL) == 0);
    report_init(&report, root);
    object = object_decode(root, OBJECT_DROP_RAW, &report);
    assert_that(object);
    report_deinit(&report);
    arena_deinit(&arena);
    free(findings);
    return object;
}

static void make_pods(struct bench *bench, const struct plan *plan, unsigned count)
{
    bench->pods = mem_zalloc(count * sizeof(struct object *));
    bench->count = count;
    for (unsigned i = 0; i < count; i++) {
        char *text = document(plan, i);

        bench->pods[i] = decode(text);
        free(text);
    }
}

/* Its container started at a point of the boot clock; a result is remembered of those that did
 * not start just now. */
static void probe_pod(struct bench *bench, const char *ip, unsigned number, usec_t started,
                      enum probe_result result)
{
    struct object *object = bench->pods[number];
    char id[96];
    struct probed_container container = {
        .container = pod_of(object)->spec.containers.items,
        .id = id,
        .started = started,
        .results = {[PROBE_READINESS] = result},
    };
    struct probed_pod pod = {
        .uid = object->metadata.uid,
        .object = object,
        .ip = ip,
        .containers = {.items = &container, .count = 1},
    };

    snprintf(id, sizeof(id), "containerd://%064u", number);
    probers_set(bench->probers, &pod);
}

/* the rooms */

static void on_change(void *owner, const char *uid)
{
}

static void on_event(void *owner, const char *uid, const char *container, bool warning,
                     const char *reason, const char *message)
{
}

static void bench_free(struct bench *bench)
{
    probers_free(bench->probers);
    probe_engine_free(bench->engine);
    work_free(bench->work);
    wheel_driver_free(bench->driver);
    wheel_free(bench->wheel);
    loop_free(bench->loop);
    for (unsigned i = 0; i < bench->count; i++)
        object_unref(bench->pods[i]);
    free(bench->pods);
    free(bench);
}

static int bench_open(struct bench *bench, struct err *err)
{
    struct probe_engine_options engine = {
        .user_agent = "kube-probe/1.36",
        .attempts_max = PROBE_ATTEMPTS_MAX,
    };
    struct probers_options probers = {
        .execs_max = EXECS_MAX,
        .owner = bench,
        .changed = on_change,
        .event = on_event,
    };
    int r = loop_new(&bench->loop, err);

    bench->wheel = wheel_new(clock_boottime());
    if (r == 0)
        r = wheel_driver_new(&bench->driver, bench->wheel, bench->loop, err);
    if (r == 0)
        r = work_new(&bench->work, bench->loop, bench->wheel, err);
    engine.loop = bench->loop;
    engine.wheel = probers.wheel = bench->wheel;
    engine.work = bench->work;
    if (r == 0)
        r = probe_engine_new(&bench->engine, &engine, err);
    if (r < 0)
        return r;
    probers.engine = bench->engine;
    bench->probers = probers_new(&probers);
    wheel_timer_init(&bench->sampler, on_sample);
    return 0;
}

static int bench_run(struct bench *bench, usec_t first, unsigned seconds, struct err *err)
{
    bench->first = first;
    bench->end = first + seconds * USEC_PER_SEC;
    bench->sampled = first;
    bench->memory_end = costs_memory();
    wheel_arm(bench->wheel, &bench->sampler, first);
    return loop_run(bench->loop, err);
}

/* load */

static void print_verdicts(const struct bench *bench)
{
    uint64_t failures = 0;

    for (enum probe_verdict verdict = 0; verdict < PROBE_VERDICTS; verdict++)
        failures += probe_failed(verdict) ? bench->verdicts[verdict] : 0;
    printf("failures %llu attempts\n", (unsigned long long)failures);
    printf("agent-late %llu attempts\n", (unsigned long long)bench->verdicts[PROBE_AGENT_LATE]);
    printf("errored %llu attempts\n", (unsigned long long)bench->verdicts[PROBE_ERRORED]);
}

static void print_stall(const struct bench *bench)
{
    printf("stall-late-p99 %.2f ms\n", lateness_of(&bench->after_stall, 0.99));
    printf("stall-recovery %.0f ms\n", (double)bench->recovery / USEC_PER_MSEC);
    printf("stall-memory %.0f KiB\n",
           (double)(int64_t)(bench->memory_most - bench->memory_stall) / 1024);
}

static void print_load(const struct bench *bench, unsigned rate, unsigned seconds)
{
    const struct lateness *all = &bench->all;

    printf("cpu %.3f us\n", (double)(bench->cpu[1] - bench->cpu[0]) / (double)all->count);
    printf("count %llu attempts\n", (unsigned long long)all->count);
    printf("missed %.3f %%\n", 100 - 100.0 * (double)all->count / (rate * seconds));
    printf("late-p50 %.2f ms\n", lateness_of(all, 0.5));
    printf("late-p99 %.2f ms\n", lateness_of(all, 0.99));
    printf("late-longest %.2f ms\n", (double)all->longest / USEC_PER_MSEC);
    print_verdicts(bench);
    printf("descriptors %d more\n", (int)(bench->descriptors[THIRDS - 1] - bench->descriptors[0]));
    printf("time-wait %u sockets\n", bench->time_wait_most);
    printf("memory %.0f KiB\n", (double)(int64_t)(bench->memory_end - bench->memory_third) / 1024);
    printf("turn-longest %.2f ms\n", (double)loop_turns(bench->loop)->longest / USEC_PER_MSEC);
    if (bench->stalled)
        print_stall(bench);
}

static int load(struct bench *bench, char **arguments, struct err *err)
{
    struct plan plan = {
        .kind = arguments[0],
        .ip = arguments[1],
        .port = (unsigned)atoi(arguments[2]),
        .period_seconds = 1,
    };
    unsigned rate = (unsigned)atoi(arguments[3]), seconds = (unsigned)atoi(arguments[4]);
    usec_t begin;
    int r;

    make_pods(bench, &plan, rate);
    begin = clock_boottime() + USEC_PER_SEC;
    for (unsigned i = 0; i < rate; i++)
        probe_pod(bench, plan.ip, i, begin + i * USEC_PER_SEC / rate, PROBE_UNDECIDED);
    r = bench_run(bench, begin + WARM_UP_USEC, seconds, err);
    if (r == 0)
        print_load(bench, rate, seconds);
    return r;
}

/* idle */

static int idle(struct bench *bench, char **arguments, struct err *err)
{
    static const struct plan plan = {
        .kind = "http", .ip = "127.0.0.1", .port = 9, .period_seconds = 3600};
    unsigned count = (unsigned)atoi(arguments[0]), seconds = (unsigned)atoi(arguments[1]);
    usec_t period = plan.period_seconds * USEC_PER_SEC, now;
    uint64_t before, after;
    int r;

    make_pods(bench, &plan, count);
    before = costs_memory();
    now = clock_boottime();
    for (unsigned i = 0; i < count; i++)
        probe_pod(bench, plan.ip, i, now - i * (period / count), PROBE_PASSED);
    after = costs_memory();
    r = bench_run(bench, clock_boottime() + WARM_UP_USEC, seconds, err);
    if (r < 0)
        return r;
    printf("idle-cpu %.3f %%\n", (double)(bench->cpu[1] - bench->cpu[0]) / 1e4 / seconds);
    printf("idle-memory %.0f bytes\n", (double)(after - before) / count);
    return 0;
}

/* watch */

static int watch(struct bench *bench, char **arguments, struct err *err)
{
    struct plan plan = {
        .kind = "http",
        .ip = arguments[0],
        .port = (unsigned)atoi(arguments[1]),
        .port_each = true,
        .period_seconds = WATCH_PERIOD_SECONDS,
    };
    unsigned count = (unsigned)atoi(arguments[2]), seconds = (unsigned)atoi(arguments[3]);
    usec_t begin;
    int r;

    bench->watch = true;
    make_pods(bench, &plan, count);
    begin = clock_boottime() + USEC_PER_SEC;
    for (unsigned i = 0; i < count; i++)
        probe_pod(bench, plan.ip, i, begin + i * plan.period_seconds * USEC_PER_SEC / count,
                  PROBE_UNDECIDED);
    r = bench_run(bench, begin, seconds, err);
    if (r < 0)
        return r;
    printf("successes %llu attempts\n", (unsigned long long)bench->verdicts[PROBE_SUCCESS]);
    print_verdicts(bench);
    printf("late-p99 %.2f ms\n", lateness_of(&bench->all, 0.99));
    printf("late-longest %.2f ms\n", (double)bench->all.longest / USEC_PER_MSEC);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int arguments;
        int (*run)(struct bench *bench, char **arguments, struct err *err);
    } modes[] = {{"load", 5, load}, {"idle", 2, idle}, {"watch", 4, watch}};

    signal(SIGPIPE, SIG_IGN);
    costs_allow_descriptors();
    for (size_t i = 0; argc > 1 && i < array_size(modes); i++) {
        struct bench *bench;
        struct err err;
        int r;

        if (strcmp(argv[1], modes[i].name) || argc != 2 + modes[i].arguments)
            continue;
        bench = mem_new(struct bench);
        memset(&bench->all, 0, sizeof(bench->all)); /* its pages are there from now on */
        r = bench_open(bench, &err);
        if (r == 0)
            r = modes[i].run(bench, argv + 2, &err);
        if (r < 0)
            fprintf(stderr, "bench-probes: %s\n", err.text);
        bench_free(bench);
        return r < 0;
    }
    fprintf(stderr, "usage: bench-probes load|idle|watch ARGUMENT... (see its source)\n");
    return 2;
}
