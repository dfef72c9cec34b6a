/*
 * Decoding a JSON object into a structure by its schema. Fields mostly come in the order of the
 * table (the API server writes them so), hence the search starts behind the last hit.
 */
#include "nodeagent/base/base64.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/schema.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    DECODED_BYTES_MAX = 64 << 20, /* far beyond what an API server stores (3 MiB of JSON) */
};

struct decode {
    struct arena *arena;
    struct report *report;
    size_t bytes; /* of lists, maps and strings */
};

static void decode_struct(struct decode *decode, const struct schema *schema, char *structure,
                          const struct json *value, const struct path *path);

static void wrong_type(struct decode *decode, const struct path *path, const struct json *value,
                       const char *wanted)
{
    bool quotable =
        !strcmp(wanted, "a string") && (value->type == JSON_NUMBER || value->type == JSON_BOOL);

    report_error(decode->report, path, FINDING_TYPE, "must be %s, not %s%s", wanted,
                 json_type_name(value), quotable ? "; put the value in quotes" : "");
}

static bool expect(struct decode *decode, const struct path *path, const struct json *value,
                   enum json_type type, const char *wanted)
{
    if (value->type == type)
        return true;
    wrong_type(decode, path, value, wanted);
    return false;
}

/*
 * A short text can stand for much memory: "null" in a list of containers is a whole one. Returns
 * whether there is room; says so once when there is not.
 */
static bool spend(struct decode *decode, const struct path *path, size_t bytes)
{
    if (decode->bytes > DECODED_BYTES_MAX)
        return false;
    decode->bytes += bytes;
    if (decode->bytes <= DECODED_BYTES_MAX)
        return true;
    report_error(decode->report, path, FINDING_TOO_LONG,
                 "makes the object larger than %d MiB in memory", DECODED_BYTES_MAX >> 20);
    return false;
}

/* scalars */

static const char *decode_string(struct decode *decode, const struct json *value,
                                 const struct path *path)
{
    if (!expect(decode, path, value, JSON_STRING, "a string"))
        return NULL;
    if (memchr(value->text, '\0', value->length)) {
        report_error(decode->report, path, FINDING_TYPE, "must not contain a NUL character");
        return NULL;
    }
    if (!spend(decode, path, value->length))
        return NULL;
    return arena_strndup(decode->arena, value->text, value->length);
}

static bool decode_bool(struct decode *decode, const struct json *value, const struct path *path)
{
    return expect(decode, path, value, JSON_BOOL, "true or false") && value->boolean;
}

/* Whole numbers only: "1.0" and "1e3" are refused as the API server refuses them. */
static bool read_integer(const struct json *value, int64_t *number)
{
    const char *digit = value->text, *end = digit + value->length;
    bool negative = digit < end && *digit == '-';

    *number = 0;
    for (digit += negative; digit < end; digit++) {
        if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_sub_overflow(*number, *digit - '0', number))
            return false;
    }
    return negative || !__builtin_mul_overflow(*number, -1, number);
}

static int64_t decode_integer(struct decode *decode, const struct json *value,
                              const struct path *path, int bits)
{
    int64_t number;

    if (!expect(decode, path, value, JSON_NUMBER, "a whole number"))
        return 0;
    if (!read_integer(value, &number) || (bits == 32 && number != (int32_t)number)) {
        report_error(decode->report, path, FINDING_TYPE,
                     "must be a whole number of at most %d bits, not %.*s", bits,
                     (int)MIN(value->length, 64u), value->text);
        return 0;
    }
    return number;
}

static void decode_int_or_string(struct decode *decode, struct int_or_string *out,
                                 const struct json *value, const struct path *path)
{
    *out = (struct int_or_string){0}; /* one of the same name before may be of the other type */
    if (value->type == JSON_STRING)
        out->string = decode_string(decode, value, path);
    else if (value->type == JSON_NUMBER)
        out->number = (int32_t)decode_integer(decode, value, path, 32);
    else
        wrong_type(decode, path, value, "a number or a string");
}

static void decode_quantity(struct decode *decode, struct quantity *out, const struct json *value,
                            const struct path *path)
{
    const char *text = value->text;
    size_t length = value->length;
    struct err err;

    if (value->type != JSON_STRING && value->type != JSON_NUMBER) {
        wrong_type(decode, path, value, "a quantity such as 100m or 1.5Gi");
        return;
    }
    while (length && isspace((unsigned char)*text)) {
        text++;
        length--;
    }
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    if (quantity_parse(text, length, out, &err) < 0)
        report_error(decode->report, path, FINDING_TYPE, "%s", err.text);
}

