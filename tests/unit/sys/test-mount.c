/* sys/mount: mounts by descriptors. */
#include "test.h"

#include "nodeagent/sys/files.h"
#include "nodeagent/sys/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int own_mounts(void **state)
{
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void test_a_tmpfs_on_another(void **state)
{
    char path[] = "/tmp/nodeagent-test-XXXXXX";
    struct err err;
    int root, directory;

    assert_non_null(mkdtemp(path));
    root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(directory_make(root, "u", 0755, &err), 0);
    directory = openat(root, "u", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_false(mount_is_point(root, "u"));
    assert_int_equal(mount_tmpfs(directory, "u", 1 << 20, &err), 0);
    assert_int_equal(mount_tmpfs(directory, "u", 0, &err), 0);
    close(directory);
    assert_true(mount_is_point(root, "u"));
    assert_int_equal(mount_undo(root, "u", &err), 0);
    assert_false(mount_is_point(root, "u"));
    assert_int_equal(mount_undo(root, "u", &err), 0);
    assert_int_equal(mount_undo(root, "none/here", &err), 0);
    assert_int_equal(tree_remove(root, "u", &err), 0);
    close(root);
    assert_int_equal(rmdir(path), 0);
}

static void test_what_is_not_open_cannot_be_mounted(void **state)
{
    struct err err;

    assert_true(mount_tmpfs(-1, "nothing", 0, &err) < 0);
    assert_non_null(strstr(err.text, "nothing: cannot mount a tmpfs"));
    assert_true(mount_bind(-1, -1, "nothing", &err) < 0);
    assert_non_null(strstr(err.text, "nothing: cannot bind a mount"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tmpfs_on_another),
        cmocka_unit_test(test_what_is_not_open_cannot_be_mounted),
    };

    return cmocka_run_group_tests(tests, own_mounts, NULL);
}
