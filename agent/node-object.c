/*
 * Putting a Node together. A draft borrows all that it points at; at the end one deep copy makes
 * an object of it.
 */
#include "node-object-private.h"
#include "node-resources.h"

#include "nodeagent/base/str.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_OS "kubernetes.io/os"
#define LABEL_ARCH "kubernetes.io/arch"
#define ATTACH_DETACH "volumes.kubernetes.io/controller-managed-attach-detach"
#define PROVIDED_IP "alpha.kubernetes.io/provided-node-ip"

const char *node_text(const char *text, struct arena *arena)
{
    size_t length = text ? strnlen(text, NODE_TEXT_MAX) : 0;
    char *copy = arena_strndup(arena, text ? text : "", length);

    length = utf8_cut(copy, length);
    copy[length] = '\0';
    utf8_repair(copy, length);
    return copy;
}

/* labels and annotations */

/* Into a copy: the map may be that of the Node seen. */
static void put(struct arena *arena, struct string_map *map, const char *name, const char *value)
{
    struct string_pair *items = arena_array(arena, struct string_pair, map->count + 1);
    size_t at = 0;

    if (map->count)
        memcpy(items, map->items, map->count * sizeof(*items));
    while (at < map->count && !str_equal(items[at].name, name))
        at++;
    items[at] = (struct string_pair){name, value};
    map->items = items;
    map->count = MAX(map->count, at + 1);
}

static void drop(struct arena *arena, struct string_map *map, const char *name)
{
    struct string_map kept = {.items = arena_array(arena, struct string_pair, map->count)};

    array_for_each (pair, *map)
        if (!str_equal(pair->name, name))
            kept.items[kept.count++] = *pair;
    *map = kept;
}

static struct string_map labels_of(const struct node_inputs *inputs, struct arena *arena)
{
    const char *arch = inputs->machine->architecture;
    struct string_map labels = {0};

    put(arena, &labels, "beta.kubernetes.io/arch", arch);
    put(arena, &labels, "beta.kubernetes.io/os", "linux");
    put(arena, &labels, LABEL_ARCH, arch);
    put(arena, &labels, "kubernetes.io/hostname", inputs->config->node_name);
    put(arena, &labels, LABEL_OS, "linux");
    array_for_each (label, inputs->config->node_labels)
        put(arena, &labels, label->name, label->value);
    return labels;
}

/* Of a Node that was there before only what describes the machine is put right. */
static void correct_labels(struct node *draft, const struct node_inputs *inputs,
                           struct arena *arena)
{
    static const char *const corrected[] = {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
        "node.kubernetes.io/instance-type",
        "beta.kubernetes.io/instance-type",
        LABEL_OS,
        LABEL_ARCH,
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
    };
    struct string_map fresh = labels_of(inputs, arena);

    for (size_t i = 0; i < array_size(corrected); i++) {
        const char *value = string_map_get(&fresh, corrected[i]);

        if (!str_empty(value))
            put(arena, &draft->object.metadata.labels, corrected[i], value);
    }
}

static void annotate(struct node *draft, const struct config *config, struct arena *arena)
{
    struct string_map *annotations = &draft->object.metadata.annotations;

    if (config->controller_attach_detach)
        put(arena, annotations, ATTACH_DETACH, "true");
    else
        drop(arena, annotations, ATTACH_DETACH);
}

/* The cloud's controller checks the addresses that it tells by it. */
static void annotate_address(struct node *draft, const struct config *config, struct arena *arena)
{
    struct string_map *annotations = &draft->object.metadata.annotations;
    const char *const *items = config->node_ip.items;

    if (!config->external_cloud)
        return;
    if (!node_ip_is_explicit(&config->node_ip))
        drop(arena, annotations, PROVIDED_IP);
    else if (config->node_ip.count > 1)
        put(arena, annotations, PROVIDED_IP, arena_printf(arena, "%s,%s", items[0], items[1]));
    else
        put(arena, annotations, PROVIDED_IP, items[0]);
}

/* specification */

static void set_spec(struct node *draft, const struct config *config, struct arena *arena)
{
    struct node_spec *spec = &draft->spec;

    spec->provider_id = config->provider_id;
    spec->taints.items = arena_array(arena, struct taint, config->taints.count + 1);
    array_for_each (taint, config->taints)
        spec->taints.items[spec->taints.count++] = *taint;
    if (config->external_cloud)
        spec->taints.items[spec->taints.count++] = (struct taint){
            .key = "node.cloudprovider.kubernetes.io/uninitialized",
            .value = "true",
            .effect = "NoSchedule",
        };
}

/* status */

