/* The rules of volumes, by kind of source; validate-volume.c puts them together. */
#pragma once

#include "pod-rules.h"

/* What the rules of one source may look at. */
struct volume_check {
    const struct pod *pod;
    const struct volume *volume;
    const struct path *path; /* of the volume */
    struct report *report;
};

/* `path` is the source's: spec.volumes[0].nfs */
typedef void (*volume_source_rules)(const struct volume_check *check, const struct path *path);

struct volume_source {
    const char *name;
    const char *surplus_name; /* in the finding about a second source; NULL: the same */
    size_t offset;            /* of the pointer in struct volume */
    volume_source_rules rules;
};

/* In the order in which the API server looks at them, which decides which one is surplus. */
extern const struct volume_source volume_sources[];
extern const size_t volume_source_count;

static inline bool volume_has(const struct volume *volume, const struct volume_source *source)
{
    return *(void *const *)((const char *)volume + source->offset);
}

/* parts */

/* A place inside the volume: relative, without "..", not like the names that a volume's own
 * bookkeeping uses ("..data"). Silent when empty. */
void validate_file_path(const char *file, const struct path *path, struct report *report);
void validate_file_mode(const struct opt_int32 *mode, const struct path *path, const char *name,
                        struct report *report);

/* From 0 to `highest`. */
void validate_range(int32_t value, int32_t highest, const struct path *path, const char *name,
                    struct report *report);

/* A reference that is there must have a name. */
void validate_secret_ref(const struct local_reference *reference, const struct path *path,
                         struct report *report);

void require_items(const struct string_list *list, const struct path *path, const char *name,
                   struct report *report);

/* files from objects: validate-volume-projected.c */
void validate_config_map_volume(const struct volume_check *check, const struct path *path);
void validate_secret_volume(const struct volume_check *check, const struct path *path);
void validate_downward_volume(const struct volume_check *check, const struct path *path);
void validate_projected_volume(const struct volume_check *check, const struct path *path);

/* claim templates: validate-claim.c */
void validate_ephemeral_volume(const struct volume_check *check, const struct path *path);

/* the network: validate-volume-network.c */
void validate_nfs_volume(const struct volume_check *check, const struct path *path);
void validate_fc_volume(const struct volume_check *check, const struct path *path);
void validate_glusterfs_volume(const struct volume_check *check, const struct path *path);
void validate_rbd_volume(const struct volume_check *check, const struct path *path);
void validate_cephfs_volume(const struct volume_check *check, const struct path *path);
void validate_flocker_volume(const struct volume_check *check, const struct path *path);
void validate_quobyte_volume(const struct volume_check *check, const struct path *path);
void validate_portworx_volume(const struct volume_check *check, const struct path *path);
void validate_scale_io_volume(const struct volume_check *check, const struct path *path);
void validate_storage_os_volume(const struct volume_check *check, const struct path *path);

/* validate-volume-iscsi.c */
void validate_iscsi_volume(const struct volume_check *check, const struct path *path);
void validate_iscsi_initiator(const struct volume_check *check);

/* clouds: validate-volume-cloud.c */
void validate_gce_disk_volume(const struct volume_check *check, const struct path *path);
void validate_aws_disk_volume(const struct volume_check *check, const struct path *path);
void validate_cinder_volume(const struct volume_check *check, const struct path *path);
void validate_azure_file_volume(const struct volume_check *check, const struct path *path);
void validate_azure_disk_volume(const struct volume_check *check, const struct path *path);
void validate_vsphere_volume(const struct volume_check *check, const struct path *path);
void validate_photon_disk_volume(const struct volume_check *check, const struct path *path);
