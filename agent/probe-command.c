/*
 * nodeagentd probe: the attempts of an order, one at a time, each probe's a period apart.
 *
 *     order ─► due ─► attempt ─► verdict ─► told ─► due, or the end
 */
#include "probe-command.h"
#include "probe-exec.h"
#include "probing.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/cri/client.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session {
    struct errand errand;
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct rpc *rpc;
    struct probe_runtime runtime;
    struct probe_engine *engine;
    struct loop_source *signals[2];
    struct wheel_timer timer;
    struct probe_attempt *attempt;
    struct errand_probe *current;
    usec_t began;
    bool colours;
    bool told; /* something was */
    enum probe_exit code;
};

/* verdicts */

enum probe_exit probe_exit_of(enum probe_verdict verdict)
{
    if (probe_succeeded(verdict))
        return PROBE_EXIT_GOOD;
    return probe_failed(verdict) ? PROBE_EXIT_FAILED : PROBE_EXIT_UNABLE;
}

enum probe_exit probe_exit_worse(enum probe_exit a, enum probe_exit b)
{
    static const int ranks[] = {
        [PROBE_EXIT_GOOD] = 0,
        [PROBE_EXIT_FAILED] = 1,
        [PROBE_EXIT_UNABLE] = 2,
        [PROBE_EXIT_USAGE] = 3,
    };

    return ranks[a] > ranks[b] ? a : b;
}

static void tell(struct session *session, const struct probe_outcome *outcome)
{
    struct errand_probe *probe = session->current;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    bool again = probe->attempts && probe->last == outcome->verdict &&
                 str_equal(probe->last_text, outcome->text);
    struct errand_report report;

    probe->attempts++;
    errand_report(&report, probe, outcome, &arena);
    if (session->told && !again && !session->errand.json)
        strbuf_add_char(&out, '\n');
    if (session->errand.json)
        errand_write(&report, &out);
    else
        errand_tell(&report, again, session->colours, &out);
    fwrite(out.text, 1, out.length, stdout);
    fflush(stdout);
    session->told = true;
    probe->last = outcome->verdict;
    free(probe->last_text);
    probe->last_text = mem_strdup(outcome->text);
}

/* attempts */

/* Of those that are not through: the one that is due first. */
static struct errand_probe *next_probe(const struct errand *errand)
{
    struct errand_probe *next = NULL;

    array_for_each (probe, errand->probes)
        if ((!errand->count || probe->attempts < errand->count) &&
            (!next || probe->due < next->due))
            next = probe;
    return next;
}

static void go_on(struct session *session)
{
    session->current = next_probe(&session->errand);
    if (!session->current || ferror(stdout))
        loop_stop(session->loop, 0);
    else
        wheel_arm(session->wheel, &session->timer, session->current->due);
}

static void on_outcome(void *owner, const struct probe_outcome *outcome)
{
    struct session *session = owner;

    session->attempt = NULL;
    session->code = probe_exit_worse(session->code, probe_exit_of(outcome->verdict));
    session->current->due = usec_add(session->began, session->current->timing.period);
    tell(session, outcome);
    go_on(session);
}

static void on_due(struct wheel_timer *timer)
{
    struct session *session = container_of(timer, struct session, timer);
    const struct errand_probe *probe = session->current;
    const struct pod_status *status = &session->errand.pod->status;
    struct probe_order order = {
        .handler = &probe->probe->handler,
        .container = probe->container,
        .ip = status->pod_ips.count ? status->pod_ips.items[0].ip : status->pod_ip,
        .container_id = probe->container_id,
        .timeout = probe->timing.timeout,
        .close = session->errand.close,
    };

    session->began = clock_boottime();
    session->attempt = probe_attempt_begin(session->engine, &order, true, on_outcome, session);
}

static void on_signal(void *owner, int signal)
{
    struct session *session = owner;

    /* Nothing came of it. */
    if (!session->told)
        session->code = PROBE_EXIT_UNABLE;
    loop_stop(session->loop, 0);
}

/* parts */

static int open_runtime(struct session *session, struct err *err)
{
    int r = rpc_new(&session->rpc, session->loop, err);

    session->runtime.wheel = session->wheel;
    return r < 0 ? r
                 : cri_new(&session->runtime.cri, session->rpc, session->errand.runtime_endpoint,
                           NULL, err);
}

