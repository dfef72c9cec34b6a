/* YAML 1.1 scalars to JSON values: see yaml-scalar.h. */
#include "yaml-scalar.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_TEXT_MAX = 400, /* a float written out in full needs 310 digits */
};

static const struct {
    const char *words[12];
    enum yaml_scalar kind;
    bool boolean;
} fixed_words[] = {
    {{"", "~", "null", "Null", "NULL"}, YAML_SCALAR_NULL, false},
    {{"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"},
     YAML_SCALAR_BOOL,
     true},
    {{"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"},
     YAML_SCALAR_BOOL,
     false},
    {{".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf",
      "-.INF"},
     YAML_SCALAR_NOT_FINITE,
     false},
};

static bool read_fixed_word(const char *text, enum yaml_scalar *kind, struct json *value)
{
    for (size_t i = 0; i < array_size(fixed_words); i++) {
        for (size_t j = 0; j < array_size(fixed_words[i].words); j++) {
            if (!fixed_words[i].words[j] || strcmp(fixed_words[i].words[j], text) != 0)
                continue;
            *kind = fixed_words[i].kind;
            value->boolean = fixed_words[i].boolean;
            value->type = *kind == YAML_SCALAR_BOOL ? JSON_BOOL : JSON_NULL;
            return true;
        }
    }
    return false;
}

/* A date such as 2026-01-02 is a string, not a number followed by something. */
static bool is_decimal_float(const char *text)
{
    size_t whole, fraction = 0;

    text += *text == '-' || *text == '+';
    whole = strspn(text, "0123456789");
    text += whole;
    if (*text == '.') {
        text++;
        fraction = strspn(text, "0123456789");
        text += fraction;
    }
    if (!whole && !fraction)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        whole = strspn(text, "0123456789");
        if (!whole)
            return false;
        text += whole;
    }
    return !*text;
}

/* The number's base by its prefix (0x, 0b, 0o, or a leading zero), and its digits. */
static unsigned number_base(const char **digits)
{
    static const struct {
        char letter;
        unsigned base;
    } prefixes[] = {{'x', 16}, {'b', 2}, {'o', 8}};

    if ((*digits)[0] != '0' || !(*digits)[1])
        return 10;
    for (size_t i = 0; i < array_size(prefixes); i++) {
        if (((*digits)[1] | 0x20) == prefixes[i].letter) {
            *digits += 2;
            return prefixes[i].base;
        }
    }
    *digits += 1;
    return 8;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Integers that fit 64 bits, signed or (without a sign) unsigned. */
static bool read_int(const char *text, char out[NUMBER_TEXT_MAX])
{
    bool negative = *text == '-', sign = negative || *text == '+';
    const char *digits = text + sign;
    unsigned base = number_base(&digits);
    uint64_t number = 0;

    if (!*digits)
        return false;
    for (; *digits; digits++) {
        int value = digit_value(*digits);

        if (value < 0 || (unsigned)value >= base || __builtin_mul_overflow(number, base, &number) ||
            __builtin_add_overflow(number, (unsigned)value, &number))
            return false;
    }
    if (sign && number > (uint64_t)INT64_MAX + negative)
        return false;
    snprintf(out, NUMBER_TEXT_MAX, "%s%llu", negative && number ? "-" : "",
             (unsigned long long)number);
    return true;
}

/* "1.845e19" in full: its digits, then zeros. */
static void write_whole(const char *digits, int zeros, char out[NUMBER_TEXT_MAX])
{
    for (; *digits != 'e'; digits++)
        if (*digits != '.')
            *out++ = *digits;
    memset(out, '0', (size_t)zeros);
    out[zeros] = '\0';
}

/* The shortest digits that read back as the same number, in the form that JSON writers choose. */
static void write_float(double number, char out[NUMBER_TEXT_MAX])
{
    char digits[40];
    int precision, exponent;
    double magnitude = fabs(number);

    for (precision = 0; precision < 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*e", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    exponent = atoi(strchr(digits, 'e') + 1);
    if (magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21)) {
        *strchr(digits, 'e') = '\0';
        snprintf(out, NUMBER_TEXT_MAX, "%se%s%d", digits, exponent < 0 ? "" : "+", exponent);
        return;
    }
    if (exponent > precision) {
        write_whole(digits, exponent - precision, out);
        return;
    }
    snprintf(out, NUMBER_TEXT_MAX, "%.*f", precision - exponent, number);
}

static void remove_underscores(char *text)
{
    char *out = text;

    for (; *text; text++)
        if (*text != '_')
            *out++ = *text;
    *out = '\0';
}

/* What begins with a point is stricter than the other numbers. */
static bool underscores_separate_digits(const char *text)
{
    for (const char *c = strchr(text, '_'); c; c = strchr(c + 1, '_'))
        if (!isdigit((unsigned char)c[-1]) || !isdigit((unsigned char)c[1]))
            return false;
    return true;
}

static bool read_number(struct arena *arena, char *text, enum yaml_scalar *kind, struct json *value)
{
    char out[NUMBER_TEXT_MAX];

    if (*text != '.' || underscores_separate_digits(text))
        remove_underscores(text);
    if (read_int(text, out)) {
        *kind = YAML_SCALAR_INT;
    } else if (is_decimal_float(text)) {
        double number = strtod(text, NULL);

        if (!isfinite(number))
            return false;
        write_float(number, out);
        *kind = YAML_SCALAR_FLOAT;
    } else {
        return false;
    }
    value->type = JSON_NUMBER;
    value->length = (uint32_t)strlen(out);
    value->text = arena_strndup(arena, out, value->length);
    return true;
}

enum yaml_scalar yaml_scalar_read(struct arena *arena, const char *text, size_t length,
                                  struct json *value)
{
    enum yaml_scalar kind;
    char copy[NUMBER_TEXT_MAX];

    value->type = JSON_STRING;
    value->text = text;
    value->length = (uint32_t)length;
    if (length >= sizeof(copy) || memchr(text, '\0', length))
        return YAML_SCALAR_STRING;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (read_fixed_word(copy, &kind, value))
        return kind;
    if (strchr("+-.0123456789", copy[0]) && read_number(arena, copy, &kind, value))
        return kind;
    return YAML_SCALAR_STRING;
}

void yaml_scalar_as_float(struct arena *arena, struct json *value)
{
    char copy[NUMBER_TEXT_MAX], out[NUMBER_TEXT_MAX];

    snprintf(copy, sizeof(copy), "%.*s", (int)value->length, value->text);
    write_float(strtod(copy, NULL), out);
    value->length = (uint32_t)strlen(out);
    value->text = arena_strndup(arena, out, value->length);
}
