/* The rules for a container's volume mounts and block devices. */
#include "pod-rules.h"

/* What the mounts and devices of a container have; they may not meet. */
struct mount_check {
    const struct pod_view *view;
    const struct security_context *security;
    struct seen mount_names;
    struct seen mount_paths;
    struct seen device_names; /* struct volume_device, the first of each name */
    struct seen device_paths; /* struct volume_device, the first of each path */
    struct report *report;
};

static void validate_volume_name(const struct pod_view *view, const char *text,
                                 const struct path *name, struct report *report)
{
    require_some(report, name, text);
    if (!seen_has(&view->valid_volumes, text))
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

static void validate_mount(struct mount_check *check, const struct volume_mount *mount,
                           const struct path *list, const struct path *item)
{
    struct report *report = check->report;
    struct path name = path_name(item, "name"), path = path_name(item, "mountPath");
    const char *mount_path = mount->mount_path ? mount->mount_path : "";

    validate_volume_name(check->view, mount->name, &name, report);
    require_some(report, &path, mount->mount_path);
    if (seen_before(&check->mount_paths, mount_path))
        report_error(report, &path, FINDING_INVALID, "\"%.128s\" is mounted twice", mount_path);
    if (seen_has(&check->device_names, mount->name))
        report_error(report, &name, FINDING_INVALID, "\"%.64s\" is used in volumeDevices, too",
                     mount->name ? mount->name : "");
    if (seen_has(&check->device_paths, mount_path))
        report_error(report, &path, FINDING_INVALID, "\"%.128s\" is a device's path, too",
                     mount_path);
    validate_mount_options(mount, check->security, list, item, report);
}

static void validate_device(const struct mount_check *check, const struct volume_device *device,
                            const struct path *item)
{
    const struct volume *volume = seen_get(&check->view->valid_volumes, device->name);
    struct report *report = check->report;
    struct path name = path_name(item, "name"), path = path_name(item, "devicePath");
    const char *device_path = device->device_path ? device->device_path : "";

    validate_volume_name(check->view, device->name, &name, report);
    if (!str_empty(device->name) && seen_get(&check->device_names, device->name) != device)
        report_error(report, &name, FINDING_INVALID, "\"%.64s\" is used twice", device->name);
    if (volume && !volume->persistent_volume_claim && !volume->ephemeral)
        report_error(report, &name, FINDING_INVALID,
                     "must name a persistentVolumeClaim or an ephemeral volume");
    if (seen_has(&check->mount_names, device->name))
        report_error(report, &name, FINDING_INVALID, "\"%.64s\" is used in volumeMounts, too",
                     device->name ? device->name : "");
    require_some(report, &path, device->device_path);
    if (seen_get(&check->device_paths, device_path) != device)
        report_error(report, &path, FINDING_INVALID, "\"%.128s\" is used twice", device_path);
    if (path_has_dot_dot(device->device_path))
        report_error(report, &path, FINDING_INVALID, "must not contain \"..\"");
    if (seen_has(&check->mount_paths, device_path))
        report_error(report, &path, FINDING_INVALID, "\"%.128s\" is a mountPath, too", device_path);
}

static void validate_mount_lists(struct mount_check *check, const struct container *container,
                                 const struct path *mounts, const struct path *devices)
{
    array_for_each (device, container->volume_devices) {
        seen_first(&check->device_names, device->name, device);
        seen_first(&check->device_paths, device->device_path, device);
    }
    for (size_t i = 0; i < container->volume_mounts.count; i++) {
        struct path item = path_index(mounts, i);

        seen_before(&check->mount_names, container->volume_mounts.items[i].name);
        validate_mount(check, &container->volume_mounts.items[i], mounts, &item);
    }
    for (size_t i = 0; i < container->volume_devices.count; i++) {
        struct path item = path_index(devices, i);

        validate_device(check, &container->volume_devices.items[i], &item);
    }
}

void validate_mounts(const struct container *container, const struct pod_view *view,
                     const struct path *path, struct report *report)
{
    struct path mounts = path_name(path, "volumeMounts"),
                devices = path_name(path, "volumeDevices");
    struct mount_check check = {
        .view = view,
        .security = container->security_context,
        .report = report,
    };

    validate_mount_lists(&check, container, &mounts, &devices);
    seen_deinit(&check.mount_names);
    seen_deinit(&check.mount_paths);
    seen_deinit(&check.device_names);
    seen_deinit(&check.device_paths);
    if (view->spec->host_users == OPT_FALSE && container->volume_devices.count)
        report_error(report, &devices, FINDING_FORBIDDEN,
                     "must not be set when hostUsers is false");
}
