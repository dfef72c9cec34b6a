/* Locking a file, and seeing who else opens it. */
#include "lock-file.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

struct lock_file {
    int file;
    int watch; /* inotify's descriptor; -1: nobody asked */
    struct loop_source *source;
    lock_file_fn *contended;
    void *owner;
};

/* What is removed while it is held open only changes its attributes; and so does a chmod. */
static bool is_contended(const struct lock_file *lock)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t length = read(lock->watch, buffer, sizeof(buffer));
    struct stat status;

    for (ssize_t at = 0; at < length;) {
        const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

        if (event->mask & IN_OPEN)
            return true;
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    return fstat(lock->file, &status) < 0 || !status.st_nlink;
}

static void on_event(void *owner, int fd, uint32_t events)
{
    struct lock_file *lock = owner;

    if (!is_contended(lock))
        return;
    lock->source = loop_source_free(lock->source);
    lock->contended(lock->owner);
}

/* The kubelet's kind of lock (fcntl's), but one of the open file: it ends with no other descriptor.
 */
static int take(struct lock_file *lock, const char *path, struct err *err)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    lock->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (lock->file < 0)
        return err_set(err, -errno, "--lock-file: cannot open %s: %m", path);
    if (fcntl(lock->file, F_OFD_SETLK, &whole) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return err_set(err, -EADDRINUSE,
                       "%s: another process has this lock file; stop that one, or give this agent "
                       "another --lock-file",
                       path);
    return err_set(err, -errno, "--lock-file: cannot lock %s: %m", path);
}

static int watch(struct lock_file *lock, const char *path, struct loop *loop, struct err *err)
{
    lock->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (lock->watch < 0 || inotify_add_watch(lock->watch, path, IN_OPEN | IN_ATTRIB) < 0)
        return err_set(err, -errno,
                       "--exit-on-lock-contention: cannot watch %s: %m; raise "
                       "fs.inotify.max_user_instances",
                       path);
    return loop_watch_fd(loop, &lock->source, LOOP_CLIENTS, lock->watch, EPOLLIN, on_event, lock,
                         err);
}

int lock_file_new(struct lock_file **result, const char *path, struct loop *loop,
                  lock_file_fn *contended, void *owner, struct err *err)
{
    struct lock_file *lock = mem_new(struct lock_file);
    int r;

    *lock = (struct lock_file){.file = -1, .watch = -1, .contended = contended, .owner = owner};
    r = take(lock, path, err);
    if (r == 0 && contended)
        r = watch(lock, path, loop, err);
    *result = r < 0 ? lock_file_free(lock) : lock;
    return r;
}

struct lock_file *lock_file_free(struct lock_file *lock)
{
    if (!lock)
        return NULL;
    if (lock->source)
        loop_source_free(lock->source);
    fd_close_at(&lock->watch);
    fd_close_at(&lock->file);
    free(lock);
    return NULL;
}
