/* A JSON text with a name, so that what is wrong in it can be pointed at. */
#include "document.h"
#include "nodeagent/cni.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct json_limits limits = {
    .bytes_max = CNI_STDIN_BYTES_MAX,
    .nodes_max = 100000,
};

int document_parse(struct document *document, struct arena *arena, const char *place,
                   const char *text, size_t length, struct err *err)
{
    struct json_findings findings;
    struct json_place at;
    int r;

    *document = (struct document){
        .place = place,
        .text = arena_strndup(arena, length ? text : "", length),
        .length = length,
    };
    r = json_parse(arena, document->text, length, &limits, &findings, &document->root, err);
    if (r < 0) {
        at = json_place(document->text, length, findings.error_offset);
        err_prefix(err, "%s:%u:%u", place, at.line, at.column);
    }
    return r;
}

int document_failed(const struct document *document, const struct json *value, struct err *err,
                    const char *format, ...)
{
    struct json_place at = json_place(document->text, document->length, value->offset);
    va_list arguments;

    va_start(arguments, format);
    err_setv(err, -EINVAL, format, arguments);
    va_end(arguments);
    err_prefix(err, "%s:%u:%u", document->place, at.line, at.column);
    return -EINVAL;
}

bool bytes_are(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && !memcmp(a, b, a_length);
}

bool member_is_any_case(const struct json_member *member, const char *name)
{
    return member->name_length == strlen(name) &&
           !strncasecmp(member->name, name, member->name_length);
}

const struct json *json_get_any_case(const struct json *object, const char *name)
{
    const struct json *found = NULL;

    if (object->type != JSON_OBJECT)
        return NULL;
    json_for_each_member (member, object)
        if (member_is_any_case(member, name))
            found = &member->value;
    return found;
}

bool member_is_overridden(const struct json *object, const struct json_member *member)
{
    if (!object->repeats)
        return false;
    for (const struct json_member *later = member + 1; later < object->members + object->length;
         later++)
        if (bytes_are(later->name, later->name_length, member->name, member->name_length))
            return true;
    return false;
}

const char *json_take_string(const struct json *value, struct arena *arena)
{
    if (!value || value->type != JSON_STRING || memchr(value->text, '\0', value->length))
        return NULL;
    return arena_strndup(arena, value->text, value->length);
}

void json_write_member(struct json_writer *writer, const struct json_member *member)
{
    json_write_bytes(writer, member->name, member->name_length);
    json_write_value(writer, &member->value);
}
