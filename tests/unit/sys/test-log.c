/* sys/log: lines through pipes and terminals, the journal as a datagram socket of our own. */
#include "log-fixture.h"

/* lines */

static void test_a_line(void **state)
{
    struct fixture *fixture = *state;
    const char *none = NULL;
    char *line;

    log_with(LOG_LEVEL_INFO,
             LOG_FIELDS({"POD", "default/web"}, {"NONE", none}, {"REASON", "a \"b\" \\ c"},
                        {"EMPTY", ""}, {"TEXT", "two\nlines"}),
             "started in %d ms", 12);
    seen(fixture);
    line = fixture->seen.text;
    assert_int_equal(line[4], '-');
    assert_int_equal(line[10], 'T');
    assert_string_equal(strchr(line, ' '),
                        " info started in 12 ms pod=default/web reason=\"a \\\"b\\\" \\\\ c\" "
                        "empty=\"\" text=two\\nlines\n");
}

static void test_levels(void **state)
{
    struct fixture *fixture = *state;

    log_debug("quiet");
    log_info("one");
    log_notice("two");
    log_warning("three");
    log_error("four\x1b[31m\nfive");
    assert_not_seen(fixture, "quiet");
    assert_seen(fixture, " info one\n");
    assert_seen(fixture, " notice two\n");
    assert_seen(fixture, " warning three\n");
    assert_seen(fixture, " error four\\x1b[31m\\nfive\n");
    assert_false(log_enabled(LOG_LEVEL_DEBUG));
    log_set_threshold(fixture->log, LOG_LEVEL_DEBUG);
    log_debug("loud");
    assert_seen(fixture, " debug loud\n");
    log_set_threshold(fixture->log, LOG_LEVEL_ERROR);
    log_warning("nothing more");
    assert_not_seen(fixture, "nothing more");
}

static void test_without_a_log(void **state)
{
    struct fixture *fixture = *state;

    log_set(NULL);
    assert_false(log_enabled(LOG_LEVEL_ERROR));
    log_error("nowhere");
    log_write(LOG_LEVEL_ERROR, LOG_SITE, NULL, "nowhere");
    assert_string_equal(seen(fixture), "");
    assert_null(log_free(NULL));
}

static void test_failures_carry_their_errno(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    err_set(&err, -ENOENT, "cannot open /x");
    log_failure(LOG_LEVEL_ERROR, LOG_FIELDS({"POD", "a/b"}), &err);
    log_failure(LOG_LEVEL_DEBUG, NULL, &err);
    assert_seen(fixture, " error cannot open /x errno=2 pod=a/b\n");
}

static void test_long_records_are_cut(void **state)
{
    struct fixture *fixture = *state;
    char text[2 * LOG_RECORD_MAX];

    memset(text, '\n', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_with(LOG_LEVEL_INFO, LOG_FIELDS({"LOST", "x"}), "%s", text);
    assert_true(strlen(seen(fixture)) <= LOG_LINE_MAX);
    assert_true(str_has_suffix(seen(fixture), "n...\n"));
    forget(fixture);
    text[1000] = '\0';
    log_with(LOG_LEVEL_INFO, LOG_FIELDS({"A", text}, {"B", text}), "%s", text);
    assert_int_equal(strlen(seen(fixture)), LOG_LINE_MAX);
    assert_true(str_has_suffix(seen(fixture), "...\n"));
    forget(fixture);
    memset(text, 'x', sizeof(text) - 1);
    log_with(LOG_LEVEL_INFO, LOG_FIELDS({"LONG", text}), "short");
    assert_true(strlen(seen(fixture)) <= LOG_LINE_MAX);
    assert_seen(fixture, " info short long=xxx");
    log_info("%s", text);
    log_info("%s", text);
    log_flush(fixture->log, 0);
    assert_seen(fixture, "xxx (repeated 1 times)");
}

static void test_lines_are_cut_between_characters(void **state)
{
    char message[1300], fishes[1600] = {0};
    struct fixture *fixture = *state;

    /* What is escaped needs more room on the line than in the record. */
    for (size_t i = 0; i + 4 < sizeof(fishes); i += 4)
        memcpy(fishes + i, "\xf0\x9f\x90\x9f", 4);
    memset(message, '\n', sizeof(message));
    for (size_t less = 1; less <= 4; less++) {
        message[sizeof(message) - less] = '\0';
        log_with(LOG_LEVEL_INFO, LOG_FIELDS({less % 2 ? "A" : "AB", fishes}), "%s", message);
        assert_true(strlen(seen(fixture)) <= LOG_LINE_MAX);
        assert_true(str_has_suffix(seen(fixture), "\xf0\x9f\x90\x9f...\n"));
        forget(fixture);
    }
}

/* folding */

static void test_repetitions_are_counted(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 4; i++)
        log_with(LOG_LEVEL_INFO, LOG_FIELDS({"POD", "a/b"}), "again");
    assert_int_equal(occurrences(seen(fixture), "again"), 1);
    for (int i = 0; i < 2; i++)
        log_info("other");
    assert_seen(fixture, " info again (repeated 3 times) pod=a/b\n");
    assert_int_equal(log_flush(fixture->log, 0), 0);
    assert_seen(fixture, " info other (repeated 1 times)\n");
    forget(fixture);
    for (int i = 0; i < 2; i++)
        log_with(LOG_LEVEL_INFO, LOG_FIELDS({"POD", i ? "a/b" : "a/c"}), "not the same");
    assert_int_equal(occurrences(seen(fixture), "not the same"), 2);
}

