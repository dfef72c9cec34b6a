/* volumes/set-up: making emptyDirs, checking hostPaths. */
#include "volumes.h"

static void test_empty_dirs(void **state)
{
    static const char *const path = "pods/u/volumes/kubernetes.io~empty-dir/a";
    struct volume_orders orders;
    struct place place;

    place_init(&place);
    order_volumes(&place, "{name: a, emptyDir: {}}", "a", &orders);
    for (int i = 0; i < 2; i++) { /* twice is as once */
        assert_int_equal(volumes_set_up(place.root, &orders, &place.err), 0);
        assert_int_equal(status_of_path(&place, path).st_mode & 07777, 02777);
        assert_int_equal(status_of_path(&place, path).st_gid, 4711);
    }
    order_volumes(&place, "{name: a, emptyDir: {medium: Memory}}", "a", &orders);
    assert_int_equal(volumes_set_up(place.root, &orders, &place.err), 0);
    assert_int_equal(volumes_set_up(place.root, &orders, &place.err), 0);
    assert_true(mount_is_point(place.root, path));
    assert_int_equal(status_of_path(&place, path).st_mode & 07777, 03777);
    assert_int_equal(volumes_tear_down(place.root, "pods/u", &place.err), 0);
    place_deinit(&place);
}

/* What volume_fill() orders. */
static void give_payload(struct volume_orders *orders, struct payload_file *file,
                         struct payload *payload)
{
    *file = (struct payload_file){"key", "value", 5, 0440, -1};
    payload->files.items = file;
    payload->files.count = 1;
    orders->items.items[0].payload = payload;
}

static void test_files(void **state)
{
    static const char *const sources[] = {"configMap: {name: c}", "secret: {secretName: s}"};
    static const char *const folders[] = {"configmap", "secret"};

    for (size_t i = 0; i < array_size(sources); i++) {
        struct volume_orders orders;
        struct payload_file file;
        struct payload payload;
        struct place place;
        const char *path, *volume;

        place_init(&place);
        path = arena_printf(&place.arena, "pods/u/volumes/kubernetes.io~%s/a", folders[i]);
        volume = arena_printf(&place.arena, "{name: a, %s}", sources[i]);
        order_volumes(&place, volume, "a, mountPath: /x}, {name: b, mountPath: /x/deep/point",
                      &orders);
        give_payload(&orders, &file, &payload);
        for (int twice = 0; twice < 2; twice++)
            assert_int_equal(volumes_set_up(place.root, &orders, &place.err), 0);
        assert_int_equal(mount_is_point(place.root, path), i == 1);
        assert_int_equal(status_of_path(&place, path).st_mode & 07777, i == 1 ? 03777 : 02777);
        path = arena_printf(&place.arena, "%s/deep/point", path);
        assert_true(S_ISDIR(status_of_path(&place, path).st_mode));
        path =
            arena_printf(&place.arena, "pods/u/volumes/kubernetes.io~%s/a/..data/key", folders[i]);
        assert_int_equal(status_of_path(&place, path).st_mode & 07777, 0440);
        assert_int_equal(status_of_path(&place, path).st_gid, 4711);
        assert_int_equal(volumes_tear_down(place.root, "pods/u", &place.err), 0);
        place_deinit(&place);
    }
}

struct host_case {
    const char *name;
    const char *type;
    const char *sentence; /* NULL: it is right */
};

static void test_host_paths(void **state)
{
    static const struct host_case cases[] = {
        {"", "", NULL},
        {"none", "", NULL},
        {"made/deep", "DirectoryOrCreate", NULL},
        {"none", "Directory", "is not a directory"},
        {"file", "Directory", "is not a directory"},
        {"file", "File", NULL},
        {"none", "File", "is not a file"},
        {"new", "FileOrCreate", NULL},
        {"none/new", "FileOrCreate", "No such file or directory"},
        {"file", "Socket", "is not a socket file"},
        {"file", "CharDevice", "is not a character device"},
        {"file", "BlockDevice", "is not a block device"},
    };
    struct place place;

    place_init(&place);
    put_file(&place, "pods/file");
    for (size_t i = 0; i < array_size(cases); i++) {
        char *volume = mem_printf("{name: a, hostPath: {path: '%s/pods/%s', type: '%s'}}",
                                  place.path, cases[i].name, cases[i].type);
        struct volume_orders orders;
        int r;

        assert_int_equal(order_volumes(&place, volume, "a", &orders), 0);
        r = volumes_set_up(place.root, &orders, &place.err);
        if (cases[i].sentence ? r >= 0 || !strstr(place.err.text, cases[i].sentence) : r < 0)
            fail_msg("%s: %s", volume, r < 0 ? place.err.text : "no failure");
        free(volume);
    }
    place_deinit(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_dirs),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_host_paths),
    };

    return cmocka_run_group_tests(tests, own_mounts, NULL);
}
