/* agent/lock-file: one holder, and who else opens the file is heard of. */
#include "test.h"

#include "lock-file.h"

#include "nodeagent/base/macros.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char directory[32];
    char path[64];
    struct loop *loop;
    unsigned heard;
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.directory = "/tmp/lock-XXXXXX"};
    assert_non_null(mkdtemp(fixture.directory));
    snprintf(fixture.path, sizeof(fixture.path), "%s/lock", fixture.directory);
    assert_int_equal(loop_new(&fixture.loop, &fixture.err), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    loop_free(fixture->loop);
    unlink(fixture->path);
    return rmdir(fixture->directory);
}

static void on_contended(void *owner)
{
    struct fixture *fixture = owner;

    fixture->heard++;
}

static struct lock_file *lock(struct fixture *fixture, lock_file_fn *contended)
{
    struct lock_file *lock = NULL;

    if (lock_file_new(&lock, fixture->path, fixture->loop, contended, fixture, &fixture->err) < 0)
        assert_null(lock);
    return lock;
}

static void turn(struct fixture *fixture)
{
    assert_true(loop_turn(fixture->loop, 0, &fixture->err) >= 0);
}

static void test_one_holder(void **state)
{
    struct fixture *fixture = *state;
    struct lock_file *first = lock(fixture, NULL);

    assert_non_null(first);
    assert_null(lock(fixture, NULL));
    assert_int_equal(fixture->err.code, -EADDRINUSE);
    assert_non_null(strstr(fixture->err.text, "another process has this lock file"));
    lock_file_free(first);
    first = lock(fixture, NULL); /* the file that is left behind is no lock */
    assert_non_null(first);
    lock_file_free(first);
    lock_file_free(NULL);
}

static void test_somebody_opens_it(void **state)
{
    struct fixture *fixture = *state;
    struct lock_file *held = lock(fixture, on_contended);

    assert_non_null(held);
    turn(fixture);
    assert_int_equal(fixture->heard, 0);
    for (int i = 0; i < 2; i++) {
        close(open(fixture->path, O_RDONLY | O_CLOEXEC));
        turn(fixture);
        assert_int_equal(fixture->heard, 1);
    }
    lock_file_free(held);
}

static void test_somebody_removes_it(void **state)
{
    struct fixture *fixture = *state;
    struct lock_file *held = lock(fixture, on_contended);

    assert_non_null(held);
    assert_int_equal(chmod(fixture->path, 0640), 0);
    turn(fixture);
    assert_int_equal(fixture->heard, 0);
    assert_int_equal(unlink(fixture->path), 0);
    turn(fixture);
    assert_int_equal(fixture->heard, 1);
    lock_file_free(held);
}

static void test_no_place_for_it(void **state)
{
    struct fixture *fixture = *state;

    snprintf(fixture->path, sizeof(fixture->path), "%s/gone/lock", fixture->directory);
    assert_null(lock(fixture, NULL));
    assert_non_null(strstr(fixture->err.text, "--lock-file: cannot open "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_somebody_opens_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_somebody_removes_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_place_for_it, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
