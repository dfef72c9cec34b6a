/* The fields of volumes. */
#include "volume-fields.h"
#include "container-fields.h"
#include "kinds.h"
#include "nodeagent/objects/volume.h"

/* files from objects */

static const struct field key_to_path_fields[] = {
    FIELD_ALWAYS("key", STRING, key_to_path, key),
    FIELD_ALWAYS("path", STRING, key_to_path, path),
    FIELD("mode", OPT_INT32, key_to_path, mode),
};
static const struct schema key_to_path_schema = SCHEMA(key_to_path, key_to_path_fields);

static const struct field config_map_volume_fields[] = {
    FIELD("name", STRING, config_map_volume, name),
    FIELD_OF("items", LIST, config_map_volume, items, key_to_path_schema),
    FIELD("defaultMode", OPT_INT32, config_map_volume, default_mode),
    FIELD("optional", OPT_BOOL, config_map_volume, optional),
};
static const struct schema config_map_volume_schema =
    SCHEMA(config_map_volume, config_map_volume_fields);

static const struct field secret_volume_fields[] = {
    FIELD("secretName", STRING, secret_volume, secret_name),
    FIELD_OF("items", LIST, secret_volume, items, key_to_path_schema),
    FIELD("defaultMode", OPT_INT32, secret_volume, default_mode),
    FIELD("optional", OPT_BOOL, secret_volume, optional),
};
static const struct schema secret_volume_schema = SCHEMA(secret_volume, secret_volume_fields);

static const struct field downward_file_fields[] = {
    FIELD_ALWAYS("path", STRING, downward_file, path),
    FIELD_OF("fieldRef", POINTER, downward_file, field_ref, field_reference_schema),
    FIELD_OF("resourceFieldRef", POINTER, downward_file, resource_field_ref,
             resource_reference_schema),
    FIELD("mode", OPT_INT32, downward_file, mode),
};
static const struct schema downward_file_schema = SCHEMA(downward_file, downward_file_fields);

static const struct field downward_volume_fields[] = {
    FIELD_OF("items", LIST, downward_volume, items, downward_file_schema),
    FIELD("defaultMode", OPT_INT32, downward_volume, default_mode),
};
static const struct schema downward_volume_schema = SCHEMA(downward_volume, downward_volume_fields);

/* projected */

static const struct field object_projection_fields[] = {
    FIELD("name", STRING, object_projection, name),
    FIELD_OF("items", LIST, object_projection, items, key_to_path_schema),
    FIELD("optional", OPT_BOOL, object_projection, optional),
};
static const struct schema object_projection_schema =
    SCHEMA(object_projection, object_projection_fields);

static const struct field downward_projection_fields[] = {
    FIELD_OF("items", LIST, downward_projection, items, downward_file_schema),
};
static const struct schema downward_projection_schema =
    SCHEMA(downward_projection, downward_projection_fields);

static const struct field token_projection_fields[] = {
    FIELD("audience", STRING, token_projection, audience),
    FIELD("expirationSeconds", OPT_INT64, token_projection, expiration_seconds),
    FIELD_ALWAYS("path", STRING, token_projection, path),
};
static const struct schema token_projection_schema =
    SCHEMA(token_projection, token_projection_fields);

static const struct field trust_bundle_projection_fields[] = {
    FIELD("name", OPT_STRING, trust_bundle_projection, name),
    FIELD("signerName", OPT_STRING, trust_bundle_projection, signer_name),
    FIELD_OF("labelSelector", POINTER, trust_bundle_projection, label_selector,
             label_selector_schema),
    FIELD("optional", OPT_BOOL, trust_bundle_projection, optional),
    FIELD_ALWAYS("path", STRING, trust_bundle_projection, path),
};
static const struct schema trust_bundle_projection_schema =
    SCHEMA(trust_bundle_projection, trust_bundle_projection_fields);

