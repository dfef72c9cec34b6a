/*
 * Reading YAML with libyaml's events into documents. The stream is cut at lines that begin with
 * "---" first, so that an error ends one document and not all that follow.
 *
 * Anchors: a document is immutable, so an alias shares what it names and costs nothing; it still
 * counts with its full size against the limits, which is what stops a "billion laughs" file.
 */
#include "nodeagent/base/yaml.h"
#include "json-build.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/map.h"
#include "yaml-scalar.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <yaml.h>

enum {
    ANCHORS_MAX = 1000,
    DIRECTIVES_MAX = 100, /* libyaml compares each with all before it */
};

struct yaml_anchor {
    struct json value;
    size_t nodes;    /* with everything below it; 0 while it is being read */
    size_t bytes;    /* likewise */
    unsigned height; /* levels below it */
};

/* What the reader must remember of each open collection, beside the builder's frame. */
struct yaml_level {
    struct yaml_anchor *anchor;
    size_t nodes_before;
    size_t bytes_before;
    unsigned height;
    bool awaits_name; /* a mapping whose next node is a name */
    bool merging;     /* the name was "<<" */
};

struct yaml_read {
    struct json_build build;
    struct arena *arena;
    const char *text; /* of this document */
    size_t length;
    size_t base;       /* its offset in the stream */
    size_t characters; /* libyaml counts characters; this many lie before `bytes` */
    size_t bytes;
    yaml_parser_t parser;
    struct map anchors; /* by name; of one name the last */
    struct yaml_level levels[JSON_DEPTH_MAX + 1];
    struct err *err;
};

bool yaml_is_json(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)text[i]))
            return text[i] == '{';
    return false;
}

/* Marks only move forward, apart from a few empty scalars; those take the last place. */
static size_t yaml_offset(struct yaml_read *read, const yaml_mark_t *mark)
{
    while (read->characters < mark->index && read->bytes < read->length) {
        read->bytes++;
        while (read->bytes < read->length &&
               ((unsigned char)read->text[read->bytes] & 0xc0) == 0x80)
            read->bytes++;
        read->characters++;
    }
    return read->base + read->bytes;
}

static int yaml_fail(struct yaml_read *read, size_t offset, int code, const char *format, ...)
    _printf_(4, 5);

static int yaml_fail(struct yaml_read *read, size_t offset, int code, const char *format, ...)
{
    va_list arguments;

    read->build.findings->error_offset = offset;
    va_start(arguments, format);
    err_setv(read->err, code, format, arguments);
    va_end(arguments);
    return code;
}

static struct yaml_level *yaml_level(struct yaml_read *read)
{
    return &read->levels[read->build.depth];
}

/* anchors */

/* An anchor counts from where it stands, so one inside the value takes the name over. */
static int yaml_anchor(struct yaml_read *read, const yaml_char_t *name, size_t offset,
                       struct yaml_anchor **anchor)
{
    *anchor = NULL;
    if (!name)
        return 0;
    *anchor = arena_new(read->arena, struct yaml_anchor);
    map_put(&read->anchors, (const char *)name, *anchor);
    if (map_count(&read->anchors) > ANCHORS_MAX)
        return yaml_fail(read, offset, -E2BIG, "more than %d anchors", ANCHORS_MAX);
    return 0;
}

static void yaml_anchor_done(struct yaml_anchor *anchor, struct yaml_anchor done)
{
    if (anchor)
        *anchor = done;
}

/* scalars */

static const char *const tag_prefix = "tag:yaml.org,2002:";

/* The part of a core tag behind the prefix, NULL for no tag. */
static int core_tag(struct yaml_read *read, const yaml_char_t *tag, size_t offset,
                    const char **name)
{
    const char *text = (const char *)tag;

    *name = NULL;
    if (!text)
        return 0;
    if (!strcmp(text, "!")) {
        *name = "str";
        return 0;
    }
    if (!str_has_prefix(text, tag_prefix))
        return yaml_fail(read, offset, -EINVAL, "custom tag %.64s is not supported", text);
    *name = text + strlen(tag_prefix);
    return 0;
}

static int read_binary(struct yaml_read *read, struct json *value)
{
    char *bytes = arena_strndup(read->arena, value->text, value->length);
    size_t length;

    if (base64_decode(bytes, value->length, &length) < 0)
        return yaml_fail(read, value->offset, -EINVAL, "!!binary is not valid base64");
    if (utf8_check(bytes, length))
        return yaml_fail(read, value->offset, -EINVAL,
                         "!!binary does not decode to text; use a binaryData field");
    value->text = bytes;
    value->length = (uint32_t)length;
    return 0;
}

