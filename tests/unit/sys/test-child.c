/*
 * sys/child: a real helper, real programs. What must lie in directories of root's lies on a tmpfs
 * on /srv, in a mount namespace of this program's own.
 */
#include "child-fixture.h"

/* A deadline that a script on a busy machine is started and at work before. */
#define START USEC_PER_SEC

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
    assert_int_equal(outcome.result.pid, 0);
    assert_int_equal(outcome.result.status, 0);
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

    request.timeout = START;
    begun = clock_monotonic();
    run(*state, &request, &outcome);
    assert_true(clock_monotonic() - begun >= request.timeout);
    assert_int_equal(outcome.result.outcome, CHILD_TIMED_OUT);
    assert_int_equal(outcome.result.err.code, -ETIMEDOUT);
    assert_string_equal(outcome.result.err.text, "/bin/sh did not end within 1.0 s and was killed");
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

    run_shell(*state,
              "setsid sh -c 'echo $$; : > /srv/up; exec sleep 1000' &"
              "while [ ! -e /srv/up ]; do sleep 0.01; done; echo end",
              &outcome);
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
 * A process that SIGKILL does not end, as with a dead NFS server: frozen by cgroup v1's freezer,
 * which any kernel with cgroups still has; it is mounted for this test alone.
 */
static void test_what_cannot_be_killed_is_given_up(void **state)
{
    char group[64], script[512];
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct child_request request = request_for(SHELL(script));

    assert_int_equal(mkdir("/srv/freezer", 0755), 0);
    assert_int_equal(mount("none", "/srv/freezer", "cgroup", 0, "freezer"), 0);
    snprintf(group, sizeof(group), "/srv/freezer/nodeagent-test-%d", (int)getpid());
    assert_int_equal(mkdir(group, 0755), 0);
    snprintf(script, sizeof(script),
             "echo $$ > %s/cgroup.procs; echo FROZEN > %s/freezer.state; sleep 1000", group, group);
    request.timeout = START;
    run(*state, &request, &outcome);
    snprintf(script, sizeof(script), "echo THAWED > %s/freezer.state", group);
    assert_int_equal(system(script), 0);
    assert_int_equal(outcome.result.outcome, CHILD_TIMED_OUT);
    assert_sentence(&outcome.result, "was killed but does not end");
    assert_true(gone_in_time(outcome.result.pid));
    assert_int_equal(child_helper_in_flight(*state), 0);
    for (int i = 0; rmdir(group) < 0 && i < 1000; i++)
        usleep(1000);
    assert_int_equal(umount("/srv/freezer"), 0);
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
    struct child_helper *helper;
    struct child_request request = request_for(SHELL("exit 0"));
    _cleanup_(outcome_deinit) struct outcome outcome = {0};
    struct rlimit before, limit;
    struct err err;
    int next = dup(0), r;

    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (rlim_t more = 1; more <= 2; more++) {
        limit = (struct rlimit){(rlim_t)next + more, before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        r = child_helper_start(&helper, NODEAGENT_HELPER, &err);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(r, -EMFILE);
        assert_non_null(strstr(err.text, "the helper process: Too many open files"));
    }
    assert_int_equal(child_helper_start(&helper, NODEAGENT_HELPER, &err), 0);
    run(helper, &request, &outcome);
    assert_int_equal(prlimit(child_helper_pid(helper), RLIMIT_NOFILE, &six, NULL), 0);
    run(helper, &request, &outcome);
    assert_int_equal(outcome.result.outcome, CHILD_NOT_STARTED);
    assert_string_equal(outcome.result.err.text, "cannot run /bin/sh: Too many open files");
    child_helper_free(helper);
}

/* deaths */

static void test_freeing_forgets_what_runs(void **state)
{
    struct child_request request = request_for(SHELL("echo $$ > /srv/pid; exec sleep 1000"));
    struct child_helper *helper;
    _cleanup_(outcome_deinit) struct outcome outcome = {0};

    request.ends_with_agent = true;
    assert_int_equal(child_helper_start(&helper, NODEAGENT_HELPER, NULL), 0);
    assert_int_equal(child_spawn(helper, &request, keep, &outcome, NULL, NULL), 0);
    read_pid("/srv/pid");
    child_helper_free(helper);
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
    bool failed = child_helper_start(&helper, NODEAGENT_HELPER, NULL) < 0 ||
                  child_spawn(helper, &request, keep, NULL, NULL, NULL) < 0;

    request.argv = SHELL("echo $$ > /srv/late; exec sleep 1000");
    request.timeout = START;
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

static void keep_status(void *userdata, const struct child_result *result)
{
    *(int *)userdata = result->outcome == CHILD_EXITED ? result->status : -1;
}

/* connections */

static bool is_open(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    return poll(&polled, 1, 0) == 0;
}

static bool closed_in_time(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    char byte;

    return poll(&polled, 1, PATIENCE_MSEC) == 1 && read(fd, &byte, 1) == 0;
}

/* An agent that is killed with two connections open, having opened another before. */
_Noreturn static void play_killed_agent(const int *clients, int report)
{
    struct child_helper *helper;
    pid_t pid;

    if (child_helper_start(&helper, NODEAGENT_HELPER, NULL) < 0)
        _exit(1);
    child_helper_keep(helper, clients, 1);
    child_helper_keep(helper, clients + 1, 2);
    pid = child_helper_pid(helper);
    if (write(report, &pid, sizeof(pid)) != sizeof(pid))
        _exit(1);
    raise(SIGKILL);
    _exit(1);
}

static void test_connections_outlive_a_killed_agent(void **state)
{
    int clients[3], servers[3], report[2];
    pid_t agent, helper;

    for (int i = 0; i < 3; i++) {
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        clients[i] = pair[0];
        servers[i] = pair[1];
    }
    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    agent = fork();
    if (agent == 0)
        play_killed_agent(clients, report[1]);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    assert_int_equal(read(report[0], &helper, sizeof(helper)), sizeof(helper));
    assert_int_equal(waitpid(agent, NULL, 0), agent);
    assert_true(closed_in_time(servers[0])); /* it was not kept any more */
    usleep(50000);
    assert_true(is_open(servers[1]));
    assert_true(is_open(servers[2]));
    assert_int_equal(kill(helper, 0), 0);
    kill(helper, SIGKILL);
    assert_true(closed_in_time(servers[1]));
    assert_true(closed_in_time(servers[2]));
    for (int i = 0; i < 3; i++)
        close(servers[i]);
    close(report[0]);
    close(report[1]);
}

static void test_nothing_is_kept_for_an_agent_that_ends_well(void **state)
{
    struct child_helper *helper;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(child_helper_start(&helper, NODEAGENT_HELPER, NULL), 0);
    child_helper_keep(helper, pair, 1);
    close(pair[0]);
    child_helper_free(helper);
    assert_true(closed_in_time(pair[1]));
    close(pair[1]);
}

#ifndef __SANITIZE_THREAD__ /* which makes a fork() of each vfork(): nothing is told of it */
static void test_a_helper_that_is_not_installed(void **state)
{
    struct child_helper *helper;
    struct err err;

    assert_int_equal(child_helper_start(&helper, "/srv/nowhere", &err), -ENOENT);
    assert_string_equal(err.text,
                        "cannot start the helper process /srv/nowhere: No such file or directory");
}
#endif

/* Whoever started the agent closed its stderr, stdout, stdin: the sockets take their numbers. */
_Noreturn static void play_agent_without_descriptors_from(int first)
{
    struct child_request request = request_for(SHELL("cat && echo out && echo err >&2 && exit 7"));
    struct child_helper *helper;
    int status = 0;
    pid_t pid;

    for (int fd = first; fd < 3; fd++)
        close(fd);
    if (child_helper_start(&helper, NODEAGENT_HELPER, NULL) < 0 ||
        child_spawn(helper, &request, keep_status, &status, NULL, NULL) < 0)
        _exit(1);
    while (!status && child_helper_dispatch(helper, NULL) == 0)
        usleep(1000);
    pid = child_helper_pid(helper);
    child_helper_free(helper);
    _exit(gone_in_time(pid) ? status : 1);
}

static void test_starts_without_standard_descriptors(void **state)
{
    for (int first = 0; first < 3; first++) {
        pid_t agent = fork();
        int status;

        if (agent == 0)
            play_agent_without_descriptors_from(first);
        assert_int_equal(waitpid(agent, &status, 0), agent);
        assert_int_equal(WEXITSTATUS(status), 7);
    }
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
        with_helper(test_hundreds),
        with_helper(test_large_requests_are_refused),
        with_helper(test_a_stalled_agent_stalls_no_program),
        with_helper(test_without_descriptors),
        with_helper(test_freeing_forgets_what_runs),
        with_helper(test_a_dead_helper_is_noticed),
        with_helper(test_programs_outlive_the_agent_within_their_deadline),
        with_helper(test_connections_outlive_a_killed_agent),
        with_helper(test_nothing_is_kept_for_an_agent_that_ends_well),
#ifndef __SANITIZE_THREAD__
        with_helper(test_a_helper_that_is_not_installed),
#endif
        with_helper(test_starts_without_standard_descriptors),
        with_helper(test_malformed_requests_are_answered),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
