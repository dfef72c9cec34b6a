/*
 * The rules of spec.volumes: names, one source each, and the sources of the node itself. The
 * other sources have files of their own; the table below knows them all.
 */
#include "volume-rules.h"

#include <ctype.h>
#include <string.h>

enum {
    CSI_DRIVER_BYTES_MAX = 63,
    FILE_MODE_MAX = 0777,
};

/* parts of many sources */

void validate_file_path(const char *file, const struct path *path, struct report *report)
{
    if (str_empty(file))
        return;
    if (*file == '/')
        require(report, path, file, "must be a relative path");
    if (path_has_dot_dot(file))
        require(report, path, file, "must not contain \"..\"");
    if (str_has_prefix(file, "..") && !str_has_prefix(file, "../"))
        require(report, path, file, "must not begin with \"..\"");
}

void validate_file_mode(const struct opt_int32 *mode, const struct path *path, const char *name,
                        struct report *report)
{
    if (mode->set && (mode->value < 0 || mode->value > FILE_MODE_MAX))
        report_error_in(report, path, name, FINDING_INVALID,
                        "%d must be a file mode from 0 to 0777 (511 in JSON)", mode->value);
}

void validate_range(int32_t value, int32_t highest, const struct path *path, const char *name,
                    struct report *report)
{
    if (value < 0 || value > highest)
        report_error_in(report, path, name, FINDING_INVALID, "%d must be from 0 to %d", value,
                        highest);
}

void validate_secret_ref(const struct local_reference *reference, const struct path *path,
                         struct report *report)
{
    struct path secret = path_name(path, "secretRef");

    if (reference)
        require_some_in(report, &secret, "name", reference->name);
}

void require_items(const struct string_list *list, const struct path *path, const char *name,
                   struct report *report)
{
    if (!list->count)
        report_error_in(report, path, name, FINDING_REQUIRED, "must not be empty");
}

/* sources of the node */

static void validate_empty_dir(const struct volume_check *check, const struct path *path)
{
    const struct quantity *limit = check->volume->empty_dir->size_limit;

    if (limit && quantity_sign(limit) < 0)
        report_error_in(check->report, path, "sizeLimit", FINDING_FORBIDDEN,
                        "must not be negative");
}

static void validate_host_path(const struct volume_check *check, const struct path *path)
{
    static const char *const types[] = {
        "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice",
        "BlockDevice",       NULL};
    const struct host_path_volume *source = check->volume->host_path;

    if (!require_some_in(check->report, path, "path", source->path))
        return;
    if (path_has_dot_dot(source->path))
        require_in(check->report, path, "path", source->path, "must not contain \"..\"");
    if (!str_empty(source->type))
        require_one_of_in(check->report, path, "type", source->type, types);
}

static void validate_git_repo(const struct volume_check *check, const struct path *path)
{
    const struct git_repo_volume *source = check->volume->git_repo;

    require_some_in(check->report, path, "repository", source->repository);
    require_in(check->report, path, "directory", source->directory,
               name_check_relative_path(source->directory));
}

static void validate_claim(const struct volume_check *check, const struct path *path)
{
    require_some_in(check->report, path, "claimName",
                    check->volume->persistent_volume_claim->claim_name);
}

static void validate_image(const struct volume_check *check, const struct path *path)
{
    static const char *const policies[] = {"Always", "Never", "IfNotPresent", NULL};
    const struct image_volume *source = check->volume->image;

    require_some_in(check->report, path, "reference", source->reference);
    require_one_of_in(check->report, path, "pullPolicy", source->pull_policy, policies);
}

/* drivers */

static void validate_csi_driver(const char *driver, const struct path *path, struct report *report)
{
    struct path driver_path = path_name(path, "driver");
    char *lower;

    if (!require_some(report, &driver_path, driver))
        return;
    if (strlen(driver) > CSI_DRIVER_BYTES_MAX)
        report_error(report, &driver_path, FINDING_TOO_LONG, "must have at most %d bytes",
                     CSI_DRIVER_BYTES_MAX);
    lower = arena_strdup(&report->arena, driver);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    require(report, &driver_path, driver, name_check_subdomain(lower));
}