static bool tag_fits(const char *tag, enum yaml_scalar kind)
{
    switch (kind) {
    case YAML_SCALAR_NULL:
        return !strcmp(tag, "null");
    case YAML_SCALAR_BOOL:
        return !strcmp(tag, "bool");
    case YAML_SCALAR_INT:
        return !strcmp(tag, "int") || !strcmp(tag, "float");
    case YAML_SCALAR_FLOAT:
    case YAML_SCALAR_NOT_FINITE:
        return !strcmp(tag, "float");
    case YAML_SCALAR_STRING:
        return !strcmp(tag, "timestamp");
    }
    return false;
}

static int read_scalar(struct yaml_read *read, const yaml_event_t *event, size_t offset,
                       struct json *value)
{
    size_t length = event->data.scalar.length;
    const char *text = arena_strndup(read->arena, (const char *)event->data.scalar.value, length),
               *tag;
    enum yaml_scalar kind;

    *value = (struct json){
        .type = JSON_STRING,
        .offset = (uint32_t)offset,
        .length = (uint32_t)length,
        .text = text,
    };
    if (json_build_count(&read->build, 0, length) < 0)
        return -E2BIG;
    if (core_tag(read, event->data.scalar.tag, offset, &tag) < 0)
        return -EINVAL;
    if (tag && !strcmp(tag, "binary"))
        return read_binary(read, value);
    if ((tag && (!strcmp(tag, "str") || !strcmp(tag, "merge"))) ||
        (!tag && event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE))
        return 0;
    kind = yaml_scalar_read(read->arena, text, length, value);
    if (tag && !tag_fits(tag, kind))
        return yaml_fail(read, offset, -EINVAL, "\"%.64s\" is not a !!%.32s", text, tag);
    if (kind == YAML_SCALAR_NOT_FINITE)
        return yaml_fail(read, offset, -EINVAL, "%s cannot be written in JSON", text);
    if (tag && kind == YAML_SCALAR_INT && !strcmp(tag, "float"))
        yaml_scalar_as_float(read->arena, value);
    return 0;
}

static bool is_merge(const yaml_event_t *event)
{
    const char *tag = (const char *)event->data.scalar.tag;

    if (strcmp((const char *)event->data.scalar.value, "<<") != 0)
        return false;
    return tag ? !strcmp(tag, "tag:yaml.org,2002:merge") : event->data.scalar.plain_implicit;
}

static int read_name(struct yaml_read *read, const yaml_event_t *event, size_t offset)
{
    struct yaml_level *level = yaml_level(read);
    struct json name;

    int result = read_scalar(read, event, offset, &name);

    if (result < 0)
        return result;
    if (name.type == JSON_NULL)
        return yaml_fail(read, offset, -EINVAL, "null is not allowed as a name");
    if (name.type == JSON_BOOL) {
        name.text = name.boolean ? "true" : "false";
        name.length = (uint32_t)strlen(name.text);
    }
    level->merging = is_merge(event);
    level->awaits_name = false;
    return json_build_name(&read->build, name.text, name.length, offset);
}

/* merge keys */

static int merge_members(struct yaml_read *read, const struct json *from)
{
    for (uint32_t i = 0; i < from->length; i++) {
        const struct json_member *member = &from->members[i];

        if (json_build_count(&read->build, 1, member->name_length) < 0)
            return -E2BIG;
        json_build_name(&read->build, member->name, member->name_length, member->offset);
        read->build.stack[read->build.count - 1].value = member->value;
        read->build.stack[read->build.count - 1].value.inherited = true;
    }
    return 0;
}

/*
 * "<<: *defaults" puts the members of the named mapping(s) in place of itself. As in the
 * reference's reader, what comes later in the text wins; of several mappings the first wins.
 */
static int merge(struct yaml_read *read)
{
    struct json value = read->build.stack[--read->build.count].value;
    const char *complaint = "\"<<\" wants a mapping or a list of mappings";

    if (value.type == JSON_OBJECT)
        return merge_members(read, &value);
    if (value.type != JSON_ARRAY)
        return yaml_fail(read, value.offset, -EINVAL, "%s", complaint);
    for (uint32_t i = value.length; i-- > 0;) {
        if (value.items[i].type != JSON_OBJECT)
            return yaml_fail(read, value.items[i].offset, -EINVAL, "%s", complaint);
        if (merge_members(read, &value.items[i]) < 0)
            return -E2BIG;
    }
    return 0;
}

/* events */

/* A complete value arrived in the innermost open collection. */
static int value_done(struct yaml_read *read, unsigned height)
{
    struct yaml_level *level = yaml_level(read);

    level->height = MAX(level->height, height + 1);
    if (!read->build.depth || !read->build.frames[read->build.depth - 1].object)
        return 0;
    level->awaits_name = true;
    return level->merging ? merge(read) : 0;
}

