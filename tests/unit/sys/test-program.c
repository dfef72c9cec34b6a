/* sys/program: where the project's other programs are sought. */
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/program.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_beside_the_running_one(void **state)
{
    _cleanup_(mem_free_at) char *path = NULL;
    char self[PATH_MAX], found[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

    assert_true(length > 0);
    self[length] = '\0';
    assert_int_equal(program_find("test-sys-program", "room", NULL, &path, NULL), 0);
    assert_non_null(realpath(path, found));
    assert_string_equal(found, self);
}

static void test_in_its_room_of_the_build_directory(void **state)
{
    _cleanup_(mem_free_at) char *path = NULL;

    assert_int_equal(program_find("nodeagent-helper", "../sys", NULL, &path, NULL), 0);
    assert_int_equal(access(path, X_OK), 0);
}

static void test_where_it_is_installed(void **state)
{
    _cleanup_(mem_free_at) char *path = NULL;

    assert_int_equal(program_find("sh", "room", "/bin", &path, NULL), 0);
    assert_string_equal(path, "/bin/sh");
}

static void test_nowhere(void **state)
{
    char *path = NULL;
    struct err err;

    assert_int_equal(program_find("none", "room", "/bin", &path, &err), -ENOENT);
    assert_null(path);
    assert_non_null(strstr(err.text, "the program none is not installed; tried /"));
    assert_non_null(strstr(err.text, "/../room/none, /bin/none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beside_the_running_one),
        cmocka_unit_test(test_in_its_room_of_the_build_directory),
        cmocka_unit_test(test_where_it_is_installed),
        cmocka_unit_test(test_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
