/* Features by the version that first declares them. */
#include "node-features.h"

#include "nodeagent/base/macros.h"

#include <stdlib.h>
#include <string.h>

/* Of a version's features only what is built here. A server of an older minor would drop the whole
 * list: it is for the versions that have one, from 1.36 on. */
static const struct declared_feature {
    const char *name;
    int since_minor;
} features[] = {
    {"RestartAllContainersOnContainerExits", 36},
};

struct string_list node_declared_features(const char *version, struct arena *arena)
{
    int minor = atoi(version + strlen("v1."));
    struct string_list list = {.items = arena_array(arena, const char *, array_size(features))};

    for (size_t i = 0; i < array_size(features); i++)
        if (minor >= features[i].since_minor)
            list.items[list.count++] = features[i].name;
    return list;
}
