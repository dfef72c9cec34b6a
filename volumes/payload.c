/*
 * From a volume's sources to its files. What is not in the pod comes through the functions that are
 * handed in, nothing else is looked at, and what is ordered is a copy.
 *
 * All sources are gone through, so that all that is missing is told at once. Where a path comes
 * twice, the later file counts.
 */
#include "payload.h"

#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/objects/config_map.h"
#include "nodeagent/objects/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAILURES_MAX = 32, /* more do not fit a sentence */
};

#define TOKEN_MODE 0600 /* of one that is a user's or a group's own */
#define GROUP_MAY 0440  /* of what containers only read */

struct making {
    const struct pod *pod;
    const struct volume_sources *sources;
    struct arena *arena;
    mode_t default_mode;
    int64_t user;  /* that all containers have; negative: there is none */
    int64_t group; /* of the pod's files; negative: none */
    struct payload_file *files;
    size_t count, space;
    struct map by_path; /* to the file's index + 1 */
    struct string_list failures;
    int code;           /* of the first failure */
    struct err trouble; /* of a path: told when nothing is missing */
};

static void add_failure(struct making *making, const struct err *err)
{
    if (!making->failures.count)
        making->code = err->code;
    if (making->failures.count < FAILURES_MAX && !string_list_has(&making->failures, err->text))
        strings_add(making->arena, &making->failures, arena_strdup(making->arena, err->text));
}

_printf_(3, 4) static void fail(struct making *making, int code, const char *format, ...)
{
    struct err err;
    va_list arguments;

    va_start(arguments, format);
    err_setv(&err, code, format, arguments);
    va_end(arguments);
    add_failure(making, &err);
}

/* files */

static struct payload_file *file_at(struct making *making, const char *path)
{
    size_t index = (uintptr_t)map_get(&making->by_path, path);

    if (index)
        return &making->files[index - 1];
    if (making->count == PAYLOAD_FILES_MAX) {
        err_set(&making->trouble, -E2BIG, "the volume has more than %d files", PAYLOAD_FILES_MAX);
        return NULL;
    }
    making->files = mem_grow(making->files, making->count, &making->space, sizeof(*making->files));
    map_put(&making->by_path, path, (void *)(uintptr_t)++making->count);
    return &making->files[making->count - 1];
}

static void put(struct making *making, const char *path, const char *bytes, size_t length,
                mode_t mode, int64_t owner)
{
    struct payload_file *file;
    const char *clean;

    if (making->trouble.code ||
        payload_path_clean(path, making->arena, &clean, &making->trouble) < 0)
        return;
    file = file_at(making, clean);
    if (file)
        *file = (struct payload_file){clean, bytes, length, mode, owner};
}

static mode_t mode_of(const struct making *making, const struct opt_int32 *mode)
{
    return mode->set ? (mode_t)mode->value : making->default_mode;
}

/* ConfigMaps and Secrets */

struct object_source {
    const struct object_kind *kind;
    const char *name;
    const struct key_to_path_list *items;
    bool optional;
};

/* What it has by key; of a ConfigMap text comes before bytes. */
static void data_of(const struct object *object, const struct bytes_map *maps[2])
{
    static const struct bytes_map none;

    if (object->kind == &object_kind_secret) {
        maps[0] = &container_of(object, struct secret, object)->data;
        maps[1] = &none;
    } else {
        maps[0] = &container_of(object, struct config_map, object)->data;
        maps[1] = &container_of(object, struct config_map, object)->binary_data;
    }
}

static void put_all(struct making *making, const struct bytes_map *const maps[2])
{
    for (size_t i = 0; i < 2; i++)
        array_for_each (pair, *maps[i])
            put(making, pair->name, pair->bytes, pair->length, making->default_mode, -1);
}

/* An object may have many thousand keys, and as many may be listed. */
static void index_keys(struct map *keys, const struct bytes_map *const maps[2])
{
    for (size_t i = 0; i < 2; i++)
        array_for_each (pair, *maps[i])
            if (!map_get(keys, pair->name))
                map_put(keys, pair->name, pair);
}

