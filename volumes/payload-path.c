/*
 * Paths of files in a volume. What begins with ".." is the volume's own: by such names it is
 * changed in one step.
 */
#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"
#include "payload.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

enum {
    PAYLOAD_PATH_MAX = 4096,
};

static int check_names(const char *path, struct err *err)
{
    for (const char *name = path, *end; *name; name = end + (*end == '/')) {
        size_t length;

        end = strchrnul(name, '/');
        length = (size_t)(end - name);
        if (length == 2 && !memcmp(name, "..", 2))
            return err_set(err, -EINVAL, "invalid path: must not contain '..': %s", path);
        if (length > NAME_MAX)
            return err_set(err, -ENAMETOOLONG,
                           "invalid path: filenames must be less than or equal to %d characters",
                           NAME_MAX);
    }
    return 0;
}

/* Returns how many names are left. */
static unsigned copy_names(const char *path, char *clean)
{
    unsigned names = 0;

    for (const char *name = path, *end; *name; name = end + (*end == '/')) {
        size_t length;

        end = strchrnul(name, '/');
        length = (size_t)(end - name);
        if (!length || (length == 1 && *name == '.'))
            continue;
        if (names++)
            *clean++ = '/';
        clean = mempcpy(clean, name, length);
    }
    *clean = '\0';
    return names;
}

int payload_path_clean(const char *path, struct arena *arena, const char **clean, struct err *err)
{
    unsigned names;
    char *copy;
    int r;

    if (str_empty(path))
        return err_set(err, -EINVAL, "invalid path: must not be empty: \"\"");
    if (*path == '/')
        return err_set(err, -EINVAL, "invalid path: must be relative path: %s", path);
    if (strlen(path) > PAYLOAD_PATH_MAX)
        return err_set(err, -ENAMETOOLONG,
                       "invalid path: must be less than or equal to %d characters",
                       PAYLOAD_PATH_MAX);
    r = check_names(path, err);
    if (r < 0)
        return r;
    *clean = copy = arena_strdup(arena, path);
    names = copy_names(path, copy);
    if (!names)
        return err_set(err, -EINVAL, "invalid path: must name a file: %s", path);
    if (names > DIRECTORY_PATH_DEPTH)
        return err_set(err, -ENAMETOOLONG, "invalid path: must not be deeper than %d: %s",
                       DIRECTORY_PATH_DEPTH, path);
    if (str_has_prefix(copy, ".."))
        return err_set(err, -EINVAL, "invalid path: must not start with '..': %s", path);
    return 0;
}
