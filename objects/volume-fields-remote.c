/* The fields of volumes that live elsewhere: on the network and in clouds. */
#include "kinds.h"
#include "nodeagent/objects/volume.h"
#include "volume-fields.h"

/* of the network */

static const struct field nfs_volume_fields[] = {
    FIELD_ALWAYS("server", STRING, nfs_volume, server),
    FIELD_ALWAYS("path", STRING, nfs_volume, path),
    FIELD("readOnly", BOOL, nfs_volume, read_only),
};
const struct schema nfs_volume_schema = SCHEMA(nfs_volume, nfs_volume_fields);

static const struct field iscsi_volume_fields[] = {
    FIELD_ALWAYS("targetPortal", STRING, iscsi_volume, target_portal),
    FIELD_ALWAYS("iqn", STRING, iscsi_volume, iqn),
    FIELD_ALWAYS("lun", INT32, iscsi_volume, lun),
    FIELD("iscsiInterface", STRING, iscsi_volume, iscsi_interface),
    FIELD("fsType", STRING, iscsi_volume, fs_type),
    FIELD("readOnly", BOOL, iscsi_volume, read_only),
    FIELD("portals", STRINGS, iscsi_volume, portals),
    FIELD("chapAuthDiscovery", BOOL, iscsi_volume, chap_auth_discovery),
    FIELD("chapAuthSession", BOOL, iscsi_volume, chap_auth_session),
    FIELD_OF("secretRef", POINTER, iscsi_volume, secret_ref, local_reference_schema),
    FIELD("initiatorName", OPT_STRING, iscsi_volume, initiator_name),
};
const struct schema iscsi_volume_schema = SCHEMA(iscsi_volume, iscsi_volume_fields);

static const struct field fc_volume_fields[] = {
    FIELD("targetWWNs", STRINGS, fc_volume, target_wwns),
    FIELD("lun", OPT_INT32, fc_volume, lun),
    FIELD("fsType", STRING, fc_volume, fs_type),
    FIELD("readOnly", BOOL, fc_volume, read_only),
    FIELD("wwids", STRINGS, fc_volume, wwids),
};
const struct schema fc_volume_schema = SCHEMA(fc_volume, fc_volume_fields);

static const struct field glusterfs_volume_fields[] = {
    FIELD_ALWAYS("endpoints", STRING, glusterfs_volume, endpoints),
    FIELD_ALWAYS("path", STRING, glusterfs_volume, path),
    FIELD("readOnly", BOOL, glusterfs_volume, read_only),
};
const struct schema glusterfs_volume_schema = SCHEMA(glusterfs_volume, glusterfs_volume_fields);

static const struct field rbd_volume_fields[] = {
    FIELD_ALWAYS("monitors", STRINGS, rbd_volume, monitors),
    FIELD_ALWAYS("image", STRING, rbd_volume, image),
    FIELD("fsType", STRING, rbd_volume, fs_type),
    FIELD("pool", STRING, rbd_volume, pool),
    FIELD("user", STRING, rbd_volume, user),
    FIELD("keyring", STRING, rbd_volume, keyring),
    FIELD_OF("secretRef", POINTER, rbd_volume, secret_ref, local_reference_schema),
    FIELD("readOnly", BOOL, rbd_volume, read_only),
};
const struct schema rbd_volume_schema = SCHEMA(rbd_volume, rbd_volume_fields);

static const struct field cephfs_volume_fields[] = {
    FIELD_ALWAYS("monitors", STRINGS, cephfs_volume, monitors),
    FIELD("path", STRING, cephfs_volume, path),
    FIELD("user", STRING, cephfs_volume, user),
    FIELD("secretFile", STRING, cephfs_volume, secret_file),
    FIELD_OF("secretRef", POINTER, cephfs_volume, secret_ref, local_reference_schema),
    FIELD("readOnly", BOOL, cephfs_volume, read_only),
};
const struct schema cephfs_volume_schema = SCHEMA(cephfs_volume, cephfs_volume_fields);

static const struct field flocker_volume_fields[] = {
    FIELD("datasetName", STRING, flocker_volume, dataset_name),
    FIELD("datasetUUID", STRING, flocker_volume, dataset_uuid),
};
const struct schema flocker_volume_schema = SCHEMA(flocker_volume, flocker_volume_fields);

static const struct field quobyte_volume_fields[] = {
    FIELD_ALWAYS("registry", STRING, quobyte_volume, registry),
    FIELD_ALWAYS("volume", STRING, quobyte_volume, volume),
    FIELD("readOnly", BOOL, quobyte_volume, read_only),
    FIELD("user", STRING, quobyte_volume, user),
    FIELD("group", STRING, quobyte_volume, group),
    FIELD("tenant", STRING, quobyte_volume, tenant),
};
const struct schema quobyte_volume_schema = SCHEMA(quobyte_volume, quobyte_volume_fields);

static const struct field portworx_volume_fields[] = {
    FIELD_ALWAYS("volumeID", STRING, portworx_volume, volume_id),
    FIELD("fsType", STRING, portworx_volume, fs_type),
    FIELD("readOnly", BOOL, portworx_volume, read_only),
};
const struct schema portworx_volume_schema = SCHEMA(portworx_volume, portworx_volume_fields);

