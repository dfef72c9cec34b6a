/*
 * A machine for tests of credentials: a real loop, pool and helper, and clocks that the test moves.
 * Programs and files are on a tmpfs on /srv that nobody else sees; only what root alone can change
 * is run.
 */
#pragma once

#include "kubeconfig-place.h"

#include "nodeagent/sys/child.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE (20 * USEC_PER_SEC)

static usec_t skipped; /* by both clocks that deadlines are told in */

static usec_t read_clock(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

usec_t clock_boottime(void)
{
    return read_clock(CLOCK_BOOTTIME) + skipped;
}

usec_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME) + skipped;
}

usec_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

struct machine {
    struct place place;
    struct loop *loop;
    struct wheel *wheel;
    struct work *work;
    struct child_helper *helper;
    struct loop_source *helper_source;
};

static inline void on_helper(void *data, int fd, uint32_t events)
{
    struct machine *machine = data;

    assert_int_equal(child_helper_dispatch(machine->helper, NULL), 0);
}

static inline int machine_up(void **state)
{
    struct machine *machine = mem_new(struct machine);
    struct place *place;

    assert_int_equal(mount("tmpfs", "/srv", "tmpfs", 0, "size=8m,mode=755"), 0);
    assert_int_equal(set_up((void **)&place), 0);
    machine->place = *place;
    machine->place.options.path = machine->place.path;
    free(place);
    skipped = 0;
    machine->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&machine->loop, NULL), 0);
    assert_int_equal(work_new(&machine->work, machine->loop, machine->wheel, NULL), 0);
    assert_int_equal(child_helper_start(&machine->helper, NODEAGENT_HELPER, NULL), 0);
    assert_int_equal(loop_watch_fd(machine->loop, &machine->helper_source, LOOP_COMPLETIONS,
                                   child_helper_fd(machine->helper), EPOLLIN, on_helper, machine,
                                   NULL),
                     0);
    *state = machine;
    return 0;
}

static inline int machine_down(void **state)
{
    struct machine *machine = *state;
    struct place *place = mem_new(struct place);

    loop_source_free(machine->helper_source);
    child_helper_free(machine->helper);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    work_free(machine->work);
    wheel_free(machine->wheel);
    loop_free(machine->loop);
    *place = machine->place;
    free(machine);
    assert_int_equal(tear_down((void **)&place), 0);
    return umount2("/srv", MNT_DETACH);
}

/* One turn of the loop, and the timers that are due. */
static inline void turn(struct machine *machine, usec_t timeout)
{
    struct wheel_timer *timer;

    assert_true(loop_turn(machine->loop, timeout, NULL) >= 0);
    while ((timer = wheel_pop(machine->wheel, clock_boottime())))
        timer->fire(timer);
}

#define turn_until(machine, condition)                                                             \
    do {                                                                                           \
        usec_t patience_ends = clock_monotonic() + PATIENCE;                                       \
                                                                                                   \
        while (!(condition)) {                                                                     \
            assert_true(clock_monotonic() < patience_ends);                                        \
            turn(machine, 10 * USEC_PER_MSEC);                                                     \
        }                                                                                          \
    } while (0)

/* For what must not happen. */
static inline void turn_for(struct machine *machine, usec_t duration)
{
    usec_t ends = clock_monotonic() + duration;

    while (clock_monotonic() < ends)
        turn(machine, 10 * USEC_PER_MSEC);
}

/* What is due then is done: the wheel goes by whole milliseconds. */
static inline void pass(struct machine *machine, usec_t duration)
{
    skipped += duration;
    usleep(2000);
    turn(machine, 0);
}

/* A script on /srv, whole at any time. */
static inline void write_program(const char *name, const char *script)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "/srv/%s", name);
    snprintf(temporary, sizeof(temporary), "/srv/.%s", name);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0755), 0);
    dprintf(fd, "#!/bin/sh\n%s\n", script);
    close(fd);
    assert_int_equal(rename(temporary, path), 0);
}

static inline char *read_srv(const char *name)
{
    struct strbuf text = STRBUF_INIT;
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "/srv/%s", name);
    assert_int_equal(file_read(path, 1 << 20, &text, NULL), 0);
    return strbuf_take(&text);
}

static inline void prepare(void)
{
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0) {
        perror("a mount namespace is needed (root)");
        exit(1);
    }
}

#define on_machine(name) cmocka_unit_test_setup_teardown(name, machine_up, machine_down)
