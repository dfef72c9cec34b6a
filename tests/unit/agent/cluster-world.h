/* A member of a cluster without one: the test is the clock, the pool and the rest of the agent. */
#pragma once

#include "root-fixture.h"

#include "cluster-private.h"
#include "cluster.h"
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"

struct world {
    struct root *root;
    usec_t now;
    int64_t wall;
    struct config config;
    struct agent agent;
    struct cluster cluster;
    bool complete;
    const char *trouble;
    struct work_order order; /* without a function: no job waits */
    unsigned jobs;
    struct strbuf logged;
};

static struct world world;

usec_t clock_boottime(void)
{
    return world.now;
}

usec_t clock_wall(void)
{
    return (usec_t)world.wall;
}

bool cluster_is_complete(const struct cluster *cluster)
{
    return world.complete;
}

bool log_enabled(enum log_level level)
{
    return true;
}

void log_write(enum log_level level, const struct log_site *site, const struct log_field *fields,
               const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    strbuf_vprintf(&world.logged, format, arguments);
    strbuf_add_char(&world.logged, '\n');
    va_end(arguments);
}

void log_write_failure(enum log_level level, const struct log_site *site,
                       const struct log_field *fields, const struct err *err)
{
    strbuf_printf(&world.logged, "%s\n", err->text);
}

/* one job at a time */

int work_submit(struct work *work, const struct work_order *order, struct work_job **job,
                struct err *err)
{
    assert_null(world.order.run);
    world.order = *order;
    world.jobs++;
    if (job)
        *job = (struct work_job *)&world.order;
    return 0;
}

static inline void end_job(bool run)
{
    struct work_order order = world.order;
    int result = run ? order.run(order.argument) : -ECANCELED;

    world.order.run = NULL;
    order.done(order.owner, run ? order.argument : NULL, result);
    order.free(order.argument);
}

void work_cancel(struct work_job *job)
{
    end_job(false);
}

/* It was waited for. */
static inline void run_job(void)
{
    assert_non_null(world.order.run);
    end_job(true);
}

static inline void assert_no_job(void)
{
    assert_null(world.order.run);
}

static inline void pass(usec_t duration)
{
    struct wheel_timer *timer;

    world.now += duration;
    world.wall += (int64_t)duration;
    while ((timer = wheel_pop(world.agent.parts.wheel, world.now)))
        timer->fire(timer);
}

static inline int begin_world(void **state)
{
    set_up(state);
    world = (struct world){
        .root = *state,
        .now = 1000 * USEC_PER_SEC,
        .wall = INT64_C(1767323045) * 1000000, /* 2026-01-02T03:04:05Z */
        .config =
            {
                .node_name = "n",
                .checkpoint = true,
                .checkpoint_max_age = 100 * 3600 * USEC_PER_SEC,
                .checkpoint_wait = 10 * USEC_PER_SEC,
            },
    };
    world.agent.config = &world.config;
    world.agent.parts.wheel = wheel_new(world.now);
    world.agent.directories.root = open(world.root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    world.agent.cluster = &world.cluster;
    world.cluster.agent = &world.agent;
    return 0;
}

static inline int end_world(void **state)
{
    assert_no_job();
    assert_true(wheel_next(world.agent.parts.wheel) == USEC_NEVER);
    wheel_free(world.agent.parts.wheel);
    fd_close_at(&world.agent.directories.root);
    strbuf_deinit(&world.logged);
    return tear_down(state);
}

/* Objects in short JSON. */
static inline struct object *object_from(const char *text)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    char *copy = arena_strdup(&arena, text);
    struct json_findings findings;
    struct object *object;
    struct report report;
    struct json *document;
    struct err err;

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    if (json_parse(&arena, copy, strlen(copy), &json_limits_manifest, &findings, &document, &err) <
        0)
        fail_msg("%s", err.text);
    report_init(&report, document);
    object = object_decode(document, OBJECT_DROP_RAW, &report);
    report_deinit(&report);
    assert_non_null(object);
    return object;
}

#define SECRET_OF(version)                                                                         \
    "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'keys','namespace':'a','uid':'s',"      \
    "'resourceVersion':'" version "'}}"
#define POD_OF(name, more, status)                                                                 \
    "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'" name "','namespace':'a','uid':'" name   \
    "'" more "},'spec':{'nodeName':'n','containers':[{'name':'c','image':'i'}],'volumes':["        \
    "{'name':'keys','secret':{'secretName':'keys'}}]},'status':{'phase':'" status "'}}"
