/*
 * Variables by name, and `$(NAME)` in texts: of a container's environment, its command line and
 * the commands of its probes.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/map.h"
#include "nodeagent/objects/values.h"

enum {
    /* What execve() takes at most: longer ones could start no program. */
    VARIABLE_BYTES_MAX = 128 << 10, /* of NAME=VALUE, or of one argument, with its NUL */
    VARIABLES_BYTES_MAX = 6 << 20,  /* of all of them together */
};

struct variables {
    struct arena *arena;
    struct string_map map; /* in the order in which the names came up */
    size_t space;
    size_t bytes;      /* of all that was ever added */
    struct map places; /* of names in the map, from 1 */
};

void variables_init(struct variables *variables, struct arena *arena);
void variables_deinit(struct variables *variables);

/* Each addition replaces what was there by that name. */
int variables_put(struct variables *variables, const char *name, const char *value,
                  struct err *err);
int variables_put_all(struct variables *variables, const struct string_map *map, struct err *err);
const char *variables_get(const struct variables *variables, const char *name, size_t length);

/* `$(NAME)` by the variables' values; what they do not know stays. `missing`, unless NULL, gets the
 * names that have no value. `what` is for the error's sentence. */
int variables_expand(const struct variables *variables, const char *text, const char *what,
                     const char **result, struct string_list *missing, struct err *err);