static void validate_csi(const struct volume_check *check, const struct path *path)
{
    const struct csi_volume *source = check->volume->csi;
    const struct local_reference *secret = source->node_publish_secret_ref;
    struct path secret_path = path_name(path, "nodePublishSecretRef");

    validate_csi_driver(source->driver, path, check->report);
    /* The server leaves the reference's own name out of the path here. */
    if (secret && require_some_in(check->report, &secret_path, "name", secret->name))
        require_in(check->report, path, "name", secret->name, name_check_subdomain(secret->name));
}

/* Is the part before the slash kubernetes.io, k8s.io or below them? */
static bool is_reserved_option(const char *option)
{
    static const char *const domains[] = {"kubernetes.io", "k8s.io"};
    size_t length = strcspn(option, "/");

    for (size_t i = 0; i < array_size(domains); i++) {
        size_t domain = strlen(domains[i]);

        if (length >= domain && !strncasecmp(option + length - domain, domains[i], domain) &&
            (length == domain || option[length - domain - 1] == '.'))
            return true;
    }
    return false;
}

static void validate_flex(const struct volume_check *check, const struct path *path)
{
    const struct flex_volume *source = check->volume->flex_volume;
    struct path options = path_name(path, "options");

    require_some_in(check->report, path, "driver", source->driver);
    array_for_each (option, source->options) {
        struct path key = path_key(&options, option->name);

        if (is_reserved_option(option->name))
            report_error(check->report, &key, FINDING_INVALID,
                         "options below kubernetes.io and k8s.io are reserved");
    }
}

/* the table */

#define SOURCE(json_name, member, rules_function)                                                  \
    {                                                                                              \
        .name = json_name, .offset = offsetof(struct volume, member), .rules = rules_function      \
    }
#define SOURCE_ODDLY(json_name, odd_name, member, rules_function)                                  \
    {                                                                                              \
        .name = json_name, .surplus_name = odd_name, .offset = offsetof(struct volume, member),    \
        .rules = rules_function                                                                    \
    }

const struct volume_source volume_sources[] = {
    SOURCE("emptyDir", empty_dir, validate_empty_dir),
    SOURCE("hostPath", host_path, validate_host_path),
    SOURCE("gitRepo", git_repo, validate_git_repo),
    SOURCE("gcePersistentDisk", gce_persistent_disk, validate_gce_disk_volume),
    SOURCE("awsElasticBlockStore", aws_elastic_block_store, validate_aws_disk_volume),
    SOURCE("secret", secret, validate_secret_volume),
    SOURCE("nfs", nfs, validate_nfs_volume),
    SOURCE("iscsi", iscsi, validate_iscsi_volume),
    SOURCE("glusterfs", glusterfs, validate_glusterfs_volume),
    SOURCE("flocker", flocker, validate_flocker_volume),
    SOURCE("persistentVolumeClaim", persistent_volume_claim, validate_claim),
    SOURCE("rbd", rbd, validate_rbd_volume),
    SOURCE("cinder", cinder, validate_cinder_volume),
    SOURCE_ODDLY("cephfs", "cephFS", cephfs, validate_cephfs_volume),
    SOURCE("quobyte", quobyte, validate_quobyte_volume),
    SOURCE_ODDLY("downwardAPI", "downwarAPI", downward_api, validate_downward_volume),
    SOURCE("fc", fc, validate_fc_volume),
    SOURCE("flexVolume", flex_volume, validate_flex),
    SOURCE("configMap", config_map, validate_config_map_volume),
    SOURCE("azureFile", azure_file, validate_azure_file_volume),
    SOURCE("vsphereVolume", vsphere_volume, validate_vsphere_volume),
    SOURCE("photonPersistentDisk", photon_persistent_disk, validate_photon_disk_volume),
    SOURCE("portworxVolume", portworx_volume, validate_portworx_volume),
    SOURCE("azureDisk", azure_disk, validate_azure_disk_volume),
    SOURCE("storageos", storage_os, validate_storage_os_volume),
    SOURCE("projected", projected, validate_projected_volume),
    SOURCE("scaleIO", scale_io, validate_scale_io_volume),
    SOURCE("csi", csi, validate_csi),
    SOURCE("ephemeral", ephemeral, validate_ephemeral_volume),
    SOURCE("image", image, validate_image),
};
const size_t volume_source_count = array_size(volume_sources);

