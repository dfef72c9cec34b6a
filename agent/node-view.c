/* Gathering the inputs of a Node. */
#include "node-view.h"

#include "node-features.h"
#include "node-images.h"
#include "node-name.h"
#include "shell.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>

struct node_view {
    struct agent *agent;
    void (*changed)(void *owner);
    void *owner;
    struct node_images *images;
    struct node_name *name;       /* NULL: it does not matter what it means */
    struct string_list addresses; /* of pods, as they were at the start */
    struct arena arena;           /* of those that pods have now */
};

/* Where neither the operator nor a cloud says which address it is, the name does. */
static bool name_matters(const struct config *config)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(256, 256);

    return !node_ip_is_explicit(&config->node_ip) && !config->external_cloud &&
           !address_canonical(config->node_name, &arena);
}

struct node_view *node_view_free(struct node_view *view)
{
    if (!view)
        return NULL;
    view->agent->parts.facts->addresses = view->addresses;
    node_images_free(view->images);
    node_name_free(view->name);
    arena_deinit(&view->arena);
    free(view);
    return NULL;
}

bool node_view_is_settled(const struct node_view *view)
{
    return !view->name || node_name_is_settled(view->name);
}

/* the runtime */

static const char *runtime_sentence(const char *trouble, struct arena *arena)
{
    return str_has_prefix(trouble, "RuntimeReady=")
               ? arena_printf(arena, "container runtime not ready: %s", trouble)
               : "container runtime is down";
}

static const char *network_sentence(const char *trouble, struct arena *arena)
{
    return arena_printf(arena, "container runtime network not ready: %s%s",
                        str_has_prefix(trouble, "NetworkReady=")
                            ? ""
                            : "NetworkReady=false reason:NetworkPluginNotReady message:",
                        trouble);
}

/* What is wrong is told in sentences, where the runtime's own words are only a part of it. */
static struct node_runtime describe_runtime(const struct node_view *view, struct arena *arena)
{
    const struct agent *agent = view->agent;
    const struct runtime_abilities *abilities = runtime_state_abilities(agent->runtime);
    const char *name = runtime_state_name(agent->runtime),
               *trouble = runtime_state_trouble(agent->runtime),
               *network_trouble = agent_network_trouble(agent);
    struct node_runtime runtime = {
        .name = name,
        .version = runtime_state_version(agent->runtime),
        .ready = {.told = true, .good = true},
        .network = {.told = true, .good = true},
        .handlers_known = abilities->told,
        .handlers = {abilities->handlers, abilities->handler_count},
        .features_known = abilities->features_told,
        .supplemental_groups_policy = agent->parts.facts->supplemental_groups_policy,
        .images = node_images_seen(view->images),
    };

    if (trouble)
        strings_add(arena, &runtime.troubles, runtime_sentence(trouble, arena));
    else if (str_empty(name))
        strings_add(arena, &runtime.troubles,
                    "container runtime status check may not have completed yet");
    if (network_trouble)
        strings_add(arena, &runtime.troubles, network_sentence(network_trouble, arena));
    return runtime;
}

/* What attaches is not built yet: what another agent said of its volumes stays. */
void node_view_read(const struct node_view *view, struct node_inputs *inputs, struct arena *arena)
{
    const struct agent *agent = view->agent;
    struct node_network *network = arena_new(arena, struct node_network);
    struct node_runtime *runtime = arena_new(arena, struct node_runtime);

    node_network_read(network, "", arena);
    *runtime = describe_runtime(view, arena);
    *inputs = (struct node_inputs){
        .config = agent->config,
        .machine = agent->parts.facts->machine,
        .network = network,
        .runtime = runtime,
        .declared_features = node_declared_features(agent->config->kubernetes_version, arena),
        .port = agent->config->port,
        .now_usec = (int64_t)clock_wall(),
    };
    if (view->name)
        inputs->looked_up = *node_name_addresses(view->name);
}

/* the addresses of pods on the host's network, and the host's of others */

/* One of each family at most, the primary first. */
static struct string_list internal_addresses(const struct node *told, struct arena *arena)
{
    struct string_list list = {0};
    bool has[2] = {false, false};

    array_for_each (address, told->status.addresses) {
        bool v6 = address_is_v6(address->address);

        if (!str_equal(address->type, "InternalIP") || has[v6])
            continue;
        strings_add(arena, &list, arena_strdup(arena, address->address));
        has[v6] = true;
    }
    return list;
}

void node_view_follow(struct node_view *view, const struct node *told)
{
    struct string_list *addresses = &view->agent->parts.facts->addresses, list;
    struct arena arena = ARENA_INIT(256, 256);

    list = internal_addresses(told, &arena);
    if (!list.count || strings_equal(&list, addresses)) {
        arena_deinit(&arena);
        return;
    }
    arena_deinit(&view->arena);
    view->arena = arena;
    *addresses = list;
    pods_touch_all(view->agent);
}

/* Also while there is no API server: static pods have the address by then. */
static void on_name(void *owner)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct node_view *view = owner;
    struct node_inputs inputs;
    struct node *node;
    struct err ignored;

    node_view_read(view, &inputs, &arena);
    node = node_object_new(&inputs, &ignored);
    node_view_follow(view, node);
    object_unref(&node->object);
    view->changed(view->owner);
}

struct node_view *node_view_new(struct agent *agent, void (*changed)(void *owner), void *owner)
{
    struct node_view *view = mem_new(struct node_view);
    struct node_images_options images = {
        .config = agent->config,
        .cri = agent->cri,
        .wheel = agent->parts.wheel,
    };
    struct node_name_options name = {
        .name = agent->config->node_name,
        .wheel = agent->parts.wheel,
        .work = agent->parts.work,
        .changed = on_name,
        .owner = view,
    };

    view->agent = agent;
    view->changed = changed;
    view->owner = owner;
    view->addresses = agent->parts.facts->addresses;
    view->images = node_images_new(&images);
    if (name_matters(agent->config))
        view->name = node_name_new(&name);
    return view;
}
