/* sys/files-remove: trees with links, mounts, depth, and company. */
#include "files-fixture.h"

/* removing */

static void test_removes_trees_but_not_what_links_name(void **state)
{
    struct place *place = *state;
    struct err err;

    directory_make(place->directory, "tree/a/b/c", 0700, NULL);
    write_file(place->directory, "tree/a/file", "");
    mkfifoat(place->directory, "tree/a/fifo", 0600);
    make_link(place->directory, "tree/a/b/link", "/srv/out");
    make_link(place->directory, "tree/secret", "/srv/out/secret");
    make_link(place->directory, "top", "/srv/out");
    assert_int_equal(tree_remove(place->directory, "tree", &err), 0);
    assert_int_equal(tree_remove(place->directory, "top", &err), 0);
    assert_int_equal(count_entries(place->directory, "."), 0);
    assert_contents(place->outside, "secret", "secret");
    assert_int_equal(tree_remove(place->directory, "tree", &err), 0);
    assert_int_equal(tree_remove(place->directory, "no/such/tree", &err), 0);
    make_link(place->directory, "link", "/srv/out");
    assert_int_equal(tree_remove(place->directory, "link/secret", &err), -ELOOP);
    assert_int_equal(tree_remove(place->directory, "..", &err), -EINVAL);
    assert_contents(place->outside, "secret", "secret");
}

static void test_mounts_end_a_removal(void **state)
{
    struct place *place = *state;
    struct err err;

    directory_make(place->directory, "tree/mounted", 0700, NULL);
    assert_int_equal(mount("/srv/out", "/srv/in/tree/mounted", "none", MS_BIND, ""), 0);
    assert_int_equal(tree_remove(place->directory, "tree", &err), -EBUSY);
    assert_sentence(&err, "cannot remove /srv/in/tree/mounted: something is mounted on it");
    assert_int_equal(tree_remove(place->directory, "tree/mounted", &err), -EBUSY);
    /* Beneath a mount point is another matter: the caller named it. */
    mkdirat(place->outside, "sub", 0700);
    assert_int_equal(tree_remove(place->directory, "tree/mounted/sub", &err), 0);
    assert_int_equal(umount("/srv/in/tree/mounted"), 0);
    write_file(place->directory, "tree/mounted/file", "");
    assert_int_equal(mount("/srv/out/secret", "/srv/in/tree/mounted/file", "none", MS_BIND, ""), 0);
    assert_int_equal(tree_remove(place->directory, "tree", &err), -EBUSY);
    assert_sentence(&err, "/srv/in/tree/mounted/file");
    assert_int_equal(umount("/srv/in/tree/mounted/file"), 0);
    assert_int_equal(tree_remove(place->directory, "tree", &err), 0);
    assert_contents(place->outside, "secret", "secret");
}

static void test_removes_100000_entries(void **state)
{
    struct place *place = *state;
    int fd;

    directory_make(place->directory, "tree/many", 0700, NULL);
    fd = openat(place->directory, "tree/many", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 100000; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%d", i);
        if (mknodat(fd, name, S_IFREG | 0600, 0) < 0)
            fail();
    }
    close(fd);
    assert_int_equal(tree_remove(place->directory, "tree", NULL), 0);
    assert_false(exists(place->directory, "tree"));
}

static void test_removes_any_depth(void **state)
{
    struct place *place = *state;
    int fd;

    mkdirat(place->directory, "tree", 0700);
    fd = openat(place->directory, "tree", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 2000; i++) {
        int next;

        assert_int_equal(mkdirat(fd, "d", 0700), 0);
        mknodat(fd, "file", S_IFREG | 0600, 0);
        next = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    close(fd);
    assert_int_equal(tree_remove(place->directory, "tree", NULL), 0);
    assert_false(exists(place->directory, "tree"));
}

/* Each of these is moved up before it is removed. */
static void test_removes_many_that_lie_deep(void **state)
{
    struct place *place = *state;
    char path[2 * TREE_DEPTH_MAX + 8] = "tree", name[16];
    int fd;

    for (int i = 1; i < TREE_DEPTH_MAX; i++)
        strcat(path, "/d");
    mkdirat(place->directory, "tree", 0700);
    for (size_t i = 6; i <= strlen(path); i += 2) {
        char part[sizeof(path)] = "";

        assert_int_equal(mkdirat(place->directory, memcpy(part, path, i), 0700), 0);
    }
    fd = openat(place->directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "%d", i);
        if (mkdirat(fd, name, 0700) < 0)
            fail();
        strcat(name, "/file");
        if (mknodat(fd, name, S_IFREG | 0600, 0) < 0)
            fail();
    }
    close(fd);
    assert_int_equal(tree_remove(place->directory, "tree", NULL), 0);
    assert_false(exists(place->directory, "tree"));
}