static const struct field pod_certificate_projection_fields[] = {
    FIELD("signerName", STRING, pod_certificate_projection, signer_name),
    FIELD("keyType", STRING, pod_certificate_projection, key_type),
    FIELD("maxExpirationSeconds", OPT_INT32, pod_certificate_projection, max_expiration_seconds),
    FIELD("credentialBundlePath", STRING, pod_certificate_projection, credential_bundle_path),
    FIELD("keyPath", STRING, pod_certificate_projection, key_path),
    FIELD("certificateChainPath", STRING, pod_certificate_projection, certificate_chain_path),
    FIELD("userAnnotations", STRING_MAP, pod_certificate_projection, user_annotations),
};
static const struct schema pod_certificate_projection_schema =
    SCHEMA(pod_certificate_projection, pod_certificate_projection_fields);

static const struct field projection_fields[] = {
    FIELD_OF("secret", POINTER, projection, secret, object_projection_schema),
    FIELD_OF("configMap", POINTER, projection, config_map, object_projection_schema),
    FIELD_OF("downwardAPI", POINTER, projection, downward_api, downward_projection_schema),
    FIELD_OF("serviceAccountToken", POINTER, projection, service_account_token,
             token_projection_schema),
    FIELD_OF("clusterTrustBundle", POINTER, projection, cluster_trust_bundle,
             trust_bundle_projection_schema),
    FIELD_OF("podCertificate", POINTER, projection, pod_certificate,
             pod_certificate_projection_schema),
};
static const struct schema projection_schema = SCHEMA(projection, projection_fields);

static const struct field projected_volume_fields[] = {
    FIELD_OF("sources", LIST, projected_volume, sources, projection_schema),
    FIELD("defaultMode", OPT_INT32, projected_volume, default_mode),
};
static const struct schema projected_volume_schema =
    SCHEMA(projected_volume, projected_volume_fields);

/* of the node */

static const struct field empty_dir_volume_fields[] = {
    FIELD("medium", STRING, empty_dir_volume, medium),
    FIELD("sizeLimit", QUANTITY, empty_dir_volume, size_limit),
};
static const struct schema empty_dir_volume_schema =
    SCHEMA(empty_dir_volume, empty_dir_volume_fields);

static const struct field host_path_volume_fields[] = {
    FIELD_ALWAYS("path", STRING, host_path_volume, path),
    FIELD("type", OPT_STRING, host_path_volume, type),
};
static const struct schema host_path_volume_schema =
    SCHEMA(host_path_volume, host_path_volume_fields);

static const struct field git_repo_volume_fields[] = {
    FIELD_ALWAYS("repository", STRING, git_repo_volume, repository),
    FIELD("revision", STRING, git_repo_volume, revision),
    FIELD("directory", STRING, git_repo_volume, directory),
};
static const struct schema git_repo_volume_schema = SCHEMA(git_repo_volume, git_repo_volume_fields);

static const struct field image_volume_fields[] = {
    FIELD("reference", STRING, image_volume, reference),
    FIELD("pullPolicy", STRING, image_volume, pull_policy),
};
static const struct schema image_volume_schema = SCHEMA(image_volume, image_volume_fields);

/* claims and drivers */

static const struct field claim_volume_fields[] = {
    FIELD_ALWAYS("claimName", STRING, claim_volume, claim_name),
    FIELD("readOnly", BOOL, claim_volume, read_only),
};
static const struct schema claim_volume_schema = SCHEMA(claim_volume, claim_volume_fields);

static const struct field ephemeral_volume_fields[] = {
    FIELD_OF("volumeClaimTemplate", POINTER, ephemeral_volume, volume_claim_template,
             claim_template_schema),
};
static const struct schema ephemeral_volume_schema =
    SCHEMA(ephemeral_volume, ephemeral_volume_fields);

static const struct field csi_volume_fields[] = {
    FIELD_ALWAYS("driver", STRING, csi_volume, driver),
    FIELD("readOnly", OPT_BOOL, csi_volume, read_only),
    FIELD("fsType", OPT_STRING, csi_volume, fs_type),
    FIELD("volumeAttributes", STRING_MAP, csi_volume, volume_attributes),
    FIELD_OF("nodePublishSecretRef", POINTER, csi_volume, node_publish_secret_ref,
             local_reference_schema),
};
static const struct schema csi_volume_schema = SCHEMA(csi_volume, csi_volume_fields);

