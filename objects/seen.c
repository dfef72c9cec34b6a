/* Names that were met, and what they stand for. */
#include "seen.h"

#include <string.h>

void seen_deinit(struct seen *seen)
{
    map_deinit(&seen->many);
    seen->count = 0;
}

static const struct seen_name *find_few(const struct seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->count; i++)
        if (!strcmp(seen->few[i].name, name))
            return &seen->few[i];
    return NULL;
}

static void move_to_map(struct seen *seen)
{
    for (size_t i = 0; i < seen->count; i++)
        map_put(&seen->many, seen->few[i].name, (void *)seen->few[i].what);
    seen->count = 0;
}

const void *seen_put(struct seen *seen, const char *name, const void *what)
{
    struct seen_name *found;

    name = name ? name : "";
    found = (struct seen_name *)find_few(seen, name);
    if (found) {
        const void *before = found->what;

        found->what = what;
        return before;
    }
    if (seen->count == SEEN_FEW)
        move_to_map(seen);
    if (map_count(&seen->many))
        return map_put(&seen->many, name, (void *)what);
    seen->few[seen->count++] = (struct seen_name){.name = name, .what = what};
    return NULL;
}

const void *seen_get(const struct seen *seen, const char *name)
{
    const struct seen_name *found;

    name = name ? name : "";
    if (map_count(&seen->many))
        return map_get(&seen->many, name);
    found = find_few(seen, name);
    return found ? found->what : NULL;
}

const void *seen_first(struct seen *seen, const char *name, const void *what)
{
    const void *before = seen_put(seen, name, what);

    if (!before)
        return what;
    seen_put(seen, name, before);
    return before;
}

bool seen_before(struct seen *seen, const char *name)
{
    return seen_put(seen, name, seen);
}

bool seen_has(const struct seen *seen, const char *name)
{
    return seen_get(seen, name);
}

const char *seen_pair(const char *first, const char *second, struct arena *arena)
{
    first = first ? first : "";
    return arena_printf(arena, "%zu %s%s", strlen(first), first, second ? second : "");
}
