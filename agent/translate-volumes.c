/* What the files of volumes are made of: the objects and fields that variables come from, too. */
#include "translate-internal.h"

#include <errno.h>

int translate_object(const struct translation *translation, const struct object_kind *kind,
                     const char *name, const struct object **object, struct err *err)
{
    const char *name_space = translation->pod->object.metadata.name_space;

    *object = translation->lookup(translation->lookup_owner, kind, name_space, name);
    if (*object)
        return 0;
    if (!translation->unknown ||
        !translation->unknown(translation->lookup_owner, kind, name_space, name))
        return -ENOENT;
    return err_set(err, -EAGAIN, "failed to sync %s cache: timed out waiting for the condition",
                   kind == &object_kind_secret ? "secret" : "configmap");
}

static int find_object(void *owner, const struct object_kind *kind, const char *name,
                       const struct object **object, struct err *err)
{
    return translate_object(owner, kind, name, object, err);
}

static int find_field(void *owner, const struct field_reference *field, const char **value,
                      struct err *err)
{
    return translate_field(owner, field, value, err);
}

static int find_resource(void *owner, const struct resource_reference *resource, const char **value,
                         struct err *err)
{
    return translate_resource_field(owner, NULL, resource, value, err);
}

static int find_token(void *owner, const struct token_projection *token, const char **value,
                      struct err *err)
{
    const struct translation *translation = owner;

    if (!translation->token)
        return err_set(err, -ENOTSUP,
                       "failed to fetch token: there is no API server to ask for it");
    return translation->token(translation->lookup_owner, translation->pod, token, value, err);
}

struct volume_sources translate_volume_sources(struct translation *translation)
{
    return (struct volume_sources){
        .owner = translation,
        .object = find_object,
        .field = find_field,
        .resource = find_resource,
        .token = find_token,
    };
}