/* In UTC the year still has four digits: what is read can be written. */
static bool is_writable_time(int64_t usec)
{
    const int64_t year_0_seconds = -62167219200, year_10000_seconds = 253402300800;

    return usec >= year_0_seconds * (int64_t)USEC_PER_SEC &&
           usec < year_10000_seconds * (int64_t)USEC_PER_SEC;
}

static void decode_time(struct decode *decode, struct opt_time *out, const struct json *value,
                        const struct path *path, bool micro)
{
    const char *example = micro ? "2026-01-02T03:04:05.000000Z" : "2026-01-02T03:04:05Z";
    char text[TIME_TEXT_MAX];
    const char *point;

    if (!expect(decode, path, value, JSON_STRING, "a time as a string"))
        return;
    snprintf(text, sizeof(text), "%.*s", (int)MIN(value->length, sizeof(text) - 1), value->text);
    point = strchr(text, '.');
    if (time_parse_rfc3339(text, &out->usec) < 0 || strlen(text) != value->length ||
        !is_writable_time(out->usec) ||
        (micro && (!point || strspn(point + 1, "0123456789") != 6))) {
        report_error(decode->report, path, FINDING_TYPE, "must be a time such as %s", example);
        return;
    }
    out->set = true;
}

/* lists and maps */

static void decode_list(struct decode *decode, const struct schema *schema, void *list,
                        const struct json *value, const struct path *path)
{
    list_of(char) *out = list;

    if (!expect(decode, path, value, JSON_ARRAY, "a list") ||
        !spend(decode, path, schema->size * value->length))
        return;
    out->items = arena_zalloc(decode->arena, schema->size * value->length);
    out->count = value->length;
    for (uint32_t i = 0; i < value->length; i++) {
        struct path item = path_index(path, i);

        if (value->items[i].type != JSON_NULL)
            decode_struct(decode, schema, out->items + i * schema->size, &value->items[i], &item);
    }
}

static void decode_strings(struct decode *decode, struct string_list *out, const struct json *value,
                           const struct path *path)
{
    if (!expect(decode, path, value, JSON_ARRAY, "a list of strings"))
        return;
    out->items = arena_array(decode->arena, const char *, value->length);
    out->count = value->length;
    for (uint32_t i = 0; i < value->length; i++) {
        struct path item = path_index(path, i);

        out->items[i] =
            value->items[i].type == JSON_NULL ? "" : decode_string(decode, &value->items[i], &item);
    }
}

static void decode_int64s(struct decode *decode, struct int64_list *out, const struct json *value,
                          const struct path *path)
{
    if (!expect(decode, path, value, JSON_ARRAY, "a list of whole numbers"))
        return;
    out->items = arena_array(decode->arena, int64_t, value->length);
    out->count = value->length;
    for (uint32_t i = 0; i < value->length; i++) {
        struct path item = path_index(path, i);

        if (value->items[i].type != JSON_NULL)
            out->items[i] = decode_integer(decode, &value->items[i], &item, 64);
    }
}

static void decode_int32s(struct decode *decode, struct int32_list *out, const struct json *value,
                          const struct path *path)
{
    if (!expect(decode, path, value, JSON_ARRAY, "a list of whole numbers"))
        return;
    out->items = arena_array(decode->arena, int32_t, value->length);
    out->count = value->length;
    for (uint32_t i = 0; i < value->length; i++) {
        struct path item = path_index(path, i);

        if (value->items[i].type != JSON_NULL)
            out->items[i] = (int32_t)decode_integer(decode, &value->items[i], &item, 32);
    }
}

/* A member's name as a C string; NULL, reported, when it cannot be one. */
static const char *decode_name(struct decode *decode, const struct json_member *member,
                               const struct path *path)
{
    if (memchr(member->name, '\0', member->name_length)) {
        report_error(decode->report, path, FINDING_TYPE,
                     "has a name that contains a NUL character");
        return "";
    }
    return arena_strndup(decode->arena, member->name, member->name_length);
}

/* Maps: each entry begins with its name; `decode_entry` fills the value. */
typedef void (*decode_entry_fn)(struct decode *decode, void *entry, const struct json *value,
                                const struct path *path);