static int on_scalar(struct yaml_read *read, const yaml_event_t *event, size_t offset)
{
    struct yaml_anchor *anchor = NULL;
    struct json value;
    int result;

    if (yaml_level(read)->awaits_name) {
        if (event->data.scalar.anchor)
            return yaml_fail(read, offset, -EINVAL, "an anchor on a name is not supported");
        return read_name(read, event, offset);
    }
    result = read_scalar(read, event, offset, &value);
    if (result == 0)
        result = yaml_anchor(read, event->data.scalar.anchor, offset, &anchor);
    if (result < 0)
        return result;
    yaml_anchor_done(anchor, (struct yaml_anchor){
                                 .value = value,
                                 .nodes = 1,
                                 .bytes = value.type == JSON_STRING ? value.length : 0,
                             });
    result = json_build_value(&read->build, value);
    return result < 0 ? result : value_done(read, 0);
}

static int on_alias(struct yaml_read *read, const yaml_event_t *event, size_t offset)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct yaml_anchor *anchor = map_get(&read->anchors, name);
    int result;

    if (!anchor || !anchor->nodes)
        return yaml_fail(read, offset, -EINVAL, "alias *%.64s names no value before it", name);
    if (yaml_level(read)->awaits_name)
        return yaml_fail(read, offset, -EINVAL, "an alias as a name is not supported");
    if (read->build.depth + anchor->height > JSON_DEPTH_MAX)
        return yaml_fail(read, offset, -E2BIG, "nested deeper than %d levels", JSON_DEPTH_MAX);
    result = json_build_value(&read->build, anchor->value);
    if (result == 0)
        result = json_build_count(&read->build, anchor->nodes - 1, anchor->bytes);
    if (result < 0)
        return err_set(read->err, result,
                       "alias *%.64s expands the document beyond %zu values or %zu bytes of text",
                       name, read->build.limits->nodes_max, read->build.limits->bytes_max);
    return value_done(read, anchor->height);
}

static int on_open(struct yaml_read *read, enum json_type type, const yaml_char_t *tag,
                   const yaml_char_t *anchor_name, size_t offset)
{
    struct yaml_anchor *anchor;
    const char *name, *expected = type == JSON_OBJECT ? "map" : "seq";
    size_t nodes_before = read->build.nodes, bytes_before = read->build.bytes;
    int result;

    if (yaml_level(read)->awaits_name)
        return yaml_fail(read, offset, -EINVAL, "a name must be a scalar, not %s",
                         type == JSON_OBJECT ? "a mapping" : "a list");
    if (core_tag(read, tag, offset, &name) < 0)
        return -EINVAL;
    if (name && strcmp(name, expected) != 0)
        return yaml_fail(read, offset, -EINVAL, "tag !!%.32s does not fit here", name);
    result = yaml_anchor(read, anchor_name, offset, &anchor);
    if (result == 0)
        result = json_build_open(&read->build, type, offset);
    if (result < 0)
        return result;
    *yaml_level(read) = (struct yaml_level){
        .anchor = anchor,
        .nodes_before = nodes_before,
        .bytes_before = bytes_before,
        .awaits_name = type == JSON_OBJECT,
    };
    return 0;
}

static int on_close(struct yaml_read *read)
{
    struct yaml_level level = *yaml_level(read);
    struct json *closed;

    if (read->build.frames[read->build.depth - 1].object)
        json_build_duplicates(&read->build, true);
    closed = json_build_close(&read->build);
    level.height = MAX(level.height, 1u); /* an empty one is a level, too */
    yaml_anchor_done(level.anchor, (struct yaml_anchor){
                                       .value = *closed,
                                       .nodes = read->build.nodes - level.nodes_before,
                                       .bytes = read->build.bytes - level.bytes_before,
                                       .height = level.height,
                                   });
    return value_done(read, level.height);
}

static int on_event(struct yaml_read *read, const yaml_event_t *event)
{
    size_t offset = yaml_offset(read, &event->start_mark);

    read->build.findings->error_offset = offset;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(read, event, offset);
    case YAML_ALIAS_EVENT:
        return on_alias(read, event, offset);
    case YAML_MAPPING_START_EVENT:
        return on_open(read, JSON_OBJECT, event->data.mapping_start.tag,
                       event->data.mapping_start.anchor, offset);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(read, JSON_ARRAY, event->data.sequence_start.tag,
                       event->data.sequence_start.anchor, offset);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return on_close(read);
    default:
        return 0;
    }
}

static int yaml_syntax(struct yaml_read *read)
{
    const yaml_parser_t *parser = &read->parser;
    size_t offset;

    if (parser->error == YAML_READER_ERROR)
        offset = read->base + MIN(parser->problem_offset, read->length);
    else
        offset = yaml_offset(read, &parser->problem_mark);
    return yaml_fail(read, offset, -EINVAL, "not YAML: %s%s%s",
                     parser->context ? parser->context : "", parser->context ? ", " : "",
                     parser->problem ? parser->problem : "unknown error");
}

