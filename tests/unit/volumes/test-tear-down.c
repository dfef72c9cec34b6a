/* volumes/tear-down: what is mounted is unmounted, never emptied. */
#include "volumes.h"

static void test_a_mounted_directory_keeps_its_files(void **state)
{
    struct place place;
    char foreign[64] = "/tmp/nodeagent-test-XXXXXX", *target, *file;

    place_init(&place);
    assert_non_null(mkdtemp(foreign));
    file = mem_printf("%s/kept", foreign);
    target = mem_printf("%s/pods/u/volumes/kind/name", place.path);
    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    assert_int_equal(directory_make(place.root, "pods/u/volumes/kind/name", 0755, &place.err), 0);
    assert_int_equal(mount(foreign, target, NULL, MS_BIND, NULL), 0);
    assert_int_equal(mount(foreign, target, NULL, MS_BIND, NULL), 0);

    assert_int_equal(volumes_tear_down(place.root, "pods/u", &place.err), 0);
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(foreign), 0);
    assert_int_equal(volumes_tear_down(place.root, "pods/u", &place.err), 0); /* nothing is left */
    free(file);
    free(target);
    place_deinit(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mounted_directory_keeps_its_files),
    };

    return cmocka_run_group_tests(tests, own_mounts, NULL);
}
