/* cni/plugin: how a plugin is run, and what is made of its answers. */
#include "cni-fixture.h"

#include "plugin.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

struct answer {
    struct cni_failure failure;
    struct strbuf output;
    size_t steps;
    usec_t wall;
};

static void answer_deinit(struct answer *answer)
{
    strbuf_deinit(&answer->output);
}

static void trace(void *userdata, const struct cni_step *step)
{
    struct answer *answer = userdata;

    answer->steps++;
    answer->wall = step->wall_usec;
    assert_string_equal(step->type, "fake");
    assert_non_null(step->environment[0]);
    assert_has(step->input, "\"name\":\"n\"");
    assert_true(!step->failure || step->failure->err.code < 0);
}

/* Within `timeout`; 0: the usual. */
static int run_within(const char *body, usec_t timeout, struct answer *answer)
{
    _cleanup_(cni_network_free_at) struct cni_network *network = network_of(
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"fake\",\"x\":1.0}]}");
    const struct cni_attachment attachment = attachment_of("c1");
    struct cni_setup setup = setup_of();
    const struct plugin_call call = {
        .setup = &setup,
        .network = network,
        .plugin = &network->plugins.items[0],
        .verb = VERB_ADD,
        .attachment = &attachment,
        .deadline = USEC_NEVER,
    };

    setup.trace = trace;
    setup.userdata = answer;
    setup.timeout = timeout;
    if (body)
        write_plugin("fake", body);
    return plugin_run(&call, &answer->output, &answer->failure);
}

static int run(const char *body, struct answer *answer)
{
    return run_within(body, 0, answer);
}

static void test_check_36_what_it_gets(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    setenv("SECRET", "x", 1);
    assert_int_equal(run("echo hello; echo there >&2", &answer), 0);
    assert_string_equal(answer.output.text, "hello\n");
    assert_int_equal(answer.steps, 1);
    assert_true(answer.wall > 0);
    assert_string_equal(contents(RUN "/fake.ADD.in"), "{\"cniVersion\":\"1.0.0\",\"name\":\"n\","
                                                      "\"type\":\"fake\",\"x\":1.0}");
    assert_has(contents(RUN "/fake.ADD.env"), "CNI_COMMAND=ADD\n");
    assert_has(contents(RUN "/fake.ADD.env"), "CNI_CONTAINERID=c1\n");
    assert_has(contents(RUN "/fake.ADD.env"), "CNI_NETNS=" NETNS "\n");
    assert_has(contents(RUN "/fake.ADD.env"), "CNI_IFNAME=eth0\n");
    assert_has(contents(RUN "/fake.ADD.env"), "CNI_ARGS=IgnoreUnknown=1\n");
    assert_has(contents(RUN "/fake.ADD.env"), "CNI_PATH=" BIN "\n");
    assert_has(contents(RUN "/fake.ADD.env"), ":/usr/sbin:");
    assert_has_not(contents(RUN "/fake.ADD.env"), "SECRET");
}

static void test_check_26_its_errors_are_kept(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    assert_true(run("echo said >&2; echo '{\"code\":11,\"msg\":\"no address\",\"details\":\"of "
                    "300\"}'; exit 1",
                    &answer) < 0);
    assert_int_equal(answer.failure.code, 11);
    assert_string_equal(answer.failure.plugin, "fake");
    assert_string_equal(answer.failure.message, "no address");
    assert_string_equal(answer.failure.details, "of 300");
    assert_string_equal(answer.failure.errors, "said");
    assert_string_equal(answer.failure.err.text,
                        "plugin type=\"fake\" name=\"n\" failed (add): no address; of 300");
}

static void fails_with(const char *body, unsigned code, const char *sentence)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    assert_true(run(body, &answer) < 0);
    assert_int_equal(answer.failure.code, code);
    if (!strstr(answer.failure.err.text, sentence))
        fail_msg("\"%s\" is not in: %s", sentence, answer.failure.err.text);
    assert_int_equal(answer.steps, 1);
}

static void test_errors_without_an_object(void **state)
{
    fails_with("exit 3", 999, BIN "/fake exited with status 3");
    fails_with("echo 'no such bridge' >&2; exit 1", 999, "status 1: no such bridge");
    fails_with("echo 'panic: x'; exit 2", 999, "status 2, and printed no error object: panic: x");
    fails_with("echo '[1]'; exit 2", 999, "printed no error object: [1]");
    fails_with("echo '{}'; exit 2", 999, "exited with status 2");
    fails_with("echo '{\"code\":-7,\"msg\":\"m\"}'; exit 2", 999, ": m");
    fails_with("echo '{\"code\":\"x\",\"msg\":7}'; exit 2", 999, "exited with status 2");
    fails_with("kill -SEGV $$", 999, "was ended by signal 11");
}

