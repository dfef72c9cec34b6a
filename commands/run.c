/*
 * nodeagent run: becomes the service. That is a program of its own, which links much more, so that
 * all other commands stay small. In a build directory it lies beside this one.
 */
#include "command.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/program.h"
#include "show.h"

#include <errno.h>
#include <unistd.h>

#define SERVICE "nodeagentd"

int run_service(const char *command, char **argv)
{
    _cleanup_(mem_free_at) char *path = NULL;
    struct err err;

    if (program_find(SERVICE, "agent", NODEAGENT_LIBEXEC, &path, &err) == 0) {
        execv(path, argv);
        err_set(&err, -errno, "%s: cannot be run: %m", path);
    }
    return show_failure(command, &err);
}

int command_run(int argc, char **argv)
{
    char name[] = SERVICE;

    argv[0] = name;
    return run_service("run", argv);
}
