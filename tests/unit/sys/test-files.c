/*
 * sys/files: against the real kernel, in a mount namespace of its own, so that nothing that is
 * mounted here outlives the program. Everything lies below a tmpfs on /srv.
 */
#include "files-fixture.h"

/* opening */

static void test_links_beneath(void **state)
{
    struct place *place = *state;
    struct err err = {0};
    int fd;

    mkdirat(place->directory, "sub", 0755);
    write_file(place->directory, "sub/file", "inside");
    make_link(place->directory, "link", "sub/file");
    fd = file_open_beneath(place->directory, "link", O_RDONLY, 0, FILE_LINKS_BENEATH, &err);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    fd_close_at(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(
        file_open_beneath(place->directory, "link", O_RDONLY, 0, FILE_LINKS_REFUSED, &err), -ELOOP);
    assert_sentence(&err, "/srv/in/link: there is a symbolic link");
}

static void test_nothing_leads_out(void **state)
{
    struct place *place = *state;
    const char *paths[] = {"absolute", "relative", "../out/secret", "/srv/out/secret",
                           "directory/secret"};
    struct err err;

    make_link(place->directory, "absolute", "/srv/out/secret");
    make_link(place->directory, "relative", "../out/secret");
    make_link(place->directory, "directory", "../out");
    for (size_t i = 0; i < array_size(paths); i++) {
        assert_int_equal(
            file_open_beneath(place->directory, paths[i], O_RDONLY, 0, FILE_LINKS_BENEATH, &err),
            -EXDEV);
        assert_sentence(&err, "leads out");
        assert_sentence(&err, paths[i]);
    }
}

static void test_magic_links_are_refused(void **state)
{
    int directory = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct err err;

    assert_int_equal(
        file_open_beneath(directory, "root/etc", O_RDONLY, 0, FILE_LINKS_BENEATH, &err), -ELOOP);
    close(directory);
}

static void test_creates_with_a_mode(void **state)
{
    struct place *place = *state;
    struct stat status;
    int fd = file_open_beneath(place->directory, "new", O_WRONLY | O_CREAT | O_EXCL, 0640,
                               FILE_LINKS_REFUSED, NULL);

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    close(fd);
}

/* A process that the kernel tells "no such system call", as Linux before 5.6 does. */
static void test_old_kernels_are_named(void **state)
{
    struct place *place = *state;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {array_size(filter), filter};
    struct err err = {0};
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        bool told = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
                    file_open_beneath(place->directory, "x", O_RDONLY, 0, FILE_LINKS_BENEATH,
                                      &err) == -ENOSYS &&
                    strstr(err.text, "Linux 5.6");

        _exit(told ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* reading */

static void test_reads_up_to_a_limit(void **state)
{
    struct place *place = *state;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct err err;

    write_file(place->directory, "file", "12345");
    strbuf_add(&text, "before ");
    assert_int_equal(
        file_read_beneath(place->directory, "file", FILE_LINKS_BENEATH, 4, &text, &err), -EFBIG);
    assert_sentence(&err, "/srv/in/file: it has more than the 4 bytes");
    assert_string_equal(text.text, "before ");
    assert_int_equal(
        file_read_beneath(place->directory, "file", FILE_LINKS_BENEATH, 5, &text, &err), 0);
    assert_string_equal(text.text, "before 12345");
    assert_int_equal(file_read("/srv/in/file", 5, &text, &err), 0);
    assert_string_equal(text.text, "before 1234512345");
    assert_int_equal(
        file_read_beneath(place->directory, "none", FILE_LINKS_BENEATH, 5, &text, &err), -ENOENT);
    assert_sentence(&err, "/srv/in/none: No such file");
    assert_int_equal(file_read("/srv/in/none", 5, &text, &err), -ENOENT);
}

static void test_reads_files_without_a_size(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    assert_int_equal(file_read("/proc/self/status", 64 * 1024, &text, NULL), 0);
    assert_non_null(strstr(text.text, "Name:"));
}

static void test_refuses_what_is_no_file(void **state)
{
    struct place *place = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/srv/in/socket"};
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *names[] = {"fifo", "null", "directory"};
    struct err err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(mkfifoat(place->directory, "fifo", 0600), 0);
    assert_int_equal(mknodat(place->directory, "null", S_IFCHR | 0600, 0x103), 0);
    assert_int_equal(mkdirat(place->directory, "directory", 0700), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    for (size_t i = 0; i < array_size(names); i++) {
        assert_true(
            file_read_beneath(place->directory, names[i], FILE_LINKS_BENEATH, 9, &text, &err) < 0);
        assert_sentence(&err, "not a regular file");
        assert_sentence(&err, names[i]);
    }
    assert_int_equal(
        file_read_beneath(place->directory, "socket", FILE_LINKS_BENEATH, 9, &text, &err), -ENXIO);
    assert_int_equal(text.length, 0);
    close(fd);
}

static void *shake(void *userdata)
{
    struct shaker *shaker = userdata;

    for (unsigned i = 0; !atomic_load(&shaker->stop); i++) {
        int fd = openat(shaker->directory, "file", O_WRONLY | O_CREAT, 0600);

        if (ftruncate(fd, (i % 5) * 30000) < 0)
            abort();
        close(fd);
        if (i % 7 == 0)
            unlinkat(shaker->directory, "file", 0);
    }
    return NULL;
}

static void test_reads_what_grows_shrinks_and_vanishes(void **state)
{
    struct place *place = *state;
    struct shaker shaker = {.directory = place->directory};
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, shake, &shaker), 0);
    for (int i = 0; i < 300; i++) {
        int r;

        strbuf_truncate(&text, 0);
        r = file_read_beneath(place->directory, "file", FILE_LINKS_REFUSED, 100000, &text, NULL);
        assert_true(r == 0 || r == -ENOENT || r == -EFBIG);
        assert_true(text.length <= 100000);
        assert_true(r == 0 || text.length == 0);
    }
    atomic_store(&shaker.stop, true);
    pthread_join(thread, NULL);
}

/* replacing */

static void test_replaces_with_mode_and_owner(void **state)
{
    struct place *place = *state;
    struct file_contents contents = {"new", 3, 0644, 12, 34};
    struct stat status;

    mkdirat(place->directory, "a", 0755);
    write_file(place->directory, "a/file", "a longer old text");
    umask(0077);
    assert_int_equal(file_replace(place->directory, "a/file", &contents, NULL), 0);
    umask(0022);
    assert_contents(place->directory, "a/file", "new");
    assert_int_equal(fstatat(place->directory, "a/file", &status, 0), 0);
    assert_int_equal(status.st_mode & 07777, 0644);
    assert_int_equal(status.st_uid, 12);
    assert_int_equal(status.st_gid, 34);
    contents = (struct file_contents){"", 0, 0600, FILE_OWNER_KEEP, FILE_GROUP_KEEP};
    assert_int_equal(file_replace(place->directory, "a/file", &contents, NULL), 0);
    assert_int_equal(fstatat(place->directory, "a/file", &status, 0), 0);
    assert_int_equal(status.st_uid, 0);
    assert_int_equal(count_entries(place->directory, "a"), 1);
}

static void test_replaces_links_themselves(void **state)
{
    struct place *place = *state;
    struct file_contents contents = {"new", 3, 0644, FILE_OWNER_KEEP, FILE_GROUP_KEEP};
    struct err err;

    make_link(place->directory, "link", "/srv/out/secret");
    make_link(place->directory, "directory", "/srv/out");
    assert_int_equal(file_replace(place->directory, "link", &contents, &err), 0);
    assert_contents(place->directory, "link", "new");
    assert_contents(place->outside, "secret", "secret");
    assert_int_equal(file_replace(place->directory, "directory/x", &contents, &err), -ELOOP);
    assert_false(exists(place->outside, "x"));
}

static void test_replace_needs_a_name(void **state)
{
    struct place *place = *state;
    struct file_contents contents = {"new", 3, 0644, FILE_OWNER_KEEP, FILE_GROUP_KEEP};
    const char *paths[] = {"", "a/", "a/..", ".", ".."};
    char long_name[NAME_MAX + 2], long_path[2 * PATH_MAX];
    struct err err;

    for (size_t i = 0; i < array_size(paths); i++) {
        assert_int_equal(file_replace(place->directory, paths[i], &contents, &err), -EINVAL);
        assert_sentence(&err, "does not end in the name of a file");
    }
    memset(long_name, 'n', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(file_replace(place->directory, long_name, &contents, &err), -EINVAL);
    memset(long_path, 'n', sizeof(long_path));
    strcpy(long_path + sizeof(long_path) - 3, "/x");
    assert_int_equal(file_replace(place->directory, long_path, &contents, &err), -ENAMETOOLONG);
    assert_int_equal(file_replace(place->directory, "/x", &contents, &err), -EXDEV);
}

static void test_failed_replace_leaves_the_old(void **state)
{
    struct place *place = *state;
    static char large[1024 * 1024];
    struct file_contents contents = {large, sizeof(large), 0644, FILE_OWNER_KEEP, FILE_GROUP_KEEP};
    struct err err;

    assert_int_equal(mkdir("/srv/in/small", 0755), 0);
    assert_int_equal(mount("tmpfs", "/srv/in/small", "tmpfs", 0, "size=64k"), 0);
    write_file(place->directory, "small/file", "old");
    assert_int_equal(file_replace(place->directory, "small/file", &contents, &err), -ENOSPC);
    assert_sentence(&err, "/srv/in/small/file: No space left");
    assert_contents(place->directory, "small/file", "old");
    assert_int_equal(count_entries(place->directory, "small"), 1);
    contents.length = 3;
    mkdirat(place->directory, "small/directory", 0755);
    assert_int_equal(file_replace(place->directory, "small/directory", &contents, &err), -EISDIR);
    assert_int_equal(count_entries(place->directory, "small"), 2);
    assert_int_equal(mount("none", "/srv/in/small", "none", MS_REMOUNT | MS_RDONLY, ""), 0);
    assert_int_equal(file_replace(place->directory, "small/file", &contents, &err), -EROFS);
    umount("/srv/in/small");
}

static void test_removes_temporaries(void **state)
{
    struct place *place = *state;
    struct err err;

    write_file(place->directory, FILE_TEMPORARY_PREFIX "0123", "");
    write_file(place->directory, FILE_TEMPORARY_PREFIX "4567", "");
    write_file(place->directory, "kept", "");
    assert_int_equal(file_remove_temporaries(place->directory, ".", &err), 2);
    assert_true(exists(place->directory, "kept"));
    assert_int_equal(count_entries(place->directory, "."), 1);
    assert_int_equal(file_remove_temporaries(place->directory, "none", &err), -ENOENT);
    mkdirat(place->directory, FILE_TEMPORARY_PREFIX "89", 0755);
    assert_int_equal(file_remove_temporaries(place->directory, ".", &err), -EISDIR);
    assert_sentence(&err, "/srv/in/" FILE_TEMPORARY_PREFIX "89");
}

/* directories */

static void test_makes_directories(void **state)
{
    struct place *place = *state;
    struct stat status;
    struct err err;

    mkdirat(place->directory, "a", 0700);
    umask(0077);
    assert_int_equal(directory_make(place->directory, "a/b//c/", 0751, &err), 0);
    umask(0022);
    assert_int_equal(fstatat(place->directory, "a", &status, 0), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(fstatat(place->directory, "a/b/c", &status, 0), 0);
    assert_int_equal(status.st_mode & 07777, 0751);
    assert_int_equal(directory_make(place->directory, "a/b/c", 0700, &err), 0);
}

static void test_makes_directories_beneath_only(void **state)
{
    struct place *place = *state;
    char deep[DIRECTORY_PATH_DEPTH * 2 + 8] = "";
    struct err err;

    make_link(place->directory, "link", "/srv/out");
    write_file(place->directory, "file", "");
    assert_int_equal(directory_make(place->directory, "link/x", 0700, &err), -ELOOP);
    assert_int_equal(directory_make(place->directory, "a/../../out/x", 0700, &err), -EXDEV);
    assert_int_equal(directory_make(place->directory, "/srv/out/x", 0700, &err), -EXDEV);
    assert_int_equal(directory_make(place->directory, "file/x", 0700, &err), -ENOTDIR);
    assert_false(exists(place->outside, "x"));
    for (int i = 0; i <= DIRECTORY_PATH_DEPTH; i++)
        strcat(deep, "d/");
    assert_int_equal(directory_make(place->directory, deep, 0700, &err), -ENAMETOOLONG);
    assert_int_equal(directory_make(-1, "a", 0700, &err), -EBADF);
    assert_int_equal(mount("tmpfs", "/srv/out", "tmpfs", MS_RDONLY, ""), 0);
    int fd = open("/srv/out", O_PATH | O_CLOEXEC);

    assert_int_equal(directory_make(fd, "a", 0700, &err), -EROFS);
    close(fd);
    umount("/srv/out");
}

static void test_lists_sorted_and_bounded(void **state)
{
    struct place *place = *state;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(1024, 1024);
    struct directory_listing listing;
    struct err err;

    assert_int_equal(directory_list(place->directory, ".", 0, &arena, &listing, &err), 0);
    assert_int_equal(listing.count, 0);
    write_file(place->directory, "b", "");
    write_file(place->directory, "B", "");
    mkdirat(place->directory, "a", 0700);
    assert_int_equal(directory_list(place->directory, ".", 3, &arena, &listing, &err), 0);
    assert_int_equal(listing.count, 3);
    assert_string_equal(listing.items[0].name, "B");
    assert_string_equal(listing.items[1].name, "a");
    assert_int_equal(listing.items[1].type, DT_DIR);
    assert_string_equal(listing.items[2].name, "b");
    assert_int_equal(directory_list(place->directory, ".", 2, &arena, &listing, &err), -E2BIG);
    assert_sentence(&err, "/srv/in: it has more than the 2 entries");
    assert_int_equal(directory_list(place->directory, "b", 2, &arena, &listing, &err), -ENOTDIR);
}

static void test_a_vanished_directory_cannot_be_listed(void **state)
{
    struct place *place = *state;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(1024, 1024);
    struct directory_listing listing;
    struct err err;
    int fd;

    mkdirat(place->directory, "gone", 0700);
    fd = openat(place->directory, "gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unlinkat(place->directory, "gone", AT_REMOVEDIR);
    assert_int_equal(directory_list(fd, ".", 9, &arena, &listing, &err), -ENOENT);
    assert_sentence(&err, "/srv/in/gone");
    assert_int_equal(file_remove_temporaries(fd, ".", &err), -ENOENT);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_links_beneath),
        in_place(test_nothing_leads_out),
        in_place(test_magic_links_are_refused),
        in_place(test_creates_with_a_mode),
        in_place(test_old_kernels_are_named),
        in_place(test_reads_up_to_a_limit),
        in_place(test_reads_files_without_a_size),
        in_place(test_refuses_what_is_no_file),
        in_place(test_reads_what_grows_shrinks_and_vanishes),
        in_place(test_replaces_with_mode_and_owner),
        in_place(test_replaces_links_themselves),
        in_place(test_replace_needs_a_name),
        in_place(test_failed_replace_leaves_the_old),
        in_place(test_removes_temporaries),
        in_place(test_makes_directories),
        in_place(test_makes_directories_beneath_only),
        in_place(test_lists_sorted_and_bounded),
        in_place(test_a_vanished_directory_cannot_be_listed),
    };

    use_own_mounts();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
