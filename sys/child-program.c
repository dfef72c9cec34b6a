/*
 * From fork to exec. All that may wait for a disk or a server (resolving the program, changing the
 * directory) happens here, in the child, where the deadline reaches it; the helper never touches
 * a path.
 *
 * The program is checked by walking: each directory is opened from the one before, looked at, and
 * used for the next step. Descriptors, not paths, are checked and executed, so nothing can be
 * exchanged in between. A script is the exception: the kernel hands its interpreter a path, and one
 * through a descriptor would have to survive the exec. It is executed by its resolved path, every
 * directory of which was just found to be changeable by root alone.
 */
#include "child-program.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PROGRAM_UMASK = 0022,
    FAILURE_FD = 3, /* after the three that the program gets */
};

/* gcc's, and only in a coverage build. */
extern void __gcov_dump(void) __attribute__((weak));
extern void __gcov_reset(void) __attribute__((weak));

void coverage_keep(void)
{
    if (__gcov_dump && __gcov_reset) {
        __gcov_dump();
        __gcov_reset();
    }
}

struct walk {
    int directory;
    char *resolved; /* PATH_MAX bytes; the path of `directory` without links, "" for the root */
    char rest[PATH_MAX];
    int links;
    const char *path; /* as it was asked for */
};

static int walk_failed(const struct walk *walk, int code, struct err *err)
{
    return err_set(err, code, "cannot run %s: %s", walk->path, strerror(-code));
}

static int check_trusted(const struct walk *walk, const char *name, const struct stat *status,
                         struct err *err)
{
    if (status->st_uid != 0)
        return err_set(err, -EPERM, "cannot run %s: %s/%s belongs to user %u, not to root",
                       walk->path, walk->resolved, name, (unsigned)status->st_uid);
    if (status->st_mode & (S_IWGRP | S_IWOTH))
        return err_set(err, -EPERM, "cannot run %s: %s/%s can be written by others than root",
                       walk->path, walk->resolved, name);
    return 0;
}

static int walk_to_root(struct walk *walk, struct err *err)
{
    struct stat status;

    fd_close_at(&walk->directory);
    walk->resolved[0] = '\0';
    walk->directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (walk->directory < 0 || fstat(walk->directory, &status) < 0)
        return walk_failed(walk, -errno, err);
    return check_trusted(walk, "", &status, err);
}

/* Cuts the next component off `rest`; false when there is none. */
static bool next_name(struct walk *walk, char name[NAME_MAX + 2])
{
    size_t slashes = strspn(walk->rest, "/");
    size_t length = strcspn(walk->rest + slashes, "/");

    snprintf(name, NAME_MAX + 2, "%.*s", (int)MIN(length, (size_t)NAME_MAX + 1),
             walk->rest + slashes);
    memmove(walk->rest, walk->rest + slashes + length, strlen(walk->rest + slashes + length) + 1);
    return length > 0;
}

static int walk_link(struct walk *walk, int link, struct err *err)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t length = readlinkat(link, "", target, sizeof(target) - 1);

    if (length < 0)
        return walk_failed(walk, -errno, err);
    target[length] = '\0';
    memcpy(rest, walk->rest, sizeof(rest));
    if (++walk->links > PROGRAM_LINKS_MAX)
        return walk_failed(walk, -ELOOP, err);
    if ((size_t)length + strlen(rest) >= sizeof(walk->rest))
        return walk_failed(walk, -ENAMETOOLONG, err);
    /* `rest` is empty or begins with a slash. */
    strcpy(stpcpy(walk->rest, target), rest);
    return *target == '/' ? walk_to_root(walk, err) : 0;
}

/* Into a directory; takes *fd. */
static int walk_down(struct walk *walk, const char *name, int *fd, struct err *err)
{
    char *slash = strrchr(walk->resolved, '/');

    close(walk->directory);
    walk->directory = *fd;
    *fd = -1;
    if (!strcmp(name, "..")) {
        if (slash)
            *slash = '\0';
        return 0;
    }
    if (!strcmp(name, "."))
        return 0;
    if (strlen(walk->resolved) + strlen(name) + 2 > PATH_MAX)
        return walk_failed(walk, -ENAMETOOLONG, err);
    strcat(strcat(walk->resolved, "/"), name);
    return 0;
}

