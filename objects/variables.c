/*
 * Variables and `$(NAME)` in texts. `$$` is a dollar sign, an unknown name stays as it is written,
 * values are not expanded again. A variable may hold others twice, and so grow without end: what no
 * program could be started with is an error here.
 */
#include "nodeagent/objects/variables.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <string.h>

void variables_init(struct variables *variables, struct arena *arena)
{
    *variables = (struct variables){.arena = arena, .places = MAP_INIT};
}

void variables_deinit(struct variables *variables)
{
    map_deinit(&variables->places);
}

static struct string_pair *find(const struct variables *variables, const char *name, size_t length)
{
    uintptr_t place = (uintptr_t)map_get_bytes(&variables->places, name, length);

    return place ? &variables->map.items[place - 1] : NULL;
}

const char *variables_get(const struct variables *variables, const char *name, size_t length)
{
    const struct string_pair *pair = find(variables, name, length);

    return pair ? pair->value : NULL;
}

static void append(struct variables *variables, const char *name, const char *value)
{
    struct string_map *map = &variables->map;

    if (map->count == variables->space) {
        struct string_pair *items;

        variables->space = MAX(2 * variables->space, (size_t)16);
        items = arena_array(variables->arena, struct string_pair, variables->space);
        if (map->count)
            memcpy(items, map->items, map->count * sizeof(*items));
        map->items = items;
    }
    map->items[map->count++] = (struct string_pair){name, value};
    map_put(&variables->places, name, (void *)(uintptr_t)map->count);
}

int variables_put(struct variables *variables, const char *name, const char *value, struct err *err)
{
    size_t bytes = strlen(name) + strlen(value) + strlen("=") + 1;
    struct string_pair *pair = find(variables, name, strlen(name));

    if (bytes > VARIABLE_BYTES_MAX)
        return err_set(err, -E2BIG, "the environment variable %s is too long: at most %d bytes",
                       name, VARIABLE_BYTES_MAX);
    variables->bytes += bytes;
    if (variables->bytes > VARIABLES_BYTES_MAX)
        return err_set(err, -E2BIG, "the environment variables are too long: at most %d bytes",
                       VARIABLES_BYTES_MAX);
    if (pair)
        pair->value = value;
    else
        append(variables, name, value);
    return 0;
}

int variables_put_all(struct variables *variables, const struct string_map *map, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < map->count && r == 0; i++)
        r = variables_put(variables, map->items[i].name, map->items[i].value, err);
    return r;
}

struct expansion {
    const struct variables *variables;
    struct string_list *missing;
    const char *last_end; /* of all references in the text; NULL: there is none */
    struct strbuf text;
};

static void note_missing(struct expansion *expansion, const char *name, size_t length)
{
    struct arena *arena = expansion->variables->arena;
    const char *copy = arena_strndup(arena, name, length);

    if (!string_list_has(expansion->missing, copy))
        strings_add(arena, expansion->missing, copy);
}

static void add_value(struct expansion *expansion, const char *name, size_t length)
{
    const char *value = variables_get(expansion->variables, name, length);

    if (value)
        strbuf_add(&expansion->text, value);
    else
        strbuf_printf(&expansion->text, "$(%.*s)", (int)length, name);
    if (expansion->missing && str_empty(value))
        note_missing(expansion, name, length);
}

/* What begins with a dollar sign; returns what follows it. */
static const char *add_reference(struct expansion *expansion, const char *dollar)
{
    if (dollar[1] == '(' && expansion->last_end && dollar < expansion->last_end) {
        const char *end = strchr(dollar, ')');

        add_value(expansion, dollar + 2, (size_t)(end - dollar - 2));
        return end + 1;
    }
    strbuf_add_char(&expansion->text, '$');
    return dollar[1] == '$' ? dollar + 2 : dollar + 1;
}

int variables_expand(const struct variables *variables, const char *text, const char *what,
                     const char **result, struct string_list *missing, struct err *err)
{
    struct expansion expansion = {variables, missing, strrchr(text, ')'), STRBUF_INIT};
    const char *dollar;
    int r = 0;

    *result = text;
    while ((dollar = strchr(text, '$')) && expansion.text.length < VARIABLE_BYTES_MAX) {
        strbuf_add_bytes(&expansion.text, text, (size_t)(dollar - text));
        text = add_reference(&expansion, dollar);
    }
    strbuf_add(&expansion.text, text);
    if (expansion.text.length >= VARIABLE_BYTES_MAX)
        r = err_set(err, -E2BIG, "%s is too long once expanded: at most %d bytes", what,
                    VARIABLE_BYTES_MAX);
    else
        *result = arena_strndup(variables->arena, expansion.text.text, expansion.text.length);
    strbuf_deinit(&expansion.text);
    return r;
}
