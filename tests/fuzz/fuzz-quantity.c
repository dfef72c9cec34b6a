/*
 * Quantities: the canonical text means the same and is its own canonical text; order, sign, sums
 * and rounded values agree with each other. A line break parts the input into two quantities.
 */
#include "fuzz.h"

#include "nodeagent/base/quantity.h"

static bool parse(const char *text, size_t length, struct quantity *quantity)
{
    struct err err = {0};
    int result = quantity_parse(text, length, quantity, &err);

    if (result < 0)
        check_sentence(&err, result);
    return result == 0;
}

static void check_canonical(const struct quantity *quantity)
{
    char text[QUANTITY_TEXT_MAX], again[QUANTITY_TEXT_MAX];
    struct quantity copy;

    quantity_format(quantity, text);
    assert_that(!strchr(text, '.'));
    assert_that(parse(text, strlen(text), &copy));
    assert_that(quantity_compare(quantity, &copy) == 0);
    assert_that(!strcmp(text, quantity_format(&copy, again)));
}

static void check_values(const struct quantity *quantity)
{
    int64_t value = quantity_value(quantity), milli = quantity_milli_value(quantity);
    struct quantity whole = quantity_from_int(value, QUANTITY_DECIMAL);
    int sign = quantity_sign(quantity), order = quantity_compare(&whole, quantity);

    assert_that(sign == (value > 0) - (value < 0) && sign == (milli > 0) - (milli < 0));
    if (value == INT64_MAX || value == INT64_MIN)
        return;
    assert_that(quantity_is_whole(quantity) ? order == 0 : order == sign);
    if (milli != INT64_MAX && milli != INT64_MIN)
        assert_that(milli / 1000 + (milli % 1000 > 0) - (milli % 1000 < 0) == value);
}

static void check_negative(const char *text, size_t length, const struct quantity *quantity)
{
    struct strbuf negative = STRBUF_INIT;
    struct quantity opposite, sum = *quantity;

    if (*text == '-' || *text == '+')
        return;
    strbuf_add_char(&negative, '-');
    strbuf_add_bytes(&negative, text, length);
    assert_that(parse(negative.text, negative.length, &opposite));
    quantity_add(&sum, &opposite);
    assert_that(quantity_sign(&sum) == 0);
    strbuf_deinit(&negative);
}

static void check_pair(const struct quantity *a, const struct quantity *b)
{
    struct quantity sum = *a, other = *b;

    assert_that(quantity_compare(a, b) == -quantity_compare(b, a));
    quantity_add(&sum, b);
    quantity_add(&other, a);
    assert_that(quantity_compare(&sum, &other) == 0);
    assert_that(quantity_sign(b) < 0 || quantity_compare(&sum, a) >= 0);
    assert_that(quantity_sign(b) > 0 || quantity_compare(&sum, a) <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *cut = memchr(text, '\n', size);
    size_t length = cut ? (size_t)(cut - text) : size;
    struct quantity a, b;

    if (!parse(text, length, &a))
        return 0;
    check_canonical(&a);
    check_values(&a);
    check_negative(text, length, &a);
    if (cut && parse(cut + 1, size - length - 1, &b))
        check_pair(&a, &b);
    return 0;
}
