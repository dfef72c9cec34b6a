/* sys/loop: children, whose ends come through a pidfd. */
#include "test.h"

#include "nodeagent/sys/loop.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int loop_open(void **state)
{
    struct loop *loop;

    assert_int_equal(loop_new(&loop, NULL), 0);
    *state = loop;
    return 0;
}

static int loop_close(void **state)
{
    loop_free(*state);
    return 0;
}

static void child_called(void *data, const siginfo_t *status)
{
    *(siginfo_t *)data = *status;
}

static void test_children_are_reaped(void **state)
{
    struct loop *loop = *state;
    struct loop_source *source;
    siginfo_t status = {0};
    pid_t pid = fork();
    int pidfd;

    if (pid == 0)
        _exit(42);
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    assert_true(pidfd >= 0);
    assert_int_equal(
        loop_watch_child(loop, &source, LOOP_COMPLETIONS, pidfd, child_called, &status, NULL), 0);
    assert_int_equal(loop_turn(loop, 10 * USEC_PER_SEC, NULL), 1);
    assert_int_equal(status.si_pid, pid);
    assert_int_equal(status.si_code, CLD_EXITED);
    assert_int_equal(status.si_status, 42);
    assert_int_equal(loop_turn(loop, 0, NULL), 0); /* it calls once */
    loop_source_free(source);
    close(pidfd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_children_are_reaped, loop_open, loop_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