/* One component; 1 and the program in *program when it was the last. */
static int walk_step(struct walk *walk, int *program, struct err *err)
{
    _cleanup_(fd_close_at) int fd = -1;
    char name[NAME_MAX + 2];
    struct stat status;
    int r;

    if (!next_name(walk, name))
        return walk_failed(walk, -EISDIR, err);
    fd = openat(walk->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        return walk_failed(walk, -errno, err);
    if (S_ISLNK(status.st_mode))
        return walk_link(walk, fd, err);
    r = check_trusted(walk, name, &status, err);
    if (r < 0)
        return r;
    if (S_ISDIR(status.st_mode))
        return walk_down(walk, name, &fd, err);
    if (!S_ISREG(status.st_mode) || *walk->rest)
        return walk_failed(walk, *walk->rest ? -ENOTDIR : -EACCES, err);
    if (strlen(walk->resolved) + strlen(name) + 2 > PATH_MAX)
        return walk_failed(walk, -ENAMETOOLONG, err);
    strcat(strcat(walk->resolved, "/"), name);
    *program = fd;
    fd = -1;
    return 1;
}

int program_open(const char *path, char resolved[PATH_MAX], struct err *err)
{
    struct walk walk = {.directory = -1, .resolved = resolved, .path = path};
    int program = -1, r;

    if (*path != '/')
        return err_set(err, -EINVAL, "cannot run %s: the path must be absolute", path);
    if (strlen(path) >= sizeof(walk.rest))
        return walk_failed(&walk, -ENAMETOOLONG, err);
    strcpy(walk.rest, path);
    r = walk_to_root(&walk, err);
    while (r == 0)
        r = walk_step(&walk, &program, err);
    fd_close_at(&walk.directory);
    return r < 0 ? r : program;
}

static void signals_reset(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int i = 1; i < _NSIG; i++)
        sigaction(i, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What is inherited: three descriptors, and until exec the one that tells of failure. */
static int descriptors_set(const struct program_setup *setup)
{
    if ((setup->input >= 0 && dup2(setup->input, STDIN_FILENO) < 0) ||
        dup2(setup->output[0], STDOUT_FILENO) < 0 || dup2(setup->output[1], STDERR_FILENO) < 0 ||
        dup3(setup->failure, FAILURE_FD, O_CLOEXEC) < 0)
        return -errno;
    closefrom(FAILURE_FD + 1);
    return 0;
}

static int program_exec(const struct program_setup *setup, struct err *err)
{
    char resolved[PATH_MAX];
    int fd = program_open(setup->argv[0], resolved, err);

    if (fd < 0)
        return fd;
    coverage_keep();
    execveat(fd, "", setup->argv, setup->environment, AT_EMPTY_PATH);
    /* Of a script its own descriptor is missed, as it closes on exec. */
    if (errno == ENOENT)
        execve(resolved, setup->argv, setup->environment);
    if (errno == ENOENT)
        return err_set(err, -ENOENT, "cannot run %s: its interpreter is missing", setup->argv[0]);
    return err_set(err, -errno, "cannot run %s: %s", setup->argv[0], strerror(errno));
}

void program_run(const struct program_setup *setup)
{
    struct err err = {0};
    int r;

    setpgid(0, 0);
    signals_reset();
    umask(PROGRAM_UMASK);
    /* Without the helper nobody would enforce the deadline. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != setup->helper)
        _exit(1);
    r = descriptors_set(setup);
    if (r < 0)
        err_set(&err, r, "cannot run %s: %s", setup->argv[0], strerror(-r));
    else if (chdir(setup->directory) < 0)
        err_set(&err, -errno, "cannot run %s in directory %s: %s", setup->argv[0], setup->directory,
                strerror(errno));
    else
        program_exec(setup, &err);
    /* Less than PIPE_BUF, so all of it or nothing. */
    if (write(r < 0 ? setup->failure : FAILURE_FD, &err, sizeof(err)) < 0)
        _exit(2);
    coverage_keep();
    _exit(1);
}
