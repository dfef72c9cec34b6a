/*
 * The volumes of a pod: a name and exactly one source. All sources of the API are here, also
 * those that a node agent refuses, so that each can be refused by its name.
 */
#pragma once

#include "nodeagent/objects/container.h"
#include "nodeagent/objects/meta.h"

/* files from objects */

struct key_to_path {
    const char *key;
    const char *path;
    struct opt_int32 mode;
};

struct key_to_path_list {
    struct key_to_path *items;
    size_t count;
};

struct config_map_volume {
    const char *name;
    struct key_to_path_list items;
    struct opt_int32 default_mode;
    uint8_t optional; /* enum opt_bool */
};

struct secret_volume {
    const char *secret_name;
    struct key_to_path_list items;
    struct opt_int32 default_mode;
    uint8_t optional;
};

struct downward_file { /* exactly one reference */
    const char *path;
    struct field_reference *field_ref;
    struct resource_reference *resource_field_ref;
    struct opt_int32 mode;
};

struct downward_file_list {
    struct downward_file *items;
    size_t count;
};

struct downward_volume {
    struct downward_file_list items;
    struct opt_int32 default_mode;
};

/* projected: several of them in one directory */

struct object_projection { /* of a ConfigMap or Secret */
    const char *name;
    struct key_to_path_list items;
    uint8_t optional;
};

struct downward_projection {
    struct downward_file_list items;
};

struct token_projection {
    const char *audience;
    struct opt_int64 expiration_seconds;
    const char *path;
};

struct trust_bundle_projection {
    const char *name;
    const char *signer_name;
    struct label_selector *label_selector;
    uint8_t optional;
    const char *path;
};

struct pod_certificate_projection {
    const char *signer_name;
    const char *key_type;
    struct opt_int32 max_expiration_seconds;
    const char *credential_bundle_path;
    const char *key_path;
    const char *certificate_chain_path;
    struct string_map user_annotations;
};

struct projection { /* at most one */
    struct object_projection *secret;
    struct object_projection *config_map;
    struct downward_projection *downward_api;
    struct token_projection *service_account_token;
    struct trust_bundle_projection *cluster_trust_bundle;
    struct pod_certificate_projection *pod_certificate;
};

struct projected_volume {
    list_of(struct projection) sources;
    struct opt_int32 default_mode;
};

/* of the node */

struct empty_dir_volume {
    const char *medium;
    struct quantity *size_limit; /* NULL: none */
};

struct host_path_volume {
    const char *path;
    const char *type;
};

struct git_repo_volume {
    const char *repository;
    const char *revision;
    const char *directory;
};

struct image_volume {
    const char *reference;
    const char *pull_policy;
};

/* claims */

struct claim_volume {
    const char *claim_name;
    bool read_only;
};

struct data_source {
    const char *api_group;
    const char *kind;
    const char *name;
    const char *name_space; /* only of dataSourceRef */
};

struct claim_resources {
    struct quantity_map limits;
    struct quantity_map requests;
};

struct claim_spec {
    struct string_list access_modes;
    struct label_selector *selector;
    struct claim_resources resources;
    const char *volume_name;
    const char *storage_class_name;
    const char *volume_mode;
    struct data_source *data_source;
    struct data_source *data_source_ref;
    const char *volume_attributes_class_name;
};

struct managed_field {
    const char *manager;
};

/* A template may carry labels and annotations; the rest is read to be refused. */
struct claim_metadata {
    struct object_meta meta;
    const char *self_link;
    list_of(struct managed_field) managed_fields;
};

struct claim_template {
    struct claim_metadata metadata;
    struct claim_spec spec;
};

struct ephemeral_volume {
    struct claim_template *volume_claim_template;
};

/* drivers */

struct csi_volume {
    const char *driver;
    uint8_t read_only; /* enum opt_bool */
    const char *fs_type;
    struct string_map volume_attributes;
    struct local_reference *node_publish_secret_ref;
};

struct flex_volume {
    const char *driver;
    const char *fs_type;
    struct local_reference *secret_ref;
    bool read_only;
    struct string_map options;
};

/* of the network */

struct nfs_volume {
    const char *server;
    const char *path;
    bool read_only;
};

