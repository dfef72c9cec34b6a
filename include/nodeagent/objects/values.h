/*
 * The small value types that API objects are made of. All of them, and every string, live in the
 * arena of their object. A string that is absent is NULL; where the API does not tell absent from
 * empty, ask with str_empty().
 */
#pragma once

#include "nodeagent/base/macros.h"
#include "nodeagent/base/quantity.h"

#include <stdbool.h>

/* Values that may be absent where absent and zero differ. */
enum opt_bool { OPT_UNSET, OPT_FALSE, OPT_TRUE };

struct opt_int32 {
    int32_t value;
    bool set;
};

struct opt_int64 {
    int64_t value;
    bool set;
};

/* A point in time on the wire, in microseconds since 1970. */
struct opt_time {
    int64_t usec;
    bool set;
};

struct int_or_string {
    const char *string; /* NULL: it is the number */
    int32_t number;
};

/* Lists and maps keep the order of the document; an empty one that was written has items != NULL.
 */
struct string_list {
    const char **items;
    size_t count;
};

struct int32_list {
    int32_t *items;
    size_t count;
};

struct int64_list {
    int64_t *items;
    size_t count;
};

struct string_pair {
    const char *name;
    const char *value;
};

struct string_map {
    struct string_pair *items;
    size_t count;
};

/* Text or bytes that may hold anything, NUL included; NUL follows the last byte. */
struct bytes_pair {
    const char *name;
    const char *bytes;
    size_t length;
};

struct bytes_map {
    struct bytes_pair *items;
    size_t count;
};

struct quantity_pair {
    const char *name;
    struct quantity quantity;
};

struct quantity_map {
    struct quantity_pair *items;
    size_t count;
};

const char *string_map_get(const struct string_map *map, const char *name);            /* or NULL */
struct quantity *quantity_map_get(const struct quantity_map *map, const char *name);   /* or NULL */
const struct bytes_pair *bytes_map_get(const struct bytes_map *map, const char *name); /* or NULL */
bool string_list_has(const struct string_list *list, const char *string);
bool strings_equal(const struct string_list *a, const struct string_list *b); /* in this order */

/* The list grows in the arena; it is short. */
struct arena;
void strings_add(struct arena *arena, struct string_list *list, const char *string);

/* To thousandths, the finest that the API keeps. */
void quantity_map_round_up(struct quantity_map *map);
