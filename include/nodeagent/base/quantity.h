/*
 * Kubernetes quantities ("100m", "1.5Gi", "1e3"): exact to a billionth, rounded up (away from
 * zero) beyond that as the API does. As there, one with a binary suffix is capped at 2^63-1; the
 * others end at 2^126-1 billionths (8.5e28).
 */
#pragma once

#include "nodeagent/base/err.h"

#include <stdbool.h>

enum quantity_format {
    QUANTITY_DECIMAL,  /* 1500m, 2k */
    QUANTITY_BINARY,   /* 1536Mi */
    QUANTITY_EXPONENT, /* 15e3 */
};

struct quantity {
    uint64_t nanos_low; /* value * 10^9 as a 128-bit two's complement number */
    int64_t nanos_high;
    uint8_t format;
};

enum {
    QUANTITY_TEXT_MAX = 64,
};

int quantity_parse(const char *text, size_t length, struct quantity *quantity, struct err *err);

/*
 * The canonical form: no fraction, the largest suffix that keeps it whole. Below 1024 and where it
 * is not whole, a binary quantity is written with a decimal suffix.
 */
const char *quantity_format(const struct quantity *quantity, char text[QUANTITY_TEXT_MAX]);

struct quantity quantity_from_int(int64_t value, enum quantity_format format);

int quantity_compare(const struct quantity *a, const struct quantity *b); /* <0, 0, >0 */
int quantity_sign(const struct quantity *quantity);                       /* -1, 0, 1 */
bool quantity_is_whole(const struct quantity *quantity);

/* Saturating; the format of `sum` stays unless it was zero. */
void quantity_add(struct quantity *sum, const struct quantity *more);
void quantity_subtract(struct quantity *sum, const struct quantity *less);

/* Rounded up, saturating at the ends of int64_t. */
int64_t quantity_value(const struct quantity *quantity);
int64_t quantity_milli_value(const struct quantity *quantity);

/* The API keeps amounts of resources in thousandths: finer ones are rounded up. */
void quantity_round_up_milli(struct quantity *quantity);
