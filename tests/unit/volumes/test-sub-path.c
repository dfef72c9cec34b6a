/* volumes/sub-path: parts of volumes, and containers that try to lead them elsewhere. */
#include "volumes.h"

static int mount_part(struct place *place, const char *sub_path)
{
    struct sub_path_order order = {
        .volume_path = arena_printf(&place->arena, "%s/pods/u/volume", place->path),
        .sub_path = sub_path,
        .target = volumes_sub_path_target("pods/u", "v", "c", 0, &place->arena),
    };

    return volumes_sub_path(place->root, &order, &place->err);
}

static void test_parts(void **state)
{
    static const char *const target = "pods/u/volume-subpaths/v/c/0";
    struct place place;

    place_init(&place);
    assert_int_equal(directory_make(place.root, "pods/u/volume/inside", 0755, &place.err), 0);
    put_file(&place, "pods/u/volume/inside/file");
    assert_int_equal(symlinkat("inside", place.root, "pods/u/volume/link"), 0);
    assert_int_equal(symlinkat("/etc", place.root, "pods/u/volume/out"), 0);

    assert_int_equal(mount_part(&place, "link"), 0);
    assert_true(mount_is_point(place.root, target));
    status_of_path(&place, "pods/u/volume-subpaths/v/c/0/file");
    assert_int_equal(mount_part(&place, "inside/file"), 0); /* again, as a file */
    assert_true(S_ISREG(status_of_path(&place, target).st_mode));
    assert_int_equal(mount_part(&place, "made/here"), 0);
    assert_int_equal(status_of_path(&place, "pods/u/volume/made/here").st_mode & 07777, 0755);
    assert_int_equal(mount_part(&place, "out"), -EXDEV);

    assert_int_equal(volumes_tear_down(place.root, "pods/u", &place.err), 0);
    assert_int_equal(faccessat(place.root, "pods/u/volume-subpaths", F_OK, 0), -1);
    status_of_path(&place, "pods/u/volume/inside/file");
    place_deinit(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts)};

    return cmocka_run_group_tests(tests, own_mounts, NULL);
}
