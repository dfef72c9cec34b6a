/* The rules for a container's volume mounts and block devices. */
#include "pod-rules.h"

/* The volume of that name which has no error of its own; only such a volume can be mounted. */
static const struct volume *find_valid_volume(const struct pod_view *view, const char *name)
{
    for (size_t i = 0; i < view->spec->volumes.count; i++)
        if (view->valid_volumes[i] && str_equal(view->spec->volumes.items[i].name, name))
            return &view->spec->volumes.items[i];
    return NULL;
}

static bool is_device_name(const struct container *container, const char *name)
{
    array_for_each (device, container->volume_devices) {
        if (str_equal(device->name, name))
            return true;
    }
    return false;
}

static bool is_device_path(const struct container *container, const char *path)
{
    array_for_each (device, container->volume_devices) {
        if (str_equal(device->device_path, path))
            return true;
    }
    return false;
}

static bool is_mounted(const struct container *container, size_t before, const char *path)
{
    for (size_t i = 0; i < before; i++)
        if (str_equal(container->volume_mounts.items[i].mount_path, path))
            return true;
    return false;
}

static bool is_mount_name(const struct container *container, const char *name)
{
    array_for_each (mount, container->volume_mounts) {
        if (str_equal(mount->name, name))
            return true;
    }
    return false;
}

static void validate_volume_name(const struct pod_view *view, const char *text,
                                 const struct path *name, struct report *report)
{
    require_some(report, name, text);
    if (!find_valid_volume(view, text))
        report_error(report, name, FINDING_NOT_FOUND,
                     "\"%.64s\" must name a volume of the pod (one without errors)",
                     text ? text : "");
}

/* These carry the list's path, without an index, in the server's answers. */
static void validate_mount_options(const struct volume_mount *mount,
                                   const struct security_context *security, const struct path *list,
                                   const struct path *item, struct report *report)
{
    static const char *const propagations[] = {"None", "HostToContainer", "Bidirectional", NULL};
    static const char *const recursions[] = {"Disabled", "IfPossible", "Enabled", NULL};
    struct path sub_path = path_name(list, "subPath"), expression = path_name(list, "subPathExpr"),
                propagation = path_name(list, "mountPropagation"),
                recursive = path_name(list, "recursiveReadOnly");

    if (!str_empty(mount->sub_path))
        require(report, &sub_path, mount->sub_path, name_check_relative_path(mount->sub_path));
    if (!str_empty(mount->sub_path_expr)) {
        if (!str_empty(mount->sub_path))
            report_error_in(report, item, "subPathExpr", FINDING_INVALID,
                            "must not be set beside subPath");
        require(report, &expression, mount->sub_path_expr,
                name_check_relative_path(mount->sub_path_expr));
    }
    if (mount->mount_propagation &&
        require_one_of(report, &propagation, mount->mount_propagation, propagations) &&
        str_equal(mount->mount_propagation, "Bidirectional") &&
        (!security || security->privileged != OPT_TRUE))
        report_error(report, &propagation, FINDING_FORBIDDEN,
                     "Bidirectional is for privileged containers only");
    if (!mount->recursive_read_only ||
        !require_one_of(report, &recursive, mount->recursive_read_only, recursions) ||
        str_equal(mount->recursive_read_only, "Disabled"))
        return;
    if (!mount->read_only)
        report_error(report, &recursive, FINDING_FORBIDDEN, "needs readOnly: true");
    if (mount->mount_propagation && !str_equal(mount->mount_propagation, "None"))
        report_error(report, &recursive, FINDING_FORBIDDEN,
                     "must not be set with a mountPropagation other than None");
}

static void validate_mount(const struct container *container, size_t index,
                           const struct pod_view *view, const struct path *list,
                           struct report *report)
{
    const struct volume_mount *mount = &container->volume_mounts.items[index];
    struct path item = path_index(list, index), name = path_name(&item, "name"),
                path = path_name(&item, "mountPath");

    validate_volume_name(view, mount->name, &name, report);
    require_some(report, &path, mount->mount_path);
    if (is_mounted(container, index, mount->mount_path))
        report_error(report, &path, FINDING_INVALID, "\"%.128s\" is mounted twice",
                     mount->mount_path ? mount->mount_path : "");
    if (is_device_name(container, mount->name))
        report_error(report, &name, FINDING_INVALID, "\"%.64s\" is used in volumeDevices, too",
                     mount->name ? mount->name : "");
    if (is_device_path(container, mount->mount_path))
        report_error(report, &path, FINDING_INVALID, "\"%.128s\" is a device's path, too",
                     mount->mount_path ? mount->mount_path : "");
    validate_mount_options(mount, container->security_context, list, &item, report);
}

static bool device_name_before(const struct container *container, size_t index)
{
    const char *name = container->volume_devices.items[index].name;

    for (size_t i = 0; !str_empty(name) && i < index; i++)
        if (str_equal(container->volume_devices.items[i].name, name))
            return true;
    return false;
}

static bool device_path_before(const struct container *container, size_t index)
{
    const char *path = container->volume_devices.items[index].device_path;

    for (size_t i = 0; i < index; i++)
        if (str_equal(container->volume_devices.items[i].device_path, path))
            return true;
    return false;
}

static void validate_device(const struct container *container, size_t index,
                            const struct pod_view *view, const struct path *list,
                            struct report *report)
{
    const struct volume_device *device = &container->volume_devices.items[index];
    const struct volume *volume = find_valid_volume(view, device->name);
    struct path item = path_index(list, index), name = path_name(&item, "name"),
                path = path_name(&item, "devicePath");

    validate_volume_name(view, device->name, &name, report);
    if (device_name_before(container, index))
        report_error(report, &name, FINDING_INVALID, "\"%.64s\" is used twice", device->name);
    if (volume && !volume->persistent_volume_claim && !volume->ephemeral)
        report_error(report, &name, FINDING_INVALID,
                     "must name a persistentVolumeClaim or an ephemeral volume");
    if (is_mount_name(container, device->name))
        report_error(report, &name, FINDING_INVALID, "\"%.64s\" is used in volumeMounts, too",
                     device->name ? device->name : "");
    require_some(report, &path, device->device_path);
    if (device_path_before(container, index))
        report_error(report, &path, FINDING_INVALID, "\"%.128s\" is used twice",
                     device->device_path ? device->device_path : "");
    if (path_has_dot_dot(device->device_path))
        report_error(report, &path, FINDING_INVALID, "must not contain \"..\"");
    if (is_mounted(container, container->volume_mounts.count, device->device_path))
        report_error(report, &path, FINDING_INVALID, "\"%.128s\" is a mountPath, too",
                     device->device_path ? device->device_path : "");
}

void validate_mounts(const struct container *container, const struct pod_view *view,
                     const struct path *path, struct report *report)
{
    struct path mounts = path_name(path, "volumeMounts"),
                devices = path_name(path, "volumeDevices");

    for (size_t i = 0; i < container->volume_mounts.count; i++)
        validate_mount(container, i, view, &mounts, report);
    for (size_t i = 0; i < container->volume_devices.count; i++)
        validate_device(container, i, view, &devices, report);
    if (view->spec->host_users == OPT_FALSE && container->volume_devices.count)
        report_error(report, &devices, FINDING_FORBIDDEN,
                     "must not be set when hostUsers is false");
}
