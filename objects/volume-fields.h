/* The schemas of a pod's volume and of the sources that have a file of their own. */
#pragma once

#include "nodeagent/objects/schema.h"

extern const struct schema volume_schema;

/* claim templates: claim-fields.c */
extern const struct schema claim_template_schema;

/* the network: volume-fields-remote.c */
extern const struct schema nfs_volume_schema;
extern const struct schema iscsi_volume_schema;
extern const struct schema fc_volume_schema;
extern const struct schema glusterfs_volume_schema;
extern const struct schema rbd_volume_schema;
extern const struct schema cephfs_volume_schema;
extern const struct schema flocker_volume_schema;
extern const struct schema quobyte_volume_schema;
extern const struct schema portworx_volume_schema;
extern const struct schema scale_io_volume_schema;
extern const struct schema storage_os_volume_schema;

/* clouds: volume-fields-remote.c */
extern const struct schema gce_disk_volume_schema;
extern const struct schema aws_disk_volume_schema;
extern const struct schema cinder_volume_schema;
extern const struct schema azure_file_volume_schema;
extern const struct schema azure_disk_volume_schema;
extern const struct schema vsphere_volume_schema;
extern const struct schema photon_disk_volume_schema;
