/*
 * Logs of containers have no bytes here: they are what chance says of them, and while it is calm
 * nothing becomes of them. When the name of one is to be taken back, the log is there again or not.
 */
#include "log-rotation-files.h"
#include "world.h"

#include <string.h>

enum { /* of 10,000 */
       RATE_IS_LOST = 20,
       RATE_GROWS = 300,
};

enum container_log_sight __wrap_container_log_look(int logs, const char *path, uint64_t size);
int __wrap_container_log_rotate(int logs, const char *path, uint32_t files_max, char *stamp,
                                struct err *err);
int __wrap_container_log_restore(int logs, const char *path, const char *stamp, struct err *err);
int __wrap_container_log_compress(int logs, const char *path, struct err *err);
int __wrap_container_log_remove(int logs, const char *path, struct err *err);

enum container_log_sight __wrap_container_log_look(int logs, const char *path, uint64_t size)
{
    if (choose(SITE_LOG_IS_LOST, path, RATE_IS_LOST))
        return CONTAINER_LOG_MISSING;
    return choose(SITE_LOG_GROWS, path, RATE_GROWS) ? CONTAINER_LOG_LARGE : CONTAINER_LOG_FINE;
}

int __wrap_container_log_rotate(int logs, const char *path, uint32_t files_max, char *stamp,
                                struct err *err)
{
    life_may_end(path);
    strcpy(stamp, "20260102-030405");
    return 0;
}

int __wrap_container_log_restore(int logs, const char *path, const char *stamp, struct err *err)
{
    life_may_end(path);
    return (int)draw(SITE_DETAIL, path, 2);
}

int __wrap_container_log_compress(int logs, const char *path, struct err *err)
{
    life_may_end(path);
    return 0;
}

int __wrap_container_log_remove(int logs, const char *path, struct err *err)
{
    life_may_end(path);
    return 0;
}
