/* What tests of sys/child share: a helper, running a program to its end, a tmpfs on /srv. */
#pragma once

#include "test.h"

#include "child-helper.h"
#include "child-wire.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PATIENCE_MSEC = 20000, /* for what takes milliseconds on a machine that is not overloaded */
};

#define assert_sentence(result, part) assert_non_null(strstr((result)->err.text, (part)))

/* What a callback was told, kept. */
struct outcome {
    bool done;
    struct child_result result;
    char *out;
    char *errors;
};

static inline void keep(void *userdata, const struct child_result *result)
{
    struct outcome *outcome = userdata;

    assert_false(outcome->done);
    outcome->done = true;
    outcome->result = *result;
    outcome->out = mem_strndup(result->out.bytes, result->out.length);
    outcome->errors = mem_strndup(result->errors.bytes, result->errors.length);
}

static inline void outcome_deinit(struct outcome *outcome)
{
    free(outcome->out);
    free(outcome->errors);
    *outcome = (struct outcome){0};
}

static inline int dispatch_once(struct child_helper *helper, struct err *err)
{
    struct pollfd polled = {.fd = child_helper_fd(helper), .events = POLLIN};

    assert_int_equal(poll(&polled, 1, PATIENCE_MSEC), 1);
    return child_helper_dispatch(helper, err);
}

static inline void wait_for(struct child_helper *helper, const bool *done)
{
    while (!*done)
        assert_int_equal(dispatch_once(helper, NULL), 0);
}

static inline struct child_request request_for(const char *const *argv)
{
    return (struct child_request){
        .argv = argv,
        .timeout = 60 * USEC_PER_SEC,
        .stdout_max = 4096,
        .stderr_max = 4096,
    };
}

static inline void run(struct child_helper *helper, const struct child_request *request,
                       struct outcome *outcome)
{
    outcome_deinit(outcome);
    assert_int_equal(child_spawn(helper, request, keep, outcome, NULL, NULL), 0);
    wait_for(helper, &outcome->done);
}

#define SHELL(script) ((const char *const[]){"/bin/sh", "-c", (script), NULL})

static inline void run_shell(struct child_helper *helper, const char *script,
                             struct outcome *outcome)
{
    struct child_request request = request_for(SHELL(script));

    run(helper, &request, outcome);
}

static inline bool gone_in_time(pid_t pid)
{
    for (int i = 0; i < PATIENCE_MSEC; i++) {
        waitpid(pid, NULL, WNOHANG);
        if (kill(pid, 0) < 0 && errno == ESRCH)
            return true;
        usleep(1000);
    }
    return false;
}

static inline pid_t read_pid(const char *path)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    for (int i = 0; i < PATIENCE_MSEC && !text.length; i++) {
        usleep(1000);
        file_read(path, 100, &text, NULL);
    }
    return text.length ? atoi(text.text) : 0;
}

static inline void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static inline int set_up(void **state)
{
    struct child_helper *helper;

    assert_int_equal(mount("tmpfs", "/srv", "tmpfs", 0, "size=1m,mode=755"), 0);
    assert_int_equal(child_helper_start(&helper, NODEAGENT_HELPER, NULL), 0);
    *state = helper;
    return 0;
}

static inline int tear_down(void **state)
{
    child_helper_free(*state);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    return umount2("/srv", MNT_DETACH);
}

/* A hostile start, mounts that nobody else sees, and the orphans of dead helpers. */
static inline void prepare(void)
{
    signal(SIGPIPE, SIG_IGN);
    umask(0077);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0) {
        perror("a mount namespace is needed (root)");
        exit(1);
    }
}

#define with_helper(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
