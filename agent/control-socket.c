/*
 * The socket's file. An address has 108 bytes for a path and run directories may be deeper, so the
 * directory is opened and the socket named through /proc/self/fd.
 *
 * Of two agents that start at once both would find a stale file, and the second would remove what
 * the first has just made. So looking, removing and making are done under a lock on the directory.
 */
#include "control-private.h"
#include "control.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address_in(int directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" CONTROL_SOCKET_NAME,
             directory);
    return address;
}

static int new_socket(struct err *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? err_set(err, -errno, "local socket: cannot be made: %m") : fd;
}

/* Removes what a dead agent left. */
static int clear_place(int directory, const char *run_dir, struct err *err)
{
    struct sockaddr_un address = address_in(directory);
    _cleanup_(fd_close_at) int probe = -1;
    struct stat status;

    if (fstatat(directory, CONTROL_SOCKET_NAME, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT)
            return 0;
        return err_set(err, -errno, "%s/" CONTROL_SOCKET_NAME ": cannot be looked at: %m", run_dir);
    }
    if (!S_ISSOCK(status.st_mode))
        return err_set(err, -EEXIST,
                       "%s/" CONTROL_SOCKET_NAME
                       ": is not a socket; remove it, or give the agent another --run-dir",
                       run_dir);
    probe = new_socket(err);
    if (probe < 0)
        return probe;
    /* EAGAIN: somebody listens who is too busy to answer now. */
    if (connect(probe, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
        return err_set(err, -EADDRINUSE,
                       "%s/" CONTROL_SOCKET_NAME ": another agent listens on it; stop that one, or "
                       "give this one another --run-dir",
                       run_dir);
    if (errno != ECONNREFUSED)
        return err_set(err, -errno, "%s/" CONTROL_SOCKET_NAME ": cannot be tried: %m", run_dir);
    if (unlinkat(directory, CONTROL_SOCKET_NAME, 0) < 0)
        return err_set(err, -errno, "%s/" CONTROL_SOCKET_NAME ": a stale one cannot be removed: %m",
                       run_dir);
    return 0;
}

/* The mode is the socket's before it has a name, so it is never wider. */
static int take_place(int fd, int directory, const char *run_dir, struct err *err)
{
    struct sockaddr_un address = address_in(directory);

    if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, CONTROL_CLIENTS_MAX) < 0)
        return err_set(err, -errno, "%s/" CONTROL_SOCKET_NAME ": cannot be made: %m", run_dir);
    return 0;
}

int control_socket_open(struct control_socket *socket, const char *run_dir, struct err *err)
{
    _cleanup_(fd_close_at) int directory = -1, fd = -1;
    int r;

    directory = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return err_set(err, -errno, "%s: the run directory cannot be opened: %m", run_dir);
    fd = new_socket(err);
    if (fd < 0)
        return fd;
    if (flock(directory, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, -EADDRINUSE, "%s: another agent is starting in this run directory",
                       run_dir);
    r = clear_place(directory, run_dir, err);
    if (r >= 0)
        r = take_place(fd, directory, run_dir, err);
    flock(directory, LOCK_UN);
    if (r < 0)
        return r;
    *socket = (struct control_socket){.fd = fd, .directory = directory};
    if (fstatat(directory, CONTROL_SOCKET_NAME, &socket->inode, AT_SYMLINK_NOFOLLOW) < 0)
        socket->inode.st_ino = 0; /* somebody removed it already */
    fd = directory = -1;
    return 0;
}

void control_socket_close(struct control_socket *socket)
{
    struct stat status;

    if (fstatat(socket->directory, CONTROL_SOCKET_NAME, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_dev == socket->inode.st_dev && status.st_ino == socket->inode.st_ino)
        unlinkat(socket->directory, CONTROL_SOCKET_NAME, 0);
    fd_close_at(&socket->fd);
    fd_close_at(&socket->directory);
}