static int watch_signals(struct session *session, struct err *err)
{
    static const int watched[] = {SIGTERM, SIGINT};
    int r = 0;

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < array_size(watched) && r == 0; i++)
        r = loop_watch_signal(session->loop, &session->signals[i], LOOP_COMPLETIONS, watched[i],
                              on_signal, session, err);
    return r;
}

static int open_session(struct session *session, struct err *err)
{
    struct probe_engine_options options = {
        .user_agent = PROBE_USER_AGENT,
        .attempts_max = 1,
    };
    int r = loop_new(&session->loop, err);

    if (r < 0)
        return r;
    session->wheel = wheel_new(clock_boottime());
    r = wheel_driver_new(&session->driver, session->wheel, session->loop, err);
    if (r == 0)
        r = watch_signals(session, err);
    if (r == 0)
        r = work_new(&session->work, session->loop, session->wheel, err);
    if (r == 0 && errand_needs_runtime(&session->errand)) {
        r = open_runtime(session, err);
        options.exec = probe_exec_of(&session->runtime);
    }
    options.loop = session->loop;
    options.wheel = session->wheel;
    options.work = session->work;
    return r < 0 ? r : probe_engine_new(&session->engine, &options, err);
}

static void close_session(struct session *session)
{
    if (session->attempt)
        probe_attempt_cancel(session->attempt);
    wheel_cancel(&session->timer);
    probe_engine_free(session->engine);
    cri_free(session->runtime.cri);
    rpc_free(session->rpc);
    if (session->work)
        work_free(session->work);
    for (size_t i = 0; i < array_size(session->signals); i++)
        if (session->signals[i])
            loop_source_free(session->signals[i]);
    if (session->driver)
        wheel_driver_free(session->driver);
    if (session->wheel)
        wheel_free(session->wheel);
    if (session->loop)
        loop_free(session->loop);
    errand_deinit(&session->errand);
}

/* the order */

static int read_order(struct errand *errand, int fd, struct err *err)
{
    static const struct json_limits limits = {PROBE_ORDER_BYTES_MAX, PROBE_ORDER_NODES_MAX, NULL};
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    _cleanup_(mem_free_at) struct json_findings *findings = mem_new(struct json_findings);
    char chunk[4096];
    struct json *order;
    ssize_t length;

    while ((length = read(fd, chunk, sizeof(chunk))) > 0 && text.length <= PROBE_ORDER_BYTES_MAX)
        strbuf_add_bytes(&text, chunk, (size_t)length);
    if (length < 0)
        return err_set(err, -errno, "the order cannot be read: %m");
    if (json_parse(&arena, text.text ? text.text : "", text.length, &limits, findings, &order,
                   err) < 0)
        return err_prefix(err, "the order cannot be read");
    return errand_read(errand, order, clock_boottime(), err);
}

static bool wants_colours(void)
{
    const char *terminal = getenv("TERM");

    return isatty(STDOUT_FILENO) && !str_equal(terminal, "dumb") && str_empty(getenv("NO_COLOR"));
}

static int complain(const char *sentence, enum probe_exit code)
{
    fprintf(stderr, "nodeagent probe: %s\n", sentence);
    return code;
}

int probe_command(int argc, char **argv)
{
    struct session session = {.colours = wants_colours()};
    int64_t fd;
    struct err err;
    int r;

    if (argc != 2 || str_to_i64(argv[1], &fd) < 0 || fd <= STDERR_FILENO || fd > INT32_MAX)
        return complain("this is a part of nodeagent probe, which runs it", PROBE_EXIT_USAGE);
    wheel_timer_init(&session.timer, on_due);
    r = read_order(&session.errand, (int)fd, &err);
    close((int)fd);
    if (r == 0)
        r = open_session(&session, &err);
    if (r == 0) {
        go_on(&session);
        r = loop_run(session.loop, &err);
    }
    close_session(&session);
    if (r < 0)
        return complain(err.text, PROBE_EXIT_UNABLE);
    if (fflush(stdout) != 0 || ferror(stdout))
        return complain("cannot write the output", PROBE_EXIT_UNABLE);
    return session.code;
}
