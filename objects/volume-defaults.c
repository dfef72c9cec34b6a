/* What the API fills into volumes where nothing is set. */
#include "defaults.h"
#include "nodeagent/objects/image.h"
#include "volume-rules.h"

enum {
    FILE_MODE_DEFAULT = 0644,
    TOKEN_SECONDS_DEFAULT = 3600,
};

static void default_mode(struct opt_int32 *mode)
{
    if (!mode->set)
        *mode = (struct opt_int32){FILE_MODE_DEFAULT, true};
}

/* files from objects */

static void default_downward_files(struct downward_file_list *files, struct arena *arena)
{
    array_for_each (file, *files) {
        if (file->field_ref)
            default_string(&file->field_ref->api_version, "v1");
        if (file->resource_field_ref && !file->resource_field_ref->divisor)
            file->resource_field_ref->divisor = arena_new(arena, struct quantity);
    }
}

static void default_projected(struct projected_volume *projected, struct arena *arena)
{
    default_mode(&projected->default_mode);
    array_for_each (source, projected->sources) {
        struct token_projection *token = source->service_account_token;

        if (source->downward_api)
            default_downward_files(&source->downward_api->items, arena);
        if (token && !token->expiration_seconds.set)
            token->expiration_seconds = (struct opt_int64){TOKEN_SECONDS_DEFAULT, true};
    }
}

static void default_file_volumes(struct volume *volume, struct arena *arena)
{
    if (volume->secret)
        default_mode(&volume->secret->default_mode);
    if (volume->config_map)
        default_mode(&volume->config_map->default_mode);
    if (volume->downward_api) {
        default_mode(&volume->downward_api->default_mode);
        default_downward_files(&volume->downward_api->items, arena);
    }
    if (volume->projected)
        default_projected(volume->projected, arena);
}

/* claims and disks */

static void default_claim(struct claim_template *claim)
{
    default_absent(&claim->spec.volume_mode, "Filesystem");
    quantity_map_round_up(&claim->spec.resources.limits);
    quantity_map_round_up(&claim->spec.resources.requests);
}

static void default_azure_disk(struct azure_disk_volume *disk)
{
    default_absent(&disk->caching_mode, "ReadWrite");
    default_absent(&disk->kind, "Shared");
    default_absent(&disk->fs_type, "ext4");
    if (disk->read_only == OPT_UNSET)
        disk->read_only = OPT_FALSE;
}

static void default_remote_volumes(struct volume *volume)
{
    if (volume->iscsi)
        default_string(&volume->iscsi->iscsi_interface, "default");
    if (volume->rbd) {
        default_string(&volume->rbd->pool, "rbd");
        default_string(&volume->rbd->user, "admin");
        default_string(&volume->rbd->keyring, "/etc/ceph/keyring");
    }
    if (volume->azure_disk)
        default_azure_disk(volume->azure_disk);
    if (volume->scale_io) {
        default_string(&volume->scale_io->storage_mode, "ThinProvisioned");
        default_string(&volume->scale_io->fs_type, "xfs");
    }
    if (volume->ephemeral && volume->ephemeral->volume_claim_template)
        default_claim(volume->ephemeral->volume_claim_template);
}

/* the volume */

static bool has_source(const struct volume *volume)
{
    for (size_t i = 0; i < volume_source_count; i++)
        if (volume_has(volume, &volume_sources[i]))
            return true;
    return false;
}

void volume_set_defaults(struct volume *volume, struct arena *arena)
{
    if (!has_source(volume))
        volume->empty_dir = arena_new(arena, struct empty_dir_volume);
    if (volume->host_path)
        default_absent(&volume->host_path->type, "");
    if (volume->image)
        default_string(
            &volume->image->pull_policy,
            image_default_pull_policy(volume->image->reference ? volume->image->reference : ""));
    default_file_volumes(volume, arena);
    default_remote_volumes(volume);
}
