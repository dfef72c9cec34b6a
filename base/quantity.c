/* Quantities as 128-bit counts of billionths. */
#include "nodeagent/base/quantity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef __int128 int128;
typedef unsigned __int128 uint128;

#define NANOS ((int128)1000000000)
#define NANOS_MAX (((int128)1 << 126) - 1) /* two of them can be added */

enum {
    FRACTION_DIGITS_MAX = 18, /* later digits only round up */
    EXPONENT_MAX = 1000,      /* beyond what any value can use */
};

static const struct quantity_suffix {
    const char *text;
    uint8_t format;
    int8_t exponent; /* of 10, or of 2 */
} suffixes[] = {
    {"n", QUANTITY_DECIMAL, -9}, {"u", QUANTITY_DECIMAL, -6}, {"m", QUANTITY_DECIMAL, -3},
    {"", QUANTITY_DECIMAL, 0},   {"k", QUANTITY_DECIMAL, 3},  {"M", QUANTITY_DECIMAL, 6},
    {"G", QUANTITY_DECIMAL, 9},  {"T", QUANTITY_DECIMAL, 12}, {"P", QUANTITY_DECIMAL, 15},
    {"E", QUANTITY_DECIMAL, 18}, {"Ki", QUANTITY_BINARY, 10}, {"Mi", QUANTITY_BINARY, 20},
    {"Gi", QUANTITY_BINARY, 30}, {"Ti", QUANTITY_BINARY, 40}, {"Pi", QUANTITY_BINARY, 50},
    {"Ei", QUANTITY_BINARY, 60},
};

static int128 quantity_nanos(const struct quantity *quantity)
{
    return (int128)((uint128)(uint64_t)quantity->nanos_high << 64 | quantity->nanos_low);
}

static void quantity_set(struct quantity *quantity, int128 nanos)
{
    quantity->nanos_low = (uint64_t)nanos;
    quantity->nanos_high = (int64_t)(nanos >> 64);
}

/* A decimal number as it is written: whole.fraction, both without sign. */
struct decimal {
    bool negative;
    bool overflow; /* the whole part is beyond 128 bits */
    bool inexact;  /* non-zero digits were dropped from the fraction */
    uint128 whole;
    uint64_t fraction;
    int fraction_digits;
};

static const char *read_decimal(const char *text, const char *end, struct decimal *number)
{
    bool digits = false;

    *number = (struct decimal){0};
    if (text < end && (*text == '-' || *text == '+'))
        number->negative = *text++ == '-';
    for (; text < end && *text >= '0' && *text <= '9'; text++, digits = true) {
        number->overflow |=
            __builtin_mul_overflow(number->whole, (uint128)10, &number->whole) ||
            __builtin_add_overflow(number->whole, (unsigned)(*text - '0'), &number->whole);
    }
    if (text < end && *text == '.') {
        for (text++; text < end && *text >= '0' && *text <= '9'; text++, digits = true) {
            if (number->fraction_digits == FRACTION_DIGITS_MAX) {
                number->inexact |= *text != '0';
                continue;
            }
            number->fraction = number->fraction * 10 + (unsigned)(*text - '0');
            number->fraction_digits++;
        }
    }
    return digits ? text : NULL;
}

/* "e3", "E-6": 0 when it is not an exponent at all. */
static bool read_exponent(const char *text, const char *end, int *exponent)
{
    bool negative = false;
    int value = 0;

    if (text == end || (*text != 'e' && *text != 'E'))
        return false;
    if (++text < end && (*text == '-' || *text == '+'))
        negative = *text++ == '-';
    if (text == end)
        return false;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = MIN(value * 10 + (*text - '0'), EXPONENT_MAX);
    }
    *exponent = negative ? -value : value;
    return true;
}

static const struct quantity_suffix *read_suffix(const char *text, const char *end)
{
    for (size_t i = 0; i < array_size(suffixes); i++)
        if (strlen(suffixes[i].text) == (size_t)(end - text) &&
            !memcmp(suffixes[i].text, text, (size_t)(end - text)))
            return &suffixes[i];
    return NULL;
}

static uint128 divide_up(uint128 value, uint128 divisor, bool more)
{
    return value / divisor + (value % divisor || more);
}

/* Multiplies by 10^exponent, rounding up; false on overflow. */
static bool scale_decimal(uint128 *value, int exponent, bool *inexact)
{
    for (; exponent > 0; exponent--)
        if (*value && __builtin_mul_overflow(*value, (uint128)10, value))
            return false;
    for (; exponent < 0; exponent++) {
        *inexact |= *value % 10 != 0;
        *value /= 10;
    }
    return true;
}

static bool decimal_nanos(const struct decimal *number, int exponent, uint128 *nanos)
{
    uint128 whole = number->whole, fraction = number->fraction;
    bool inexact = number->inexact;

    if (!scale_decimal(&whole, exponent + 9, &inexact) ||
        !scale_decimal(&fraction, exponent + 9 - number->fraction_digits, &inexact))
        return false;
    return !__builtin_add_overflow(whole, fraction + inexact, nanos);
}

static bool binary_nanos(const struct decimal *number, int exponent, uint128 *nanos)
{
    uint128 whole, fraction = (uint128)number->fraction << exponent, unit = 1, rest;

    for (int i = 0; i < number->fraction_digits; i++)
        unit *= 10;
    rest = divide_up(fraction % unit * (uint128)NANOS, unit, number->inexact);
    fraction = fraction / unit * (uint128)NANOS + rest;
    if (__builtin_mul_overflow(number->whole, (uint128)1 << exponent, &whole) ||
        __builtin_mul_overflow(whole, (uint128)NANOS, &whole))
        return false;
    return !__builtin_add_overflow(whole, fraction, nanos);
}

