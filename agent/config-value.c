/*
 * Values of settings: from the text of a flag, by default, and whether one is the default.
 */
#include "config-private.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* finding */

static bool is_named(const struct setting *setting, const char *name)
{
    return str_equal(setting->field ? setting->field : setting->flag, name);
}

struct setting_value *config_value(const struct config_reader *reader,
                                   const struct setting *setting)
{
    return &reader->values[setting - config_settings];
}

const struct setting *config_setting_of(const char *name)
{
    size_t i = 0;

    while (i < config_setting_count && !is_named(&config_settings[i], name))
        i++;
    assert_that(i < config_setting_count);
    return &config_settings[i];
}

struct setting_value *config_value_of(const struct config_reader *reader, const char *name)
{
    return config_value(reader, config_setting_of(name));
}

/* lists and maps */

/* Both return whether there is room. */
bool config_list_add(struct arena *arena, struct string_list *list, const char *string)
{
    if (list->count == CONFIG_ITEMS_MAX)
        return false;
    if (!list->items)
        list->items = arena_array(arena, const char *, CONFIG_ITEMS_MAX);
    list->items[list->count++] = string;
    return true;
}

static struct string_pair *map_find(const struct string_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (!strcmp(map->items[i].name, name))
            return &map->items[i];
    return NULL;
}

bool config_map_set(struct arena *arena, struct string_map *map, const char *name,
                    const char *value)
{
    struct string_pair *pair = map_find(map, name);

    if (pair) {
        pair->value = value;
        return true;
    }
    if (map->count == CONFIG_ITEMS_MAX)
        return false;
    if (!map->items)
        map->items = arena_array(arena, struct string_pair, CONFIG_ITEMS_MAX);
    map->items[map->count++] = (struct string_pair){name, value};
    return true;
}

void config_map_unset(struct string_map *map, const char *name)
{
    struct string_pair *pair = map_find(map, name);

    if (!pair)
        return;
    map->count--;
    memmove(pair, pair + 1, (size_t)(map->items + map->count - pair) * sizeof(*pair));
}

static bool maps_equal(const struct string_map *a, const struct string_map *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct string_pair *pair = map_find(b, a->items[i].name);

        if (!pair || strcmp(pair->value, a->items[i].value) != 0)
            return false;
    }
    return a->count == b->count;
}

/* from a text */

/* The words that Go's strconv.ParseBool knows. */
static int text_bool(struct setting_value *value, const char *text, struct err *err)
{
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True", NULL};
    static const char *const no[] = {"0", "f", "F", "false", "FALSE", "False", NULL};

    value->number = str_one_of(text, yes);
    if (!value->number && !str_one_of(text, no))
        return err_set(err, -EINVAL, "must be true or false");
    return 0;
}

/* Also 0x10 and 010, as the kubelet reads them. */
static int text_integer(struct setting_value *value, const char *text, int bits, struct err *err)
{
    long long number;
    char *end;

    errno = 0;
    number = strtoll(text, &end, 0);
    if (!*text || isspace((unsigned char)*text) || *end || errno ||
        (bits == 32 && number != (int32_t)number))
        return err_set(err, -EINVAL, "must be a whole number of at most %d bits", bits);
    value->number = number;
    return 0;
}

static int text_duration(struct setting_value *value, const char *text, struct err *err)
{
    if (duration_parse(text, &value->number) < 0)
        return err_set(err, -EINVAL, "must be a duration such as 300ms, 10s or 1h30m");
    return 0;
}

static int too_many(struct err *err)
{
    return err_set(err, -E2BIG, "must have at most %d items", CONFIG_ITEMS_MAX);
}

/* The part up to the next comma without the white space around it; NULL at the end. */
static const char *next_part(struct arena *arena, const char **text)
{
    size_t length = strcspn(*text, ",");
    const char *part = *text;

    if (!**text)
        return NULL;
    *text += length + (part[length] == ',');
    while (length && isspace((unsigned char)*part)) {
        part++;
        length--;
    }
    while (length && isspace((unsigned char)part[length - 1]))
        length--;
    return arena_strndup(arena, part, length);
}

static int text_strings(struct arena *arena, struct setting_value *value, const char *text,
                        struct err *err)
{
    const char *part;

    if (value->source != FROM_FLAG)
        value->list = (struct string_list){0};
    while ((part = next_part(arena, &text)))
        if (!config_list_add(arena, &value->list, part))
            return too_many(err);
    return 0;
}

