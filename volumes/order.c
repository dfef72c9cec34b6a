/* From a pod's volumes to what has to be made. */
#include "nodeagent/base/str.h"
#include "nodeagent/volumes.h"

#include <errno.h>
#include <string.h>

static bool is_mounted(const struct container_list *containers, const char *name)
{
    array_for_each (container, *containers)
        array_for_each (mount, container->volume_mounts)
            if (str_equal(mount->name, name))
                return true;
    return false;
}

static bool is_used(const struct pod_spec *spec, const char *name)
{
    return is_mounted(&spec->containers, name) || is_mounted(&spec->init_containers, name) ||
           is_mounted(&spec->ephemeral_containers, name);
}

/* What containers may use of memory together, when each says; 0: at least one does not. */
static uint64_t memory_limit(const struct pod_spec *spec)
{
    uint64_t sum = 0;

    array_for_each (container, spec->containers) {
        const struct quantity *limit = quantity_map_get(&container->resources.limits, "memory");

        if (!limit)
            return 0;
        sum += (uint64_t)quantity_value(limit);
    }
    return sum;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a && (!b || a < b) ? a : b;
}

static int order_empty_dir(const struct empty_dir_volume *empty_dir, const struct pod_spec *spec,
                           const struct pod_place *place, uint64_t memory_bytes,
                           struct arena *arena, struct volume_order *order, struct err *err)
{
    const char *medium = empty_dir ? empty_dir->medium : NULL;

    order->directory =
        arena_printf(arena, "%s/volumes/kubernetes.io~empty-dir/%s", place->directory, order->name);
    order->path = arena_printf(arena, "%s/%s", place->root_path, order->directory);
    if (str_empty(medium))
        return 0;
    if (!str_equal(medium, "Memory"))
        return err_set(err, -ENOTSUP, "volume %s: an emptyDir of medium %s cannot be made",
                       order->name, medium);
    order->in_memory = true;
    order->size_bytes = smaller(memory_limit(spec), memory_bytes);
    if (empty_dir->size_limit && quantity_sign(empty_dir->size_limit) > 0)
        order->size_bytes =
            smaller((uint64_t)quantity_value(empty_dir->size_limit), order->size_bytes);
    return 0;
}

/* A volume without a source is an emptyDir. */
static bool has_other_source(const struct volume *volume)
{
    static const struct volume none;
    struct volume rest = *volume;

    rest.name = NULL;
    rest.empty_dir = NULL;
    rest.host_path = NULL;
    return memcmp(&rest, &none, sizeof(rest)) != 0;
}

static int order_one(const struct volume *volume, const struct pod_spec *spec,
                     const struct pod_place *place, uint64_t memory_bytes, struct arena *arena,
                     struct volume_order *order, struct err *err)
{
    const struct opt_int64 *group =
        spec->security_context ? &spec->security_context->fs_group : NULL;

    *order = (struct volume_order){
        .name = arena_strdup(arena, volume->name),
        .group = group && group->set ? group->value : -1,
    };
    if (has_other_source(volume))
        return err_set(err, -ENOTSUP,
                       "volume %s: only emptyDir and hostPath volumes can be made by this version",
                       volume->name);
    if (!volume->host_path)
        return order_empty_dir(volume->empty_dir, spec, place, memory_bytes, arena, order, err);
    order->path = arena_strdup(arena, volume->host_path->path);
    order->host_type =
        arena_strdup(arena, str_empty(volume->host_path->type) ? "" : volume->host_path->type);
    return 0;
}

int volumes_order(const struct pod *pod, const struct pod_place *place, uint64_t memory_bytes,
                  struct arena *arena, struct volume_orders *orders, struct err *err)
{
    orders->items.items = arena_array(arena, struct volume_order, pod->spec.volumes.count);
    orders->items.count = 0;
    array_for_each (volume, pod->spec.volumes) {
        int r;

        if (!is_used(&pod->spec, volume->name))
            continue;
        r = order_one(volume, &pod->spec, place, memory_bytes, arena,
                      &orders->items.items[orders->items.count++], err);
        if (r < 0)
            return r;
    }
    return 0;
}

const char *volumes_sub_path_target(const char *pod_directory, const char *volume,
                                    const char *container, size_t index, struct arena *arena)
{
    return arena_printf(arena, "%s/volume-subpaths/%s/%s/%zu", pod_directory, volume, container,
                        index);
}
