/* Parsing JSON with yajl into documents, and looking into them. */
#include "nodeagent/base/json.h"
#include "json-build.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl_parse.h>

const struct json_limits json_limits_manifest = {
    .bytes_max = JSON_BYTES_MAX,
    .nodes_max = JSON_NODES_MAX,
};

const struct json_limits json_limits_own = {
    .bytes_max = UINT32_MAX - 1,
    .nodes_max = UINT32_MAX,
};

struct json_parse {
    struct json_build build;
    const char *text;
    size_t length;
    bool ending; /* all text was given to yajl, which now reports what waited for more */
    int failure; /* other than a limit of the builder */
    yajl_handle yajl;
    size_t skip_length;
    unsigned skipping; /* levels open inside a member that is passed over; 1 at its name */
};

/* Where the parser is: just behind the token that it reports. */
static size_t parse_end(struct json_parse *parse)
{
    return parse->ending ? parse->length : yajl_get_bytes_consumed(parse->yajl);
}

static bool in_text(const struct json_parse *parse, const char *bytes)
{
    return bytes >= parse->text && bytes < parse->text + parse->length;
}

static unsigned hex_unit(const char *digits)
{
    char text[5] = {0};

    memcpy(text, digits, 4);
    return (unsigned)strtoul(text, NULL, 16);
}

/* Half of a surrogate pair has no UTF-8; yajl would put something else in its place. */
static bool escapes_are_whole(const char *text, const char *end)
{
    bool high = false;

    while (text < end) {
        bool escape = *text == '\\', unicode = escape && text[1] == 'u';
        unsigned unit = unicode ? hex_unit(text + 2) : 0;

        if ((unit >= 0xdc00 && unit < 0xe000) != high)
            return false;
        high = unit >= 0xd800 && unit < 0xdc00;
        text += unicode ? 6 : escape ? 2 : 1;
    }
    return !high;
}

/*
 * yajl points into the text where it can. A string with escapes arrives in a buffer of its own:
 * it is copied, and its opening quote is found by going back from the closing one. NULL when an
 * escape is wrong.
 */
static const char *parse_string(struct json_parse *parse, const unsigned char *bytes, size_t length,
                                size_t *offset)
{
    const char *string = (const char *)bytes;

    if (in_text(parse, string)) {
        *offset = (size_t)(string - parse->text) - 1;
        return string;
    }
    size_t quote = parse_end(parse) - 1;

    while (quote > 0) {
        size_t backslashes = 0;

        quote--;
        if (parse->text[quote] != '"')
            continue;
        while (backslashes < quote && parse->text[quote - 1 - backslashes] == '\\')
            backslashes++;
        if (backslashes % 2 == 0)
            break;
    }
    *offset = quote;
    if (!escapes_are_whole(parse->text + quote + 1, parse->text + parse_end(parse) - 1)) {
        parse->failure =
            err_set(parse->build.err, -EILSEQ, "a \\u escape names half of a character");
        return NULL;
    }
    return arena_strndup(parse->build.arena, string, length);
}

/*
 * While a member is passed over, values only open and close levels. `levels` is what this event
 * adds. Returns whether the event ends here.
 */
static bool skip(struct json_parse *parse, int levels)
{
    if (!parse->skipping)
        return false;
    parse->skipping += (unsigned)levels;
    if (parse->skipping == 1) {
        parse->skipping = 0;
        json_build_value(&parse->build,
                         (struct json){.type = JSON_NULL, .offset = (uint32_t)parse_end(parse)});
    }
    return true;
}

static int on_null(void *context)
{
    struct json_parse *parse = context;

    if (skip(parse, 0))
        return 1;
    struct json value = {.type = JSON_NULL, .offset = (uint32_t)(parse_end(parse) - 4)};

    return json_build_value(&parse->build, value) == 0;
}

static int on_bool(void *context, int boolean)
{
    struct json_parse *parse = context;

    if (skip(parse, 0))
        return 1;
    struct json value = {
        .type = JSON_BOOL,
        .boolean = boolean != 0,
        .offset = (uint32_t)(parse_end(parse) - (boolean ? 4 : 5)),
    };

    return json_build_value(&parse->build, value) == 0;
}