struct iscsi_volume {
    const char *target_portal;
    const char *iqn;
    int32_t lun;
    const char *iscsi_interface;
    const char *fs_type;
    bool read_only;
    struct string_list portals;
    bool chap_auth_discovery;
    bool chap_auth_session;
    struct local_reference *secret_ref;
    const char *initiator_name;
};

struct fc_volume {
    struct string_list target_wwns;
    struct opt_int32 lun;
    const char *fs_type;
    bool read_only;
    struct string_list wwids;
};

struct glusterfs_volume {
    const char *endpoints;
    const char *path;
    bool read_only;
};

struct rbd_volume {
    struct string_list monitors;
    const char *image;
    const char *fs_type;
    const char *pool;
    const char *user;
    const char *keyring;
    struct local_reference *secret_ref;
    bool read_only;
};

struct cephfs_volume {
    struct string_list monitors;
    const char *path;
    const char *user;
    const char *secret_file;
    struct local_reference *secret_ref;
    bool read_only;
};

struct flocker_volume {
    const char *dataset_name;
    const char *dataset_uuid;
};

struct quobyte_volume {
    const char *registry;
    const char *volume;
    bool read_only;
    const char *user;
    const char *group;
    const char *tenant;
};

struct portworx_volume {
    const char *volume_id;
    const char *fs_type;
    bool read_only;
};

struct scale_io_volume {
    const char *gateway;
    const char *system;
    struct local_reference *secret_ref;
    bool ssl_enabled;
    const char *protection_domain;
    const char *storage_pool;
    const char *storage_mode;
    const char *volume_name;
    const char *fs_type;
    bool read_only;
};

struct storage_os_volume {
    const char *volume_name;
    const char *volume_namespace;
    const char *fs_type;
    bool read_only;
    struct local_reference *secret_ref;
};

/* of clouds */

struct gce_disk_volume {
    const char *pd_name;
    const char *fs_type;
    int32_t partition;
    bool read_only;
};

struct aws_disk_volume {
    const char *volume_id;
    const char *fs_type;
    int32_t partition;
    bool read_only;
};

struct cinder_volume {
    const char *volume_id;
    const char *fs_type;
    bool read_only;
    struct local_reference *secret_ref;
};

struct azure_file_volume {
    const char *secret_name;
    const char *share_name;
    bool read_only;
};

struct azure_disk_volume {
    const char *disk_name;
    const char *disk_uri;
    const char *caching_mode;
    const char *fs_type;
    uint8_t read_only; /* enum opt_bool */
    const char *kind;
};

struct vsphere_volume {
    const char *volume_path;
    const char *fs_type;
    const char *storage_policy_name;
    const char *storage_policy_id;
};

struct photon_disk_volume {
    const char *pd_id;
    const char *fs_type;
};

/* the volume */

struct volume {
    const char *name;
    struct empty_dir_volume *empty_dir;
    struct host_path_volume *host_path;
    struct git_repo_volume *git_repo;
    struct gce_disk_volume *gce_persistent_disk;
    struct aws_disk_volume *aws_elastic_block_store;
    struct secret_volume *secret;
    struct nfs_volume *nfs;
    struct iscsi_volume *iscsi;
    struct glusterfs_volume *glusterfs;
    struct flocker_volume *flocker;
    struct claim_volume *persistent_volume_claim;
    struct rbd_volume *rbd;
    struct cinder_volume *cinder;
    struct cephfs_volume *cephfs;
    struct quobyte_volume *quobyte;
    struct downward_volume *downward_api;
    struct fc_volume *fc;
    struct flex_volume *flex_volume;
    struct config_map_volume *config_map;
    struct azure_file_volume *azure_file;
    struct vsphere_volume *vsphere_volume;
    struct photon_disk_volume *photon_persistent_disk;
    struct portworx_volume *portworx_volume;
    struct azure_disk_volume *azure_disk;
    struct storage_os_volume *storage_os;
    struct projected_volume *projected;
    struct scale_io_volume *scale_io;
    struct csi_volume *csi;
    struct ephemeral_volume *ephemeral;
    struct image_volume *image;
};
