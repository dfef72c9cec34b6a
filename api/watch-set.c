/* The objects of a watch. */
#include "watch-set.h"
#include "nodeagent/base/mem.h"

void watch_set_clear(struct watch_set *set)
{
    struct object *object;

    for (size_t at = 0; (object = watch_set_next(set, &at));)
        object_unref(object);
    map_deinit(&set->objects);
    *set = (struct watch_set)WATCH_SET_INIT;
}

char *watch_set_key(const char *name_space, const char *name)
{
    return mem_printf("%s/%s", name_space ? name_space : "", name);
}

char *watch_set_key_of(const struct object *object)
{
    return watch_set_key(object->metadata.name_space, object->metadata.name);
}

static size_t size_of(const struct object *object)
{
    return object ? arena_size(&object->arena) : 0;
}

bool watch_set_has_room(const struct watch_set *set, const char *key, const struct object *object)
{
    const struct object *before = watch_set_find(set, key);

    return set->bytes - size_of(before) + size_of(object) <= WATCH_SET_BYTES_MAX;
}

static struct object *forget(struct watch_set *set, struct object *object)
{
    set->bytes -= size_of(object);
    return object;
}

struct object *watch_set_put(struct watch_set *set, const char *key, struct object *object)
{
    set->bytes += size_of(object);
    return forget(set, map_put(&set->objects, key, object));
}

struct object *watch_set_remove(struct watch_set *set, const char *key)
{
    return forget(set, map_remove(&set->objects, key));
}

struct object *watch_set_find(const struct watch_set *set, const char *key)
{
    return map_get(&set->objects, key);
}

struct object *watch_set_find_like(const struct watch_set *set, const struct object *object)
{
    _cleanup_(mem_free_at) char *key = watch_set_key_of(object);

    return watch_set_find(set, key);
}

struct object *watch_set_next(const struct watch_set *set, size_t *position)
{
    struct map_entry *entry = map_next(&set->objects, position);

    return entry ? entry->value : NULL;
}