/* Of entries with one name only the last stays, in the place of the first. */
static size_t remove_repeated(char *entries, size_t count, size_t entry_size)
{
    struct map places = MAP_INIT;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        char *entry = entries + i * entry_size, *place;
        const char *name;

        memcpy(&name, entry, sizeof(name));
        place = map_get(&places, name);
        if (!place) {
            place = entries + kept++ * entry_size;
            map_put(&places, name, place);
        }
        memmove(place, entry, entry_size);
    }
    map_deinit(&places);
    return kept;
}

static void decode_map(struct decode *decode, void *map, size_t entry_size,
                       decode_entry_fn decode_entry, const struct json *value,
                       const struct path *path)
{
    list_of(char) *out = map;

    if (!expect(decode, path, value, JSON_OBJECT, "an object") ||
        !spend(decode, path, entry_size * value->length))
        return;
    out->items = arena_zalloc(decode->arena, entry_size * value->length);
    out->count = value->length;
    for (uint32_t i = 0; i < value->length; i++) {
        char *entry = out->items + i * entry_size;
        const char *name = decode_name(decode, &value->members[i], path);
        struct path key = path_key(path, name);

        memcpy(entry, &name, sizeof(name));
        decode_entry(decode, entry, &value->members[i].value, &key);
    }
    if (value->repeats)
        out->count = remove_repeated(out->items, out->count, entry_size);
}

static void decode_string_entry(struct decode *decode, void *entry, const struct json *value,
                                const struct path *path)
{
    struct string_pair *pair = entry;

    pair->value = value->type == JSON_NULL ? "" : decode_string(decode, value, path);
}

static void decode_quantity_entry(struct decode *decode, void *entry, const struct json *value,
                                  const struct path *path)
{
    struct quantity_pair *pair = entry;

    if (value->type != JSON_NULL)
        decode_quantity(decode, &pair->quantity, value, path);
}

static void decode_text_entry(struct decode *decode, void *entry, const struct json *value,
                              const struct path *path)
{
    struct bytes_pair *pair = entry;

    pair->bytes = "";
    if (value->type == JSON_NULL || !expect(decode, path, value, JSON_STRING, "a string") ||
        !spend(decode, path, value->length))
        return;
    pair->bytes = arena_strndup(decode->arena, value->text, value->length);
    pair->length = value->length;
}

static void decode_base64_entry(struct decode *decode, void *entry, const struct json *value,
                                const struct path *path)
{
    struct bytes_pair *pair = entry;
    char *bytes;

    pair->bytes = "";
    if (value->type == JSON_NULL || !expect(decode, path, value, JSON_STRING, "a base64 string") ||
        !spend(decode, path, value->length))
        return;
    bytes = arena_strndup(decode->arena, value->text, value->length);
    if (base64_decode(bytes, value->length, &pair->length) < 0) {
        report_error(decode->report, path, FINDING_TYPE, "must be valid base64");
        return;
    }
    bytes[pair->length] = '\0';
    pair->bytes = bytes;
}

/* fields */

static void decode_pointer(struct decode *decode, const struct schema *schema, void **pointer,
                           const struct json *value, const struct path *path)
{
    /* A repeated name adds to a structure, as it does at the API server; of lists and maps the
     * last counts. */
    if (!*pointer)
        *pointer = arena_zalloc(decode->arena, schema->size);
    decode_struct(decode, schema, *pointer, value, path);
}