static int on_number(void *context, const char *text, size_t length)
{
    struct json_parse *parse = context;

    if (skip(parse, 0))
        return 1;
    struct json value = {.type = JSON_NUMBER, .length = (uint32_t)length};

    /* The last thing in the text: yajl kept a copy, waiting for more digits. */
    if (parse->ending)
        text = parse->text + parse->length - length;
    assert_that(in_text(parse, text));
    value.text = text;
    value.offset = (uint32_t)(text - parse->text);
    return json_build_value(&parse->build, value) == 0;
}

static int on_string(void *context, const unsigned char *bytes, size_t length)
{
    struct json_parse *parse = context;
    size_t offset;

    if (skip(parse, 0))
        return 1;
    const char *string = parse_string(parse, bytes, length, &offset);
    struct json value = {
        .type = JSON_STRING,
        .offset = (uint32_t)offset,
        .length = (uint32_t)length,
        .text = string,
    };

    return string && json_build_value(&parse->build, value) == 0;
}

static int on_name(void *context, const unsigned char *bytes, size_t length)
{
    struct json_parse *parse = context;
    size_t offset;

    if (parse->skipping)
        return 1;
    const char *name = parse_string(parse, bytes, length, &offset);

    if (!name)
        return 0;
    parse->skipping = length == parse->skip_length &&
                      !memcmp(name, parse->build.limits->skip, length) &&
                      json_build_inside(&parse->build, "metadata");
    return json_build_name(&parse->build, name, length, offset) == 0;
}

static int on_object(void *context)
{
    struct json_parse *parse = context;

    if (skip(parse, 1))
        return 1;

    return json_build_open(&parse->build, JSON_OBJECT, parse_end(parse) - 1) == 0;
}

static int on_object_end(void *context)
{
    struct json_parse *parse = context;

    if (skip(parse, -1))
        return 1;

    json_build_duplicates(&parse->build, false);
    json_build_close(&parse->build);
    return 1;
}

static int on_array(void *context)
{
    struct json_parse *parse = context;

    if (skip(parse, 1))
        return 1;

    return json_build_open(&parse->build, JSON_ARRAY, parse_end(parse) - 1) == 0;
}