/* Reads one document from the parser: 1, 0 at the end, or an error. */
static int read_document(struct yaml_read *read, struct json **root)
{
    yaml_event_type_t type = YAML_NO_EVENT;
    yaml_event_t event;
    int result = 0;

    while (result == 0 && type != YAML_DOCUMENT_END_EVENT) {
        if (!yaml_parser_parse(&read->parser, &event))
            return yaml_syntax(read);
        type = event.type;
        result = on_event(read, &event);
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            return 0;
    }
    if (result < 0)
        return result;
    *root = json_build_root(&read->build);
    return 1;
}

static bool is_document_start(const char *line, const char *end)
{
    return end - line >= 3 && !memcmp(line, "---", 3) &&
           (end - line == 3 || isspace((unsigned char)line[3]));
}

/*
 * The end of the document that starts at `start`: the next line that begins with "---". The one
 * behind directives ("%YAML 1.1") belongs to them.
 */
static size_t document_end(const char *text, size_t start, size_t length)
{
    const char *line = text + start, *end = text + length, *newline;
    bool directives = false, content = is_document_start(line, end);

    while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
        directives |= *line == '%';
        content |= !memchr("%#\r\n", *line, 4);
        line = newline + 1;
        if (is_document_start(line, end)) {
            if (content || !directives)
                return (size_t)(line - text);
            content = true;
        }
    }
    return length;
}

/* Lines such as "%TAG ! tag:example.com,2026:" before the document. */
static int check_directives(const char *text, size_t length, struct err *err)
{
    const char *line = text, *end = text + length, *newline;
    unsigned count = 0;

    for (; line < end && !is_document_start(line, end); line = newline + 1) {
        count += *line == '%';
        newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline)
            break;
    }
    if (count > DIRECTIVES_MAX)
        return err_set(err, -E2BIG, "more than %d directives before a document", DIRECTIVES_MAX);
    return 0;
}

static int check_size(struct yaml_stream *stream, const struct json_limits *limits, struct err *err)
{
    assert_that(limits->bytes_max < UINT32_MAX);
    if (stream->length <= limits->bytes_max)
        return 0;
    stream->position = stream->length;
    return err_set(err, -EFBIG, "%zu bytes, more than the %zu allowed", stream->length,
                   limits->bytes_max);
}

static int read_piece(struct yaml_stream *stream, size_t end, struct arena *arena,
                      const struct json_limits *limits, struct json_findings *findings,
                      struct json **root, struct err *err)
{
    struct yaml_read read = {
        .arena = arena,
        .text = stream->text + stream->position,
        .length = end - stream->position,
        .base = stream->position,
        .err = err,
    };
    const char *bad = utf8_check(read.text, read.length);
    int result;

    json_build_init(&read.build, arena, limits, findings, err);
    if (bad)
        return yaml_fail(&read, (size_t)(bad - stream->text), -EILSEQ,
                         "byte 0x%02x is not valid UTF-8", (unsigned char)*bad);
    result = check_directives(read.text, read.length, err);
    if (result < 0)
        return result;
    assert_that(yaml_parser_initialize(&read.parser));
    yaml_parser_set_encoding(&read.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&read.parser, (const unsigned char *)read.text, read.length);
    result = read_document(&read, root);
    if (result == 1) {
        struct json *more;

        /* "..." ends a document, too; what may follow it in this piece would be lost. */
        json_build_deinit(&read.build);
        json_build_init(&read.build, arena, limits, findings, err);
        int rest = read_document(&read, &more);

        if (rest < 0)
            result = rest;
        else if (rest == 1 && more->type != JSON_NULL)
            result = yaml_fail(&read, more->offset, -EINVAL,
                               "text after the end of the document; begin the next one with ---");
    }
    yaml_parser_delete(&read.parser);
    json_build_deinit(&read.build);
    map_deinit(&read.anchors);
    return result;
}

int yaml_next(struct yaml_stream *stream, struct arena *arena, const struct json_limits *limits,
              struct json_findings *findings, struct json **root, struct err *err)
{
    int result = 0;

    findings->duplicate_count = 0;
    findings->error_offset = stream->position;
    if (stream->position >= stream->length)
        return 0;
    result = check_size(stream, limits, err);
    while (result == 0 && stream->position < stream->length) {
        size_t end = document_end(stream->text, stream->position, stream->length);

        result = read_piece(stream, end, arena, limits, findings, root, err);
        stream->position = end;
        if (result == 1 && (*root)->type == JSON_NULL)
            result = 0;
    }
    return result;
}
