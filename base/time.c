/* Saturating time arithmetic, RFC 3339 and Go durations, without the C library's time zone. */
#include "nodeagent/base/time.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

usec_t usec_add(usec_t a, usec_t b)
{
    usec_t sum;

    return __builtin_add_overflow(a, b, &sum) ? USEC_NEVER : sum;
}

usec_t usec_sub(usec_t a, usec_t b)
{
    if (a == USEC_NEVER)
        return USEC_NEVER;
    return a > b ? a - b : 0;
}

usec_t usec_mul(usec_t a, uint64_t factor)
{
    usec_t product;

    if (a == USEC_NEVER)
        return USEC_NEVER;
    return __builtin_mul_overflow(a, factor, &product) ? USEC_NEVER : product;
}

/* Days since 1970-01-01 in the Gregorian calendar, counted in 400-year eras from March. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    int64_t era, day_of_era;
    int year_of_era, day_of_year;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    year_of_era = (int)(year - era * 400);
    day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t era, day_of_era, year_of_era, day_of_year, shifted_month;

    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    shifted_month = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

/* Exactly `digits` decimal digits; advances. */
static bool read_digits(const char **text, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (**text < '0' || **text > '9')
            return false;
        *value = *value * 10 + (**text - '0');
    }
    return true;
}