static int on_array_end(void *context)
{
    struct json_parse *parse = context;

    if (skip(parse, -1))
        return 1;

    json_build_close(&parse->build);
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_map_key = on_name,
    .yajl_start_map = on_object,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

/* yajl says "lexical error: invalid char in json text.\n"; its first line says enough. */
static void say_what_is_wrong(struct json_parse *parse, const char *sentence)
{
    size_t length = strcspn(sentence, "\n");

    if (length && sentence[length - 1] == '.')
        length--;
    if (parse->ending && (str_has_prefix(sentence, "lexical error") ||
                          str_has_prefix(sentence, "parse error: premature"))) {
        parse->build.findings->error_offset = parse->length;
        err_set(parse->build.err, -EINVAL, "the JSON text ends too early");
    } else {
        err_set(parse->build.err, -EINVAL, "not JSON: %.*s", (int)length, sentence);
    }
}

static int parse_failed(struct json_parse *parse, yajl_status status)
{
    size_t end = parse_end(parse);
    unsigned char *sentence;

    parse->build.findings->error_offset = end ? end - 1 : 0;
    if (status == yajl_status_client_canceled)
        return parse->failure ? parse->failure : -E2BIG;
    sentence = yajl_get_error(parse->yajl, 0, NULL, 0);
    say_what_is_wrong(parse, (char *)sentence);
    yajl_free_error(parse->yajl, sentence);
    return -EINVAL;
}

static int check_text(const char *text, size_t length, const struct json_limits *limits,
                      struct json_findings *findings, struct err *err)
{
    const char *bad;

    findings->duplicate_count = 0;
    findings->error_offset = 0;
    assert_that(limits->bytes_max < UINT32_MAX);
    if (length > limits->bytes_max)
        return err_set(err, -EFBIG, "%zu bytes, more than the %zu allowed", length,
                       limits->bytes_max);
    bad = utf8_check(text, length);
    if (!bad)
        return 0;
    findings->error_offset = (size_t)(bad - text);
    return err_set(err, -EILSEQ, "byte 0x%02x is not valid UTF-8", (unsigned char)*bad);
}

int json_parse(struct arena *arena, const char *text, size_t length,
               const struct json_limits *limits, struct json_findings *findings, struct json **root,
               struct err *err)
{
    struct json_parse parse = {
        .text = text,
        .length = length,
        .skip_length = limits->skip ? strlen(limits->skip) : SIZE_MAX,
    };
    yajl_status status;
    int result;

    result = check_text(text, length, limits, findings, err);
    if (result < 0)
        return result;
    json_build_init(&parse.build, arena, limits, findings, err);
    parse.yajl = yajl_alloc(&callbacks, NULL, &parse);
    assert_that(parse.yajl);
    yajl_config(parse.yajl, yajl_dont_validate_strings, 1); /* just done, eight bytes at a time */
    status = yajl_parse(parse.yajl, (const unsigned char *)text, length);
    if (status == yajl_status_ok) {
        parse.ending = true;
        status = yajl_complete_parse(parse.yajl);
    }
    if (status == yajl_status_ok)
        *root = json_build_root(&parse.build);
    else
        result = parse_failed(&parse, status);
    yajl_free(parse.yajl);
    json_build_deinit(&parse.build);
    return result;
}

/* Goes on from a place that is known. */
static struct json_place place_advance(struct json_place place, const char *text, const char *end)
{
    const char *newline;

    while ((newline = memchr(text, '\n', (size_t)(end - text)))) {
        place = (struct json_place){.line = place.line + 1, .column = 1};
        text = newline + 1;
    }
    for (; text < end; text++)
        place.column += ((unsigned char)*text & 0xc0) != 0x80;
    return place;
}

struct json_place json_place(const char *text, size_t length, size_t offset)
{
    return place_advance((struct json_place){1, 1}, text, text + MIN(offset, length));
}

enum {
    PLACE_MARK_BYTES = 4096,
};

void json_places_init(struct json_places *places, const char *text, size_t length)
{
    struct json_place place = {1, 1};
    size_t count = length / PLACE_MARK_BYTES + 1;

    places->text = text;
    places->length = length;
    places->marks = mem_alloc(count * sizeof(*places->marks));
    for (size_t i = 0; i < count; i++) {
        const char *from = text + i * PLACE_MARK_BYTES;

        places->marks[i] = place;
        if (i + 1 < count)
            place = place_advance(place, from, from + PLACE_MARK_BYTES);
    }
}

void json_places_deinit(struct json_places *places)
{
    free(places->marks);
    *places = (struct json_places){0};
}

struct json_place json_places_find(const struct json_places *places, size_t offset)
{
    size_t end = MIN(offset, places->length), mark = end / PLACE_MARK_BYTES;

    return place_advance(places->marks[mark], places->text + mark * PLACE_MARK_BYTES,
                         places->text + end);
}

const struct json *json_get(const struct json *object, const char *name)
{
    size_t length = strlen(name);

    if (object->type != JSON_OBJECT)
        return NULL;
    for (size_t i = object->length; i-- > 0;) {
        const struct json_member *member = &object->members[i];

        if (member->name_length == length && !memcmp(member->name, name, length))
            return &member->value;
    }
    return NULL;
}

bool json_get_bool(const struct json *object, const char *name)
{
    const struct json *value = json_get(object, name);

    return value && value->type == JSON_BOOL && value->boolean;
}

const char *json_get_text(const struct json *object, const char *name, const char *fallback,
                          struct arena *arena)
{
    const struct json *value = object ? json_get_string(object, name) : NULL;

    return value ? arena_strndup(arena, value->text, value->length) : fallback;
}

bool json_text_is(const struct json *value, const char *text)
{
    return (value->type == JSON_STRING || value->type == JSON_NUMBER) &&
           value->length == strlen(text) && !memcmp(value->text, text, value->length);
}

const char *json_type_name(const struct json *value)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",       [JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
        [JSON_STRING] = "a string", [JSON_ARRAY] = "a list",   [JSON_OBJECT] = "an object",
    };

    return names[value->type];
}