static const char *trim_in_place(char *text)
{
    size_t length;

    while (isspace((unsigned char)*text))
        text++;
    length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* "name=value": both, or false when there is no such character. */
static bool split_pair(struct arena *arena, const char *text, char between, const char **name,
                       const char **value)
{
    char *copy = arena_strdup(arena, text), *at = strchr(copy, between);

    if (!at)
        return false;
    *at = '\0';
    *name = trim_in_place(copy);
    *value = trim_in_place(at + 1);
    return true;
}

static int text_map(struct arena *arena, const struct setting *setting, struct setting_value *value,
                    const char *text, struct err *err)
{
    bool eviction = setting->kind == SETTING_EVICTION, gates = setting->kind == SETTING_GATES;
    const char *part, *name, *of_name;
    struct setting_value gate;

    /* The first flag begins anew, others add to it. Gates of flags are added to those of files. */
    if (value->source != FROM_FLAG && !gates)
        value->map = (struct string_map){0};
    while ((part = next_part(arena, &text))) {
        if (!*part)
            continue;
        if (!split_pair(arena, part, eviction ? '<' : '=', &name, &of_name))
            return err_set(err, -EINVAL, "malformed pair, expect string%cstring",
                           eviction ? '<' : '=');
        if (gates && text_bool(&gate, of_name, err) < 0)
            return err_prefix(err, "%s", name);
        if (gates)
            of_name = gate.number ? "true" : "false";
        if (!config_map_set(arena, &value->map, name, of_name))
            return too_many(err);
    }
    return 0;
}

static int text_headers(struct arena *arena, struct setting_value *value, const char *text,
                        struct err *err)
{
    const char *part, *name, *of_name;

    if (value->source != FROM_FLAG)
        value->list = (struct string_list){0};
    while ((part = next_part(arena, &text))) {
        if (!*part)
            continue;
        if (!split_pair(arena, part, ':', &name, &of_name))
            return err_set(err, -EINVAL, "malformed pair, expect string:string");
        if (!config_list_add(arena, &value->list, arena_printf(arena, "%s: %s", name, of_name)))
            return too_many(err);
    }
    return 0;
}

/* The last flag counts. */
static int text_taints(struct arena *arena, struct setting_value *value, const char *text,
                       struct err *err)
{
    const char *part;

    value->list = (struct string_list){0};
    while ((part = next_part(arena, &text)))
        if (!config_list_add(arena, &value->list, part))
            return too_many(err);
    return 0;
}

static int set_text(struct arena *arena, const struct setting *setting, struct setting_value *value,
                    const char *text, struct err *err)
{
    value->set = true;
    value->place = NULL;
    switch ((enum setting_kind)setting->kind) {
    case SETTING_BOOL:
        return text_bool(value, text, err);
    case SETTING_INT32:
        return text_integer(value, text, 32, err);
    case SETTING_INT64:
        return text_integer(value, text, 64, err);
    case SETTING_DURATION:
        return text_duration(value, text, err);
    case SETTING_STRINGS:
        return text_strings(arena, value, text, err);
    case SETTING_MAP:
    case SETTING_EVICTION:
    case SETTING_GATES:
        return text_map(arena, setting, value, text, err);
    case SETTING_HEADERS:
        return text_headers(arena, value, text, err);
    case SETTING_TAINTS:
        return text_taints(arena, value, text, err);
    case SETTING_FLOAT:
    case SETTING_STRING:
    case SETTING_PATH:
        value->text = text;
        break;
    case SETTING_OBJECT:
    case SETTING_OBJECTS:
        value->filled = *text;
        break;
    }
    return 0;
}

int config_set_text(struct config_reader *reader, const struct setting *setting, const char *text,
                    struct err *err)
{
    return set_text(reader->arena, setting, config_value(reader, setting), text, err);
}

/* defaults */

static void set_default(struct arena *arena, const struct setting *setting, bool legacy,
                        struct setting_value *value)
{
    const char *text = legacy && setting->legacy ? setting->legacy : setting->normal;
    struct err err;

    *value = (struct setting_value){.source = FROM_DEFAULT, .text = ""};
    if (text)
        assert_that(set_text(arena, setting, value, text, &err) == 0);
}

void config_set_default(struct config_reader *reader, const struct setting *setting)
{
    set_default(reader->arena, setting, reader->legacy, config_value(reader, setting));
}

void config_set_defaults(struct config_reader *reader)
{
    for (size_t i = 0; i < config_setting_count; i++)
        config_set_default(reader, &config_settings[i]);
}

static bool values_equal(const struct setting *setting, const struct setting_value *a,
                         const struct setting_value *b)
{
    if (setting->kind == SETTING_FLOAT)
        return strtod(a->text, NULL) == strtod(b->text, NULL);
    return a->number == b->number && a->filled == b->filled && !strcmp(a->text, b->text) &&
           maps_equal(&a->map, &b->map) && strings_equal(&a->list, &b->list);
}

/* Without --config, today's default and the one of old are both nothing to talk about. */
bool config_is_default(const struct config_reader *reader, const struct setting *setting)
{
    struct setting_value usual, *value = config_value(reader, setting);

    for (int legacy = 0; legacy <= reader->legacy; legacy++) {
        set_default(reader->arena, setting, legacy, &usual);
        if (values_equal(setting, value, &usual))
            return true;
    }
    return false;
}