/* one volume */

/* Only the first source is looked at; a second one is reported and not looked into. */
static void validate_sources(const struct volume_check *check)
{
    const struct volume_source *first = NULL;

    for (size_t i = 0; i < volume_source_count; i++) {
        const struct volume_source *source = &volume_sources[i];
        struct path path = path_name(check->path, source->name);

        if (!volume_has(check->volume, source))
            continue;
        if (!first) {
            first = source;
            source->rules(check, &path);
        } else {
            report_error_in(check->report, check->path,
                            source->surplus_name ? source->surplus_name : source->name,
                            FINDING_FORBIDDEN,
                            "a volume must have one source; this one already has %s", first->name);
        }
    }
    if (check->volume->iscsi)
        validate_iscsi_initiator(check);
}

/* `valid`: the volumes before it that have no error of their own. */
static void validate_volume(const struct volume_check *check, struct seen *valid)
{
    const char *name = check->volume->name;
    struct path name_path = path_name(check->path, "name");
    size_t errors = check->report->errors;

    validate_sources(check);
    require_named(check->report, &name_path, name, name_check_label);
    if (!str_empty(name) && seen_has(valid, name))
        report_error(check->report, &name_path, FINDING_DUPLICATE,
                     "another volume has the name \"%.128s\"", name);
    if (check->report->errors == errors)
        seen_put(valid, name, check->volume);
}

/* all of them */

/* The claims that the pod's ephemeral volumes will make, by name. */
static void collect_made_claims(const struct pod *pod, struct seen *claims, struct arena *arena)
{
    if (str_empty(pod->object.metadata.name))
        return;
    array_for_each (volume, pod->spec.volumes)
        if (volume->ephemeral && !str_empty(volume->name))
            seen_before(claims,
                        arena_printf(arena, "%s-%s", pod->object.metadata.name, volume->name));
}

/* Such a claim belongs to its volume and cannot be used as one of somebody else's. */
static void validate_claim_of_others(const struct volume_check *check, const struct seen *made)
{
    const struct claim_volume *claim = check->volume->persistent_volume_claim;
    struct path path = path_name(check->path, "persistentVolumeClaim");

    if (claim && !str_empty(claim->claim_name) && seen_has(made, claim->claim_name))
        require_in(check->report, &path, "claimName", claim->claim_name,
                   "is the claim that an ephemeral volume of this pod makes for itself");
}

void validate_volumes(struct pod_view *view, const struct path *spec, struct report *report)
{
    _cleanup_(seen_deinit) struct seen made_claims = SEEN_INIT;
    const struct pod *pod = view->pod;
    struct path volumes = path_name(spec, "volumes");

    collect_made_claims(pod, &made_claims, &report->arena);
    for (size_t i = 0; i < pod->spec.volumes.count; i++) {
        struct path path = path_index(&volumes, i);
        struct volume_check check = {
            .pod = pod,
            .volume = &pod->spec.volumes.items[i],
            .path = &path,
            .report = report,
        };

        seen_first(&view->volumes, check.volume->name, check.volume);
        validate_volume(&check, &view->valid_volumes);
        validate_claim_of_others(&check, &made_claims);
    }
}