static void test_check_35_output_is_bounded(void **state)
{
    fails_with("head -c 100000000 /dev/zero", CNI_CODE_DECODE,
               "it printed 100000000 bytes, more than the 262144 allowed");
}

/* This program adopts it. */
static bool gone_in_time(pid_t pid)
{
    for (int i = 0; i < 5000; i++) {
        waitpid(pid, NULL, WNOHANG);
        if (kill(pid, 0) < 0)
            return errno == ESRCH;
        usleep(1000);
    }
    return false;
}

static void test_check_34_a_hanging_one_is_killed_with_its_group(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    usec_t began = clock_monotonic();

    assert_int_equal(run_within("sleep 1000 & echo $! >" RUN "/pid; wait", USEC_PER_SEC, &answer),
                     -ETIMEDOUT);
    assert_true(clock_monotonic() - began < 10 * USEC_PER_SEC);
    assert_int_equal(answer.failure.code, CNI_CODE_LATER);
    assert_has(answer.failure.err.text, "did not end within 1.0 s and was killed");
    assert_true(gone_in_time(atoi(contents(RUN "/pid"))));
}

static void test_children_that_hold_the_pipe_are_not_waited_for(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    usec_t began = clock_monotonic();

    assert_int_equal(run("echo fine; sleep 60 & exit 0", &answer), 0);
    assert_int_equal(run("echo fine; setsid sleep 20 & exit 0", &answer), 0);
    assert_true(clock_monotonic() - began < 10 * USEC_PER_SEC);
    assert_string_equal(answer.output.text, "fine\n");
}

static void test_which_program(void **state)
{
    fails_with(NULL, CNI_CODE_IO, "failed to find plugin \"fake\" in path [" BIN "]");
    mkdir(BIN "/fake", 0755);
    fails_with(NULL, CNI_CODE_IO, "failed to find plugin");
    rmdir(BIN "/fake");
    write_mode(BIN "/fake", "#!/bin/sh\n", 0644);
    fails_with(NULL, CNI_CODE_IO, "Permission denied");
    assert_int_equal(chmod(BIN "/fake", 0777), 0);
    fails_with(NULL, CNI_CODE_IO, "can be written by others than root");
}

static void *let_go(void *data)
{
    usleep(250000);
    close(*(int *)data);
    return NULL;
}

/* A plugin that is just being replaced. */
static void test_a_busy_program_is_tried_again(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    pthread_t thread;
    int fd;

    assert_int_equal(system("cp /bin/true " BIN "/fake"), 0);
    fd = open(BIN "/fake", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pthread_create(&thread, NULL, let_go, &fd), 0);
    assert_int_equal(run(NULL, &answer), 0);
    pthread_join(thread, NULL);
}

static void test_what_is_left_of_the_chains_time(void **state)
{
    struct cni_setup setup = setup_of();
    struct plugin_call call = {.setup = &setup, .verb = VERB_DEL, .deadline = CNI_TIMEOUT_DEL};

    assert_int_equal(plugin_time(&call, 0), CNI_TIMEOUT_DEL);
    assert_int_equal(plugin_time(&call, CNI_TIMEOUT_DEL / 2), CNI_TIMEOUT_DEL / 2);
    assert_int_equal(plugin_time(&call, CNI_TIMEOUT_DEL + 1), PLUGIN_TIME_LEAST);
    setup.timeout = USEC_PER_SEC;
    assert_int_equal(plugin_time(&call, CNI_TIMEOUT_DEL + 1), USEC_PER_SEC);
    setup.timeout = 2 * CNI_TIMEOUT_DEL;
    assert_int_equal(plugin_time(&call, 0), CNI_TIMEOUT_DEL);
}

static void test_check_38_directories_of_programs(void **state)
{
    static const char *const none[] = {NULL}, *const empty[] = {BIN, "", NULL},
                             *const relative[] = {"bin", NULL}, *const two[] = {"/a:/b", NULL};
    static const char *const *const bad[] = {none, empty, relative, two};
    struct cni_setup setup = setup_of();
    struct err err;

    assert_int_equal(cni_setup_check(&setup, &err), 0);
    for (size_t i = 0; i < array_size(bad); i++) {
        setup.bin_dirs = bad[i];
        assert_int_equal(cni_setup_check(&setup, &err), -EINVAL);
    }
    setup.bin_dirs = NULL;
    assert_int_equal(cni_setup_check(&setup, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_check_36_what_it_gets),
        in_place(test_check_26_its_errors_are_kept),
        in_place(test_errors_without_an_object),
        in_place(test_check_35_output_is_bounded),
        in_place(test_check_34_a_hanging_one_is_killed_with_its_group),
        in_place(test_children_that_hold_the_pipe_are_not_waited_for),
        in_place(test_which_program),
        in_place(test_a_busy_program_is_tried_again),
        cmocka_unit_test(test_what_is_left_of_the_chains_time),
        cmocka_unit_test(test_check_38_directories_of_programs),
    };

    prepare();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
