/* Programs of the system that are not plugins: iptables and its like. */
#include "tool.h"
#include "nodeagent/sys/child.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    TOOL_ERRORS_MAX = 4096,
};

const char *tool_find(const char *name, struct arena *arena)
{
    const char *directory = TOOL_DIRECTORIES;

    while (*directory) {
        size_t length = strcspn(directory, ":");
        const char *path = arena_printf(arena, "%.*s/%s", (int)length, directory, name);

        if (access(path, X_OK) == 0)
            return path;
        directory += length;
        directory += *directory == ':';
    }
    return NULL;
}

int tool_run(const char *const *argv, const char *input, struct arena *arena, const char **output,
             struct err *err)
{
    static const char *const environment[] = {TOOL_PATH, NULL};
    _cleanup_(strbuf_deinit) struct strbuf storage = STRBUF_INIT;
    const struct child_request request = {
        .argv = argv,
        .environment = environment,
        .input = input,
        .input_length = input ? strlen(input) : 0,
        .stdout_max = CHILD_OUTPUT_MAX,
        .stderr_max = TOOL_ERRORS_MAX,
        .timeout = TOOL_TIME,
    };
    struct child_result result;

    child_run(&request, &storage, &result);
    *output = arena_strndup(arena, result.out.bytes ? result.out.bytes : "", result.out.length);
    if (result.err.code < 0)
        *err = result.err;
    if (result.outcome != CHILD_EXITED)
        return result.err.code;
    if (result.out.dropped)
        return err_set(err, -EMSGSIZE, "%s printed more than %d bytes", argv[0], CHILD_OUTPUT_MAX);
    return result.status;
}
