/* Encoding a structure as JSON by its schema. Zero values are left out, as the API leaves them. */
#include "nodeagent/base/base64.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/schema.h"

#include <string.h>

/* Lists and maps of any item type look alike. */
struct any_list {
    const char *items;
    size_t count;
};

static bool struct_is_zero(const struct schema *schema, const char *structure);

static bool field_is_zero(const struct field *field, const void *at)
{
    switch ((enum field_type)field->type) {
    case FIELD_STRING:
        return str_empty(*(const char *const *)at);
    case FIELD_OPT_STRING:
    case FIELD_QUANTITY:
    case FIELD_POINTER:
        return !*(void *const *)at;
    case FIELD_BOOL:
        return !*(const bool *)at;
    case FIELD_OPT_BOOL:
        return *(const uint8_t *)at == OPT_UNSET;
    case FIELD_INT32:
        return !*(const int32_t *)at;
    case FIELD_OPT_INT32:
        return !((const struct opt_int32 *)at)->set;
    case FIELD_INT64:
        return !*(const int64_t *)at;
    case FIELD_OPT_INT64:
        return !((const struct opt_int64 *)at)->set;
    case FIELD_INT_OR_STRING:
        return !((const struct int_or_string *)at)->string &&
               !((const struct int_or_string *)at)->number;
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
        return !((const struct opt_time *)at)->set;
    case FIELD_STRUCT:
        return struct_is_zero(field->of, at);
    case FIELD_LIST:
    case FIELD_STRINGS:
    case FIELD_INT32S:
    case FIELD_INT64S:
    case FIELD_STRING_MAP:
    case FIELD_TEXT_MAP:
    case FIELD_BYTES_MAP:
    case FIELD_QUANTITY_MAP:
        return !((const struct any_list *)at)->count;
    case FIELD_IGNORED:
        break;
    }
    return true;
}

/* The bytes do not tell: an empty list that was written has items. */
static bool struct_is_zero(const struct schema *schema, const char *structure)
{
    for (size_t i = 0; i < schema->field_count; i++)
        if (!field_is_zero(&schema->fields[i], structure + schema->fields[i].offset))
            return false;
    return true;
}

static void encode_string(struct json_writer *writer, const char *string)
{
    json_write_string(writer, string ? string : "");
}

static void encode_int_or_string(struct json_writer *writer, const struct int_or_string *value)
{
    if (value->string)
        json_write_string(writer, value->string);
    else
        json_write_int(writer, value->number);
}

static void encode_quantity(struct json_writer *writer, const struct quantity *quantity)
{
    char text[QUANTITY_TEXT_MAX];

    json_write_string(writer, quantity_format(quantity, text));
}

static void encode_time(struct json_writer *writer, const struct opt_time *time, bool micro)
{
    char text[TIME_TEXT_MAX];

    if (!time->set)
        json_write_null(writer);
    else if (micro)
        json_write_string(writer, time_format_rfc3339_micro(time->usec, text));
    else
        json_write_string(writer, time_format_rfc3339(time->usec, text));
}

static void encode_list(struct json_writer *writer, const struct field *field,
                        const struct any_list *list)
{
    json_write_array(writer);
    for (size_t i = 0; i < list->count; i++) {
        switch ((enum field_type)field->type) {
        case FIELD_STRINGS:
            encode_string(writer, ((const struct string_list *)list)->items[i]);
            break;
        case FIELD_INT32S:
            json_write_int(writer, ((const struct int32_list *)list)->items[i]);
            break;
        case FIELD_INT64S:
            json_write_int(writer, ((const struct int64_list *)list)->items[i]);
            break;
        default:
            schema_encode(field->of, list->items + i * field->of->size, writer);
        }
    }
    json_write_array_end(writer);
}

static void encode_base64(struct json_writer *writer, const struct bytes_pair *pair)
{
    struct strbuf text = STRBUF_INIT;

    base64_encode(&text, pair->bytes, pair->length);
    json_write_bytes(writer, text.text ? text.text : "", text.length);
    strbuf_deinit(&text);
}

static void encode_map(struct json_writer *writer, const struct field *field,
                       const struct any_list *map)
{
    json_write_object(writer);
    for (size_t i = 0; i < map->count; i++) {
        const struct string_pair *string = (const struct string_pair *)map->items + i;
        const struct bytes_pair *bytes = (const struct bytes_pair *)map->items + i;
        const struct quantity_pair *quantity = (const struct quantity_pair *)map->items + i;

        switch ((enum field_type)field->type) {
        case FIELD_STRING_MAP:
            json_write_name(writer, string->name);
            encode_string(writer, string->value);
            break;
        case FIELD_TEXT_MAP:
            json_write_name(writer, bytes->name);
            json_write_bytes(writer, bytes->bytes, bytes->length);
            break;
        case FIELD_BYTES_MAP:
            json_write_name(writer, bytes->name);
            encode_base64(writer, bytes);
            break;
        default:
            json_write_name(writer, quantity->name);
            encode_quantity(writer, &quantity->quantity);
        }
    }
    json_write_object_end(writer);
}

static void encode_field(struct json_writer *writer, const struct field *field, const void *at)
{
    switch ((enum field_type)field->type) {
    case FIELD_STRING:
    case FIELD_OPT_STRING:
        encode_string(writer, *(const char *const *)at);
        break;
    case FIELD_BOOL:
        json_write_bool(writer, *(const bool *)at);
        break;
    case FIELD_OPT_BOOL:
        json_write_bool(writer, *(const uint8_t *)at == OPT_TRUE);
        break;
    case FIELD_INT32:
        json_write_int(writer, *(const int32_t *)at);
        break;
    case FIELD_OPT_INT32:
        json_write_int(writer, ((const struct opt_int32 *)at)->value);
        break;
    case FIELD_INT64:
        json_write_int(writer, *(const int64_t *)at);
        break;
    case FIELD_OPT_INT64:
        json_write_int(writer, ((const struct opt_int64 *)at)->value);
        break;
    case FIELD_INT_OR_STRING:
        encode_int_or_string(writer, at);
        break;
    case FIELD_QUANTITY:
        encode_quantity(writer, *(const struct quantity *const *)at);
        break;
    case FIELD_TIME:
    case FIELD_MICRO_TIME:
        encode_time(writer, at, field->type == FIELD_MICRO_TIME);
        break;
    case FIELD_STRUCT:
        schema_encode(field->of, at, writer);
        break;
    case FIELD_POINTER:
        schema_encode(field->of, *(const void *const *)at, writer);
        break;
    case FIELD_LIST:
    case FIELD_STRINGS:
    case FIELD_INT32S:
    case FIELD_INT64S:
        encode_list(writer, field, at);
        break;
    case FIELD_STRING_MAP:
    case FIELD_TEXT_MAP:
    case FIELD_BYTES_MAP:
    case FIELD_QUANTITY_MAP:
        encode_map(writer, field, at);
        break;
    case FIELD_IGNORED:
        break;
    }
}

void schema_encode_members(const struct schema *schema, const void *structure,
                           struct json_writer *writer)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct field *field = &schema->fields[i];
        const void *at = (const char *)structure + field->offset;

        if (!field->always && field_is_zero(field, at))
            continue;
        json_write_name(writer, field->name);
        encode_field(writer, field, at);
    }
}

void schema_encode(const struct schema *schema, const void *structure, struct json_writer *writer)
{
    json_write_object(writer);
    schema_encode_members(schema, structure, writer);
    json_write_object_end(writer);
}
