/* sys/child-program: which programs are run, through a real helper. */
#include "child-fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_helper(test_scripts_know_their_name),
        with_helper(test_what_is_no_program),
        with_helper(test_what_the_kernel_does_not_execute),
        with_helper(test_links_that_grow_the_path),
        with_helper(test_only_roots_programs),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
