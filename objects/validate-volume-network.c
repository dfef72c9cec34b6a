/* The rules of volumes that lie on the network, behind a protocol or a storage system. */
#include "volume-rules.h"

#include <string.h>

enum {
    LUN_MAX = 255,
    QUOBYTE_TENANT_BYTES_MAX = 64,
};

void validate_nfs_volume(const struct volume_check *check, const struct path *path)
{
    const struct nfs_volume *source = check->volume->nfs;

    require_some_in(check->report, path, "server", source->server);
    if (require_some_in(check->report, path, "path", source->path) && *source->path != '/')
        require_in(check->report, path, "path", source->path, "must be an absolute path");
}

void validate_fc_volume(const struct volume_check *check, const struct path *path)
{
    const struct fc_volume *source = check->volume->fc;

    if (!source->target_wwns.count && !source->wwids.count)
        report_error_in(check->report, path, "targetWWNs", FINDING_REQUIRED,
                        "targetWWNs or wwids must be set");
    if (source->target_wwns.count && source->wwids.count)
        report_error_in(check->report, path, "targetWWNs", FINDING_INVALID,
                        "must not be set beside wwids");
    if (!source->target_wwns.count)
        return;
    if (source->lun.set)
        validate_range(source->lun.value, LUN_MAX, path, "lun", check->report);
    else
        report_error_in(check->report, path, "lun", FINDING_REQUIRED,
                        "must be set beside targetWWNs");
}

void validate_glusterfs_volume(const struct volume_check *check, const struct path *path)
{
    require_some_in(check->report, path, "endpoints", check->volume->glusterfs->endpoints);
    require_some_in(check->report, path, "path", check->volume->glusterfs->path);
}

void validate_rbd_volume(const struct volume_check *check, const struct path *path)
{
    require_items(&check->volume->rbd->monitors, path, "monitors", check->report);
    require_some_in(check->report, path, "image", check->volume->rbd->image);
}

void validate_cephfs_volume(const struct volume_check *check, const struct path *path)
{
    require_items(&check->volume->cephfs->monitors, path, "monitors", check->report);
}

void validate_flocker_volume(const struct volume_check *check, const struct path *path)
{
    const struct flocker_volume *source = check->volume->flocker;
    bool name = !str_empty(source->dataset_name), uuid = !str_empty(source->dataset_uuid);

    if (!name && !uuid)
        report_error(check->report, path, FINDING_REQUIRED,
                     "datasetName or datasetUUID must be set");
    if (name && uuid)
        report_error(check->report, path, FINDING_INVALID,
                     "must have datasetName or datasetUUID, not both");
    if (name && strchr(source->dataset_name, '/'))
        require_in(check->report, path, "datasetName", source->dataset_name,
                   "must not contain \"/\"");
}

/* quobyte */

/* host:port, [host]:port; either side may be empty. */
static bool is_host_and_port(const char *text, size_t length)
{
    const char *end = text + length, *colon = memrchr(text, ':', length);
    const char *host = text, *host_end = colon;

    if (!colon)
        return false;
    if (*text == '[') {
        host = text + 1;
        host_end = memchr(text, ']', length);
        if (!host_end || host_end + 1 != colon)
            return false;
    } else if (memchr(host, ':', (size_t)(host_end - host))) {
        return false;
    }
    return !memchr(host, '[', (size_t)(end - host)) &&
           !memchr(host, ']', (size_t)(host_end - host)) &&
           !memchr(colon, ']', (size_t)(end - colon));
}

static void validate_registry(const char *registry, const struct path *path, struct report *report)
{
    for (;;) {
        size_t length = strcspn(registry, ",");

        if (!is_host_and_port(registry, length))
            report_error_in(report, path, "registry", FINDING_INVALID,
                            "\"%.*s\" must be a host and a port, such as registry:7861",
                            (int)MIN(length, (size_t)128), registry);
        if (!registry[length])
            return;
        registry += length + 1;
    }
}

void validate_quobyte_volume(const struct volume_check *check, const struct path *path)
{
    const struct quobyte_volume *source = check->volume->quobyte;

    if (require_some_in(check->report, path, "registry", source->registry)) {
        if (source->tenant && strlen(source->tenant) > QUOBYTE_TENANT_BYTES_MAX)
            report_error_in(check->report, path, "tenant", FINDING_REQUIRED,
                            "must have at most %d bytes", QUOBYTE_TENANT_BYTES_MAX);
        else
            validate_registry(source->registry, path, check->report);
    }
    require_some_in(check->report, path, "volume", source->volume);
}

/* storage systems */

void validate_portworx_volume(const struct volume_check *check, const struct path *path)
{
    require_some_in(check->report, path, "volumeID", check->volume->portworx_volume->volume_id);
}

void validate_scale_io_volume(const struct volume_check *check, const struct path *path)
{
    const struct scale_io_volume *source = check->volume->scale_io;

    require_some_in(check->report, path, "gateway", source->gateway);
    require_some_in(check->report, path, "system", source->system);
    require_some_in(check->report, path, "volumeName", source->volume_name);
}

void validate_storage_os_volume(const struct volume_check *check, const struct path *path)
{
    const struct storage_os_volume *source = check->volume->storage_os;
    struct path name = path_name(path, "volumeName");

    require_named(check->report, &name, source->volume_name, name_check_label);
    if (!str_empty(source->volume_namespace))
        require_in(check->report, path, "volumeNamespace", source->volume_namespace,
                   name_check_label(source->volume_namespace));
    validate_secret_ref(source->secret_ref, path, check->report);
}