static void put_items(struct making *making, const struct object_source *source,
                      const struct bytes_map *const maps[2])
{
    _cleanup_(map_deinit) struct map keys = MAP_INIT;

    index_keys(&keys, maps);
    array_for_each (item, *source->items) {
        const struct bytes_pair *pair = map_get(&keys, item->key ? item->key : "");

        if (pair) {
            put(making, item->path, pair->bytes, pair->length, mode_of(making, &item->mode), -1);
        } else if (!source->optional) {
            fail(making, -ENOENT,
                 source->kind == &object_kind_secret
                     ? "secret references non-existent secret key: %s"
                     : "configmap references non-existent config key: %s",
                 item->key ? item->key : "");
            return;
        }
    }
}

static void add_object(struct making *making, const struct object_source *source)
{
    const char *name = source->name ? source->name : "";
    const struct object *object = NULL;
    const struct bytes_map *maps[2];
    struct err err;
    int r = making->sources->object(making->sources->owner, source->kind, name, &object, &err);

    if (r == -ENOENT && !source->optional)
        fail(making, r, "%s \"%s\" not found",
             source->kind == &object_kind_secret ? "secret" : "configmap", name);
    else if (r < 0 && r != -ENOENT)
        add_failure(making, &err);
    if (r < 0)
        return;
    data_of(object, maps);
    if (source->items->count)
        put_items(making, source, maps);
    else
        put_all(making, maps);
}

static void add_projected_object(struct making *making, const struct object_kind *kind,
                                 const struct object_projection *projection)
{
    struct object_source source = {kind, projection->name, &projection->items,
                                   projection->optional == OPT_TRUE};

    add_object(making, &source);
}

/* fields of the pod */

static int field_value(const struct making *making, const struct downward_file *file,
                       const char **value, struct err *err)
{
    const struct volume_sources *sources = making->sources;

    *value = "";
    if (file->field_ref)
        return sources->field(sources->owner, file->field_ref, value, err);
    if (!file->resource_field_ref)
        return 0;
    if (str_empty(file->resource_field_ref->container_name))
        return err_set(err, -EINVAL, "the resourceFieldRef of %s must name a container",
                       file->path ? file->path : "");
    return sources->resource(sources->owner, file->resource_field_ref, value, err);
}

static void add_fields(struct making *making, const struct downward_file_list *files)
{
    array_for_each (file, *files) {
        const char *value;
        struct err err;

        if (field_value(making, file, &value, &err) < 0)
            add_failure(making, &err);
        else
            put(making, file->path, value, strlen(value), mode_of(making, &file->mode), -1);
    }
}

/* tokens */

static void add_token(struct making *making, const struct token_projection *token)
{
    bool own = making->user >= 0 || making->group >= 0;
    const char *value;
    struct err err;

    if (making->sources->token(making->sources->owner, token, &value, &err) < 0)
        add_failure(making, &err);
    else
        put(making, token->path, value, strlen(value), own ? TOKEN_MODE : making->default_mode,
            making->user);
}

static bool have_user(const struct making *making, const struct container_list *containers,
                      int64_t *user)
{
    const struct pod_security_context *pod = making->pod->spec.security_context;

    array_for_each (container, *containers) {
        const struct opt_int64 *one =
            container->security_context ? &container->security_context->run_as_user : NULL;

        if (!one || !one->set)
            one = pod ? &pod->run_as_user : NULL;
        if (!one || !one->set || (*user >= 0 && *user != one->value))
            return false;
        *user = one->value;
    }
    return true;
}

/* A token is given to who all containers run as, if that is one user. */
static int64_t common_user(const struct making *making)
{
    const struct pod_spec *spec = &making->pod->spec;
    int64_t user = -1;

    return have_user(making, &spec->init_containers, &user) &&
                   have_user(making, &spec->containers, &user) &&
                   have_user(making, &spec->ephemeral_containers, &user)
               ? user
               : -1;
}

/* volumes */

static void add_projection(struct making *making, const struct projection *projection)
{
    if (projection->secret)
        add_projected_object(making, &object_kind_secret, projection->secret);
    else if (projection->config_map)
        add_projected_object(making, &object_kind_config_map, projection->config_map);
    else if (projection->downward_api)
        add_fields(making, &projection->downward_api->items);
    else if (projection->service_account_token)
        add_token(making, projection->service_account_token);
    else if (projection->cluster_trust_bundle || projection->pod_certificate)
        fail(making, -ENOTSUP, "%s projections cannot be made by this version",
             projection->cluster_trust_bundle ? "clusterTrustBundle" : "podCertificate");
}

