/*
 * nodeagent run: becomes the service. That is a program of its own, which links much more, so that
 * all other commands stay small. In a build directory it lies beside this one.
 */
#include "command.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define SERVICE "nodeagentd"

struct places {
    char *paths[3];
    size_t count;
};

static void find_places(struct places *places, struct arena *arena)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    char *slash;

    if (length > 0) {
        program[length] = '\0';
        slash = strrchr(program, '/');
        if (slash) {
            int folder = (int)(slash - program);

            places->paths[places->count++] = arena_printf(arena, "%.*s/" SERVICE, folder, program);
            places->paths[places->count++] =
                arena_printf(arena, "%.*s/../agent/" SERVICE, folder, program);
        }
    }
    places->paths[places->count++] = arena_strdup(arena, NODEAGENT_LIBEXEC "/" SERVICE);
}

static int failed(const struct err *err)
{
    fprintf(stderr, "nodeagent run: %s\n", err->text);
    return EXIT_BAD;
}

int run_service(char **argv)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf tried = STRBUF_INIT;
    struct places places = {.count = 0};
    struct err err;

    find_places(&places, &arena);
    for (size_t i = 0; i < places.count; i++) {
        execv(places.paths[i], argv);
        if (errno != ENOENT && errno != ENOTDIR) {
            err_set(&err, -errno, "%s: cannot be run: %m", places.paths[i]);
            return failed(&err);
        }
        strbuf_printf(&tried, "%s%s", i ? ", " : "", places.paths[i]);
    }
    err_set(&err, -ENOENT, "the service " SERVICE " is not installed; tried %s", tried.text);
    return failed(&err);
}

int command_run(int argc, char **argv)
{
    char name[] = SERVICE;

    argv[0] = name;
    return run_service(argv);
}
