/*
 * What went into a plugin and came out of it. On a terminal it is made printable, line by line;
 * elsewhere it is as it was, byte for byte, for whoever wants to repeat a run by hand.
 */
#include "cni.h"

#include <string.h>
#include <unistd.h>

/* A line each, made printable. */
static void add_lines(struct strbuf *out, const char *indent, const char *bytes, size_t length)
{
    while (length) {
        const char *end = memchr(bytes, '\n', length);
        size_t line = end ? (size_t)(end - bytes) : length;

        strbuf_add(out, indent);
        strbuf_add_quoted(out, bytes, line, line);
        strbuf_add_char(out, '\n');
        line += end != NULL;
        bytes += line;
        length -= line;
    }
}

/* traces */

static void add_exact(struct strbuf *out, const char *bytes, size_t length)
{
    if (isatty(STDERR_FILENO)) {
        add_lines(out, "", bytes, length);
        return;
    }
    strbuf_add_bytes(out, bytes, length);
    if (length && bytes[length - 1] != '\n')
        strbuf_add_char(out, '\n');
}

static void add_stream(struct strbuf *out, const char *name, const char *bytes, size_t length)
{
    strbuf_printf(out, "--- %s: %zu byte%s\n", name, length, length == 1 ? "" : "s");
    add_exact(out, bytes, length);
}

static void add_outcome(struct strbuf *out, const struct cni_step *step)
{
    strbuf_printf(out, "=== %s by ", step->command);
    show_text(out, *step->program ? step->program : step->type);
    strbuf_printf(out, " for network %s: ", step->network);
    if (step->failure)
        strbuf_printf(out, "failed with code %u", step->failure->code);
    else
        strbuf_add(out, "succeeded");
    strbuf_printf(out, " in %.1f ms\n", (double)step->wall_usec / USEC_PER_MSEC);
    if (step->failure)
        add_lines(out, "", step->failure->err.text, strlen(step->failure->err.text));
}

void cni_trace_step(void *userdata, const struct cni_step *step)
{
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    struct cni_command *command = userdata;

    command->runs++;
    if (!command->trace)
        return;
    add_outcome(&out, step);
    strbuf_add(&out, "--- environment\n");
    for (const char *const *variable = step->environment; *variable; variable++)
        add_exact(&out, *variable, strlen(*variable));
    add_stream(&out, "stdin", step->input, strlen(step->input));
    add_stream(&out, "stdout", step->output, step->output_length);
    add_stream(&out, "stderr", step->errors, step->errors_length);
    fwrite(out.text, 1, out.length, stderr);
}

/* failures */

int cni_tell_failure(const struct cni_command *command, const struct cni_failure *failure)
{
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;

    show_failure(command->name, &failure->err);
    strbuf_printf(&out, "  code %u\n", failure->code);
    if (*failure->plugin)
        add_lines(&out, "  msg: ", failure->message, strlen(failure->message));
    add_lines(&out, "  details: ", failure->details, strlen(failure->details));
    add_lines(&out, "  stderr: ", failure->errors, strlen(failure->errors));
    fwrite(out.text, 1, out.length, stderr);
    return EXIT_BAD;
}

static void write_if_said(struct json_writer *writer, const char *name, const char *text)
{
    show_member_quoted(writer, name, *text ? text : NULL);
}

void cni_write_failure(struct json_writer *writer, const struct cni_failure *failure)
{
    json_write_name(writer, "failure");
    json_write_object(writer);
    show_member_count(writer, "code", failure->code);
    show_member_quoted(writer, "sentence", failure->err.text);
    write_if_said(writer, "plugin", failure->plugin);
    write_if_said(writer, "message", failure->message);
    write_if_said(writer, "details", failure->details);
    write_if_said(writer, "stderr", failure->errors);
    json_write_object_end(writer);
}
