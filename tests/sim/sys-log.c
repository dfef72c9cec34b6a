/* sys/log: lines go into the trace, and are counted: the steady state writes none. */
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/log.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    LINE_MAX = 400,
};

struct log {
    enum log_level threshold;
};

struct log *log_new(const struct log_options *options)
{
    return mem_new(struct log);
}

struct log *log_free(struct log *log)
{
    free(log);
    return NULL;
}

void log_set(struct log *log)
{
}

void log_set_threshold(struct log *log, enum log_level threshold)
{
}

int log_start(struct log *log, struct err *err)
{
    return 0;
}

int log_flush(struct log *log, usec_t timeout)
{
    return 0;
}

void log_stop(struct log *log, usec_t timeout)
{
}

uint64_t log_dropped(struct log *log)
{
    return 0;
}

bool log_enabled(enum log_level level)
{
    return world && (level <= LOG_LEVEL_INFO || world->tracing);
}

static void add_fields(struct strbuf *line, const struct log_field *fields)
{
    for (; fields && fields->name; fields++)
        if (fields->value)
            strbuf_printf(line, " %s=%s", fields->name, fields->value);
}

void log_write(enum log_level level, const struct log_site *site, const struct log_field *fields,
               const char *format, ...)
{
    struct strbuf line = STRBUF_INIT;
    va_list arguments;

    world->log_lines += level <= LOG_LEVEL_INFO;
    if (!world->tracing)
        return;
    va_start(arguments, format);
    strbuf_vprintf(&line, format, arguments);
    va_end(arguments);
    add_fields(&line, fields);
    trace("  log %d: %.*s", level, LINE_MAX, line.text);
    strbuf_deinit(&line);
}

void log_write_failure(enum log_level level, const struct log_site *site,
                       const struct log_field *fields, const struct err *err)
{
    log_write(level, site, fields, "%s", err->text);
}
