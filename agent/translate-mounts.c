/*
 * What a container has mounted: its volumes in their order, the pod's hosts file, and the file for
 * its last words.
 */
#include "nodeagent/objects/names.h"
#include "translate-internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define HOSTS "/etc/hosts"

/* sub paths */

static int refuse_missing(const struct string_list *missing, struct err *err)
{
    struct strbuf text = STRBUF_INIT;
    int r;

    strings_sort(missing->items, missing->count);
    for (size_t i = 0; i < missing->count; i++)
        strbuf_printf(&text, "%s%s", i ? ", " : "", missing->items[i]);
    r = err_set(err, -EINVAL, "missing value for %s", text.text);
    strbuf_deinit(&text);
    return r;
}

static int expand_sub_path(const struct translation *translation, const struct string_map *env,
                           const char *expression, const char **result, struct err *err)
{
    struct string_list missing = {0};
    struct variables variables;
    int r;

    variables_init(&variables, translation->arena);
    r = variables_put_all(&variables, env, err);
    if (r == 0)
        r = variables_expand(&variables, expression, "a subPathExpr", result, &missing, err);
    variables_deinit(&variables);
    return r == 0 && missing.count ? refuse_missing(&missing, err) : r;
}

int translate_sub_path(const struct translation *translation, const struct string_map *env,
                       const struct volume_mount *mount, const char **result, struct err *err)
{
    const char *path = mount->sub_path;
    int r = 0;

    *result = NULL;
    if (!str_empty(mount->sub_path_expr)) {
        if (strlen(mount->sub_path_expr) >= PATH_MAX)
            return err_set(err, -ENAMETOOLONG,
                           "the subPathExpr of volume \"%s\" is longer than a path may be",
                           mount->name);
        r = expand_sub_path(translation, env, mount->sub_path_expr, &path, err);
    }
    if (r < 0 || str_empty(path))
        return r;
    if (*path == '/')
        return err_set(err, -EINVAL, "error SubPath `%s` must not be an absolute path", path);
    if (path_has_dot_dot(path))
        return err_set(err, -EINVAL, "unable to provision SubPath `%s`: must not contain '..'",
                       path);
    *result = path;
    return 0;
}

/* volumes */

static int propagation_of(const struct volume_mount *mount, Cri__MountPropagation *result,
                          struct err *err)
{
    const char *mode = mount->mount_propagation;

    if (str_empty(mode) || str_equal(mode, "None"))
        *result = CRI__MOUNT_PROPAGATION__PROPAGATION_PRIVATE;
    else if (str_equal(mode, "HostToContainer"))
        *result = CRI__MOUNT_PROPAGATION__PROPAGATION_HOST_TO_CONTAINER;
    else if (str_equal(mode, "Bidirectional"))
        *result = CRI__MOUNT_PROPAGATION__PROPAGATION_BIDIRECTIONAL;
    else
        return err_set(err, -EINVAL, "invalid MountPropagation mode: \"%s\"", mode);
    return 0;
}

#define RECURSIVE "volume \"%s\" requested recursive read-only mode, but it is "

static int recursive_of(const struct translation *translation, const struct volume_mount *mount,
                        protobuf_c_boolean *result, struct err *err)
{
    const char *mode = mount->recursive_read_only;
    const char *propagation = mount->mount_propagation;
    bool supported = string_list_has(&translation->node->recursive_read_only_handlers,
                                     wire_text(translation->handler));

    if (str_empty(mode) || str_equal(mode, "Disabled"))
        return 0;
    if (!mount->read_only)
        return err_set(err, -EINVAL, RECURSIVE "not read-only", mount->name);
    if (!str_empty(propagation) && !str_equal(propagation, "None"))
        return err_set(err, -EINVAL, RECURSIVE "not compatible with propagation \"%s\"",
                       mount->name, propagation);
    if (!supported && !str_equal(mode, "IfPossible"))
        return err_set(err, -EOPNOTSUPP, RECURSIVE "not supported by the runtime", mount->name);
    *result = supported;
    return 0;
}