int quantity_parse(const char *text, size_t length, struct quantity *quantity, struct err *err)
{
    const char *end = text + length, *rest;
    const struct quantity_suffix *suffix;
    struct decimal number;
    uint128 nanos = 0;
    int exponent;
    bool fits;

    rest = read_decimal(text, end, &number);
    if (!rest)
        return err_set(err, -EINVAL,
                       "must be a quantity: a number with an optional suffix "
                       "such as 100m, 2, 1.5Gi or 1e3");
    suffix = read_suffix(rest, end);
    if (suffix) {
        quantity->format = suffix->format;
        exponent = suffix->exponent;
    } else if (read_exponent(rest, end, &exponent)) {
        quantity->format = QUANTITY_EXPONENT;
    } else {
        return err_set(err, -EINVAL,
                       "unknown suffix \"%.*s\" in a quantity; use n, u, m, k, M, G, T, P, E, "
                       "Ki, Mi, Gi, Ti, Pi, Ei or an exponent such as e3",
                       (int)MIN(end - rest, 32), rest);
    }
    if (quantity->format == QUANTITY_BINARY)
        fits = binary_nanos(&number, exponent, &nanos);
    else
        fits = decimal_nanos(&number, exponent, &nanos);
    if (number.overflow || !fits || nanos > (uint128)NANOS_MAX)
        nanos = (uint128)NANOS_MAX;
    if (quantity->format == QUANTITY_BINARY) {
        nanos = MIN(nanos, (uint128)INT64_MAX * (uint128)NANOS);
        if (nanos < (uint128)NANOS)
            quantity->format = QUANTITY_DECIMAL;
    }
    quantity_set(quantity, number.negative ? -(int128)nanos : (int128)nanos);
    return 0;
}

struct quantity quantity_from_int(int64_t value, enum quantity_format format)
{
    struct quantity quantity = {.format = (uint8_t)format};

    quantity_set(&quantity, value * NANOS);
    return quantity;
}

static char *write_digits(char *end, uint128 number)
{
    *--end = '\0';
    do {
        *--end = (char)('0' + (unsigned)(number % 10));
        number /= 10;
    } while (number);
    return end;
}

const char *quantity_format(const struct quantity *quantity, char text[QUANTITY_TEXT_MAX])
{
    int128 nanos = quantity_nanos(quantity);
    uint128 number = nanos < 0 ? -(uint128)nanos : (uint128)nanos;
    char digits[48];
    int exponent = -9, step = 0;

    if (quantity->format == QUANTITY_BINARY && number >= 1024 * (uint128)NANOS &&
        quantity_is_whole(quantity)) {
        number /= (uint128)NANOS;
        for (; step < 6 && number % 1024 == 0; step++)
            number /= 1024;
        snprintf(text, QUANTITY_TEXT_MAX, "%s%s%s", nanos < 0 ? "-" : "",
                 write_digits(digits + sizeof(digits), number),
                 step ? suffixes[9 + step].text : "");
        return text;
    }
    if (!number)
        exponent = 0;
    while (number && number % 1000 == 0 &&
           (exponent < 18 || quantity->format == QUANTITY_EXPONENT)) {
        number /= 1000;
        exponent += 3;
    }
    snprintf(text, QUANTITY_TEXT_MAX, "%s%s", nanos < 0 ? "-" : "",
             write_digits(digits + sizeof(digits), number));
    if (quantity->format != QUANTITY_EXPONENT)
        strcat(text, suffixes[exponent / 3 + 3].text);
    else if (exponent)
        snprintf(text + strlen(text), QUANTITY_TEXT_MAX - strlen(text), "e%d", exponent);
    return text;
}

int quantity_compare(const struct quantity *a, const struct quantity *b)
{
    int128 left = quantity_nanos(a), right = quantity_nanos(b);

    return (left > right) - (left < right);
}

int quantity_sign(const struct quantity *quantity)
{
    int128 nanos = quantity_nanos(quantity);

    return (nanos > 0) - (nanos < 0);
}

bool quantity_is_whole(const struct quantity *quantity)
{
    return quantity_nanos(quantity) % NANOS == 0;
}

void quantity_add(struct quantity *sum, const struct quantity *more)
{
    int128 nanos = quantity_nanos(sum), total = nanos + quantity_nanos(more);

    if (!nanos)
        sum->format = more->format;
    quantity_set(sum, MAX(MIN(total, NANOS_MAX), -NANOS_MAX));
}

void quantity_subtract(struct quantity *sum, const struct quantity *less)
{
    struct quantity negative = {.format = less->format};

    quantity_set(&negative, -quantity_nanos(less));
    quantity_add(sum, &negative);
}

/* Away from zero, as the API rounds. */
static int64_t quantity_in_units(const struct quantity *quantity, int128 unit)
{
    int128 nanos = quantity_nanos(quantity);
    int128 value = nanos / unit;

    if (nanos % unit)
        value += nanos > 0 ? 1 : -1;
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

int64_t quantity_value(const struct quantity *quantity)
{
    return quantity_in_units(quantity, NANOS);
}

int64_t quantity_milli_value(const struct quantity *quantity)
{
    return quantity_in_units(quantity, NANOS / 1000);
}

void quantity_round_up_milli(struct quantity *quantity)
{
    const int128 milli = NANOS / 1000;
    int128 nanos = quantity_nanos(quantity), rest = nanos % milli;

    if (rest)
        quantity_set(quantity, nanos - rest + (rest > 0 ? milli : -milli));
}