static const struct field flex_volume_fields[] = {
    FIELD_ALWAYS("driver", STRING, flex_volume, driver),
    FIELD("fsType", STRING, flex_volume, fs_type),
    FIELD_OF("secretRef", POINTER, flex_volume, secret_ref, local_reference_schema),
    FIELD("readOnly", BOOL, flex_volume, read_only),
    FIELD("options", STRING_MAP, flex_volume, options),
};
static const struct schema flex_volume_schema = SCHEMA(flex_volume, flex_volume_fields);

/* the volume */

static const struct field volume_fields[] = {
    FIELD_ALWAYS("name", STRING, volume, name),
    FIELD_OF("hostPath", POINTER, volume, host_path, host_path_volume_schema),
    FIELD_OF("emptyDir", POINTER, volume, empty_dir, empty_dir_volume_schema),
    FIELD_OF("gcePersistentDisk", POINTER, volume, gce_persistent_disk, gce_disk_volume_schema),
    FIELD_OF("awsElasticBlockStore", POINTER, volume, aws_elastic_block_store,
             aws_disk_volume_schema),
    FIELD_OF("gitRepo", POINTER, volume, git_repo, git_repo_volume_schema),
    FIELD_OF("secret", POINTER, volume, secret, secret_volume_schema),
    FIELD_OF("nfs", POINTER, volume, nfs, nfs_volume_schema),
    FIELD_OF("iscsi", POINTER, volume, iscsi, iscsi_volume_schema),
    FIELD_OF("glusterfs", POINTER, volume, glusterfs, glusterfs_volume_schema),
    FIELD_OF("persistentVolumeClaim", POINTER, volume, persistent_volume_claim,
             claim_volume_schema),
    FIELD_OF("rbd", POINTER, volume, rbd, rbd_volume_schema),
    FIELD_OF("flexVolume", POINTER, volume, flex_volume, flex_volume_schema),
    FIELD_OF("cinder", POINTER, volume, cinder, cinder_volume_schema),
    FIELD_OF("cephfs", POINTER, volume, cephfs, cephfs_volume_schema),
    FIELD_OF("flocker", POINTER, volume, flocker, flocker_volume_schema),
    FIELD_OF("downwardAPI", POINTER, volume, downward_api, downward_volume_schema),
    FIELD_OF("fc", POINTER, volume, fc, fc_volume_schema),
    FIELD_OF("azureFile", POINTER, volume, azure_file, azure_file_volume_schema),
    FIELD_OF("configMap", POINTER, volume, config_map, config_map_volume_schema),
    FIELD_OF("vsphereVolume", POINTER, volume, vsphere_volume, vsphere_volume_schema),
    FIELD_OF("quobyte", POINTER, volume, quobyte, quobyte_volume_schema),
    FIELD_OF("azureDisk", POINTER, volume, azure_disk, azure_disk_volume_schema),
    FIELD_OF("photonPersistentDisk", POINTER, volume, photon_persistent_disk,
             photon_disk_volume_schema),
    FIELD_OF("projected", POINTER, volume, projected, projected_volume_schema),
    FIELD_OF("portworxVolume", POINTER, volume, portworx_volume, portworx_volume_schema),
    FIELD_OF("scaleIO", POINTER, volume, scale_io, scale_io_volume_schema),
    FIELD_OF("storageos", POINTER, volume, storage_os, storage_os_volume_schema),
    FIELD_OF("csi", POINTER, volume, csi, csi_volume_schema),
    FIELD_OF("ephemeral", POINTER, volume, ephemeral, ephemeral_volume_schema),
    FIELD_OF("image", POINTER, volume, image, image_volume_schema),
};
const struct schema volume_schema = SCHEMA(volume, volume_fields);
