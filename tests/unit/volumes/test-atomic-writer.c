/* volumes/atomic-writer: all files of a volume at once, whatever a killed writer left. */
#include "volumes.h"

#include "payload.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define VOLUME "pods/u/v"

enum {
    FILES_MAX = 16,
    CALLS_MAX = 2000, /* of one write */
};

struct written {
    struct place place;
    int directory;
    struct payload_file files[FILES_MAX];
    struct payload payload;
};

/* What is at its path now. */
static void open_again(struct written *volume)
{
    fd_close_at(&volume->directory);
    volume->directory = openat(volume->place.root, VOLUME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(volume->directory >= 0);
}

static void volume_init(struct written *volume)
{
    volume->directory = -1;
    place_init(&volume->place);
    assert_int_equal(directory_make(volume->place.root, VOLUME, 0755, &volume->place.err), 0);
    open_again(volume);
}

static void volume_deinit(struct written *volume)
{
    fd_close_at(&volume->directory);
    place_deinit(&volume->place);
}

/* "a=one cfg/b=two": what is to be there. */
static void set_files(struct written *volume, const char *text)
{
    char *copy = arena_strdup(&volume->place.arena, text), *word;

    volume->payload.files.items = volume->files;
    volume->payload.files.count = 0;
    while ((word = strsep(&copy, " "))) {
        char *path = strsep(&word, "=");

        if (word)
            volume->files[volume->payload.files.count++] =
                (struct payload_file){path, word, strlen(word), 0644, -1};
    }
}

static int write_files(struct written *volume, const char *text)
{
    set_files(volume, text);
    return payload_write(volume->directory, &volume->payload, -1, &volume->place.err);
}

/* what is seen */

/* The text is "" for a path that is not there. */
static void assert_file(const struct written *volume, const char *path, const char *expected)
{
    struct strbuf text = STRBUF_INIT;
    struct err err;

    if (file_read_beneath(volume->directory, path, FILE_LINKS_BENEATH, 1 << 20, &text, &err) < 0)
        assert_string_equal(expected, "");
    else
        assert_string_equal(text.text ? text.text : "", expected);
    strbuf_deinit(&text);
}

static char *data_target(const struct written *volume)
{
    char target[256];
    ssize_t length = readlinkat(volume->directory, "..data", target, sizeof(target));

    assert_true(length > 0);
    return arena_strndup((struct arena *)&volume->place.arena, target, (size_t)length);
}

/* "..data a cfg": everything but the directory that ..data leads to. */
static void assert_names(struct written *volume, const char *expected)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *target = data_target(volume);
    struct directory_listing listing;

    assert_int_equal(directory_list(volume->directory, ".", 1000, &volume->place.arena, &listing,
                                    &volume->place.err),
                     0);
    array_for_each (entry, listing)
        if (strcmp(entry->name, target) != 0)
            strbuf_printf(&text, "%s%s", text.length ? " " : "", entry->name);
    assert_string_equal(text.text, expected);
}

/* writing */