static void test_repetitions_are_told_in_time(void **state)
{
    struct fixture *fixture = *state;
    struct log_options options = options_for(fixture->writer);

    log_free(fixture->log);
    options.fold_usec = 1;
    fixture->log = log_new(&options);
    log_set(fixture->log);
    for (int i = 0; i < 3; i++) {
        log_info("%s", "again");
        usleep(1000);
    }
    assert_int_equal(occurrences(seen(fixture), "again (repeated 2 times)"), 1);
    /* With the thread, also when nothing more is said. */
    assert_int_equal(log_start(fixture->log, NULL), 0);
    for (int i = 0; i < 2; i++)
        log_info("%s", "once more");
    assert_true(see(fixture, "once more (repeated 1 times)"));
}

/* the thread */

static void test_stalled_reader_blocks_nobody(void **state)
{
    struct fixture *fixture = *state;
    int total = 10000;

    assert_int_equal(log_start(fixture->log, NULL), 0);
    for (int i = 0; i < total; i++)
        log_info("record %d", i);
    assert_true(log_dropped(fixture->log) > 0);
    assert_int_equal(log_flush(fixture->log, USEC_PER_MSEC), -ETIMEDOUT);
    assert_true(see(fixture, "log records were dropped"));
    for (int i = 0; i < PATIENCE_MSEC && log_flush(fixture->log, USEC_PER_MSEC); i++)
        look(fixture);
    assert_int_equal(occurrences(seen(fixture), " record ") + log_dropped(fixture->log), total);
}

static void test_stopping_does_not_wait_for_a_reader(void **state)
{
    struct fixture *fixture = *state;
    int total = 3000;

    assert_int_equal(log_start(fixture->log, NULL), 0);
    for (int i = 0; i < total; i++)
        log_info("record %d", i);
    log_stop(fixture->log, 10 * USEC_PER_MSEC);
    look(fixture);
    assert_int_equal(occurrences(seen(fixture), " record ") + log_dropped(fixture->log), total);
    /* And afterwards it writes as before the thread. */
    log_info("%s", "synchronous");
    assert_seen(fixture, "log records were dropped");
    assert_seen(fixture, "synchronous");
    log_stop(fixture->log, 0);
}

static void test_without_a_thread_nobody_waits_either(void **state)
{
    struct fixture *fixture = *state;
    int total = 3000;

    for (int i = 0; i < total; i++)
        log_info("record %d", i);
    assert_true(log_dropped(fixture->log) > 0);
    look(fixture);
    assert_int_equal(log_flush(fixture->log, 0), 0);
    assert_seen(fixture, "log records were dropped");
    assert_int_equal(occurrences(seen(fixture), " record ") + log_dropped(fixture->log), total);
}

static void *talk(void *userdata)
{
    for (int i = 0; i < 500; i++)
        log_info("thread %d record %d", *(int *)userdata, i);
    return NULL;
}

static void test_many_threads(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[4];
    int numbers[4];

    assert_int_equal(log_start(fixture->log, NULL), 0);
    for (int i = 0; i < 4; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, talk, &numbers[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < PATIENCE_MSEC && log_flush(fixture->log, USEC_PER_MSEC); i++)
        look(fixture);
    assert_int_equal(occurrences(seen(fixture), " info thread ") + log_dropped(fixture->log), 2000);
}

static void test_forked_processes_write_themselves(void **state)
{
    struct fixture *fixture = *state;
    int status;
    pid_t pid;

    assert_int_equal(log_start(fixture->log, NULL), 0);
    log_info("parent");
    assert_int_equal(log_flush(fixture->log, SECONDS(20)), 0);
    pid = fork();
    if (pid == 0) {
        log_info("child");
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_seen(fixture, " info parent\n");
    assert_seen(fixture, " info child\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pipe(test_a_line),
        with_pipe(test_levels),
        with_pipe(test_without_a_log),
        with_pipe(test_failures_carry_their_errno),
        with_pipe(test_long_records_are_cut),
        with_pipe(test_lines_are_cut_between_characters),
        with_pipe(test_repetitions_are_counted),
        with_pipe(test_repetitions_are_told_in_time),
        with_pipe(test_stalled_reader_blocks_nobody),
        with_pipe(test_stopping_does_not_wait_for_a_reader),
        with_pipe(test_without_a_thread_nobody_waits_either),
        with_pipe(test_many_threads),
        with_pipe(test_forked_processes_write_themselves),
    };

    signal(SIGPIPE, SIG_IGN);
    unsetenv("JOURNAL_STREAM");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
