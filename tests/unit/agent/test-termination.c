/* agent/termination: what containers leave behind, well-meant and not. */
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "termination.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STDOUT_F "2026-01-02T03:04:05.123456789Z stdout F "
#define STDOUT_P "2026-01-02T03:04:05.123456789+01:00 stdout P "
#define STDERR_F "2026-01-02T03:04:05Z stderr F "

enum {
    PATH_BYTES = 64,
};

struct place {
    char directory[PATH_BYTES];
    char message[PATH_BYTES];
    char log[PATH_BYTES];
};

static int begin(void **state)
{
    static struct place place;

    strcpy(place.directory, "/tmp/test-termination-XXXXXX");
    assert_non_null(mkdtemp(place.directory));
    snprintf(place.message, PATH_BYTES, "%s/message", place.directory);
    snprintf(place.log, PATH_BYTES, "%s/0.log", place.directory);
    *state = &place;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    return remove(path);
}

static int end(void **state)
{
    struct place *place = *state;

    return nftw(place->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_at(const char *path, off_t offset, const char *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0644);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, offset), length);
    close(fd);
}

static void write_text(const char *path, const char *text)
{
    unlink(path);
    write_at(path, 0, text, strlen(text));
}

static char *read_text(const char *message, const char *log, bool fall_back)
{
    void *job = termination_job_new(message, log, fall_back);
    char *text;

    assert_int_equal(termination_job(job), 0);
    text = termination_take_text(job);
    termination_job_free(job);
    assert_null(utf8_check(text, strlen(text)));
    return text;
}

static void assert_text(const char *message, const char *log, bool fall_back, const char *expected)
{
    char *text = read_text(message, log, fall_back);

    assert_string_equal(text, expected);
    free(text);
}

/* the message */

static void test_the_message(void **state)
{
    struct place *place = *state;

    write_text(place->message, "last words\n");
    assert_text(place->message, NULL, false, "last words\n");
    write_text(place->log, STDOUT_F "logged\n");
    assert_text(place->message, place->log, true, "last words\n");
}

static void test_nothing_at_all(void **state)
{
    struct place *place = *state;

    assert_text(NULL, NULL, true, "");
    assert_text(place->message, NULL, true, "");
    assert_text(place->message, place->log, false, "");
    write_text(place->message, "");
    assert_text(place->message, place->log, false, "");
}

static void test_text_is_taken_once(void **state)
{
    void *job = termination_job_new(NULL, NULL, false);
    char *text = termination_take_text(job);

    assert_string_equal(text, "");
    free(text);
    termination_job_free(job);
}

static void test_the_end_of_a_long_message(void **state)
{
    struct place *place = *state;
    char *text, expected[TERMINATION_MESSAGE_MAX + 1];

    memset(expected, 'm', TERMINATION_MESSAGE_MAX);
    expected[TERMINATION_MESSAGE_MAX] = '\0';
    write_at(place->message, 0, expected, TERMINATION_MESSAGE_MAX);
    assert_text(place->message, NULL, false, expected);

    /* A terabyte of holes costs nothing. */
    write_at(place->message, (off_t)1 << 40, expected, TERMINATION_MESSAGE_MAX);
    assert_text(place->message, NULL, false, expected);

    /* Half a character at the cut goes. */
    write_at(place->message, ((off_t)1 << 40) - 1, "\xf0\x9f\x90\x9f", 4);
    text = read_text(place->message, NULL, false);
    assert_int_equal(strlen(text), TERMINATION_MESSAGE_MAX - 3);
    assert_string_equal(text, expected + 3);
    free(text);
}

static void test_broken_text_is_repaired(void **state)
{
    struct place *place = *state;

    write_at(place->message, 0,
             "\x80"
             "a\0b\xff\xc3\xa4\xe2\x82",
             9);
    assert_text(place->message, NULL, false, "?a?b?\xc3\xa4??");
}

/* other things than files */

static void assert_refused(const char *path, const char *why)
{
    char *expected = mem_printf("Error on reading termination log %s: %s", path, why);

    assert_text(path, NULL, false, expected);
    free(expected);
    expected = mem_printf("Error on reading termination message from logs: %s: %s", path, why);
    assert_text(NULL, path, true, expected);
    free(expected);
}

static void test_other_things_are_refused(void **state)
{
    struct place *place = *state;
    char *below = mem_printf("%s/below", place->message);

    assert_int_equal(mkfifo(place->message, 0644), 0);
    assert_refused(place->message, "it is not a regular file");
    unlink(place->message);
    assert_int_equal(symlink("/etc/passwd", place->message), 0);
    assert_refused(place->message, "it is a symbolic link");
    unlink(place->message);
    write_text(place->message, "");
    assert_refused(below, "Not a directory");
    assert_refused(place->directory, "it is not a regular file");
    assert_refused("/dev/zero", "it is not a regular file");
    free(below);
}

static void test_what_cannot_be_read(void **state)
{
    /* A regular file whose first page is nowhere. */
    assert_refused("/proc/self/mem", "Input/output error");
}

static void test_an_error_is_not_covered_by_the_log(void **state)
{
    struct place *place = *state;
    char *text;

    write_text(place->log, STDOUT_F "logged\n");
    text = read_text(place->directory, place->log, true);
    assert_true(str_has_prefix(text, "Error on reading termination log "));
    free(text);
}

/* the log */

