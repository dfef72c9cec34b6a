/*
 * What a static pod may not contain. Nothing resolves references to API objects for it, so the
 * reference refuses them; here every one is named, not just the first.
 */
#include "nodeagent/base/str.h"
#include "nodeagent/objects/pod.h"

struct static_check {
    enum static_references allowed;
    enum finding_level level;
    struct report *report;
};

static void refuse(const struct static_check *check, const struct path *path, const char *name,
                   const char *what)
{
    struct path at = path_name(path, name);

    if (check->level == FINDING_ERROR)
        report_error(check->report, &at, FINDING_STATIC, "a static pod may not reference %s", what);
    else
        report_warning(check->report, &at, FINDING_STATIC, "a static pod may not reference %s",
                       what);
}

/* Of ConfigMaps and Secrets, which may come from where the pod comes from. */
static void refuse_config(const struct static_check *check, const struct path *path,
                          const char *name, const char *what)
{
    if (check->allowed != STATIC_REFERS_TO_CONFIG)
        refuse(check, path, name, what);
}

/* volumes */

static void check_projected(const struct static_check *check,
                            const struct projected_volume *projected, const struct path *path)
{
    struct path list = path_name(path, "sources");

    for (size_t i = 0; i < projected->sources.count; i++) {
        const struct projection *source = &projected->sources.items[i];
        struct path item = path_index(&list, i);

        if (source->secret)
            refuse_config(check, &item, "secret", "secrets");
        if (source->config_map)
            refuse_config(check, &item, "configMap", "configmaps");
        if (source->service_account_token)
            refuse(check, &item, "serviceAccountToken", "serviceaccounts");
        if (source->cluster_trust_bundle)
            refuse(check, &item, "clusterTrustBundle", "clustertrustbundles");
        if (source->pod_certificate)
            refuse(check, &item, "podCertificate", "serviceaccounts");
    }
}

static const struct local_reference *volume_secret(const struct volume *volume, const char **source)
{
    const struct {
        const char *name;
        const struct local_reference *secret;
    } references[] = {
        {"rbd", volume->rbd ? volume->rbd->secret_ref : NULL},
        {"iscsi", volume->iscsi ? volume->iscsi->secret_ref : NULL},
        {"cephfs", volume->cephfs ? volume->cephfs->secret_ref : NULL},
        {"cinder", volume->cinder ? volume->cinder->secret_ref : NULL},
        {"flexVolume", volume->flex_volume ? volume->flex_volume->secret_ref : NULL},
        {"scaleIO", volume->scale_io ? volume->scale_io->secret_ref : NULL},
        {"storageos", volume->storage_os ? volume->storage_os->secret_ref : NULL},
    };

    for (size_t i = 0; i < array_size(references); i++) {
        *source = references[i].name;
        if (references[i].secret && !str_empty(references[i].secret->name))
            return references[i].secret;
    }
    return NULL;
}

static void check_volume(const struct static_check *check, const struct volume *volume,
                         const struct path *path)
{
    const struct {
        const char *name;
        const void *source;
        const char *what;
    } refused[] = {
        {"csi", volume->csi, "csidrivers (via CSI volumes)"},
        {"persistentVolumeClaim", volume->persistent_volume_claim, "persistentvolumeclaims"},
        {"ephemeral", volume->ephemeral, "persistentvolumeclaims"},
        {"azureFile", volume->azure_file, "secrets (via azureFile volumes)"},
        {"glusterfs", volume->glusterfs, "endpoints (via glusterFS volumes)"},
    };
    const char *source;

    if (volume->secret)
        refuse_config(check, path, "secret", "secrets");
    if (volume->config_map)
        refuse_config(check, path, "configMap", "configmaps");
    for (size_t i = 0; i < array_size(refused); i++)
        if (refused[i].source)
            refuse(check, path, refused[i].name, refused[i].what);
    if (volume_secret(volume, &source)) {
        struct path at = path_name(path, source);

        refuse_config(check, &at, "secretRef", "secrets");
    }
    if (volume->projected) {
        struct path at = path_name(path, "projected");

        check_projected(check, volume->projected, &at);
    }
}

/* containers */

static void check_env(const struct static_check *check, const struct container *container,
                      const struct path *path)
{
    struct path env = path_name(path, "env"), env_from = path_name(path, "envFrom");

    for (size_t i = 0; i < container->env_from.count; i++) {
        struct path item = path_index(&env_from, i);

        if (container->env_from.items[i].config_map_ref)
            refuse_config(check, &item, "configMapRef", "configmaps");
        if (container->env_from.items[i].secret_ref)
            refuse_config(check, &item, "secretRef", "secrets");
    }
    for (size_t i = 0; i < container->env.count; i++) {
        const struct env_source *source = container->env.items[i].value_from;
        struct path item = path_index(&env, i), from = path_name(&item, "valueFrom");

        if (source && source->config_map_key_ref)
            refuse_config(check, &from, "configMapKeyRef", "configmaps");
        if (source && source->secret_key_ref)
            refuse_config(check, &from, "secretKeyRef", "secrets");
    }
}

static void check_containers(const struct static_check *check,
                             const struct container_list *containers, const char *name,
                             const struct path *spec)
{
    struct path list = path_name(spec, name);

    for (size_t i = 0; i < containers->count; i++) {
        struct path item = path_index(&list, i);

        check_env(check, &containers->items[i], &item);
    }
}

/* As with volumes, a reference without a name refers to nothing. */
static bool names_secret(const struct pod_spec *spec)
{
    array_for_each (secret, spec->image_pull_secrets) {
        if (!str_empty(secret->name))
            return true;
    }
    return false;
}

void pod_check_static(const struct pod *pod, enum static_references allowed,
                      enum finding_level level, struct report *report)
{
    const struct pod_spec *spec = &pod->spec;
    struct static_check check = {.allowed = allowed, .level = level, .report = report};
    struct path path = path_name(NULL, "spec"), volumes = path_name(&path, "volumes");

    if (!str_empty(spec->service_account_name))
        refuse(&check, &path, "serviceAccountName", "serviceaccounts");
    if (names_secret(spec))
        refuse_config(&check, &path, "imagePullSecrets", "secrets");
    if (spec->resource_claims.count)
        refuse(&check, &path, "resourceClaims", "resourceclaims");
    check_containers(&check, &spec->init_containers, "initContainers", &path);
    check_containers(&check, &spec->containers, "containers", &path);
    for (size_t i = 0; i < spec->volumes.count; i++) {
        struct path item = path_index(&volumes, i);

        check_volume(&check, &spec->volumes.items[i], &item);
    }
}
