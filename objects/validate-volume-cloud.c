/* The rules of volumes that are disks and shares of clouds. */
#include "volume-rules.h"

enum {
    PARTITION_MAX = 255,
};

/* The server's path for it is not the field's name. */
void validate_gce_disk_volume(const struct volume_check *check, const struct path *path)
{
    const struct gce_disk_volume *source = check->volume->gce_persistent_disk;
    struct path disk = path_name(check->path, "persistentDisk");

    require_some_in(check->report, &disk, "pdName", source->pd_name);
    validate_range(source->partition, PARTITION_MAX, &disk, "partition", check->report);
}

void validate_aws_disk_volume(const struct volume_check *check, const struct path *path)
{
    const struct aws_disk_volume *source = check->volume->aws_elastic_block_store;

    require_some_in(check->report, path, "volumeID", source->volume_id);
    validate_range(source->partition, PARTITION_MAX, path, "partition", check->report);
}

void validate_cinder_volume(const struct volume_check *check, const struct path *path)
{
    const struct cinder_volume *source = check->volume->cinder;

    require_some_in(check->report, path, "volumeID", source->volume_id);
    validate_secret_ref(source->secret_ref, path, check->report);
}

void validate_azure_file_volume(const struct volume_check *check, const struct path *path)
{
    const struct azure_file_volume *source = check->volume->azure_file;

    require_some_in(check->report, path, "secretName", source->secret_name);
    require_some_in(check->report, path, "shareName", source->share_name);
}

void validate_azure_disk_volume(const struct volume_check *check, const struct path *path)
{
    static const char *const kinds[] = {"Shared", "Dedicated", "Managed", NULL};
    static const char *const caching_modes[] = {"None", "ReadOnly", "ReadWrite", NULL};
    const struct azure_disk_volume *source = check->volume->azure_disk;
    bool managed = str_equal(source->kind, "Managed");
    const char *prefix = managed ? "/subscriptions/" : "https://";

    require_some_in(check->report, path, "diskName", source->disk_name);
    require_some_in(check->report, path, "diskURI", source->disk_uri);
    require_one_of_in(check->report, path, "cachingMode", source->caching_mode, caching_modes);
    require_one_of_in(check->report, path, "kind", source->kind, kinds);
    if (!source->disk_uri || !str_has_prefix(source->disk_uri, prefix))
        report_error_in(check->report, path, "diskURI", FINDING_NOT_SUPPORTED,
                        "must begin with %s for a disk that is %s", prefix,
                        managed ? "Managed" : "not Managed");
}

void validate_vsphere_volume(const struct volume_check *check, const struct path *path)
{
    require_some_in(check->report, path, "volumePath", check->volume->vsphere_volume->volume_path);
}

void validate_photon_disk_volume(const struct volume_check *check, const struct path *path)
{
    require_some_in(check->report, path, "pdID", check->volume->photon_persistent_disk->pd_id);
}