static const struct opt_int32 *default_mode(const struct volume *volume)
{
    return volume->config_map     ? &volume->config_map->default_mode
           : volume->secret       ? &volume->secret->default_mode
           : volume->downward_api ? &volume->downward_api->default_mode
                                  : &volume->projected->default_mode;
}

static void add_sources(struct making *making, const struct volume *volume)
{
    const struct config_map_volume *map = volume->config_map;
    const struct secret_volume *secret = volume->secret;

    if (map) {
        add_object(making, &(struct object_source){&object_kind_config_map, map->name, &map->items,
                                                   map->optional == OPT_TRUE});
    } else if (secret) {
        add_object(making, &(struct object_source){&object_kind_secret, secret->secret_name,
                                                   &secret->items, secret->optional == OPT_TRUE});
    } else if (volume->downward_api) {
        add_fields(making, &volume->downward_api->items);
    } else {
        array_for_each (projection, volume->projected->sources)
            add_projection(making, projection);
    }
}

/* checking and copying */

static int tell_failures(const struct making *making, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    array_for_each (failure, making->failures)
        strbuf_printf(&text, "%s%s", text.length ? ", " : "", *failure);
    return err_set(err, making->code, making->failures.count > 1 ? "[%s]" : "%s", text.text);
}

static int refuse_clashes(const struct making *making, struct err *err)
{
    for (size_t i = 0; i < making->count; i++) {
        const char *path = making->files[i].path;

        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
            if (map_get_bytes(&making->by_path, path, (size_t)(slash - path)))
                return err_set(err, -ENOTDIR, "%.*s cannot be a file and the directory of %s",
                               (int)(slash - path), path, path);
    }
    return 0;
}

static int check(const struct making *making, struct err *err)
{
    size_t bytes = 0;

    if (making->failures.count)
        return tell_failures(making, err);
    if (making->trouble.code)
        return err_set(err, making->trouble.code, "%s", making->trouble.text);
    for (size_t i = 0; i < making->count; i++)
        bytes += making->files[i].length;
    if (bytes > PAYLOAD_BYTES_MAX)
        return err_set(err, -E2BIG, "the volume's files have %zu bytes, more than the %d allowed",
                       bytes, PAYLOAD_BYTES_MAX);
    return refuse_clashes(making, err);
}

static const struct payload *copy(const struct making *making)
{
    struct payload *payload = arena_new(making->arena, struct payload);

    payload->files.items = arena_array(making->arena, struct payload_file, making->count);
    payload->files.count = making->count;
    for (size_t i = 0; i < making->count; i++) {
        struct payload_file *file = &payload->files.items[i];

        *file = making->files[i]; /* the path lies in the arena already */
        file->bytes = arena_strndup(making->arena, file->bytes, file->length);
        file->mode |= making->group >= 0 ? GROUP_MAY : 0;
    }
    return payload;
}

static int make(struct making *making, const struct volume *volume, struct volume_order *order,
                struct err *err)
{
    const struct opt_int32 *mode = default_mode(volume);
    int r;

    if (!mode->set)
        return err_set(err, -EINVAL, "no defaultMode used, not even the default value for it");
    making->default_mode = (mode_t)mode->value;
    making->user = common_user(making);
    add_sources(making, volume);
    r = check(making, err);
    if (r == 0)
        order->payload = copy(making);
    map_deinit(&making->by_path);
    free(making->files);
    return r;
}

int volume_fill(const struct pod *pod, const struct volume_sources *sources, struct arena *arena,
                struct volume_order *order, struct err *err)
{
    struct making making = {
        .pod = pod,
        .sources = sources,
        .arena = arena,
        .group = order->group,
        .by_path = MAP_INIT,
    };

    array_for_each (volume, pod->spec.volumes)
        if (str_equal(volume->name, order->name) && volume_has_payload(volume) &&
            make(&making, volume, order, err) < 0)
            return err_prefix(err, VOLUME_FAILED, order->name);
    return 0;
}
