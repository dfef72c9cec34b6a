/* Writing JSON with yajl's generator. What is written here was checked when it came in. */
#include "nodeagent/base/json.h"

#include <string.h>
#include <yajl_gen.h>

static void append(void *context, const char *bytes, size_t length)
{
    strbuf_add_bytes(context, bytes, length);
}

void json_writer_init(struct json_writer *writer, struct strbuf *out, bool pretty)
{
    yajl_gen generator = yajl_gen_alloc(NULL);

    assert_that(generator);
    yajl_gen_config(generator, yajl_gen_print_callback, append, out);
    if (pretty) {
        yajl_gen_config(generator, yajl_gen_beautify, 1);
        yajl_gen_config(generator, yajl_gen_indent_string, "  ");
    }
    writer->generator = generator;
    writer->out = out;
}

void json_writer_deinit(struct json_writer *writer)
{
    yajl_gen_free(writer->generator);
    writer->generator = NULL;
}

static void must(yajl_gen_status status)
{
    assert_that(status == yajl_gen_status_ok);
}

void json_write_object(struct json_writer *writer)
{
    must(yajl_gen_map_open(writer->generator));
}

void json_write_object_end(struct json_writer *writer)
{
    must(yajl_gen_map_close(writer->generator));
}

void json_write_array(struct json_writer *writer)
{
    must(yajl_gen_array_open(writer->generator));
}

void json_write_array_end(struct json_writer *writer)
{
    must(yajl_gen_array_close(writer->generator));
}

void json_write_name(struct json_writer *writer, const char *name)
{
    json_write_string(writer, name);
}

void json_write_null(struct json_writer *writer)
{
    must(yajl_gen_null(writer->generator));
}

void json_write_bool(struct json_writer *writer, bool value)
{
    must(yajl_gen_bool(writer->generator, value));
}

void json_write_int(struct json_writer *writer, int64_t value)
{
    must(yajl_gen_integer(writer->generator, value));
}

void json_write_number(struct json_writer *writer, const char *text, size_t length)
{
    must(yajl_gen_number(writer->generator, text, length));
}

void json_write_string(struct json_writer *writer, const char *string)
{
    json_write_bytes(writer, string, strlen(string));
}

void json_write_bytes(struct json_writer *writer, const char *bytes, size_t length)
{
    must(yajl_gen_string(writer->generator, (const unsigned char *)bytes, length));
}

static void write_object(struct json_writer *writer, const struct json *object)
{
    json_write_object(writer);
    for (uint32_t i = 0; i < object->length; i++) {
        json_write_bytes(writer, object->members[i].name, object->members[i].name_length);
        json_write_value(writer, &object->members[i].value);
    }
    json_write_object_end(writer);
}

void json_write_value(struct json_writer *writer, const struct json *value)
{
    switch ((enum json_type)value->type) {
    case JSON_NULL:
        json_write_null(writer);
        break;
    case JSON_BOOL:
        json_write_bool(writer, value->boolean);
        break;
    case JSON_NUMBER:
        json_write_number(writer, value->text, value->length);
        break;
    case JSON_STRING:
        json_write_bytes(writer, value->text, value->length);
        break;
    case JSON_ARRAY:
        json_write_array(writer);
        for (uint32_t i = 0; i < value->length; i++)
            json_write_value(writer, &value->items[i]);
        json_write_array_end(writer);
        break;
    case JSON_OBJECT:
        write_object(writer, value);
        break;
    }
}

void json_write_string_member(struct json_writer *writer, const char *name, const char *string)
{
    json_write_name(writer, name);
    json_write_string(writer, string ? string : "");
}

void json_write_int_member(struct json_writer *writer, const char *name, int64_t value)
{
    json_write_name(writer, name);
    json_write_int(writer, value);
}

void json_write_bool_member(struct json_writer *writer, const char *name, bool value)
{
    json_write_name(writer, name);
    json_write_bool(writer, value);
}
