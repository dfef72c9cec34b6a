/* Walking a pod for what it refers to. */
#include "nodeagent/objects/references.h"
#include "nodeagent/base/str.h"

struct walk {
    pod_reference_fn *call;
    void *owner;
};

static void tell(const struct walk *walk, const struct object_kind *kind, const char *name)
{
    if (!str_empty(name))
        walk->call(walk->owner, kind, name);
}

static void walk_volume(const struct walk *walk, const struct volume *volume)
{
    if (volume->secret)
        tell(walk, &object_kind_secret, volume->secret->secret_name);
    if (volume->config_map)
        tell(walk, &object_kind_config_map, volume->config_map->name);
    if (!volume->projected)
        return;
    array_for_each (source, volume->projected->sources) {
        if (source->secret)
            tell(walk, &object_kind_secret, source->secret->name);
        if (source->config_map)
            tell(walk, &object_kind_config_map, source->config_map->name);
    }
}

static void walk_container(const struct walk *walk, const struct container *container)
{
    array_for_each (source, container->env_from) {
        if (source->config_map_ref)
            tell(walk, &object_kind_config_map, source->config_map_ref->name);
        if (source->secret_ref)
            tell(walk, &object_kind_secret, source->secret_ref->name);
    }
    array_for_each (variable, container->env) {
        const struct env_source *source = variable->value_from;

        if (source && source->config_map_key_ref)
            tell(walk, &object_kind_config_map, source->config_map_key_ref->name);
        if (source && source->secret_key_ref)
            tell(walk, &object_kind_secret, source->secret_key_ref->name);
    }
}

void pod_references(const struct pod *pod, pod_reference_fn *call, void *owner)
{
    const struct pod_spec *spec = &pod->spec;
    const struct walk walk = {call, owner};

    array_for_each (secret, spec->image_pull_secrets)
        tell(&walk, &object_kind_secret, secret->name);
    array_for_each (container, spec->init_containers)
        walk_container(&walk, container);
    array_for_each (container, spec->containers)
        walk_container(&walk, container);
    array_for_each (container, spec->ephemeral_containers)
        walk_container(&walk, container);
    array_for_each (volume, spec->volumes)
        walk_volume(&walk, volume);
}
