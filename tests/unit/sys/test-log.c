/* sys/log: lines through pipes and terminals, the journal as a datagram socket of our own. */
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENCE_MSEC = 20000,
};

#define SECONDS(count) ((count)*USEC_PER_SEC)

/* A log into one end of something, and the other end. */
struct fixture {
    struct log *log;
    int reader;
    int writer;
    struct strbuf seen;
};

static struct log_options options_for(int fd)
{
    return (struct log_options){
        .identifier = "test", .threshold = LOG_LEVEL_INFO, .fd = fd, .fold_usec = SECONDS(60)};
}

static void open_log(struct fixture *fixture, int reader, int writer)
{
    struct log_options options = options_for(writer);

    fcntl(reader, F_SETFL, O_NONBLOCK);
    fixture->reader = reader;
    fixture->writer = writer;
    fixture->log = log_new(&options);
    log_set(fixture->log);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    fixture.seen = STRBUF_INIT;
    open_log(&fixture, ends[0], ends[1]);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    log_stop(fixture->log, 0);
    log_free(fixture->log);
    close(fixture->reader);
    close(fixture->writer);
    strbuf_deinit(&fixture->seen);
    return 0;
}

/* Adds what is there to `seen`. */
static void look(struct fixture *fixture)
{
    char bytes[64 * 1024];
    ssize_t got;

    while ((got = read(fixture->reader, bytes, sizeof(bytes))) > 0)
        strbuf_add_bytes(&fixture->seen, bytes, (size_t)got);
}

static const char *seen(struct fixture *fixture)
{
    look(fixture);
    return fixture->seen.text ? fixture->seen.text : "";
}

static void forget(struct fixture *fixture)
{
    look(fixture);
    strbuf_truncate(&fixture->seen, 0);
}

