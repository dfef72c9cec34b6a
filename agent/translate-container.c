/* From a container to what the runtime creates. */
#include "translate-internal.h"

#include <errno.h>
#include <string.h>

struct command {
    const struct variables *variables;
    const char *what;
    size_t *bytes; /* of all arguments */
};

static int expand_all(const struct command *command, const struct string_list *list, char ***result,
                      struct err *err)
{
    *result = arena_array(command->variables->arena, char *, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const char *text;
        int r =
            variables_expand(command->variables, list->items[i], command->what, &text, NULL, err);

        if (r < 0)
            return r;
        *command->bytes += strlen(text) + 1;
        if (*command->bytes > VARIABLES_BYTES_MAX)
            return err_set(err, -E2BIG, "the command is too long: at most %d bytes",
                           VARIABLES_BYTES_MAX);
        (*result)[i] = wire_text(text);
    }
    return 0;
}

/* Command and arguments see all variables. */
static int set_command(const struct translation *translation, const struct container *container,
                       const struct string_map *env, Cri__ContainerConfig *config, struct err *err)
{
    struct variables variables;
    size_t bytes = 0;
    struct command command = {&variables, "the command", &bytes},
                   args = {&variables, "args", &bytes};
    int r;

    variables_init(&variables, translation->arena);
    r = variables_put_all(&variables, env, err);
    if (r == 0)
        r = expand_all(&command, &container->command, &config->command, err);
    if (r == 0)
        r = expand_all(&args, &container->args, &config->args, err);
    variables_deinit(&variables);
    config->n_command = container->command.count;
    config->n_args = container->args.count;
    return r;
}

static void set_env(struct arena *arena, const struct string_map *env, Cri__ContainerConfig *config)
{
    config->envs = arena_array(arena, Cri__KeyValue *, env->count);
    array_for_each (variable, *env) {
        Cri__KeyValue *message = message_new(arena, &cri__key_value__descriptor);

        message->key = wire_text(variable->name);
        message->value.data = (uint8_t *)wire_text(variable->value);
        message->value.len = strlen(variable->value);
        config->envs[config->n_envs++] = message;
    }
}

static void set_identity(const struct translation *translation, const struct container_order *order,
                         Cri__ContainerConfig *config)
{
    const struct container *container = order->container;
    struct arena *arena = translation->arena;
    struct string_map labels = translate_container_labels(translation, container);
    struct string_map annotations = translate_container_annotations(translation, order);

    config->metadata = message_new(arena, &cri__container_metadata__descriptor);
    config->metadata->name = wire_text(container->name);
    config->metadata->attempt = order->attempt;
    config->image = message_new(arena, &cri__image_spec__descriptor);
    config->image->image = wire_text(order->image_id);
    config->image->user_specified_image = wire_text(container->image);
    config->n_labels = labels.count;
    config->labels = wire_pairs(arena, &labels);
    config->n_annotations = annotations.count;
    config->annotations = wire_pairs(arena, &annotations);
    config->log_path = arena_printf(arena, "%s/%u.log", container->name, order->attempt);
}

static void set_terminal(const struct container *container, Cri__ContainerConfig *config)
{
    config->working_dir = wire_text(container->working_dir);
    config->stdin = container->stdin_open;
    config->stdin_once = container->stdin_once;
    config->tty = container->tty;
}

static int set_linux(const struct translation *translation, const struct container_order *order,
                     Cri__ContainerConfig *config, struct err *err)
{
    Cri__LinuxContainerConfig *part =
        message_new(translation->arena, &cri__linux_container_config__descriptor);

    config->linux_config = part;
    part->resources = translate_container_resources(translation, order->container);
    return translate_container_security(translation, order, &part->security_context, err);
}

int translate_container(const struct translation *translation, const struct container_order *order,
                        Cri__ContainerConfig **result, struct err *err)
{
    const struct container *container = order->container;
    Cri__ContainerConfig *config =
        message_new(translation->arena, &cri__container_config__descriptor);
    struct string_map env;
    int r = translate_env(translation, container, &env, err);

    *result = config;
    if (r < 0)
        return r;
    set_identity(translation, order, config);
    set_terminal(container, config);
    set_env(translation->arena, &env, config);
    r = set_command(translation, container, &env, config, err);
    if (r == 0)
        r = translate_mounts(translation, order, &env, config, err);
    return r < 0 ? r : set_linux(translation, order, config, err);
}
