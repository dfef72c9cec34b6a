/*
 * sys/child: a real helper, real programs. What must lie in directories of root's lies on a tmpfs
 * on /srv, in a mount namespace of this program's own.
 */
#include "test.h"

#include "child-helper.h"
#include "child-wire.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/files.h"
#include "now.h"

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

static void keep(void *userdata, const struct child_result *result)
{
    struct outcome *outcome = userdata;

    assert_false(outcome->done);
    outcome->done = true;
    outcome->result = *result;
    outcome->out = mem_strndup(result->out.bytes, result->out.length);
    outcome->errors = mem_strndup(result->errors.bytes, result->errors.length);
}

static void outcome_deinit(struct outcome *outcome)
{
    free(outcome->out);
    free(outcome->errors);
    *outcome = (struct outcome){0};
}

static int dispatch_once(struct child_helper *helper, struct err *err)
{
    struct pollfd polled = {.fd = child_helper_fd(helper), .events = POLLIN};

    assert_int_equal(poll(&polled, 1, PATIENCE_MSEC), 1);
    return child_helper_dispatch(helper, err);
}

static void wait_for(struct child_helper *helper, const bool *done)
{
    while (!*done)
        assert_int_equal(dispatch_once(helper, NULL), 0);
}

static struct child_request request_for(const char *const *argv)
{
    return (struct child_request){
        .argv = argv,
        .timeout = 60 * USEC_PER_SEC,
        .stdout_max = 4096,
        .stderr_max = 4096,
    };
}

static void run(struct child_helper *helper, const struct child_request *request,
                struct outcome *outcome)
{
    outcome_deinit(outcome);
    assert_int_equal(child_spawn(helper, request, keep, outcome, NULL, NULL), 0);
    wait_for(helper, &outcome->done);
}

#define SHELL(script) ((const char *const[]){"/bin/sh", "-c", (script), NULL})

static void run_shell(struct child_helper *helper, const char *script, struct outcome *outcome)
{
    struct child_request request = request_for(SHELL(script));

    run(helper, &request, outcome);
}

static bool gone_in_time(pid_t pid)
{
    for (int i = 0; i < PATIENCE_MSEC; i++) {
        waitpid(pid, NULL, WNOHANG);
        if (kill(pid, 0) < 0 && errno == ESRCH)
            return true;
        usleep(1000);
    }
    return false;
}

static pid_t read_pid(const char *path)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    for (int i = 0; i < PATIENCE_MSEC && !text.length; i++) {
        usleep(1000);
        file_read(path, 100, &text, NULL);
    }
    return text.length ? atoi(text.text) : 0;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

/* It ends a process whose exec fails, and keeps its own count of descriptors. */
static bool on_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "vgpreload");
}

static int set_up(void **state)
{
    struct child_helper *helper;

    assert_int_equal(mount("tmpfs", "/srv", "tmpfs", 0, "size=1m,mode=755"), 0);
    assert_int_equal(child_helper_start(&helper, NULL), 0);
    *state = helper;
    return 0;
}

static int tear_down(void **state)
{
    child_helper_free(*state);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    return umount2("/srv", MNT_DETACH);
}

/* what a program gets */

static void test_nothing_is_inherited(void **state)
{
    const char *const argv[] = {"/usr/bin/env", NULL};
    const char *const environment[] = {"A=1", "B=two words", NULL};
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(argv);

    setenv("SECRET", "x", 1);
    run(*state, &request, &outcome);
    assert_string_equal(outcome.out, "");
    request.environment = environment;
    run(*state, &request, &outcome);
    assert_string_equal(outcome.out, "A=1\nB=two words\n");
    assert_int_equal(outcome.result.outcome, CHILD_EXITED);
    assert_int_equal(outcome.result.status, 0);
    assert_int_equal(outcome.result.err.code, 0);
    assert_true(outcome.result.pid > 0);
    assert_true(outcome.result.wall_usec > 0);
}