static const struct field scale_io_volume_fields[] = {
    FIELD_ALWAYS("gateway", STRING, scale_io_volume, gateway),
    FIELD_ALWAYS("system", STRING, scale_io_volume, system),
    FIELD_OF("secretRef", POINTER, scale_io_volume, secret_ref, local_reference_schema),
    FIELD("sslEnabled", BOOL, scale_io_volume, ssl_enabled),
    FIELD("protectionDomain", STRING, scale_io_volume, protection_domain),
    FIELD("storagePool", STRING, scale_io_volume, storage_pool),
    FIELD("storageMode", STRING, scale_io_volume, storage_mode),
    FIELD("volumeName", STRING, scale_io_volume, volume_name),
    FIELD("fsType", STRING, scale_io_volume, fs_type),
    FIELD("readOnly", BOOL, scale_io_volume, read_only),
};
const struct schema scale_io_volume_schema = SCHEMA(scale_io_volume, scale_io_volume_fields);

static const struct field storage_os_volume_fields[] = {
    FIELD("volumeName", STRING, storage_os_volume, volume_name),
    FIELD("volumeNamespace", STRING, storage_os_volume, volume_namespace),
    FIELD("fsType", STRING, storage_os_volume, fs_type),
    FIELD("readOnly", BOOL, storage_os_volume, read_only),
    FIELD_OF("secretRef", POINTER, storage_os_volume, secret_ref, local_reference_schema),
};
const struct schema storage_os_volume_schema = SCHEMA(storage_os_volume, storage_os_volume_fields);

/* of clouds */

static const struct field gce_disk_volume_fields[] = {
    FIELD_ALWAYS("pdName", STRING, gce_disk_volume, pd_name),
    FIELD("fsType", STRING, gce_disk_volume, fs_type),
    FIELD("partition", INT32, gce_disk_volume, partition),
    FIELD("readOnly", BOOL, gce_disk_volume, read_only),
};
const struct schema gce_disk_volume_schema = SCHEMA(gce_disk_volume, gce_disk_volume_fields);

static const struct field aws_disk_volume_fields[] = {
    FIELD_ALWAYS("volumeID", STRING, aws_disk_volume, volume_id),
    FIELD("fsType", STRING, aws_disk_volume, fs_type),
    FIELD("partition", INT32, aws_disk_volume, partition),
    FIELD("readOnly", BOOL, aws_disk_volume, read_only),
};
const struct schema aws_disk_volume_schema = SCHEMA(aws_disk_volume, aws_disk_volume_fields);

static const struct field cinder_volume_fields[] = {
    FIELD_ALWAYS("volumeID", STRING, cinder_volume, volume_id),
    FIELD("fsType", STRING, cinder_volume, fs_type),
    FIELD("readOnly", BOOL, cinder_volume, read_only),
    FIELD_OF("secretRef", POINTER, cinder_volume, secret_ref, local_reference_schema),
};
const struct schema cinder_volume_schema = SCHEMA(cinder_volume, cinder_volume_fields);

static const struct field azure_file_volume_fields[] = {
    FIELD_ALWAYS("secretName", STRING, azure_file_volume, secret_name),
    FIELD_ALWAYS("shareName", STRING, azure_file_volume, share_name),
    FIELD("readOnly", BOOL, azure_file_volume, read_only),
};
const struct schema azure_file_volume_schema = SCHEMA(azure_file_volume, azure_file_volume_fields);

static const struct field azure_disk_volume_fields[] = {
    FIELD_ALWAYS("diskName", STRING, azure_disk_volume, disk_name),
    FIELD_ALWAYS("diskURI", STRING, azure_disk_volume, disk_uri),
    FIELD("cachingMode", OPT_STRING, azure_disk_volume, caching_mode),
    FIELD("fsType", OPT_STRING, azure_disk_volume, fs_type),
    FIELD("readOnly", OPT_BOOL, azure_disk_volume, read_only),
    FIELD("kind", OPT_STRING, azure_disk_volume, kind),
};
const struct schema azure_disk_volume_schema = SCHEMA(azure_disk_volume, azure_disk_volume_fields);

static const struct field vsphere_volume_fields[] = {
    FIELD_ALWAYS("volumePath", STRING, vsphere_volume, volume_path),
    FIELD("fsType", STRING, vsphere_volume, fs_type),
    FIELD("storagePolicyName", STRING, vsphere_volume, storage_policy_name),
    FIELD("storagePolicyID", STRING, vsphere_volume, storage_policy_id),
};
const struct schema vsphere_volume_schema = SCHEMA(vsphere_volume, vsphere_volume_fields);

static const struct field photon_disk_volume_fields[] = {
    FIELD_ALWAYS("pdID", STRING, photon_disk_volume, pd_id),
    FIELD("fsType", STRING, photon_disk_volume, fs_type),
};
const struct schema photon_disk_volume_schema =
    SCHEMA(photon_disk_volume, photon_disk_volume_fields);