static bool read_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool read_date(const char **text, int64_t *days)
{
    int year, month, day;

    if (!read_digits(text, 4, &year) || !read_char(text, '-') || !read_digits(text, 2, &month) ||
        !read_char(text, '-') || !read_digits(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

/* Microseconds since midnight; decimals beyond the sixth are dropped. */
static bool read_time_of_day(const char **text, int64_t *usec)
{
    int hour, minute, second;
    int64_t fraction = 0, unit = 100000;

    if (!read_digits(text, 2, &hour) || !read_char(text, ':') || !read_digits(text, 2, &minute) ||
        !read_char(text, ':') || !read_digits(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (read_char(text, '.')) {
        if (**text < '0' || **text > '9')
            return false;
        for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
            fraction += (**text - '0') * unit;
    }
    *usec = ((hour * 60 + minute) * 60 + second) * (int64_t)USEC_PER_SEC + fraction;
    return true;
}

static bool read_offset(const char **text, int64_t *seconds)
{
    int sign, hours, minutes;

    if (read_char(text, 'Z')) {
        *seconds = 0;
        return true;
    }
    if (read_char(text, '+'))
        sign = 1;
    else if (read_char(text, '-'))
        sign = -1;
    else
        return false;
    if (!read_digits(text, 2, &hours) || !read_char(text, ':') || !read_digits(text, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

int time_parse_rfc3339(const char *text, int64_t *usec_since_1970)
{
    int64_t days, usec, offset_seconds;

    if (!read_date(&text, &days) || !read_char(&text, 'T') || !read_time_of_day(&text, &usec) ||
        !read_offset(&text, &offset_seconds) || *text)
        return -EINVAL;
    *usec_since_1970 = (days * 86400 - offset_seconds) * (int64_t)USEC_PER_SEC + usec;
    return 0;
}

static const char *format_rfc3339(int64_t usec, bool micro, char *text)
{
    const int64_t day_usec = 86400 * (int64_t)USEC_PER_SEC;
    int64_t days = usec / day_usec, rest = usec % day_usec, year;
    int month, day, length;

    if (rest < 0) {
        rest += day_usec;
        days--;
    }
    date_from_days(days, &year, &month, &day);
    int seconds = (int)(rest / (int64_t)USEC_PER_SEC);

    length = snprintf(text, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month, day,
                      seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (micro)
        length += snprintf(text + length, (size_t)(TIME_TEXT_MAX - length), ".%06d",
                           (int)(rest % (int64_t)USEC_PER_SEC));
    snprintf(text + length, (size_t)(TIME_TEXT_MAX - length), "Z");
    return text;
}

const char *time_format_rfc3339(int64_t usec_since_1970, char text[TIME_TEXT_MAX])
{
    return format_rfc3339(usec_since_1970, false, text);
}

const char *time_format_rfc3339_micro(int64_t usec_since_1970, char text[TIME_TEXT_MAX])
{
    return format_rfc3339(usec_since_1970, true, text);
}

static const struct duration_unit {
    const char *name;
    uint64_t nanoseconds;
} duration_units[] = {
    /* by size; of equal ones the last is written */
    {"ns", 1},       {"us", 1000},      {"\xce\xbcs", 1000},       {"\xc2\xb5s", 1000},
    {"ms", 1000000}, {"s", 1000000000}, {"m", 60 * 1000000000ull}, {"h", 3600 * 1000000000ull},
};

static const struct duration_unit *read_unit(const char **text)
{
    size_t length = strcspn(*text, ".0123456789");

    for (size_t i = 0; i < array_size(duration_units); i++) {
        if (strlen(duration_units[i].name) == length &&
            !memcmp(*text, duration_units[i].name, length)) {
            *text += length;
            return &duration_units[i];
        }
    }
    return NULL;
}

/* One "12.5ms"; adds to *total. */
static bool read_duration_part(const char **text, uint64_t *total)
{
    uint64_t whole = 0, fraction = 0, scale = 1;
    bool digits = false;

    for (; **text >= '0' && **text <= '9'; (*text)++, digits = true)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(**text - '0'), &whole))
            return false;
    if (read_char(text, '.')) {
        for (; **text >= '0' && **text <= '9'; (*text)++, digits = true) {
            if (scale >= 1000000000000000)
                continue;
            fraction = fraction * 10 + (uint64_t)(**text - '0');
            scale *= 10;
        }
    }
    const struct duration_unit *unit = digits ? read_unit(text) : NULL;

    if (!unit || __builtin_mul_overflow(whole, unit->nanoseconds, &whole))
        return false;
    fraction = (uint64_t)((long double)fraction * unit->nanoseconds / scale);
    return !__builtin_add_overflow(*total, whole, total) &&
           !__builtin_add_overflow(*total, fraction, total);
}

int duration_parse(const char *text, int64_t *nanoseconds)
{
    uint64_t total = 0;
    bool negative = false;

    if (*text == '-' || *text == '+')
        negative = *text++ == '-';
    if (!strcmp(text, "0")) {
        *nanoseconds = 0;
        return 0;
    }
    if (!*text)
        return -EINVAL;
    while (*text)
        if (!read_duration_part(&text, &total))
            return -EINVAL;
    if (total > (uint64_t)INT64_MAX + negative)
        return -ERANGE;
    *nanoseconds = (int64_t)(negative ? -total : total);
    return 0;
}

/* "1.5" for 1500 and unit 1000: the whole, then the fraction without trailing zeros. */
static int format_fraction(char *text, size_t size, uint64_t value, uint64_t unit)
{
    int length = snprintf(text, size, "%llu", (unsigned long long)(value / unit));
    uint64_t rest = value % unit;

    if (!rest)
        return length;
    text[length++] = '.';
    while (rest) {
        unit /= 10;
        text[length++] = (char)('0' + rest / unit);
        rest %= unit;
    }
    text[length] = '\0';
    return length;
}

const char *duration_format(int64_t nanoseconds, char text[TIME_TEXT_MAX])
{
    uint64_t left = nanoseconds < 0 ? -(uint64_t)nanoseconds : (uint64_t)nanoseconds;
    const uint64_t second = 1000000000;
    char *out = text, *end = text + TIME_TEXT_MAX;
    const struct duration_unit *unit = &duration_units[0];

    if (nanoseconds < 0)
        *out++ = '-';
    if (left >= second) {
        if (left >= 3600 * second)
            out += snprintf(out, (size_t)(end - out), "%lluh",
                            (unsigned long long)(left / (3600 * second)));
        if (left >= 60 * second)
            out += snprintf(out, (size_t)(end - out), "%llum",
                            (unsigned long long)(left / (60 * second) % 60));
        out += format_fraction(out, (size_t)(end - out), left % (60 * second), second);
        snprintf(out, (size_t)(end - out), "s");
        return text;
    }
    if (!left)
        return strcpy(text, "0s");
    for (size_t i = 0; i < array_size(duration_units); i++)
        if (duration_units[i].nanoseconds <= left)
            unit = &duration_units[i];
    out += format_fraction(out, (size_t)(end - out), left, unit->nanoseconds);
    snprintf(out, (size_t)(end - out), "%s", unit->name);
    return text;
}