static void decode_field(struct decode *decode, const struct field *field, void *at,
                         const struct json *value, const struct path *path)
{
    switch ((enum field_type)field->type) {
    case FIELD_STRING:
    case FIELD_OPT_STRING:
        *(const char **)at = decode_string(decode, value, path);
        break;
    case FIELD_BOOL:
        *(bool *)at = decode_bool(decode, value, path);
        break;
    case FIELD_OPT_BOOL:
        *(uint8_t *)at = decode_bool(decode, value, path) ? OPT_TRUE : OPT_FALSE;
        break;
    case FIELD_INT32:
        *(int32_t *)at = (int32_t)decode_integer(decode, value, path, 32);
        break;
    case FIELD_OPT_INT32:
        *(struct opt_int32 *)at =
            (struct opt_int32){(int32_t)decode_integer(decode, value, path, 32), true};
        break;
    case FIELD_INT64:
        *(int64_t *)at = decode_integer(decode, value, path, 64);
        break;
    case FIELD_OPT_INT64:
        *(struct opt_int64 *)at = (struct opt_int64){decode_integer(decode, value, path, 64), true};
        break;
    case FIELD_INT_OR_STRING:
        decode_int_or_string(decode, at, value, path);
        break;
    case FIELD_QUANTITY:
        *(struct quantity **)at = arena_new(decode->arena, struct quantity);
        decode_quantity(decode, *(struct quantity **)at, value, path);
        break;
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
        decode_time(decode, at, value, path, field->type == FIELD_MICRO_TIME);
        break;
    case FIELD_STRUCT:
        decode_struct(decode, field->of, at, value, path);
        break;
    case FIELD_POINTER:
        decode_pointer(decode, field->of, at, value, path);
        break;
    case FIELD_LIST:
        decode_list(decode, field->of, at, value, path);
        break;
    case FIELD_STRINGS:
        decode_strings(decode, at, value, path);
        break;
    case FIELD_INT32S:
        decode_int32s(decode, at, value, path);
        break;
    case FIELD_INT64S:
        decode_int64s(decode, at, value, path);
        break;
    case FIELD_STRING_MAP:
        decode_map(decode, at, sizeof(struct string_pair), decode_string_entry, value, path);
        break;
    case FIELD_TEXT_MAP:
        decode_map(decode, at, sizeof(struct bytes_pair), decode_text_entry, value, path);
        break;
    case FIELD_BYTES_MAP:
        decode_map(decode, at, sizeof(struct bytes_pair), decode_base64_entry, value, path);
        break;
    case FIELD_QUANTITY_MAP:
        decode_map(decode, at, sizeof(struct quantity_pair), decode_quantity_entry, value, path);
        break;
    case FIELD_IGNORED:
        break;
    }
}

static const struct field *find_field(const struct schema *schema, const struct json_member *member,
                                      size_t *hint)
{
    char first = member->name_length ? *member->name : '\0';

    for (size_t tried = 0; tried < schema->field_count; tried++) {
        size_t i = *hint + tried;
        const struct field *field;

        if (i >= schema->field_count)
            i -= schema->field_count;
        field = &schema->fields[i];
        if (field->first == first && field->name_length == member->name_length &&
            !memcmp(field->name, member->name, member->name_length)) {
            *hint = i + 1 == schema->field_count ? 0 : i + 1;
            return field;
        }
    }
    return NULL;
}

static void unknown_field(struct decode *decode, const struct schema *schema,
                          const struct json_member *member, const struct path *path)
{
    char name[128];
    struct str_guess guess = {.wanted = name};
    struct strbuf text = STRBUF_INIT;

    if (report_overflows(decode->report, FINDING_WARNING, FINDING_UNKNOWN_FIELD))
        return;
    snprintf(name, sizeof(name), "%.*s", (int)MIN(member->name_length, 127u), member->name);
    for (size_t i = 0; i < schema->field_count; i++)
        str_guess_try(&guess, schema->fields[i].name);
    path_write(path, &text);
    if (text.length)
        strbuf_add_char(&text, '.');
    strbuf_add_quoted(&text, member->name, member->name_length, 256);
    report_at(decode->report, FINDING_WARNING, FINDING_UNKNOWN_FIELD, text.text ? text.text : "",
              member->offset, guess.best ? "unknown field; did you mean %s?" : "unknown field",
              guess.best);
    strbuf_deinit(&text);
}

static void decode_struct(struct decode *decode, const struct schema *schema, char *structure,
                          const struct json *value, const struct path *path)
{
    size_t hint = 0;

    if (!expect(decode, path, value, JSON_OBJECT, "an object"))
        return;
    for (uint32_t i = 0; i < value->length; i++) {
        const struct json_member *member = &value->members[i];
        const struct field *field = find_field(schema, member, &hint);

        if (!field) {
            unknown_field(decode, schema, member, path);
        } else if (member->value.type != JSON_NULL) {
            struct path child = path_name(path, field->name);

            decode_field(decode, field, structure + field->offset, &member->value, &child);
        }
    }
}

void schema_decode(const struct schema *schema, void *structure, const struct json *value,
                   const struct path *path, struct arena *arena, struct report *report)
{
    struct decode decode = {.arena = arena, .report = report};

    decode_struct(&decode, schema, structure, value, path);
}
