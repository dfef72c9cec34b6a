/* Where the project's other programs are. */
#include "nodeagent/sys/program.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The directory of the running program; "" when it cannot be told. */
static void own_directory(char directory[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", directory, PATH_MAX - 1);
    char *slash;

    directory[MAX(length, 0)] = '\0';
    slash = strrchr(directory, '/');
    if (slash)
        *slash = '\0';
}

int program_find(const char *name, const char *room, const char *installed, char **path,
                 struct err *err)
{
    char own[PATH_MAX];
    _cleanup_(strbuf_deinit) struct strbuf tried = STRBUF_INIT;

    own_directory(own);
    char *places[] = {
        mem_printf("%s/%s", own, name),
        mem_printf("%s/../%s/%s", own, room, name),
        installed ? mem_printf("%s/%s", installed, name) : NULL,
    };

    *path = NULL;
    for (size_t i = 0; i < array_size(places) && places[i]; i++)
        if (!*path && access(places[i], F_OK) == 0)
            *path = mem_strdup(places[i]);
        else
            strbuf_printf(&tried, "%s%s", i ? ", " : "", places[i]);
    for (size_t i = 0; i < array_size(places); i++)
        free(places[i]);
    return *path ? 0
                 : err_set(err, -ENOENT, "the program %s is not installed; tried %s", name,
                           tried.text);
}