static void *churn(void *userdata)
{
    struct shaker *shaker = userdata;

    for (unsigned i = 0; !atomic_load(&shaker->stop); i++) {
        char name[32];

        snprintf(name, sizeof(name), "tree/%u", i % 50);
        if (i % 3 == 0)
            mkdirat(shaker->directory, name, 0700);
        else if (i % 3 == 1)
            (void)!symlinkat("/srv/out", shaker->directory, name);
        else
            renameat2(shaker->directory, "tree/1", shaker->directory, "tree/2",
                      i % 2 ? RENAME_EXCHANGE : 0);
    }
    return NULL;
}

static void test_concurrent_changes_stay_inside(void **state)
{
    struct place *place = *state;
    struct shaker shaker = {.directory = place->directory};
    pthread_t thread;
    int r;

    assert_int_equal(pthread_create(&thread, NULL, churn, &shaker), 0);
    for (int i = 0; i < 100; i++) {
        mkdirat(place->directory, "tree", 0700);
        r = tree_remove(place->directory, "tree", NULL);
        assert_true(r == 0 || r == -ENOTEMPTY);
    }
    atomic_store(&shaker.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(tree_remove(place->directory, "tree", NULL), 0);
    assert_contents(place->outside, "secret", "secret");
}

static void test_what_cannot_be_removed_is_named(void **state)
{
    struct place *place = *state;
    struct err err;

    directory_make(place->directory, "mounted", 0700, NULL);
    assert_int_equal(mount("tmpfs", "/srv/in/mounted", "tmpfs", 0, ""), 0);
    directory_make(place->directory, "mounted/tree/a", 0700, NULL);
    assert_int_equal(mount("none", "/srv/in/mounted", "none", MS_REMOUNT | MS_RDONLY, ""), 0);
    assert_int_equal(tree_remove(place->directory, "mounted/tree", &err), -EROFS);
    assert_sentence(&err, "cannot remove /srv/in/mounted/tree");
    umount("/srv/in/mounted");
}

/* An append-only directory: names can be added, and none removed. */
static void set_append_only(int directory, bool on)
{
    int flags = on ? FS_APPEND_FL : 0;

    assert_int_equal(ioctl(directory, FS_IOC_SETFLAGS, &flags), 0);
}

static void test_stops_in_the_middle(void **state)
{
    struct place *place = *state;
    struct err err;
    int fd;

    directory_make(place->directory, "tree/a/b", 0700, NULL);
    fd = openat(place->directory, "tree/a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    set_append_only(fd, true);
    assert_int_equal(tree_remove(place->directory, "tree", &err), -EPERM);
    assert_sentence(&err, "cannot remove /srv/in/tree/a/b: Operation not permitted");
    set_append_only(fd, false);
    /* At the depth where directories are moved up. */
    for (int i = 0; i < TREE_DEPTH_MAX; i++) {
        int next;

        mkdirat(fd, "d", 0700);
        next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (i == TREE_DEPTH_MAX - 2)
            set_append_only(fd, true);
        close(fd);
        fd = next;
    }
    close(fd);
    assert_int_equal(tree_remove(place->directory, "tree", &err), -EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_removes_trees_but_not_what_links_name),
        in_place(test_mounts_end_a_removal),
        in_place(test_removes_100000_entries),
        in_place(test_removes_any_depth),
        in_place(test_removes_many_that_lie_deep),
        in_place(test_concurrent_changes_stay_inside),
        in_place(test_stops_in_the_middle),
        in_place(test_what_cannot_be_removed_is_named),
    };

    use_own_mounts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
