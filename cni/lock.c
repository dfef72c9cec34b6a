/*
 * Locks on bytes of one file. A container has one byte, by a hash of its id; a GC has all of them.
 * Byte 0 is a turnstile, through which everybody goes: a GC stands in it while it waits for those
 * inside to leave, so that others cannot keep it waiting.
 *
 * The locks belong to the open file, not to the process, so that threads exclude each other, too.
 */
#include "lock.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE "nodeagent.lock"
#define LOCK_PAUSE_MSEC 5

enum {
    TURNSTILE = 0,
    CONTAINERS = 1, /* and all that follow */
};

/* FNV-1a; what collides only waits for the other. */
static off_t byte_of(const char *container_id)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (const char *c = container_id; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
    return CONTAINERS + (off_t)(hash >> 2);
}

/* `length` 0: to the end. */
static int lock_bytes(int fd, short type, off_t start, off_t length, usec_t deadline)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MSEC * 1000000L};
    struct flock lock = {
        .l_type = type,
        .l_whence = SEEK_SET,
        .l_start = start,
        .l_len = length,
    };

    while (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return -errno;
        if (clock_monotonic() >= deadline)
            return -EBUSY;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int lock(const char *cache_dir, short turnstile, off_t start, off_t length, usec_t patience,
                struct err *err)
{
    _cleanup_(fd_close_at) int directory = directory_open(cache_dir, 0755, err);
    usec_t deadline = usec_add(clock_monotonic(), patience);
    int fd, r;

    if (directory < 0)
        return directory;
    fd = openat(directory, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, -errno, "cannot open %s/%s: %s", cache_dir, LOCK_FILE, strerror(errno));
    r = lock_bytes(fd, turnstile, TURNSTILE, 1, deadline);
    if (r == 0)
        r = lock_bytes(fd, F_WRLCK, start, length, deadline);
    if (r == 0)
        r = lock_bytes(fd, F_UNLCK, TURNSTILE, 1, deadline);
    if (r == 0)
        return fd;
    close(fd);
    if (r == -EBUSY)
        return err_set(err, r, "another operation was at work for %.1f s: %s/%s is locked",
                       (double)patience / USEC_PER_SEC, cache_dir, LOCK_FILE);
    return err_set(err, r, "cannot lock %s/%s: %s", cache_dir, LOCK_FILE, strerror(-r));
}

int lock_container(const char *cache_dir, const char *container_id, usec_t patience,
                   struct err *err)
{
    return lock(cache_dir, F_RDLCK, byte_of(container_id), 1, patience, err);
}

int lock_all(const char *cache_dir, usec_t patience, struct err *err)
{
    return lock(cache_dir, F_WRLCK, CONTAINERS, 0, patience, err);
}
