/*
 * sys/loop and sys/clock over the world's time. The world runs the loop: a post and a timer are a
 * step each. There are no descriptors here, so sources are silent.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "sys.h"

#include <errno.h>
#include <stdlib.h>

struct loop {
    struct list posts;
    struct loop_turns turns;
};

struct loop_source {
    struct loop *loop;
};

struct loop_set {
    struct loop *loop;
};

struct wheel_driver {
    struct loop *loop;
};

/* clocks */

usec_t clock_monotonic(void)
{
    return world_monotonic();
}

usec_t clock_boottime(void)
{
    return world_boottime();
}

usec_t clock_wall(void)
{
    return world_wall();
}

/* the loop */

int loop_new(struct loop **result, struct err *err)
{
    struct loop *loop = mem_new(struct loop);

    list_init(&loop->posts);
    world->life.loop = loop;
    *result = loop;
    return 0;
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    assert_that(list_empty(&loop->posts));
    world->life.loop = NULL;
    free(loop);
    return NULL;
}

int loop_run(struct loop *loop, struct err *err)
{
    return err_set(err, -ENOSYS, "simulation: the world runs the loop");
}

int loop_turn(struct loop *loop, usec_t timeout, struct err *err)
{
    return err_set(err, -ENOSYS, "simulation: the world runs the loop");
}

void loop_stop(struct loop *loop, int code)
{
    violation(INVARIANT_SANE, "the agent gives up, with code %d", code);
}

const struct loop_turns *loop_turns(const struct loop *loop)
{
    return &loop->turns;
}

/* posts */

void loop_post(struct loop *loop, struct loop_post *post)
{
    assert_that(list_empty(&post->link));
    list_push_back(&loop->posts, &post->link);
}

void loop_post_cancel(struct loop *loop, struct loop_post *post)
{
    list_unlink(&post->link);
}

bool loop_has_post(const struct loop *loop)
{
    return loop && !list_empty(&loop->posts);
}

void loop_call_post(struct loop *loop)
{
    struct loop_post *post = list_first(&loop->posts, struct loop_post, link);

    list_unlink(&post->link);
    post->call(post);
}

/* sources */

static struct loop_source *source_new(struct loop *loop)
{
    struct loop_source *source = mem_new(struct loop_source);

    source->loop = loop;
    return source;
}

int loop_watch_fd(struct loop *loop, struct loop_source **result, enum loop_class class, int fd,
                  uint32_t events, loop_fd_fn *call, void *data, struct err *err)
{
    *result = source_new(loop);
    return 0;
}

int loop_change_fd(struct loop_source *source, uint32_t events, struct err *err)
{
    return 0;
}

int loop_watch_signal(struct loop *loop, struct loop_source **result, enum loop_class class,
                      int signal, loop_signal_fn *call, void *data, struct err *err)
{
    *result = source_new(loop);
    return 0;
}

struct loop_source *loop_source_free(struct loop_source *source)
{
    free(source);
    return NULL;
}

int loop_set_new(struct loop_set **result, struct loop *loop, enum loop_class class,
                 struct err *err)
{
    *result = mem_new(struct loop_set);
    (*result)->loop = loop;
    return 0;
}

struct loop_set *loop_set_free(struct loop_set *set)
{
    free(set);
    return NULL;
}

int loop_set_add(struct loop_set *set, struct loop_socket *socket, int fd, uint32_t events,
                 loop_socket_fn *ready, struct err *err)
{
    return err_set(err, -ENOSYS, "simulation: there are no sockets");
}

int loop_set_change(struct loop_socket *socket, uint32_t events, struct err *err)
{
    return err_set(err, -ENOSYS, "simulation: there are no sockets");
}

void loop_set_remove(struct loop_socket *socket)
{
}

/* budgets */

struct loop_budget loop_budget_begin(void)
{
    return (struct loop_budget){.events = LOOP_BUDGET_EVENTS, .until = USEC_NEVER};
}

bool loop_budget_spend(struct loop_budget *budget)
{
    return --budget->events > 0;
}

/* the wheel: the world turns it */

int wheel_driver_new(struct wheel_driver **result, struct wheel *wheel, struct loop *loop,
                     struct err *err)
{
    *result = mem_new(struct wheel_driver);
    (*result)->loop = loop;
    world->life.wheel = wheel;
    return 0;
}

struct wheel_driver *wheel_driver_free(struct wheel_driver *driver)
{
    if (!driver)
        return NULL;
    world->life.wheel = NULL;
    free(driver);
    return NULL;
}
