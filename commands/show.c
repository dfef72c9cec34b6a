/* Ages, JSON, and what else commands have in common when they print. */
#include "show.h"
#include "command.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool show_on_terminal(void)
{
    return isatty(STDOUT_FILENO) && !str_equal(getenv("TERM"), "dumb");
}

bool show_colours(void)
{
    return show_on_terminal() && str_empty(getenv("NO_COLOR"));
}

const char *show_colour(enum colour colour)
{
    static const char *const codes[] = {"\x1b[0m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};

    return codes[colour];
}

void show_text(struct strbuf *out, const char *text)
{
    strbuf_add_quoted(out, text, strlen(text), SHOWN_MAX);
}

int show_failure(const char *command, const struct err *err)
{
    fprintf(stderr, "nodeagent %s: %s\n", command, err->text);
    return EXIT_BAD;
}

void show_buffer(const struct strbuf *out)
{
    fwrite(out->text ? out->text : "", 1, out->length, stdout);
}

/* ages */

enum {
    MINUTE = 60,
    HOUR = 60 * MINUTE,
    DAY = 24 * HOUR,
    YEAR = 365 * DAY,
};

/* "3m20s", and "3m" for whole minutes. */
static void add_two(struct strbuf *out, int64_t seconds, int64_t unit, char name, int64_t less,
                    char less_name)
{
    int64_t rest = seconds % unit / less;

    strbuf_printf(out, "%lld%c", (long long)(seconds / unit), name);
    if (rest)
        strbuf_printf(out, "%lld%c", (long long)rest, less_name);
}

/* Up to which length which units are told: k8s.io/apimachinery's HumanDuration, so that ages here
 * and in kubectl read alike. */
void show_duration(struct strbuf *out, int64_t usec)
{
    int64_t seconds = usec / (int64_t)USEC_PER_SEC;

    if (seconds < -1)
        strbuf_add(out, "<invalid>");
    else if (seconds < 2 * MINUTE)
        strbuf_printf(out, "%llds", (long long)MAX(seconds, (int64_t)0));
    else if (seconds < 10 * MINUTE)
        add_two(out, seconds, MINUTE, 'm', 1, 's');
    else if (seconds < 3 * HOUR)
        add_two(out, seconds, MINUTE, 'm', MINUTE, 'm');
    else if (seconds < 8 * HOUR)
        add_two(out, seconds, HOUR, 'h', MINUTE, 'm');
    else if (seconds < 2 * DAY)
        add_two(out, seconds, HOUR, 'h', HOUR, 'h');
    else if (seconds < 8 * DAY)
        add_two(out, seconds, DAY, 'd', HOUR, 'h');
    else if (seconds < 2 * YEAR)
        add_two(out, seconds, DAY, 'd', DAY, 'd');
    else if (seconds < 8 * YEAR)
        add_two(out, seconds, YEAR, 'y', DAY, 'd');
    else
        add_two(out, seconds, YEAR, 'y', YEAR, 'y');
}

void show_span(struct strbuf *out, usec_t usec)
{
    if (usec < USEC_PER_SEC - USEC_PER_MSEC / 2) /* more would be rounded up to 1000 */
        strbuf_printf(out, "%.3gms", (double)usec / (double)USEC_PER_MSEC);
    else if (usec < MINUTE * USEC_PER_SEC)
        strbuf_printf(out, "%.3gs", (double)usec / (double)USEC_PER_SEC);
    else
        show_duration(out, (int64_t)usec);
}

void show_age(struct strbuf *out, const struct opt_time *time)
{
    if (time->set)
        show_duration(out, (int64_t)clock_wall() - time->usec);
    else
        strbuf_add(out, "<unknown>");
}

/* JSON */

/* yajl leaves DEL and the C1 controls as they are; they stand in strings only. */
void show_json_text(struct strbuf *out, const struct strbuf *json)
{
    const char *from = json->text, *end = json->text + json->length;

    for (const char *c = from; c < end; c++) {
        unsigned char first = (unsigned char)*c;
        unsigned char second = c + 1 < end ? (unsigned char)c[1] : 0xff;

        if (first != 0x7f && (first != 0xc2 || second > 0x9f))
            continue;
        strbuf_add_bytes(out, from, (size_t)(c - from));
        strbuf_printf(out, "\\u%04x", first == 0x7f ? first : second);
        c += first == 0xc2;
        from = c + 1;
    }
    strbuf_add_bytes(out, from, (size_t)(end - from));
    if (!json->length || end[-1] != '\n')
        strbuf_add_char(out, '\n');
}

void show_json(struct strbuf *out, const struct json *value, bool pretty)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, pretty);
    json_write_value(&writer, value);
    json_writer_deinit(&writer);
    show_json_text(out, &text);
}

void show_member(struct json_writer *writer, const char *name, const char *value)
{
    if (!value)
        return;
    json_write_string_member(writer, name, value);
}

void show_member_quoted(struct json_writer *writer, const char *name, const char *value)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    if (!value)
        return;
    show_text(&text, value);
    show_member(writer, name, text.text ? text.text : "");
}

void show_member_count(struct json_writer *writer, const char *name, size_t count)
{
    json_write_int_member(writer, name, (int64_t)count);
}

void show_member_strings(struct json_writer *writer, const char *name, const char *const *items,
                         size_t count)
{
    json_write_name(writer, name);
    json_write_array(writer);
    for (size_t i = 0; i < count; i++) {
        _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

        show_text(&text, items[i]);
        json_write_string(writer, text.text ? text.text : "");
    }
    json_write_array_end(writer);
}

void show_member_bool(struct json_writer *writer, const char *name, bool value)
{
    json_write_bool_member(writer, name, value);
}