static void set_resources(struct node *draft, const struct node_inputs *inputs, bool forget,
                          struct arena *arena)
{
    struct quantity_map own = node_capacity(inputs->config, inputs->machine, arena);
    struct node_status *status = &draft->status;

    status->capacity = node_capacity_with(&own, &status->capacity, forget, arena);
    status->allocatable = node_allocatable(inputs->config, &status->capacity, arena);
}

static void set_info(struct node *draft, const struct node_inputs *inputs, struct arena *arena)
{
    const struct node_machine *machine = inputs->machine;
    const struct node_runtime *runtime = inputs->runtime;
    const char *version = draft->status.node_info.container_runtime_version;
    struct node_info *info = &draft->status.node_info;

    if (!str_empty(runtime->name))
        version = arena_printf(arena, "%s://%s", node_text(runtime->name, arena),
                               node_text(runtime->version, arena));
    *info = (struct node_info){
        .machine_id = machine->machine_id,
        .system_uuid = machine->system_uuid,
        .boot_id = machine->boot_id,
        .kernel_version = machine->kernel_version,
        .os_image = machine->os_image,
        .container_runtime_version = version,
        .kubelet_version = inputs->config->kubernetes_version,
        .operating_system = "linux",
        .architecture = machine->architecture,
    };
    if (machine->swap_bytes > 0) {
        info->swap = arena_new(arena, struct node_swap);
        info->swap->capacity = (struct opt_int64){machine->swap_bytes, true};
    }
}

static void set_images(struct node *draft, const struct node_image_list *images)
{
    if (!images)
        return;
    draft->status.images.items = images->items;
    draft->status.images.count = images->count;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct runtime_handler *)a)->name,
                  ((const struct runtime_handler *)b)->name);
}

static void set_handlers(struct node *draft, const struct node_runtime *runtime,
                         struct arena *arena)
{
    struct node_status *status = &draft->status;
    size_t count = runtime->handlers.count;

    if (runtime->handlers_known) {
        status->runtime_handlers.items = arena_array(arena, struct runtime_handler, count);
        status->runtime_handlers.count = count;
        for (size_t i = 0; i < count; i++) {
            status->runtime_handlers.items[i] = runtime->handlers.items[i];
            status->runtime_handlers.items[i].name =
                node_text(runtime->handlers.items[i].name, arena);
        }
        qsort(status->runtime_handlers.items, count, sizeof(struct runtime_handler), by_name);
    }
    if (runtime->features_known) {
        status->features = arena_new(arena, struct node_features);
        status->features->supplemental_groups_policy =
            runtime->supplemental_groups_policy ? OPT_TRUE : OPT_FALSE;
    }
}

static void set_status(struct node *draft, const struct node_inputs *inputs, bool forget,
                       struct arena *arena, struct err *trouble)
{
    struct node_status *status = &draft->status;

    trouble->code = 0;
    annotate_address(draft, inputs->config, arena);
    node_set_addresses(draft, inputs, arena, trouble);
    set_resources(draft, inputs, forget, arena);
    set_info(draft, inputs, arena);
    status->daemon_endpoints.kubelet.port = inputs->port;
    set_images(draft, inputs->runtime->images);
    set_handlers(draft, inputs->runtime, arena);
    node_set_conditions(draft, inputs, arena);
    if (inputs->volumes_in_use)
        status->volumes_in_use = *inputs->volumes_in_use;
    status->declared_features = inputs->declared_features;
}

/* objects */

static struct node *finished(const struct node *draft)
{
    return node_of(object_copy(&draft->object));
}

struct node *node_object_new(const struct node_inputs *inputs, struct err *trouble)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct node draft = {
        .object = {.kind = &object_kind_node, .metadata.name = inputs->config->node_name}};

    draft.object.metadata.labels = labels_of(inputs, &arena);
    annotate(&draft, inputs->config, &arena);
    set_spec(&draft, inputs->config, &arena);
    set_status(&draft, inputs, false, &arena, trouble);
    return finished(&draft);
}

struct node *node_object_refresh(const struct node_inputs *inputs, struct err *trouble)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct node draft = *inputs->seen;
    struct string_map *labels = &draft.object.metadata.labels;

    /* Without these no pod that asks for them would ever come here. */
    put(&arena, labels, LABEL_OS, "linux");
    put(&arena, labels, LABEL_ARCH, inputs->machine->architecture);
    set_status(&draft, inputs, false, &arena, trouble);
    return finished(&draft);
}

struct node *node_object_adopt(const struct node_inputs *inputs, struct err *trouble)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct node draft = *inputs->seen;

    correct_labels(&draft, inputs, &arena);
    annotate(&draft, inputs->config, &arena);
    set_status(&draft, inputs, !inputs->machine->devices_remembered, &arena, trouble);
    return finished(&draft);
}
