/*
 * Running a plugin. A command without a slash is sought in PATH: the helper tries one directory
 * after the other, so that nobody here waits for a disk.
 */
#include "exec-plugin.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct exec_plugin {
    struct exec_plugin_options options;
    struct arena arena;
    const char **arguments; /* the first is the program, when it is known */
    const char **environment;
    const char *search; /* what is left of PATH, from the next directory on; NULL: nothing */
    char *program;
    struct child *child;
};

/* the environment */

static const char *make_info(struct arena *arena, const struct kubeconfig *config)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    exec_credential_ask(config, &text);
    return arena_printf(arena, "KUBERNETES_EXEC_INFO=%s", text.text);
}

/* Of a name that is there more than once the last counts. */
static void add_variable(struct map *places, const char **variables, size_t *count,
                         const char *variable)
{
    size_t length = strcspn(variable, "=");
    const char **place = map_get_bytes(places, variable, length);

    if (!place) {
        place = &variables[(*count)++];
        map_put_bytes(places, variable, length, place);
    }
    *place = variable;
}

static void make_environment(struct exec_plugin *plugin)
{
    const struct kubeconfig *config = plugin->options.kubeconfig;
    const struct string_map *own = &config->user.exec->environment;
    struct map places = MAP_INIT;
    size_t count = 0, inherited = 0;

    while (plugin->options.environment[inherited])
        inherited++;
    plugin->environment = arena_array(&plugin->arena, const char *, inherited + own->count + 2);
    for (size_t i = 0; i < inherited; i++)
        add_variable(&places, plugin->environment, &count, plugin->options.environment[i]);
    for (size_t i = 0; i < own->count; i++)
        add_variable(
            &places, plugin->environment, &count,
            arena_printf(&plugin->arena, "%s=%s", own->items[i].name, own->items[i].value));
    add_variable(&places, plugin->environment, &count, make_info(&plugin->arena, config));
    map_deinit(&places);
}

struct exec_plugin *exec_plugin_new(const struct exec_plugin_options *options)
{
    const struct string_list *arguments = &options->kubeconfig->user.exec->arguments;
    struct exec_plugin *plugin = mem_new(struct exec_plugin);

    plugin->options = *options;
    plugin->arena = ARENA_INIT(1024, 16 * 1024);
    plugin->arguments = arena_array(&plugin->arena, const char *, arguments->count + 2);
    for (size_t i = 0; i < arguments->count; i++)
        plugin->arguments[i + 1] = arguments->items[i];
    make_environment(plugin);
    return plugin;
}

struct exec_plugin *exec_plugin_free(struct exec_plugin *plugin)
{
    if (!plugin)
        return NULL;
    if (plugin->child)
        child_cancel(plugin->options.helper, plugin->child);
    free(plugin->program);
    arena_deinit(&plugin->arena);
    free(plugin);
    return NULL;
}

/* running */

static const struct kubeconfig_exec *exec_of(const struct exec_plugin *plugin)
{
    return plugin->options.kubeconfig->user.exec;
}

/* Makes sentences about the plugin begin with where it is declared. */
static int say(const struct exec_plugin *plugin, struct err *err)
{
    return err_prefix(err, "%s: exec", plugin->options.kubeconfig->path);
}

static int not_found(const struct exec_plugin *plugin, const char *why, struct err *err)
{
    const char *hint = exec_of(plugin)->install_hint;

    return err_set(err, -ENOENT, "%s%s%s", why, hint ? "; " : "", hint ? hint : "");
}

static int not_in_path(const struct exec_plugin *plugin, struct err *err)
{
    _cleanup_(mem_free_at) char *why =
        mem_printf("%s is in no directory of PATH", exec_of(plugin)->command);

    return not_found(plugin, why, err);
}

static bool is_missing(const struct child_result *result)
{
    return result->outcome == CHILD_NOT_STARTED &&
           (result->err.code == -ENOENT || result->err.code == -ENOTDIR);
}

/* Names the program in the next directory of PATH; relative ones are passed over. */
static bool next_program(struct exec_plugin *plugin)
{
    while (plugin->search) {
        size_t length = strcspn(plugin->search, ":");
        const char *directory = plugin->search;

        plugin->search = directory[length] ? directory + length + 1 : NULL;
        if (*directory != '/')
            continue;
        free(plugin->program);
        plugin->program = mem_printf("%.*s/%s", (int)length, directory, exec_of(plugin)->command);
        return true;
    }
    return false;
}

static void on_done(void *owner, const struct child_result *result);

static int spawn(struct exec_plugin *plugin, struct err *err)
{
    struct child_request request = {
        .argv = plugin->arguments,
        .environment = plugin->environment,
        .stdout_max = EXEC_OUTPUT_MAX,
        .stderr_max = EXEC_ERRORS_MAX,
        .timeout = EXEC_TIMEOUT,
        .ends_with_agent = true,
    };

    plugin->arguments[0] = plugin->program;
    return child_spawn(plugin->options.helper, &request, on_done, plugin, &plugin->child, err);
}

static void tell_errors(const struct exec_plugin *plugin, const struct child_output *errors)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    strbuf_add_quoted(&text, errors->bytes, errors->length, EXEC_ERRORS_TOLD_MAX);
    if (text.length)
        log_info("%s: %s", plugin->program, text.text);
}

static int take_result(struct exec_plugin *plugin, const struct child_result *result,
                       struct exec_credential **credential, struct err *err)
{
    int r;

    if (is_missing(result) && strchr(exec_of(plugin)->command, '/'))
        return not_found(plugin, result->err.text, err);
    if (is_missing(result))
        return not_in_path(plugin, err);
    if (result->err.code)
        return err_set(err, result->err.code, "%s", result->err.text);
    tell_errors(plugin, &result->errors);
    r = result->out.dropped ? err_set(err, -EFBIG, "it is longer than %d bytes", EXEC_OUTPUT_MAX)
                            : exec_credential_parse(credential, exec_of(plugin)->api_version,
                                                    result->out.bytes, result->out.length, err);
    return r < 0 ? err_prefix(err, "what %s prints is no credential", plugin->program) : 0;
}

static void on_done(void *owner, const struct child_result *result)
{
    struct exec_plugin *plugin = owner;
    struct exec_credential *credential = NULL;
    struct err err = {0};
    int r;

    plugin->child = NULL;
    if (is_missing(result) && next_program(plugin))
        r = spawn(plugin, &err);
    else
        r = take_result(plugin, result, &credential, &err);
    if (plugin->child)
        return;
    if (r < 0)
        say(plugin, &err);
    plugin->options.done(plugin->options.owner, credential, &err);
}

static const char *search_path(const struct exec_plugin *plugin)
{
    for (const char *const *variable = plugin->options.environment; *variable; variable++)
        if (str_has_prefix(*variable, "PATH="))
            return *variable + strlen("PATH=");
    return NULL;
}

int exec_plugin_run(struct exec_plugin *plugin, struct err *err)
{
    const char *command = exec_of(plugin)->command;
    int r;

    assert_that(!plugin->child);
    plugin->search = NULL;
    if (strchr(command, '/')) {
        free(plugin->program);
        plugin->program = mem_strdup(command);
        r = spawn(plugin, err);
    } else {
        plugin->search = search_path(plugin);
        r = next_program(plugin) ? spawn(plugin, err) : not_in_path(plugin, err);
    }
    return r < 0 ? say(plugin, err) : 0;
}

bool exec_plugin_runs(const struct exec_plugin *plugin)
{
    return plugin->child;
}
