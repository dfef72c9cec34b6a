/* sys/log-sink: terminals, sockets, files, and the journal as a datagram socket of our own. */
#include "log-fixture.h"

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
    assert_non_null(strstr(text, "test-log-sink.c\nCODE_LINE="));
    assert_non_null(strstr(text, "CODE_FUNC=test_journal_fields\n"));
    assert_string_equal(seen(fixture), "");
}

/* journalctl shows nothing of a text with broken UTF-8 or control characters but "[blob data]". */
static void test_journal_texts_are_shown(void **state)
{
    _cleanup_(journal_deinit) struct journal journal;
    struct fixture *fixture = *state;
    char text[LOG_LINE_MAX], *long_text = mem_zalloc(2 * LOG_RECORD_MAX + 1);

    journal_init(&journal);
    use_journal(fixture, journal.address.sun_path);
    log_with(LOG_LEVEL_INFO, LOG_FIELDS({"POD", "a\x1b]0;b"}), "two\nlines\t\xff\xc3\xa9");
    journal_read(&journal, text);
    assert_non_null(strstr(text, "MESSAGE=two\\nlines\\t\\xff\xc3\xa9\nPOD=a\\x1b]0;b\n"));
    /* Cut between characters, wherever they begin. */
    for (unsigned start = 0; start < 4; start++) {
        memset(long_text, 'x', start);
        for (unsigned i = start; i + 4 <= 2 * LOG_RECORD_MAX; i += 4)
            memcpy(long_text + i, "\xf0\x9f\x90\x9f", 4);
        log_info("%s", long_text);
        log_info("%s", long_text);
        log_flush(fixture->log, 0);
        for (int i = 0; i < 2; i++) {
            journal_read(&journal, text);
            assert_null(utf8_check(text, strlen(text)));
            assert_non_null(strstr(text, "\xf0\x9f\x90\x9f"));
            assert_null(strstr(text, "\\x"));
        }
        assert_non_null(strstr(text, "\xf0\x9f\x90\x9f (repeated 1 times)\n"));
    }
    free(long_text);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pipe(test_colours_on_terminals_only),
        with_pipe(test_stream_sockets),
        with_pipe(test_a_full_disk_drops),
        with_pipe(test_files),
        with_pipe(test_journal_fields),
        with_pipe(test_journal_texts_are_shown),
        with_pipe(test_redirected_stderr_is_no_journal),
        with_pipe(test_journal_comes_and_goes),
        with_pipe(test_journal_path_too_long),
        with_pipe(test_a_stalled_journal),
    };

    signal(SIGPIPE, SIG_IGN);
    unsetenv("JOURNAL_STREAM");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
