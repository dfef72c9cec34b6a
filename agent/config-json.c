/* Values of settings from a document; what is wrong with one is reported with its place. */
#include "config-private.h"

#include <stdio.h>
#include <string.h>

static bool expect(struct config_document *document, const struct path *path,
                   const struct json *json, enum json_type type, const char *wanted)
{
    bool quotable = type == JSON_STRING && (json->type == JSON_NUMBER || json->type == JSON_BOOL);

    if (json->type == type)
        return true;
    report_error(document->report, path, FINDING_TYPE, "must be %s, not %s%s", wanted,
                 json_type_name(json), quotable ? "; put the value in quotes" : "");
    return false;
}

static const char *json_string(struct config_document *document, const struct json *json,
                               const struct path *path, const char *wanted)
{
    if (json->type == JSON_NULL)
        return "";
    if (!expect(document, path, json, JSON_STRING, wanted))
        return "";
    if (memchr(json->text, '\0', json->length)) {
        report_error(document->report, path, FINDING_TYPE, "must not contain a NUL character");
        return "";
    }
    return arena_strndup(document->reader->arena, json->text, json->length);
}

static void json_integer(struct config_document *document, struct setting_value *value,
                         const struct json *json, const struct path *path, int bits)
{
    char text[32];

    if (!expect(document, path, json, JSON_NUMBER, "a whole number"))
        return;
    snprintf(text, sizeof(text), "%.*s", (int)MIN(json->length, sizeof(text) - 1), json->text);
    if (str_to_i64(text, &value->number) < 0 ||
        (bits == 32 && value->number != (int32_t)value->number))
        report_error(document->report, path, FINDING_TYPE,
                     "must be a whole number of at most %d bits, not %s", bits, text);
}

static void json_duration(struct config_document *document, const struct setting *setting,
                          struct setting_value *value, const struct json *json,
                          const struct path *path)
{
    const char *text;

    if (setting->traits & ALSO_NUMBER && json->type == JSON_NUMBER) {
        json_integer(document, value, json, path, 64);
        return;
    }
    if (!expect(document, path, json, JSON_STRING, "a duration in quotes such as \"10s\""))
        return;
    text = json_string(document, json, path, "a duration");
    /* A zero that stands for the default may come as "". */
    if (*text && duration_parse(text, &value->number) < 0)
        report_error(document->report, path, FINDING_TYPE,
                     "must be a duration such as 300ms, 10s or 1h30m, not \"%.64s\"", text);
    else if (!*text)
        value->number = 0;
}

static void json_strings(struct config_document *document, struct string_list *list,
                         const struct json *json, const struct path *path)
{
    struct config_reader *reader = document->reader;

    *list = (struct string_list){0};
    if (!expect(document, path, json, JSON_ARRAY, "a list of strings"))
        return;
    list->items = arena_array(reader->arena, const char *, json->length + 1);
    for (uint32_t i = 0; i < json->length; i++) {
        struct path item = path_index(path, i);

        list->items[list->count++] = json_string(document, &json->items[i], &item, "a string");
    }
}

static const char *json_member_name(struct config_document *document,
                                    const struct json_member *member, const struct path *path)
{
    const struct json name = {
        .type = JSON_STRING, .text = member->name, .length = member->name_length};

    return json_string(document, &name, path, "a name");
}

static void json_map(struct config_document *document, const struct setting *setting,
                     struct setting_value *value, const struct json *json, const struct path *path)
{
    bool gates = setting->kind == SETTING_GATES;

    if (document->role == FILE_MAIN)
        value->map = (struct string_map){0};
    if (!expect(document, path, json, JSON_OBJECT, "an object"))
        return;
    for (uint32_t i = 0; i < json->length; i++) {
        const struct json *of_name = &json->members[i].value;
        const char *name = json_member_name(document, &json->members[i], path), *text;
        struct path child = path_key(path, name);

        if (of_name->type == JSON_NULL && document->role == FILE_DROP_IN) {
            config_map_unset(&value->map, name);
            continue;
        }
        if (!gates)
            text = json_string(document, of_name, &child, "a string");
        else if (of_name->type == JSON_NULL ||
                 expect(document, &child, of_name, JSON_BOOL, "true or false"))
            text = of_name->type == JSON_BOOL && of_name->boolean ? "true" : "false";
        else
            continue;
        if (!config_map_set(document->reader->arena, &value->map, name, text)) {
            report_error(document->report, path, FINDING_TOO_MANY, "must have at most %d names",
                         CONFIG_ITEMS_MAX);
            return;
        }
    }
}

/* In a drop-in the headers of one name replace those of before. */
static void remove_headers(struct string_list *headers, const char *name)
{
    size_t kept = 0, length = strlen(name);

    for (size_t i = 0; i < headers->count; i++)
        if (strncmp(headers->items[i], name, length) != 0 || headers->items[i][length] != ':')
            headers->items[kept++] = headers->items[i];
    headers->count = kept;
}

static void json_headers(struct config_document *document, struct setting_value *value,
                         const struct json *json, const struct path *path)
{
    struct config_reader *reader = document->reader;

    if (document->role == FILE_MAIN)
        value->list = (struct string_list){0};
    if (!expect(document, path, json, JSON_OBJECT, "an object"))
        return;
    if (json->length > CONFIG_ITEMS_MAX) {
        report_error(document->report, path, FINDING_TOO_MANY, "must have at most %d names",
                     CONFIG_ITEMS_MAX);
        return;
    }
    for (uint32_t i = 0; i < json->length; i++) {
        const char *name = json_member_name(document, &json->members[i], path);
        struct path child = path_key(path, name);
        struct string_list texts = {0};

        remove_headers(&value->list, name);
        if (json->members[i].value.type != JSON_NULL)
            json_strings(document, &texts, &json->members[i].value, &child);
        if (value->list.count + texts.count > CONFIG_ITEMS_MAX) {
            report_error(document->report, path, FINDING_TOO_MANY, "must have at most %d headers",
                         CONFIG_ITEMS_MAX);
            return;
        }
        for (size_t j = 0; j < texts.count; j++)
            config_list_add(reader->arena, &value->list,
                            arena_printf(reader->arena, "%s: %s", name, texts.items[j]));
    }
}

