/* String helpers that the C library does not have. */
#include "nodeagent/base/str.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool str_empty(const char *string)
{
    return !string || !*string;
}

bool str_equal(const char *a, const char *b)
{
    return !strcmp(a ? a : "", b ? b : "");
}

bool str_has_prefix(const char *string, const char *prefix)
{
    string = string ? string : "";
    return !strncmp(string, prefix, strlen(prefix));
}

bool str_has_suffix(const char *string, const char *suffix)
{
    size_t length, suffix_length = strlen(suffix);

    string = string ? string : "";
    length = strlen(string);
    return length >= suffix_length && !strcmp(string + length - suffix_length, suffix);
}

bool str_one_of(const char *string, const char *const *words)
{
    for (; *words; words++)
        if (str_equal(string, *words))
            return true;
    return false;
}

bool str_is_plain(const char *string)
{
    for (const char *c = string; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            return false;
    return *string;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void strings_sort(const char **strings, size_t count)
{
    if (count)
        qsort(strings, count, sizeof(*strings), compare_strings);
}

/* Length of the valid UTF-8 character at `c`, or 0. */
static size_t utf8_char(const unsigned char *c, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t lowest;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

    for (size_t more = 0; more < array_size(forms); more++) {
        uint32_t code;

        if ((c[0] & forms[more].mask) != forms[more].lead)
            continue;
        if (left <= more)
            return 0;
        code = c[0] & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((c[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (c[i] & 0x3f);
        }
        if (code < forms[more].lowest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            return 0;
        return more + 1;
    }
    return 0;
}

const char *utf8_check(const char *bytes, size_t length)
{
    const unsigned char *c = (const unsigned char *)bytes, *end = c + length;
    const uint64_t high_bits = 0x8080808080808080;

    while (c < end) {
        uint64_t word;

        if (end - c >= 8) {
            memcpy(&word, c, 8);
            if (!(word & high_bits)) {
                c += 8;
                continue;
            }
        }
        size_t size = utf8_char(c, (size_t)(end - c));

        if (!size)
            return (const char *)c;
        c += size;
    }
    return NULL;
}

void utf8_repair(char *bytes, size_t length)
{
    const char *end = bytes + length;
    char *bad = bytes;

    while ((bad = (char *)utf8_check(bad, (size_t)(end - bad))))
        *bad = '?';
}

size_t utf8_cut(const char *bytes, size_t length)
{
    const unsigned char *end = (const unsigned char *)bytes + length, *c = end;

    while (c > (const unsigned char *)bytes && end - c < 4) {
        c--;
        if ((*c & 0xc0) != 0x80)
            return *c < 0xc0 || utf8_char(c, (size_t)(end - c)) ? length
                                                                : length - (size_t)(end - c);
    }
    return length;
}

int str_to_i64(const char *string, int64_t *value)
{
    char *end;
    long long number;

    if (!string || !(*string == '-' || (*string >= '0' && *string <= '9')))
        return -EINVAL;
    errno = 0;
    number = strtoll(string, &end, 10);
    if (*end || end == string)
        return -EINVAL;
    if (errno)
        return -ERANGE;
    *value = number;
    return 0;
}

void strbuf_deinit(struct strbuf *buffer)
{
    free(buffer->text);
    *buffer = STRBUF_INIT;
}

static void strbuf_reserve(struct strbuf *buffer, size_t more)
{
    size_t needed = buffer->length + more + 1;

    assert_that(more < SIZE_MAX / 4 && buffer->length < SIZE_MAX / 4);
    if (needed <= buffer->space)
        return;
    buffer->space = MAX(needed, MAX(buffer->space * 2, (size_t)64));
    buffer->text = mem_resize(buffer->text, buffer->space);
}

void strbuf_add_bytes(struct strbuf *buffer, const void *bytes, size_t length)
{
    strbuf_reserve(buffer, length);
    if (length)
        memcpy(buffer->text + buffer->length, bytes, length);
    buffer->length += length;
    buffer->text[buffer->length] = '\0';
}

void strbuf_add(struct strbuf *buffer, const char *string)
{
    strbuf_add_bytes(buffer, string, strlen(string));
}

void strbuf_add_char(struct strbuf *buffer, char c)
{
    strbuf_add_bytes(buffer, &c, 1);
}

void strbuf_vprintf(struct strbuf *buffer, const char *format, va_list arguments)
{
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert_that(length >= 0);
    strbuf_reserve(buffer, (size_t)length);
    vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, arguments);
    buffer->length += (size_t)length;
}

void strbuf_printf(struct strbuf *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    strbuf_vprintf(buffer, format, arguments);
    va_end(arguments);
}

void strbuf_truncate(struct strbuf *buffer, size_t length)
{
    if (length < buffer->length) {
        buffer->length = length;
        buffer->text[length] = '\0';
    }
}

void strbuf_add_quoted(struct strbuf *buffer, const char *bytes, size_t length, size_t max)
{
    size_t start = buffer->length;

    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)bytes[i];
        size_t size = utf8_char((const unsigned char *)bytes + i, length - i);
        bool c1_control = size == 2 && c == 0xc2 && (unsigned char)bytes[i + 1] < 0xa0;

        if (buffer->length - start >= max) {
            strbuf_add(buffer, "...");
            return;
        }
        if (c == '\n') {
            strbuf_add(buffer, "\\n");
        } else if (c == '\t') {
            strbuf_add(buffer, "\\t");
        } else if (!size || c < 0x20 || c == 0x7f || c1_control) {
            strbuf_printf(buffer, "\\x%02x", c);
            size = 1;
        } else {
            strbuf_add_bytes(buffer, bytes + i, size);
        }
        i += MAX(size, (size_t)1);
    }
}

char *strbuf_take(struct strbuf *buffer)
{
    char *text = buffer->text ? buffer->text : mem_strdup("");

    *buffer = STRBUF_INIT;
    return text;
}

enum {
    DISTANCE_WORD_MAX = 64, /* field names are shorter; longer words are "far" */
};

unsigned str_distance(const char *a, const char *b, unsigned limit)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    unsigned rows[3][DISTANCE_WORD_MAX + 1];
    unsigned *two_up = rows[0], *up = rows[1], *row = rows[2];

    if (a_length > DISTANCE_WORD_MAX || b_length > DISTANCE_WORD_MAX)
        return limit + 1;
    for (size_t j = 0; j <= b_length; j++)
        up[j] = two_up[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned replace = up[j - 1] + (a[i - 1] != b[j - 1]);
            unsigned best = MIN(replace, MIN(up[j], row[j - 1]) + 1);

            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = MIN(best, two_up[j - 2] + 1);
            row[j] = best;
        }
        unsigned *spare = two_up;

        two_up = up;
        up = row;
        row = spare;
    }
    return MIN(up[b_length], limit + 1);
}

void str_guess_try(struct str_guess *guess, const char *word)
{
    /* A third of the letters may be wrong, and case never counts. */
    unsigned limit = (unsigned)MAX(strlen(guess->wanted) / 3, (size_t)1);
    unsigned distance =
        strcasecmp(guess->wanted, word) ? str_distance(guess->wanted, word, limit) : 0;

    if (distance > limit || (guess->best && distance >= guess->distance))
        return;
    guess->best = word;
    guess->distance = distance;
}