static const char *image_reference(const struct pod *pod, const char *volume_name)
{
    array_for_each (volume, pod->spec.volumes)
        if (str_equal(volume->name, volume_name) && volume->image)
            return volume->image->reference;
    return NULL;
}

static int set_image(const struct translation *translation, const struct container_order *order,
                     const struct string_map *env, size_t index, Cri__Mount *message,
                     struct err *err)
{
    const struct object_meta *meta = &translation->pod->object.metadata;
    const struct volume_mount *mount = &order->container->volume_mounts.items[index];
    Cri__ImageSpec *image = message_new(translation->arena, &cri__image_spec__descriptor);
    const char *sub_path;
    int r = translate_sub_path(translation, env, mount, &sub_path, err);

    image->image = wire_text(order->places[index].image_id);
    image->user_specified_image = wire_text(image_reference(translation->pod, mount->name));
    image->n_annotations = meta->annotations.count;
    image->annotations = wire_pairs(translation->arena, &meta->annotations);
    message->image = image;
    if (r == 0)
        message->image_sub_path = wire_text(sub_path);
    return r;
}

static const char *absolute(struct arena *arena, const char *path)
{
    return *path == '/' ? path : arena_printf(arena, "/%s", path);
}

static int translate_mount(const struct translation *translation,
                           const struct container_order *order, const struct string_map *env,
                           size_t index, Cri__Mount **result, struct err *err)
{
    const struct volume_mount *mount = &order->container->volume_mounts.items[index];
    const struct container_place *place = &order->places[index];
    Cri__Mount *message = message_new(translation->arena, &cri__mount__descriptor);
    int r = propagation_of(mount, &message->propagation, err);

    *result = message;
    message->container_path = wire_text(absolute(translation->arena, wire_text(mount->mount_path)));
    message->host_path = wire_text(place->host_path);
    message->readonly = mount->read_only || place->read_only;
    message->selinux_relabel = place->relabel && translation->node->selinux;
    if (r == 0)
        r = recursive_of(translation, mount, &message->recursive_read_only, err);
    if (r < 0 || place->host_path)
        return r;
    if (place->image_id)
        return set_image(translation, order, env, index, message, err);
    return err_set(err, -ENOENT, "cannot find volume \"%s\" to mount into container \"%s\"",
                   mount->name, order->container->name);
}

/* the agent's own files */

static void add_file(const struct translation *translation, const char *host_path,
                     const char *container_path, Cri__ContainerConfig *config)
{
    Cri__Mount *mount = message_new(translation->arena, &cri__mount__descriptor);

    mount->host_path = wire_text(host_path);
    mount->container_path = wire_text(container_path);
    mount->selinux_relabel = translation->node->selinux;
    config->mounts[config->n_mounts++] = mount;
}

static bool wants_hosts(const struct translation *translation, const struct container *container)
{
    array_for_each (mount, container->volume_mounts)
        if (str_equal(mount->mount_path, HOSTS))
            return false;
    return translation->pod_ips.count || translation->pod->spec.host_network;
}

int translate_mounts(const struct translation *translation, const struct container_order *order,
                     const struct string_map *env, Cri__ContainerConfig *config, struct err *err)
{
    const struct container *container = order->container;
    size_t count = container->volume_mounts.count, own_files = 2;
    int r = 0;

    config->mounts = arena_array(translation->arena, Cri__Mount *, count + own_files);
    for (size_t i = 0; i < count && r == 0; i++)
        r = translate_mount(translation, order, env, i, &config->mounts[config->n_mounts++], err);
    if (order->hosts_path && wants_hosts(translation, container))
        add_file(translation, order->hosts_path, HOSTS, config);
    if (order->termination_path && !str_empty(container->termination_message_path))
        add_file(translation, order->termination_path, container->termination_message_path, config);
    return r;
}
