/* From a pod's volumes to what has to be made. */
#include "nodeagent/base/str.h"
#include "payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOUNT_POINTS_MAX = 1000, /* of other volumes in one */
};

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

static void order_directory(const char *plugin, const struct pod_place *place, struct arena *arena,
                            struct volume_order *order)
{
    order->directory = arena_printf(arena, "%s/volumes/kubernetes.io~%s/%s", place->directory,
                                    plugin, order->name);
    order->path = arena_printf(arena, "%s/%s", place->root_path, order->directory);
}

static int order_empty_dir(const struct empty_dir_volume *empty_dir, const struct pod_spec *spec,
                           const struct pod_place *place, uint64_t memory_bytes,
                           struct arena *arena, struct volume_order *order, struct err *err)
{
    const char *medium = empty_dir ? empty_dir->medium : NULL;

    order_directory("empty-dir", place, arena, order);
    order->ready = arena_printf(arena, "%s/plugins/kubernetes.io~empty-dir/%s/ready",
                                place->directory, order->name);
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

/* volumes whose files come from objects */

/* What is left of a clean path below a directory; NULL: it is not below. */
static const char *path_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    return strncmp(path, directory, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* The end of a path comes first, then "/": so what lies below a path follows it directly. */
static int rank(char c)
{
    return c == '/' ? 1 : c ? (unsigned char)c + 1 : 0;
}

static int compare_paths(const void *left, const void *right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;

    for (; *a && *a == *b; a++)
        b++;
    return rank(*a) - rank(*b);
}

/* Of sorted paths, the first one behind this. */
static size_t first_behind(const struct string_list *sorted, const char *path)
{
    size_t first = 0, last = sorted->count;

    while (first < last) {
        size_t middle = first + (last - first) / 2;

        if (compare_paths(&sorted->items[middle], &path) <= 0)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}

/* What lies in a mount point of another volume is made there. */
static void add_points_below(const struct string_list *sorted, const char *directory,
                             struct arena *arena, struct string_list *points)
{
    const char *point, *before = NULL;

    for (size_t i = first_behind(sorted, directory);
         i < sorted->count && (point = path_below(sorted->items[i], directory)); i++) {
        if (before && path_below(point, before))
            continue;
        before = point;
        if (points->count <= MOUNT_POINTS_MAX)
            strings_add(arena, points, point);
    }
}

static void add_mount_points(const struct container *container, const char *volume,
                             struct arena *arena, struct string_list *points)
{
    size_t count = container->volume_mounts.count;
    struct string_list all = {arena_array(arena, const char *, count), 0},
                       own = {arena_array(arena, const char *, count), 0};

    array_for_each (mount, container->volume_mounts) {
        const char *path = mount->mount_path ? mount->mount_path : "", *clean;
        struct err ignored;

        if (payload_path_clean(path + strspn(path, "/"), arena, &clean, &ignored) < 0)
            continue;
        all.items[all.count++] = clean;
        if (str_equal(mount->name, volume))
            own.items[own.count++] = clean;
    }
    qsort(all.items, all.count, sizeof(*all.items), compare_paths);
    array_for_each (directory, own)
        add_points_below(&all, *directory, arena, points);
}

/* A container's runtime cannot make a mount point in what is only read: it must be there. */
static int order_mount_points(const struct pod_spec *spec, struct arena *arena,
                              struct volume_order *order, struct err *err)
{
    const struct container_list *lists[] = {&spec->init_containers, &spec->containers};

    for (size_t i = 0; i < array_size(lists); i++)
        array_for_each (container, *lists[i])
            add_mount_points(container, order->name, arena, &order->mount_points);
    if (order->mount_points.count > MOUNT_POINTS_MAX)
        return err_set(err, -E2BIG, "volume %s: more than %d other volumes are mounted in it",
                       order->name, MOUNT_POINTS_MAX);
    return 0;
}

bool volume_has_payload(const struct volume *volume)
{
    return volume->config_map || volume->secret || volume->downward_api || volume->projected;
}

/* Only what is no secret of anybody's lies on a disk. */
static int order_payload(const struct volume *volume, const struct pod_spec *spec,
                         const struct pod_place *place, uint64_t memory_bytes, struct arena *arena,
                         struct volume_order *order, struct err *err)
{
    const char *plugin = volume->config_map     ? "configmap"
                         : volume->secret       ? "secret"
                         : volume->downward_api ? "downward-api"
                                                : "projected";

    order_directory(plugin, place, arena, order);
    order->read_only = true;
    order->in_memory = !volume->config_map;
    order->size_bytes = order->in_memory ? smaller(memory_limit(spec), memory_bytes) : 0;
    return order_mount_points(spec, arena, order, err);
}

/* all */

/* A volume without a source is an emptyDir. */
static bool has_other_source(const struct volume *volume)
{
    static const struct volume none;
    struct volume rest = *volume;

    rest.name = NULL;
    rest.empty_dir = NULL;
    rest.host_path = NULL;
    rest.config_map = NULL;
    rest.secret = NULL;
    rest.downward_api = NULL;
    rest.projected = NULL;
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
                       "volume %s: only emptyDir, hostPath, configMap, secret, downwardAPI and "
                       "projected volumes can be made by this version",
                       volume->name);
    if (volume_has_payload(volume))
        return order_payload(volume, spec, place, memory_bytes, arena, order, err);
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