static bool see(struct fixture *fixture, const char *text)
{
    for (int i = 0; i < PATIENCE_MSEC; i++) {
        if (strstr(seen(fixture), text))
            return true;
        usleep(1000);
    }
    return false;
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

#define assert_seen(fixture, part) assert_non_null(strstr(seen(fixture), (part)))
#define assert_not_seen(fixture, part) assert_null(strstr(seen(fixture), (part)))

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

/* terminals, sockets and files */

static void use_terminal(struct fixture *fixture)
{
    int reader, writer;

    tear_down((void **)&fixture);
    assert_int_equal(openpty(&reader, &writer, NULL, NULL, NULL), 0);
    open_log(fixture, reader, writer);
}

static void test_colours_on_terminals_only(void **state)
{
    struct fixture *fixture = *state;

    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    log_error("plain");
    assert_seen(fixture, " error plain");
    use_terminal(fixture);
    log_set_threshold(fixture->log, LOG_LEVEL_DEBUG);
    log_error("red");
    log_warning("yellow");
    log_info("plain");
    log_debug("faint");
    assert_true(see(fixture, "faint"));
    assert_seen(fixture, "\033[31merror\033[0m red");
    assert_seen(fixture, "\033[33mwarning\033[0m yellow");
    assert_seen(fixture, " info\033[0m plain");
    assert_seen(fixture, "\033[2mdebug\033[0m faint");
    setenv("NO_COLOR", "1", 1);
    use_terminal(fixture);
    log_error("none");
    assert_true(see(fixture, " error none"));
    unsetenv("NO_COLOR");
    setenv("TERM", "dumb", 1);
    use_terminal(fixture);
    log_error("none");
    assert_true(see(fixture, " error none"));
}

static void use_sockets(struct fixture *fixture)
{
    int ends[2];

    tear_down((void **)&fixture);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    open_log(fixture, ends[0], ends[1]);
}

static void test_stream_sockets(void **state)
{
    struct fixture *fixture = *state;
    char text[1000];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    use_sockets(fixture);
    for (int i = 0; i < 1000; i++)
        log_info("%d %s", i, text);
    assert_true(log_dropped(fixture->log) > 0);
    look(fixture);
    log_info("%s", "room again");
    assert_seen(fixture, "log records were dropped, nobody read them in time\n");
    assert_seen(fixture, "room again\n");
    close(fixture->reader);
    log_info("%s", "to nobody");
    fixture->reader = -1;
    assert_true(log_dropped(fixture->log) > 0);
}

static void test_a_full_disk_drops(void **state)
{
    struct fixture *fixture = *state;

    tear_down((void **)&fixture);
    open_log(fixture, open("/dev/null", O_RDONLY | O_CLOEXEC), open("/dev/full", O_WRONLY));
    assert_int_equal(log_start(fixture->log, NULL), 0);
    log_info("lost");
    assert_int_equal(log_flush(fixture->log, SECONDS(20)), 0);
    assert_true(log_dropped(fixture->log) >= 1);
    log_stop(fixture->log, 0);
    assert_int_equal(log_flush(fixture->log, 0), -ETIMEDOUT);
}

static void test_files(void **state)
{
    struct fixture *fixture = *state;
    char path[] = "/tmp/nodeagent-test-log-XXXXXX";
    int file = mkstemp(path);

    tear_down((void **)&fixture);
    open_log(fixture, open(path, O_RDONLY | O_CLOEXEC), file);
    unlink(path);
    log_info("to a file");
    assert_seen(fixture, " info to a file\n");
}

/* the journal */

struct journal {
    char directory[32];
    struct sockaddr_un address;
    int fd;
};

static void journal_bind(struct journal *journal)
{
    unlink(journal->address.sun_path);
    journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(
        bind(journal->fd, (struct sockaddr *)&journal->address, sizeof(journal->address)), 0);
}

static void journal_init(struct journal *journal)
{
    strcpy(journal->directory, "/tmp/nodeagent-test-log-XXXXXX");
    assert_non_null(mkdtemp(journal->directory));
    journal->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(journal->address.sun_path, sizeof(journal->address.sun_path), "%s/socket",
             journal->directory);
    journal_bind(journal);
}

static void journal_deinit(struct journal *journal)
{
    close(journal->fd);
    unlink(journal->address.sun_path);
    rmdir(journal->directory);
}

static void use_journal(struct fixture *fixture, const char *path)
{
    struct log_options options = options_for(fixture->writer);
    struct stat status;
    char stream[64];

    log_free(fixture->log);
    assert_int_equal(fstat(fixture->writer, &status), 0);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    options.journal_socket = path;
    fixture->log = log_new(&options);
    log_set(fixture->log);
    unsetenv("JOURNAL_STREAM");
}

/* One datagram; its NULs are shown as dots. */
static char *journal_read(struct journal *journal, char text[LOG_LINE_MAX])
{
    struct pollfd polled = {.fd = journal->fd, .events = POLLIN};
    ssize_t got;

    assert_int_equal(poll(&polled, 1, PATIENCE_MSEC), 1);
    got = recv(journal->fd, text, LOG_LINE_MAX - 1, 0);
    assert_true(got > 0);
    text[got] = '\0';
    for (ssize_t i = 0; i < got; i++)
        text[i] = text[i] ? text[i] : '.';
    return text;
}

static void test_journal_fields(void **state)
{
    _cleanup_(journal_deinit) struct journal journal;
    struct fixture *fixture = *state;
    char text[LOG_LINE_MAX];

    journal_init(&journal);
    use_journal(fixture, journal.address.sun_path);
    log_with(LOG_LEVEL_WARNING, LOG_FIELDS({"POD", "a/b"}, {"TEXT", "two\nlines"}), "hello");
    journal_read(&journal, text);
    assert_non_null(strstr(text, "PRIORITY=4\nSYSLOG_IDENTIFIER=test\nMESSAGE=hello\nPOD=a/b\n"
                                 "TEXT\n\x09.......two\nlines\nCODE_FILE="));
    assert_non_null(strstr(text, "test-log.c\nCODE_LINE="));
    assert_non_null(strstr(text, "CODE_FUNC=test_journal_fields\n"));
    assert_string_equal(seen(fixture), "");
}

static void test_redirected_stderr_is_no_journal(void **state)
{
    struct fixture *fixture = *state;
    struct log_options options = options_for(fixture->writer);
    const char *streams[] = {"1:1", "nonsense"};

    for (size_t i = 0; i < array_size(streams); i++) {
        log_free(fixture->log);
        setenv("JOURNAL_STREAM", streams[i], 1);
        fixture->log = log_new(&options);
        log_set(fixture->log);
        log_info("a line");
        assert_seen(fixture, " info a line\n");
        forget(fixture);
    }
    unsetenv("JOURNAL_STREAM");
}

static void test_journal_comes_and_goes(void **state)
{
    _cleanup_(journal_deinit) struct journal journal;
    struct fixture *fixture = *state;
    char text[LOG_LINE_MAX];

    journal_init(&journal);
    use_journal(fixture, journal.address.sun_path);
    log_info("one");
    assert_non_null(strstr(journal_read(&journal, text), "MESSAGE=one\n"));
    close(journal.fd);
    log_info("two");
    assert_int_equal(log_dropped(fixture->log), 1);
    journal_bind(&journal);
    log_info("three");
    assert_non_null(strstr(journal_read(&journal, text), "MESSAGE=1 log records were dropped"));
    assert_non_null(strstr(journal_read(&journal, text), "MESSAGE=three\n"));
    /* With the thread nothing is lost: it waits. */
    assert_int_equal(log_start(fixture->log, NULL), 0);
    close(journal.fd);
    log_info("four");
    assert_int_equal(log_flush(fixture->log, 50 * USEC_PER_MSEC), -ETIMEDOUT);
    journal_bind(&journal);
    assert_non_null(strstr(journal_read(&journal, text), "MESSAGE=four\n"));
    assert_int_equal(log_dropped(fixture->log), 1);
}

static void test_journal_path_too_long(void **state)
{
    struct fixture *fixture = *state;
    char path[200];

    memset(path, 'p', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    use_journal(fixture, path);
    log_info("nowhere");
    assert_int_equal(log_dropped(fixture->log), 1);
}

static void test_a_stalled_journal(void **state)
{
    _cleanup_(journal_deinit) struct journal journal;
    struct fixture *fixture = *state;
    char text[LOG_LINE_MAX];
    int total = 5000, received = 0;
    uint64_t missing = 0;

    journal_init(&journal);
    use_journal(fixture, journal.address.sun_path);
    assert_int_equal(log_start(fixture->log, NULL), 0);
    for (int i = 0; i < total; i++)
        log_info("record %d", i);
    assert_true(log_dropped(fixture->log) > 0);
    assert_int_equal(log_flush(fixture->log, USEC_PER_MSEC), -ETIMEDOUT);
    while (received + (int)missing < total) {
        unsigned long long count;

        journal_read(&journal, text);
        if (sscanf(strstr(text, "MESSAGE="), "MESSAGE=%llu log records", &count) == 1)
            missing += count;
        else
            received++;
    }
    assert_int_equal(missing, log_dropped(fixture->log));
    assert_int_equal(log_flush(fixture->log, SECONDS(20)), 0);
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

#define with_pipe(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pipe(test_a_line),
        with_pipe(test_levels),
        with_pipe(test_without_a_log),
        with_pipe(test_failures_carry_their_errno),
        with_pipe(test_long_records_are_cut),
        with_pipe(test_repetitions_are_counted),
        with_pipe(test_repetitions_are_told_in_time),
        with_pipe(test_colours_on_terminals_only),
        with_pipe(test_stream_sockets),
        with_pipe(test_a_full_disk_drops),
        with_pipe(test_files),
        with_pipe(test_journal_fields),
        with_pipe(test_redirected_stderr_is_no_journal),
        with_pipe(test_journal_comes_and_goes),
        with_pipe(test_journal_path_too_long),
        with_pipe(test_a_stalled_journal),
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