static void test_no_descriptor_signal_or_umask_is_inherited(void **state)
{
    const char *const list[] = {"/bin/ls", "/proc/self/fd", NULL};
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(list);

    run(*state, &request, &outcome);
    /* The fourth is the directory that ls itself reads. */
    assert_string_equal(outcome.out, "0\n1\n2\n3\n");
    run_shell(*state, "umask; grep -E 'Sig(Blk|Ign)' /proc/self/status", &outcome);
    assert_string_equal(outcome.out,
                        "0022\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void test_runs_in_its_directory(void **state)
{
    const char *const argv[] = {"/bin/pwd", NULL};
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(argv);

    run(*state, &request, &outcome);
    assert_string_equal(outcome.out, "/\n");
    request.directory = "/usr";
    run(*state, &request, &outcome);
    assert_string_equal(outcome.out, "/usr\n");
    request.directory = "/nowhere";
    run(*state, &request, &outcome);
    assert_int_equal(outcome.result.outcome, CHILD_NOT_STARTED);
    assert_int_equal(outcome.result.err.code, -ENOENT);
    assert_sentence(&outcome.result, "cannot run /bin/pwd in directory /nowhere: No such file");
}

static void test_input_is_fed(void **state)
{
    static char input[200 * 1024];
    const char *const argv[] = {"/bin/cat", NULL};
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(argv);

    run(*state, &request, &outcome);
    assert_string_equal(outcome.out, "");
    memset(input, 'i', sizeof(input));
    request.input = input;
    request.input_length = sizeof(input);
    request.stdout_max = SIZE_MAX;
    run(*state, &request, &outcome);
    assert_int_equal(outcome.result.out.length, sizeof(input));
    assert_memory_equal(outcome.out, input, sizeof(input));
    /* Nobody has to read it. */
    request.argv = SHELL("exit 4");
    run(*state, &request, &outcome);
    assert_int_equal(outcome.result.status, 4);
    request.argv = SHELL("exec <&-; sleep 0.02; exit 5");
    run(*state, &request, &outcome);
    assert_int_equal(outcome.result.status, 5);
}

/* how it ends */

static void test_tells_how_it_ended(void **state)
{
    _cleanup_(outcome_deinit) struct outcome outcome = {0};

    run_shell(*state, "echo no such bridge >&2; exit 3", &outcome);
    assert_int_equal(outcome.result.outcome, CHILD_EXITED);
    assert_int_equal(outcome.result.status, 3);
    assert_int_equal(outcome.result.err.code, -EIO);
    assert_string_equal(outcome.result.err.text, "/bin/sh exited with status 3: no such bridge");
    assert_string_equal(outcome.errors, "no such bridge\n");
    run_shell(*state, "kill -SEGV $$", &outcome);
    assert_int_equal(outcome.result.outcome, CHILD_SIGNALLED);
    assert_int_equal(outcome.result.status, SIGSEGV);
    assert_sentence(&outcome.result, "/bin/sh was ended by signal 11 (Segmentation fault)");
    run_shell(*state, "exec >&- 2>&-; sleep 0.02; exit 7", &outcome);
    assert_int_equal(outcome.result.status, 7);
}

static void test_output_is_bounded_and_never_blocks(void **state)
{
    const char *const argv[] = {"/usr/bin/head", "-c", "100000000", "/dev/zero", NULL};
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(argv);

    request.stdout_max = 10;
    run(*state, &request, &outcome);
    assert_int_equal(outcome.result.status, 0);
    assert_int_equal(outcome.result.out.length, 10);
    assert_int_equal(outcome.result.out.dropped, 100000000 - 10);
    request.stdout_max = SIZE_MAX;
    run(*state, &request, &outcome);
    assert_int_equal(outcome.result.out.length, CHILD_OUTPUT_MAX);
    assert_int_equal(outcome.result.out.dropped, 100000000 - CHILD_OUTPUT_MAX);
}

static void test_deadline_kills_the_whole_group(void **state)
{
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request =
        request_for(SHELL("trap '' TERM INT HUP; sleep 1000 & echo $!; wait; sleep 1000"));
    usec_t begun;

    request.timeout = 300 * USEC_PER_MSEC;
    begun = now_usec(CLOCK_MONOTONIC);
    run(*state, &request, &outcome);
    assert_true(now_usec(CLOCK_MONOTONIC) - begun >= request.timeout);
    assert_int_equal(outcome.result.outcome, CHILD_TIMED_OUT);
    assert_int_equal(outcome.result.err.code, -ETIMEDOUT);
    assert_string_equal(outcome.result.err.text, "/bin/sh did not end within 0.3 s and was killed");
    assert_true(gone_in_time(atoi(outcome.out)));
    assert_true(gone_in_time(outcome.result.pid));
}

static void test_leftovers_are_killed_and_reaped(void **state)
{
    _cleanup_(outcome_deinit) struct outcome outcome = {0};

    run_shell(*state, "(sleep 1000 & echo $!) & wait; exit 0", &outcome);
    assert_int_equal(outcome.result.outcome, CHILD_EXITED);
    assert_int_equal(outcome.result.status, 0);
    assert_true(gone_in_time(atoi(outcome.out)));
}

static void test_daemons_are_not_waited_for(void **state)
{
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    pid_t daemon;

    run_shell(*state, "setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1; echo end", &outcome);
    assert_int_equal(outcome.result.status, 0);
    daemon = atoi(outcome.out);
    assert_true(daemon > 0);
    assert_int_equal(kill(daemon, 0), 0);
    assert_int_equal(kill(daemon, SIGKILL), 0);
    assert_true(gone_in_time(daemon));
}

static void test_cancelling_kills_without_a_word(void **state)
{
    _cleanup_(outcome_deinit) struct outcome outcome = {0}, other = {0};
    struct child_request request = request_for(SHELL("echo $$ > /srv/pid; exec sleep 1000"));
    pid_t pid;
    struct child *child;

    assert_int_equal(child_spawn(*state, &request, keep, &outcome, &child, NULL), 0);
    pid = read_pid("/srv/pid");
    child_cancel(*state, child);
    assert_true(gone_in_time(pid));
    run_shell(*state, "exit 0", &other);
    assert_false(outcome.done);
    while (child_helper_in_flight(*state))
        assert_int_equal(dispatch_once(*state, NULL), 0);
}

/*
 * A process that SIGKILL does not end, as with a dead NFS server: frozen in a cgroup v1 freezer.
 */
static void test_what_cannot_be_killed_is_given_up(void **state)
{
    char group[64], script[512];
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(SHELL(script));

    snprintf(group, sizeof(group), "/sys/fs/cgroup/freezer/nodeagent-test-%d", (int)getpid());
    if (mkdir(group, 0755) < 0)
        skip();
    snprintf(script, sizeof(script),
             "echo $$ > %s/cgroup.procs; echo FROZEN > %s/freezer.state; sleep 1000", group, group);
    request.timeout = 200 * USEC_PER_MSEC;
    run(*state, &request, &outcome);
    snprintf(script, sizeof(script), "echo THAWED > %s/freezer.state", group);
    assert_int_equal(system(script), 0);
    assert_int_equal(outcome.result.outcome, CHILD_TIMED_OUT);
    assert_sentence(&outcome.result, "was killed but does not end");
    assert_true(gone_in_time(outcome.result.pid));
    assert_int_equal(child_helper_in_flight(*state), 0);
    for (int i = 0; rmdir(group) < 0 && i < 1000; i++)
        usleep(1000);
}

/* which programs */

static void assert_refused(struct child_helper *helper, const char *path, int code,
                           const char *sentence)
{
    const char *const argv[] = {path, NULL};
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(argv);

    run(helper, &request, &outcome);
    assert_int_equal(outcome.result.outcome, CHILD_NOT_STARTED);
    assert_int_equal(outcome.result.err.code, code);
    if (strlen(path) < ERR_TEXT_MAX / 2)
        assert_sentence(&outcome.result, path);
    assert_sentence(&outcome.result, sentence);
}

static void assert_says(struct child_helper *helper, const char *path, const char *text)
{
    const char *const argv[] = {path, NULL};
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(argv);

    run(helper, &request, &outcome);
    assert_string_equal(outcome.out ? outcome.out : outcome.result.err.text, text);
}

static void test_scripts_know_their_name(void **state)
{
    mkdir("/srv/bin", 0755);
    write_file("/srv/bin/script", "#!/bin/sh\necho $0\n", 0755);
    assert_int_equal(symlink("bin/../bin/./script", "/srv/relative"), 0);
    assert_int_equal(symlink("/srv/relative", "/srv/absolute"), 0);
    assert_int_equal(symlink("/srv/bin", "/srv/directory"), 0);
    assert_says(*state, "/srv/bin/script", "/srv/bin/script\n");
    assert_says(*state, "/srv/relative", "/srv/bin/script\n");
    assert_says(*state, "/srv/absolute", "/srv/bin/script\n");
    assert_says(*state, "//srv//directory/script", "/srv/bin/script\n");
}

static void test_what_is_no_program(void **state)
{
    char path[2 * PATH_MAX] = "/";

    write_file("/srv/plain", "#!/bin/sh\n", 0644);
    mkfifo("/srv/fifo", 0755);
    assert_int_equal(symlink("loop", "/srv/loop"), 0);
    assert_refused(*state, "/srv/none", -ENOENT, "No such file");
    assert_refused(*state, "/srv/plain", -EACCES, "Permission denied");
    assert_refused(*state, "/srv/fifo", -EACCES, "Permission denied");
    assert_refused(*state, "/srv", -EISDIR, "Is a directory");
    assert_refused(*state, "/srv/plain/x", -ENOTDIR, "Not a directory");
    assert_refused(*state, "/srv/loop", -ELOOP, "symbolic links");
    assert_refused(*state, "bin/sh", -EINVAL, "must be absolute");
    memset(path + 1, 'p', PATH_MAX + 10);
    assert_refused(*state, path, -ENAMETOOLONG, "");
    path[NAME_MAX + 10] = '\0';
    assert_refused(*state, path, -ENAMETOOLONG, "");
}

static void test_what_the_kernel_does_not_execute(void **state)
{
    if (on_valgrind())
        skip();
    write_file("/srv/orphan", "#!/srv/none\n", 0755);
    write_file("/srv/noise", "noise", 0755);
    assert_refused(*state, "/srv/orphan", -ENOENT, "interpreter is missing");
    assert_refused(*state, "/srv/noise", -ENOEXEC, "Exec format error");
}

static void test_links_that_grow_the_path(void **state)
{
    char target[3000] = "grow";

    memset(target + 4, '/', sizeof(target) - 6);
    target[sizeof(target) - 2] = 'x';
    assert_int_equal(symlink(target, "/srv/grow"), 0);
    assert_refused(*state, "/srv/grow", -ENAMETOOLONG, "");
}

static void test_only_roots_programs(void **state)
{
    mkdir("/srv/open", 0755);
    mkdir("/srv/theirs", 0755);
    mkdir("/srv/bin", 0755);
    write_file("/srv/open/script", "#!/bin/sh\necho ran\n", 0755);
    write_file("/srv/theirs/script", "#!/bin/sh\necho ran\n", 0755);
    write_file("/srv/bin/script", "#!/bin/sh\necho ran\n", 0775);
    write_file("/srv/bin/theirs", "#!/bin/sh\necho ran\n", 0755);
    assert_int_equal(symlink("/bin/true", "/srv/open/true"), 0);
    assert_int_equal(symlink("/srv/open/script", "/srv/link"), 0);
    assert_says(*state, "/srv/open/script", "ran\n");
    chmod("/srv/open", 01777);
    assert_int_equal(chown("/srv/theirs", 1000, 0), 0);
    assert_int_equal(chown("/srv/bin/theirs", 1000, 0), 0);
    assert_refused(*state, "/srv/open/script", -EPERM,
                   "/srv/open can be written by others than root");
    /* Whoever owns the directory chooses what the link names. */
    assert_refused(*state, "/srv/open/true", -EPERM, "/srv/open can be written");
    assert_refused(*state, "/srv/link", -EPERM, "/srv/open can be written");
    assert_refused(*state, "/srv/theirs/script", -EPERM,
                   "/srv/theirs belongs to user 1000, not to root");
    assert_refused(*state, "/srv/bin/script", -EPERM, "/srv/bin/script can be written");
    assert_refused(*state, "/srv/bin/theirs", -EPERM, "/srv/bin/theirs belongs to user 1000");
}

/* limits */

static void count(void *userdata, const struct child_result *result)
{
    assert_int_equal(result->err.code, 0);
    (*(int *)userdata)++;
}

static void test_hundreds(void **state)
{
    const char *const argv[] = {"/bin/true", NULL};
    struct child_request request = request_for(argv);
    struct err err;
    int wanted = 300, spawned = 0, done = 0;

    while (done < wanted) {
        while (spawned < wanted && child_helper_in_flight(*state) < CHILD_IN_FLIGHT_MAX) {
            assert_int_equal(child_spawn(*state, &request, count, &done, NULL, NULL), 0);
            spawned++;
        }
        if (child_helper_in_flight(*state) == CHILD_IN_FLIGHT_MAX) {
            assert_int_equal(child_spawn(*state, &request, count, &done, NULL, &err), -EBUSY);
            assert_non_null(strstr(err.text, "cannot run /bin/true: 64 programs are running"));
        }
        assert_int_equal(dispatch_once(*state, NULL), 0);
    }
    assert_int_equal(child_helper_in_flight(*state), 0);
}

static void test_large_requests_are_refused(void **state)
{
    static char large[CHILD_REQUEST_MAX + 1];
    const char *const argv[] = {"/bin/echo", large, NULL};
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(argv);
    struct err err;

    memset(large, 'x', sizeof(large) - 1);
    assert_int_equal(child_spawn(*state, &request, keep, &outcome, NULL, &err), -E2BIG);
    assert_non_null(strstr(err.text, "cannot run /bin/echo: arguments, environment and input"));
    request.argv = SHELL("cat");
    request.input = large;
    request.input_length = sizeof(large);
    assert_int_equal(child_spawn(*state, &request, keep, &outcome, NULL, &err), -E2BIG);
    assert_non_null(strstr(err.text, "its input has 262145 bytes"));
    assert_false(outcome.done);
}

/* Neither side waits for the other: more in both directions than the socket holds. */
static void test_a_stalled_agent_stalls_no_program(void **state)
{
    enum {
        COUNT = 12,
    };
    static char input[200 * 1024];
    const char *const argv[] = {"/bin/cat", NULL};
    struct outcome outcomes[COUNT] = {0};
    struct child_request request = request_for(argv);

    memset(input, 'i', sizeof(input));
    request.input = input;
    request.input_length = sizeof(input);
    request.stdout_max = SIZE_MAX;
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(child_spawn(*state, &request, keep, &outcomes[i], NULL, NULL), 0);
    usleep(50000);
    for (int i = 0; i < COUNT; i++) {
        wait_for(*state, &outcomes[i].done);
        assert_int_equal(outcomes[i].result.out.length, sizeof(input));
        outcome_deinit(&outcomes[i]);
    }
}

/* No descriptors left, here and in the helper. */
static void test_without_descriptors(void **state)
{
    const struct rlimit six = {6, 6};
    _cleanup_(child_helper_free_at) struct child_helper *helper = NULL;
    struct child_request request = request_for(SHELL("exit 0"));
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct rlimit before, limit;
    struct err err;
    int next = dup(0), r;

    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (rlim_t more = 1; more <= 2 && !on_valgrind(); more++) {
        limit = (struct rlimit){(rlim_t)next + more, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        r = child_helper_start(&helper, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(r, -EMFILE);
        assert_non_null(strstr(err.text, "the helper process: Too many open files"));
    }
    assert_int_equal(child_helper_start(&helper, &err), 0);
    run(helper, &request, &outcome);
    assert_int_equal(prlimit(child_helper_pid(helper), RLIMIT_NOFILE, &six, NULL), 0);
    run(helper, &request, &outcome);
    assert_int_equal(outcome.result.outcome, CHILD_NOT_STARTED);
    assert_string_equal(outcome.result.err.text, "cannot run /bin/sh: Too many open files");
}

/* deaths */

static void test_freeing_forgets_what_runs(void **state)
{
    struct child_request request = request_for(SHELL("echo $$ > /srv/pid; exec sleep 1000"));
    _cleanup_(child_helper_free_at) struct child_helper *helper = NULL;
    _cleanup_(outcome_deinit) struct outcome outcome = {0};

    request.ends_with_agent = true;
    assert_int_equal(child_helper_start(&helper, NULL), 0);
    assert_int_equal(child_spawn(helper, &request, keep, &outcome, NULL, NULL), 0);
    read_pid("/srv/pid");
    helper = child_helper_free(helper);
    assert_false(outcome.done);
    assert_true(gone_in_time(read_pid("/srv/pid")));
}

static void test_a_dead_helper_is_noticed(void **state)
{
    _cleanup_(outcome_deinit) struct outcome first = {0}, second = {0}, none = {0};
    struct child_request request = request_for(SHELL("echo $$ > /srv/pid; exec sleep 1000"));
    pid_t pid;
    struct child *child;
    struct err err;

    assert_int_equal(child_spawn(*state, &request, keep, &first, NULL, NULL), 0);
    pid = read_pid("/srv/pid");
    request.argv = SHELL("exec sleep 1000");
    assert_int_equal(child_spawn(*state, &request, keep, &second, NULL, NULL), 0);
    kill(child_helper_pid(*state), SIGKILL);
    assert_int_equal(child_spawn(*state, &request, keep, &none, &child, NULL), 0);
    child_cancel(*state, child);
    assert_int_equal(dispatch_once(*state, &err), -EPIPE);
    assert_non_null(strstr(err.text, "which runs programs, was ended by signal 9"));
    assert_true(first.done && second.done);
    assert_false(none.done);
    assert_int_equal(first.result.outcome, CHILD_LOST);
    assert_sentence(&first.result, "/bin/sh: the helper process");
    assert_int_equal(child_spawn(*state, &request, keep, &none, NULL, &err), -EPIPE);
    assert_non_null(strstr(err.text, "cannot run /bin/sh: the helper process"));
    assert_int_equal(child_helper_dispatch(*state, NULL), -EPIPE);
    assert_int_equal(child_helper_in_flight(*state), 0);
    /* Nobody would enforce its deadline. */
    assert_true(gone_in_time(pid));
}

/* An agent that ends at once with three programs running. */
_Noreturn static void play_agent(void)
{
    struct child_request request = request_for(SHELL(
        "echo $$ > /srv/stays; while [ ! -e /srv/go ]; do sleep 0.01; done; echo > /srv/done"));
    struct child_helper *helper;
    bool failed = child_helper_start(&helper, NULL) < 0 ||
                  child_spawn(helper, &request, keep, NULL, NULL, NULL) < 0;

    request.argv = SHELL("echo $$ > /srv/late; exec sleep 1000");
    request.timeout = 500 * USEC_PER_MSEC;
    failed = failed || child_spawn(helper, &request, keep, NULL, NULL, NULL) < 0;
    request.argv = SHELL("echo $$ > /srv/ends; exec sleep 1000");
    request.timeout = 60 * USEC_PER_SEC;
    request.ends_with_agent = true;
    failed = failed || child_spawn(helper, &request, keep, NULL, NULL, NULL) < 0;
    while (!failed && (access("/srv/stays", F_OK) < 0 || access("/srv/ends", F_OK) < 0))
        usleep(1000);
    child_helper_free(helper);
    _exit(failed);
}

static void test_programs_outlive_the_agent_within_their_deadline(void **state)
{
    pid_t agent = fork();
    int status;

    if (agent == 0)
        play_agent();
    assert_int_equal(waitpid(agent, &status, 0), agent);
    assert_int_equal(status, 0);
    assert_true(gone_in_time(read_pid("/srv/ends")));
    assert_true(gone_in_time(read_pid("/srv/late")));
    assert_int_equal(access("/srv/done", F_OK), -1);
    write_file("/srv/go", "", 0644);
    assert_true(gone_in_time(read_pid("/srv/stays")));
    assert_int_equal(access("/srv/done", F_OK), 0);
}

/* The helper judges what it is sent: it has privileges that the agent gave up. */
static void test_malformed_requests_are_answered(void **state)
{
    const struct wire_spawn spawns[] = {
        {.argument_count = 0},
        {.argument_count = 1000000},
        {.argument_count = 2},
        {.argument_count = 1, .environment_count = 1},
        {.argument_count = 1, .input_length = 7},
    };
    struct wire_message message = {0};
    struct wire wire;
    int sockets[2];
    pid_t helper;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
    helper = fork();
    if (helper == 0)
        helper_main(sockets[1]);
    close(sockets[1]);
    wire_init(&wire, sockets[0]);
    wire_queue(&wire, 99, 77, NULL);
    wire_queue(&wire, 99, WIRE_KILL, NULL);
    wire_queue(&wire, 0, WIRE_SPAWN, NULL);
    for (size_t i = 0; i < array_size(spawns); i++) {
        struct strbuf payload = STRBUF_INIT;

        strbuf_add_bytes(&payload, &spawns[i], sizeof(spawns[i]));
        strbuf_add_bytes(&payload, "/\0/bin/true", sizeof("/\0/bin/true"));
        wire_queue(&wire, i + 1, WIRE_SPAWN, &payload);
    }
    assert_int_equal(wire_flush(&wire), 0);
    for (size_t i = 0; i <= array_size(spawns); i++) {
        struct pollfd polled = {.fd = wire.fd, .events = POLLIN};

        assert_int_equal(poll(&polled, 1, PATIENCE_MSEC), 1);
        assert_int_equal(wire_receive(&wire, &message), 1);
        assert_int_equal(message.id, i);
        assert_int_equal(((struct wire_result *)(void *)message.payload.text)->code, -EBADMSG);
        strbuf_deinit(&message.payload);
    }
    /* A frame that is none ends the connection, and that the helper. */
    assert_int_equal(send(wire.fd, "x", 1, 0), 1);
    assert_int_equal(waitpid(helper, NULL, 0), helper);
    assert_int_equal(wire_receive(&wire, &message), -EPIPE);
    wire_deinit(&wire);
}

#define with_helper(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_helper(test_nothing_is_inherited),
        with_helper(test_no_descriptor_signal_or_umask_is_inherited),
        with_helper(test_runs_in_its_directory),
        with_helper(test_input_is_fed),
        with_helper(test_tells_how_it_ended),
        with_helper(test_output_is_bounded_and_never_blocks),
        with_helper(test_deadline_kills_the_whole_group),
        with_helper(test_leftovers_are_killed_and_reaped),
        with_helper(test_daemons_are_not_waited_for),
        with_helper(test_cancelling_kills_without_a_word),
        with_helper(test_what_cannot_be_killed_is_given_up),
        with_helper(test_scripts_know_their_name),
        with_helper(test_what_is_no_program),
        with_helper(test_what_the_kernel_does_not_execute),
        with_helper(test_links_that_grow_the_path),
        with_helper(test_only_roots_programs),
        with_helper(test_hundreds),
        with_helper(test_large_requests_are_refused),
        with_helper(test_a_stalled_agent_stalls_no_program),
        with_helper(test_without_descriptors),
        with_helper(test_freeing_forgets_what_runs),
        with_helper(test_a_dead_helper_is_noticed),
        with_helper(test_programs_outlive_the_agent_within_their_deadline),
        with_helper(test_malformed_requests_are_answered),
    };

    signal(SIGPIPE, SIG_IGN);
    umask(0077);
    /* Orphans of dead helpers come here. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0) {
        perror("a mount namespace is needed (root)");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
