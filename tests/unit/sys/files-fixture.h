/* What tests of sys/files share: a tmpfs on /srv with a place to work in and one to protect. */
#pragma once

#include "test.h"

#include "nodeagent/sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define assert_sentence(err, part) assert_non_null(strstr((err)->text, (part)))

struct place {
    int directory; /* /srv/in */
    int outside;   /* /srv/out, with a file "secret" */
};

static inline void write_file(int directory, const char *name, const char *text)
{
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline void make_link(int directory, const char *name, const char *target)
{
    assert_int_equal(symlinkat(target, directory, name), 0);
}

static inline bool exists(int directory, const char *name)
{
    return faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline int set_up(void **state)
{
    static struct place place;

    assert_int_equal(mount("tmpfs", "/srv", "tmpfs", 0, "size=64m,nr_inodes=200000"), 0);
    assert_int_equal(mkdir("/srv/in", 0755), 0);
    assert_int_equal(mkdir("/srv/out", 0755), 0);
    place.directory = open("/srv/in", O_PATH | O_DIRECTORY | O_CLOEXEC);
    place.outside = open("/srv/out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    write_file(place.outside, "secret", "secret");
    *state = &place;
    return 0;
}

static inline int tear_down(void **state)
{
    struct place *place = *state;

    close(place->directory);
    close(place->outside);
    return umount2("/srv", MNT_DETACH);
}

static inline void assert_contents(int directory, const char *name, const char *text)
{
    _cleanup_(strbuf_deinit) struct strbuf found = STRBUF_INIT;

    assert_int_equal(
        file_read_beneath(directory, name, FILE_LINKS_BENEATH, 1024 * 1024, &found, NULL), 0);
    assert_string_equal(found.text ? found.text : "", text);
}

static inline size_t count_entries(int directory, const char *path)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(1024, 1024);
    struct directory_listing listing;

    assert_int_equal(directory_list(directory, path, 1000, &arena, &listing, NULL), 0);
    return listing.count;
}

/* A thread that keeps changing what is tested. */
struct shaker {
    int directory;
    atomic_bool stop;
};

/* Nothing that is mounted here outlives the program. */
static inline void use_own_mounts(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0) {
        perror("a mount namespace is needed (root)");
        exit(1);
    }
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