static void test_the_log(void **state)
{
    struct place *place = *state;

    write_text(place->log, STDOUT_F "one\n" STDERR_F "two\n" STDOUT_F "\n" STDOUT_P "th\n" STDOUT_P
                                    "re\n" STDOUT_F "e \n");
    assert_text(place->message, place->log, true, "one\ntwo\n\nthree \n");
    write_text(place->message, "");
    assert_text(place->message, place->log, true, "one\ntwo\n\nthree \n");
}

static void test_a_log_that_breaks_off(void **state)
{
    struct place *place = *state;

    write_text(place->log, STDOUT_F "one\n" STDOUT_F "tw");
    assert_text(NULL, place->log, true, "one\ntw");
    write_text(place->log, STDOUT_F "one\n" STDOUT_P "tw");
    assert_text(NULL, place->log, true, "one\ntw");
    write_text(place->log, STDOUT_F "one\n2026-01-02T03:04");
    assert_text(NULL, place->log, true, "one\n");
    write_text(place->log, "");
    assert_text(NULL, place->log, true, "");
}

static void test_odd_lines(void **state)
{
    struct place *place = *state;

    write_text(place->log, "\n\n \n  \n   \ntime\ntime stdout\ntime stdout F\ntime stdin F a\n"
                           "time stdoutx F b\ntime stderr P:tag c\ntime stderr Px d\n"
                           "time stdout  e\n{\"log\": \"stdout F f\"}\n");
    assert_text(NULL, place->log, true, "cd\ne\n");
}

static void test_the_last_lines(void **state)
{
    struct place *place = *state;
    struct strbuf log = STRBUF_INIT, expected = STRBUF_INIT;

    for (int i = 0; i < 200; i++) {
        strbuf_printf(&log, STDOUT_F "line %d\n", i);
        if (i >= 200 - TERMINATION_LOG_LINES_MAX)
            strbuf_printf(&expected, "line %d\n", i);
    }
    write_text(place->log, log.text);
    assert_text(NULL, place->log, true, expected.text);
    strbuf_deinit(&log);
    strbuf_deinit(&expected);
}

static void test_the_last_bytes(void **state)
{
    struct place *place = *state;
    struct strbuf log = STRBUF_INIT;
    char *text;

    strbuf_add(&log, STDOUT_F "\xc3\xa4");
    for (int i = 0; i < TERMINATION_LOG_MAX - 2; i++)
        strbuf_add_char(&log, 'x');
    strbuf_add(&log, "\n");
    write_text(place->log, log.text);
    text = read_text(NULL, place->log, true);
    assert_int_equal(strlen(text), TERMINATION_LOG_MAX - 1);
    assert_int_equal(text[0], 'x');
    free(text);
    strbuf_deinit(&log);
}

static void test_lines_longer_than_the_window(void **state)
{
    struct place *place = *state;
    struct strbuf log = STRBUF_INIT;
    char *text;

    strbuf_add(&log, STDOUT_F "start");
    for (int i = 0; i < TERMINATION_LOG_WINDOW; i++)
        strbuf_add_char(&log, 'x');
    write_text(place->log, log.text);
    text = read_text(NULL, place->log, true);
    assert_int_equal(strlen(text), TERMINATION_LOG_MAX);
    assert_int_equal(strspn(text, "x"), TERMINATION_LOG_MAX);
    free(text);

    strbuf_add(&log, "\n" STDOUT_F "end\n");
    write_text(place->log, log.text);
    text = read_text(NULL, place->log, true);
    assert_int_equal(strlen(text), TERMINATION_LOG_MAX);
    assert_string_equal(text + strspn(text, "x"), "\nend\n");
    free(text);
    strbuf_deinit(&log);
}

/* Whatever the bytes, the text is a bounded string. */
static void test_noise(void **state)
{
    struct place *place = *state;
    static const char *const words[] = {"\n", " ",      "stdout",   "F",
                                        "P",  STDOUT_F, "\xe2\x82", "\xff"};
    unsigned seed = 1;

    for (int round = 0; round < 300; round++) {
        struct strbuf log = STRBUF_INIT;
        int count = rand_r(&seed) % 400;
        char *text;

        for (int i = 0; i <= count; i++)
            strbuf_add(&log, words[(size_t)rand_r(&seed) % array_size(words)]);
        write_text(place->log, log.text);
        write_text(place->message, log.text);
        text = read_text(NULL, place->log, true);
        assert_true(strlen(text) <= TERMINATION_LOG_MAX);
        free(text);
        text = read_text(place->message, NULL, true);
        assert_true(strlen(text) <= TERMINATION_MESSAGE_MAX);
        free(text);
        strbuf_deinit(&log);
    }
}

#define test_with_files(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_files(test_the_message),
        test_with_files(test_nothing_at_all),
        cmocka_unit_test(test_text_is_taken_once),
        test_with_files(test_the_end_of_a_long_message),
        test_with_files(test_broken_text_is_repaired),
        test_with_files(test_other_things_are_refused),
        cmocka_unit_test(test_what_cannot_be_read),
        test_with_files(test_an_error_is_not_covered_by_the_log),
        test_with_files(test_the_log),
        test_with_files(test_a_log_that_breaks_off),
        test_with_files(test_odd_lines),
        test_with_files(test_the_last_lines),
        test_with_files(test_the_last_bytes),
        test_with_files(test_lines_longer_than_the_window),
        test_with_files(test_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
