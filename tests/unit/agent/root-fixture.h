/* A directory that stands for the machine's root, with the files that a test puts there. */
#pragma once

#include "test.h"

#include "nodeagent/base/arena.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct root {
    char path[32];
    struct arena arena;
    struct err err;
};

static inline int set_up(void **state)
{
    static struct root root;

    root = (struct root){.path = "/tmp/root-XXXXXX", .arena = ARENA_INIT_DOCUMENT};
    assert_non_null(mkdtemp(root.path));
    *state = &root;
    return 0;
}

static inline int tear_down(void **state)
{
    _cleanup_(fd_close_at) int directory = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct root *root = *state;

    arena_deinit(&root->arena);
    return tree_remove(directory, strrchr(root->path, '/') + 1, &root->err);
}

/* The directories on the way are made. */
static inline void put_bytes(struct root *root, const char *path, const char *bytes, size_t length)
{
    char whole[256];
    int fd;

    snprintf(whole, sizeof(whole), "%s%s", root->path, path);
    for (char *slash = strchr(whole + strlen(root->path) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        assert_true(mkdir(whole, 0700) == 0 || errno == EEXIST);
        *slash = '/';
    }
    fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

static inline void put(struct root *root, const char *path, const char *text)
{
    put_bytes(root, path, text, strlen(text));
}

#define with_root(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