static void test_layout(void **state)
{
    struct written volume;
    struct stat status;
    char *target;

    volume_init(&volume);
    assert_int_equal(write_files(&volume, "a=one cfg/b=two cfg/c/d=three"), 1);
    assert_names(&volume, "..data a cfg");
    assert_file(&volume, "a", "one");
    assert_file(&volume, "cfg/b", "two");
    assert_file(&volume, "cfg/c/d", "three");
    target = data_target(&volume);
    assert_int_equal(strlen(target), strlen("..2026_11_21_00_29_00.175040"));
    assert_int_equal(fstatat(volume.directory, target, &status, 0), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    assert_int_equal(readlinkat(volume.directory, "cfg", (char[64]){0}, 64), strlen("..data/cfg"));
    volume_deinit(&volume);
}

static void test_nothing_changed(void **state)
{
    struct written volume;
    char *target;

    volume_init(&volume);
    assert_int_equal(write_files(&volume, "a=one b/c=two"), 1);
    target = data_target(&volume);
    assert_int_equal(write_files(&volume, "b/c=two a=one"), 0);
    assert_string_equal(data_target(&volume), target);
    /* a missing link is made, and nothing is rewritten for it */
    assert_int_equal(unlinkat(volume.directory, "b", 0), 0);
    assert_int_equal(write_files(&volume, "a=one b/c=two"), 0);
    assert_file(&volume, "b/c", "two");
    assert_string_equal(data_target(&volume), target);
    volume_deinit(&volume);
}

static void test_changes(void **state)
{
    struct stat before, after;
    struct written volume;
    char *target;

    volume_init(&volume);
    assert_int_equal(write_files(&volume, "a=one b=two c/d=three"), 1);
    target = data_target(&volume);
    assert_int_equal(fstatat(volume.directory, "a", &before, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(write_files(&volume, "a=1 e=new"), 1);
    assert_names(&volume, "..data a e");
    assert_file(&volume, "a", "1");
    assert_file(&volume, "e", "new");
    assert_string_not_equal(data_target(&volume), target);
    assert_int_equal(fstatat(volume.directory, "a", &after, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(before.st_ino, after.st_ino); /* its link stayed */
    /* a path that is gone is a change, and so are a mode and an empty volume */
    assert_int_equal(write_files(&volume, "a=1"), 1);
    volume.files[0].mode = 0400;
    assert_int_equal(payload_write(volume.directory, &volume.payload, -1, &volume.place.err), 1);
    assert_int_equal(fstatat(volume.directory, "a", &after, 0), 0);
    assert_int_equal(after.st_mode & 07777, 0400);
    assert_int_equal(write_files(&volume, ""), 1);
    assert_names(&volume, "..data");
    assert_int_equal(write_files(&volume, ""), 0);
    volume_deinit(&volume);
}

static void test_owners(void **state)
{
    struct written volume;
    struct stat status;

    volume_init(&volume);
    assert_int_equal(fchown(volume.directory, 0, 4000), 0);
    assert_int_equal(fchmod(volume.directory, 02777), 0);
    set_files(&volume, "token=x d/e=y");
    volume.files[0].owner = 1000;
    volume.files[0].mode = 0640;
    for (int i = 1; i >= 0; i--) /* once, and then there is nothing to do */
        assert_int_equal(payload_write(volume.directory, &volume.payload, 4000, &volume.place.err),
                         i);
    assert_int_equal(fstatat(volume.directory, "token", &status, 0), 0);
    assert_int_equal(status.st_uid, 1000);
    assert_int_equal(status.st_gid, 4000);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(fstatat(volume.directory, "token", &status, AT_SYMLINK_NOFOLLOW), 0);
    assert_int_equal(status.st_uid, 1000);
    assert_int_equal(status.st_gid, 4000);
    assert_int_equal(fstatat(volume.directory, "d", &status, 0), 0);
    assert_int_equal(status.st_uid, 0);
    assert_int_equal(status.st_gid, 4000);
    assert_int_equal(status.st_mode & 07777, 02755);
    assert_int_equal(fstatat(volume.directory, "d/e", &status, 0), 0);
    assert_int_equal(status.st_gid, 4000);
    volume_deinit(&volume);
}

/* A mount point, or what a subPath made, hides a file of its name and stays. */
static void test_directories_stay(void **state)
{
    struct written volume;

    volume_init(&volume);
    assert_int_equal(directory_make(volume.directory, "a/sub", 0755, &volume.place.err), 0);
    assert_int_equal(symlinkat("elsewhere", volume.directory, "foreign"), 0);
    assert_int_equal(write_files(&volume, "a=one b=two"), 1);
    assert_int_equal(write_files(&volume, "b=three"), 1);
    assert_int_equal(faccessat(volume.directory, "a/sub", F_OK, 0), 0);
    assert_names(&volume, "..data a b foreign");
    volume_deinit(&volume);
}

static void test_litter(void **state)
{
    struct written volume;

    volume_init(&volume);
    assert_int_equal(write_files(&volume, "a=one"), 1);
    assert_int_equal(symlinkat("nowhere", volume.directory, "..data_tmp"), 0);
    assert_int_equal(
        directory_make(volume.directory, "..2026_01_01_00_00_00.1/x", 0755, &volume.place.err), 0);
    assert_int_equal(symlinkat("..data/gone", volume.directory, "gone"), 0);
    assert_int_equal(write_files(&volume, "a=one"), 0);
    assert_names(&volume, "..data a");
    /* what leads elsewhere is not the volume's */
    assert_int_equal(unlinkat(volume.directory, "..data", 0), 0);
    assert_int_equal(symlinkat("../../../etc", volume.directory, "..data"), 0);
    assert_int_equal(write_files(&volume, "a=one"), 1);
    assert_file(&volume, "a", "one");
    volume_deinit(&volume);
}

static void test_what_fails_keeps_what_was(void **state)
{
    struct written volume;
    char *target;

    volume_init(&volume);
    assert_int_equal(mount_tmpfs(volume.directory, VOLUME, 65536, &volume.place.err), 0);
    open_again(&volume);
    assert_int_equal(write_files(&volume, "a=one b=two"), 1);
    target = data_target(&volume);
    set_files(&volume, "a=large");
    volume.files[0].bytes = arena_zalloc(&volume.place.arena, 1 << 20);
    volume.files[0].length = 1 << 20;
    assert_int_equal(payload_write(volume.directory, &volume.payload, -1, &volume.place.err),
                     -ENOSPC);
    assert_string_equal(data_target(&volume), target);
    assert_names(&volume, "..data a b");
    assert_file(&volume, "a", "one");
    fd_close_at(&volume.directory);
    assert_int_equal(mount_undo(volume.place.root, VOLUME, &volume.place.err), 0);
    volume_deinit(&volume);
}

/* killing: a child writes and is killed at its n-th system call */

#define OLD_FILES "a=old1 b=old2 gone/c=old3"
#define NEW_FILES "a=new1 b=new2 came/c=new3"

/* False: it came to its end before. */
static bool write_until(struct written *volume, const char *text, int call)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        _exit(write_files(volume, text) < 0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSTOPPED(status));
    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(uintptr_t)PTRACE_O_EXITKILL);
    for (int i = 0; i < call; i++) {
        assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return false;
        }
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    return true;
}

static void assert_all_old_or_all_new(const struct written *volume)
{
    bool new = faccessat(volume->directory, "..data/came/c", F_OK, 0) == 0;

    assert_file(volume, "..data/a", new ? "new1" : "old1");
    assert_file(volume, "..data/b", new ? "new2" : "old2");
    assert_file(volume, "..data/gone/c", new ? "" : "old3");
    assert_file(volume, "a", new ? "new1" : "old1");
    assert_file(volume, "b", new ? "new2" : "old2");
}

static void test_a_kill_anywhere(void **state)
{
    bool killed = true;

    for (int call = 1; killed; call++) {
        struct written volume;

        assert_true(call < CALLS_MAX);
        volume_init(&volume);
        assert_int_equal(write_files(&volume, OLD_FILES), 1);
        killed = write_until(&volume, NEW_FILES, call);
        assert_all_old_or_all_new(&volume);
        assert_true(write_files(&volume, NEW_FILES) >= 0);
        assert_names(&volume, "..data a b came");
        assert_file(&volume, "came/c", "new3");
        assert_file(&volume, "a", "new1");
        volume_deinit(&volume);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_nothing_changed),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_directories_stay),
        cmocka_unit_test(test_litter),
        cmocka_unit_test(test_what_fails_keeps_what_was),
        cmocka_unit_test(test_a_kill_anywhere),
    };

    return cmocka_run_group_tests(tests, own_mounts, NULL);
}