static const char *json_member_text(struct config_document *document, const struct json *json,
                                    const char *name, const struct path *path)
{
    const struct json *member = json_get(json, name);
    struct path child = path_name(path, name);

    return member ? json_string(document, member, &child, "a string") : "";
}

static void json_taint(struct config_document *document, struct setting_value *value,
                       const struct json *json, const struct path *path)
{
    struct arena *arena = document->reader->arena;
    const struct json *added = json_get(json, "timeAdded");
    const char *key, *of_key, *effect;

    if (!expect(document, path, json, JSON_OBJECT, "an object"))
        return;
    if (added && added->type != JSON_NULL)
        report_error_in(document->report, path, "timeAdded", FINDING_FORBIDDEN,
                        "must not be set: it is when the taint was added to the Node");
    key = json_member_text(document, json, "key", path);
    of_key = json_member_text(document, json, "value", path);
    effect = json_member_text(document, json, "effect", path);
    config_list_add(arena, &value->list, arena_printf(arena, "%s=%s:%s", key, of_key, effect));
}

static void json_taints(struct config_document *document, struct setting_value *value,
                        const struct json *json, const struct path *path)
{
    value->list = (struct string_list){0};
    if (!expect(document, path, json, JSON_ARRAY, "a list"))
        return;
    if (json->length > CONFIG_ITEMS_MAX) {
        report_error(document->report, path, FINDING_TOO_MANY, "must have at most %d items",
                     CONFIG_ITEMS_MAX);
        return;
    }
    for (uint32_t i = 0; i < json->length; i++) {
        struct path item = path_index(path, i);

        json_taint(document, value, &json->items[i], &item);
    }
}

/* kubeadm writes whole objects whose members are all zero. */
static bool is_blank(const struct json *json)
{
    bool blank = true;

    switch ((enum json_type)json->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return !json->boolean;
    case JSON_NUMBER:
    case JSON_STRING:
        return !json->length || json_text_is(json, "0") || json_text_is(json, "0s");
    case JSON_ARRAY:
        return !json->length;
    case JSON_OBJECT:
        for (uint32_t i = 0; i < json->length && blank; i++)
            blank = is_blank(&json->members[i].value);
        return blank;
    }
    return blank;
}

static bool asks_for_default(const struct setting *setting, const struct setting_value *value)
{
    if (setting->traits & ZERO_COUNTS)
        return false;
    switch ((enum setting_kind)setting->kind) {
    case SETTING_INT32:
    case SETTING_INT64:
    case SETTING_DURATION:
        return !value->number;
    case SETTING_STRING:
    case SETTING_PATH:
        return !*value->text;
    default:
        return false;
    }
}

static void json_value(struct config_document *document, const struct setting *setting,
                       struct setting_value *value, const struct json *json,
                       const struct path *path)
{
    switch ((enum setting_kind)setting->kind) {
    case SETTING_BOOL:
        if (expect(document, path, json, JSON_BOOL, "true or false"))
            value->number = json->boolean;
        break;
    case SETTING_INT32:
        json_integer(document, value, json, path, 32);
        break;
    case SETTING_INT64:
        json_integer(document, value, json, path, 64);
        break;
    case SETTING_FLOAT:
        if (expect(document, path, json, JSON_NUMBER, "a number"))
            value->text = arena_strndup(document->reader->arena, json->text, json->length);
        break;
    case SETTING_STRING:
        value->text = json_string(document, json, path, "a string");
        break;
    case SETTING_PATH:
        value->text = json_string(document, json, path, "a path as a string");
        if (*value->text && *value->text != '/' && document->role == FILE_MAIN)
            value->text =
                config_clean_path(document->reader->arena, document->directory, value->text);
        break;
    case SETTING_DURATION:
        json_duration(document, setting, value, json, path);
        break;
    case SETTING_STRINGS:
        json_strings(document, &value->list, json, path);
        break;
    case SETTING_MAP:
    case SETTING_EVICTION:
    case SETTING_GATES:
        json_map(document, setting, value, json, path);
        break;
    case SETTING_HEADERS:
        json_headers(document, value, json, path);
        break;
    case SETTING_TAINTS:
        json_taints(document, value, json, path);
        break;
    case SETTING_OBJECT:
        if (expect(document, path, json, JSON_OBJECT, "an object"))
            value->filled = !is_blank(json);
        break;
    case SETTING_OBJECTS:
        if (expect(document, path, json, JSON_ARRAY, "a list"))
            value->filled = json->length > 0;
        break;
    }
}

void config_set_json(struct config_document *document, const struct setting *setting,
                     const struct json *json, const struct path *path)
{
    struct config_reader *reader = document->reader;
    struct setting_value *value = config_value(reader, setting);
    struct json_place place;

    if (json->type == JSON_NULL) {
        /* In a patch it takes back what was before. */
        if (document->role == FILE_DROP_IN)
            config_set_default(reader, setting);
        return;
    }
    json_value(document, setting, value, json, path);
    if (asks_for_default(setting, value)) {
        config_set_default(reader, setting);
        return;
    }
    place = json_places_find(document->places, json->offset);
    value->source = FROM_FILE;
    value->set = true;
    value->place =
        arena_printf(reader->arena, "%s:%u:%u", document->file, place.line, place.column);
}
