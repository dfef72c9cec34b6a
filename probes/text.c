/* Words for events, as Go's standard library writes them. */
#include "text.h"

#include "nodeagent/base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What strbuf_add_quoted() writes otherwise, or as it is. */
static const char *go_escape(char c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\a':
        return "\\a";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\r':
        return "\\r";
    default:
        return "\\v";
    }
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
            return false;
    return true;
}

const char *text_quoted(struct arena *arena, const char *text)
{
    struct strbuf buffer = STRBUF_INIT;
    const char *result;

    if (is_plain(text))
        return arena_printf(arena, "\"%s\"", text);
    while (*text) {
        size_t length = strcspn(text, "\"\\\a\b\f\r\v");

        strbuf_add_quoted(&buffer, text, length, SIZE_MAX);
        text += length;
        if (*text)
            strbuf_add(&buffer, go_escape(*text++));
    }
    result = arena_printf(arena, "\"%s\"", buffer.text);
    strbuf_deinit(&buffer);
    return result;
}

const char *text_duration(struct arena *arena, usec_t duration)
{
    char text[TIME_TEXT_MAX];

    return arena_strdup(arena, duration_format((int64_t)duration * 1000, text));
}

const char *text_repaired(struct arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_strndup(arena, bytes, length);

    utf8_repair(copy, length);
    return copy;
}

const char *text_errno(struct arena *arena, int code)
{
    const char *name = strerrordesc_np(abs(code));
    char *text;

    if (!name)
        return arena_printf(arena, "errno %d", abs(code));
    text = arena_strdup(arena, name);
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

const char *text_dial(struct arena *arena, const char *authority, int code)
{
    return arena_printf(arena, "dial tcp %s: connect: %s", authority, text_errno(arena, code));
}

const char *text_lookup(struct arena *arena, const char *host, int code)
{
    return arena_printf(arena, "dial tcp: lookup %s: %s", host,
                        code == -ETIMEDOUT ? "i/o timeout" : "no such host");
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

bool text_escape_read(const char *text, char *byte)
{
    if (text[0] != '%' || !isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
        return false;
    *byte = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
    return true;
}
