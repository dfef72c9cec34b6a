/*
 * The environment of a container: variables of Services, `envFrom` in order, then `env` in order;
 * what comes later replaces what was there. Only variables that were declared earlier are seen by
 * later ones.
 */
#include "nodeagent/objects/config_map.h"
#include "nodeagent/objects/secret.h"
#include "translate-internal.h"

#include <errno.h>
#include <string.h>

struct environment {
    const struct translation *translation;
    const struct container *container;
    struct variables variables;
    struct err *err;
};

/* data of other objects */

struct source {
    const struct object_kind *kind;
    const char *name;
    bool optional;
};

static struct source config_map_source(const char *name, uint8_t optional)
{
    return (struct source){&object_kind_config_map, name ? name : "", optional == OPT_TRUE};
}

static struct source secret_source(const char *name, uint8_t optional)
{
    return (struct source){&object_kind_secret, name ? name : "", optional == OPT_TRUE};
}

static const struct bytes_map *data_of(const struct object *object)
{
    if (object->kind == &object_kind_secret)
        return &container_of(object, struct secret, object)->data;
    return &container_of(object, struct config_map, object)->data;
}

/* 1: `data` is set; 0: the object is not there, and need not be. */
static int look_up(struct environment *environment, const struct source *source,
                   const struct bytes_map **data)
{
    const struct object *object;
    int r = translate_object(environment->translation, source->kind, source->name, &object,
                             environment->err);

    if (r == 0) {
        *data = data_of(object);
        return 1;
    }
    if (r != -ENOENT)
        return r;
    if (source->optional)
        return 0;
    return err_set(environment->err, -ENOENT, "%s \"%s\" not found",
                   source->kind == &object_kind_secret ? "secret" : "configmap", source->name);
}

static int put_bytes(struct environment *environment, const struct source *source, const char *name,
                     const struct bytes_pair *pair)
{
    const struct object_meta *meta = &environment->translation->pod->object.metadata;

    /* No program could get the rest of it. */
    if (memchr(pair->bytes, 0, pair->length))
        return err_set(environment->err, -EINVAL,
                       "key %s in %s %s/%s has a NUL byte: it cannot be a variable's value",
                       pair->name, source->kind->name, meta->name_space, source->name);
    return variables_put(&environment->variables, name, pair->bytes, environment->err);
}

static int add_object(struct environment *environment, const struct source *source,
                      const char *prefix)
{
    const struct bytes_map *data = NULL;
    int r = look_up(environment, source, &data);

    if (r <= 0)
        return r;
    r = 0;
    for (size_t i = 0; i < data->count && r == 0; i++) {
        const char *name = data->items[i].name;

        if (!str_empty(prefix))
            name = arena_printf(environment->translation->arena, "%s%s", prefix, name);
        r = put_bytes(environment, source, name, &data->items[i]);
    }
    return r;
}

static int add_env_from(struct environment *environment, const struct env_from *from)
{
    struct source source;

    if (from->config_map_ref)
        source = config_map_source(from->config_map_ref->name, from->config_map_ref->optional);
    else if (from->secret_ref)
        source = secret_source(from->secret_ref->name, from->secret_ref->optional);
    else
        return 0;
    return add_object(environment, &source, from->prefix);
}

static int add_key(struct environment *environment, const char *name, const struct source *source,
                   const char *key)
{
    const struct bytes_map *data = NULL;
    const struct bytes_pair *pair;
    int r = look_up(environment, source, &data);

    if (r <= 0)
        return r;
    pair = bytes_map_get(data, key);
    if (pair)
        return put_bytes(environment, source, name, pair);
    if (source->optional)
        return 0;
    return err_set(environment->err, -ENOENT, "couldn't find key %s in %s %s/%s", key,
                   source->kind->name, environment->translation->pod->object.metadata.name_space,
                   source->name);
}

/* variables */

static int add_from(struct environment *environment, const char *name,
                    const struct env_source *from)
{
    const struct translation *translation = environment->translation;
    const char *value = "";
    struct source source;
    int r = 0;

    if (from->config_map_key_ref) {
        source =
            config_map_source(from->config_map_key_ref->name, from->config_map_key_ref->optional);
        return add_key(environment, name, &source, from->config_map_key_ref->key);
    }
    if (from->secret_key_ref) {
        source = secret_source(from->secret_key_ref->name, from->secret_key_ref->optional);
        return add_key(environment, name, &source, from->secret_key_ref->key);
    }
    if (from->file_key_ref)
        return err_set(environment->err, -EOPNOTSUPP,
                       "the environment variable %s comes from a file on a volume, which this "
                       "agent does not support yet",
                       name);
    if (from->field_ref)
        r = translate_field(translation, from->field_ref, &value, environment->err);
    else if (from->resource_field_ref)
        r = translate_resource_field(translation, environment->container, from->resource_field_ref,
                                     &value, environment->err);
    return r < 0 ? r : variables_put(&environment->variables, name, value, environment->err);
}

static int add_env(struct environment *environment, const struct env_var *env)
{
    const char *what, *value = "";
    int r = 0;

    if (str_empty(env->value) && env->value_from)
        return add_from(environment, env->name, env->value_from);
    if (!str_empty(env->value)) {
        what =
            arena_printf(environment->translation->arena, "the environment variable %s", env->name);
        r = variables_expand(&environment->variables, env->value, what, &value, NULL,
                             environment->err);
    }
    return r < 0 ? r : variables_put(&environment->variables, env->name, value, environment->err);
}

int translate_env(const struct translation *translation, const struct container *container,
                  struct string_map *result, struct err *err)
{
    struct environment environment = {translation, container, .err = err};
    int r = 0;

    if (translation->pod->spec.enable_service_links == OPT_UNSET)
        return err_set(err, -EINVAL,
                       "nil pod.spec.enableServiceLinks encountered, cannot construct envvars");
    variables_init(&environment.variables, translation->arena);
    r = translate_services(translation, &environment.variables, err);
    for (size_t i = 0; i < container->env_from.count && r == 0; i++)
        r = add_env_from(&environment, &container->env_from.items[i]);
    for (size_t i = 0; i < container->env.count && r == 0; i++)
        r = add_env(&environment, &container->env.items[i]);
    variables_deinit(&environment.variables);
    *result = environment.variables.map;
    return r;
}
