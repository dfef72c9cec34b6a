/* Why a verb failed: filling the structure, here or from what a plugin printed. */
#include "failure.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void failure_clear(struct cni_failure *failure)
{
    failure->err = (struct err){0};
    failure->code = 0;
    failure->plugin[0] = failure->message[0] = failure->details[0] = failure->errors[0] = '\0';
}

int failure_set(struct cni_failure *failure, int errno_code, unsigned code, const char *format, ...)
{
    va_list arguments;

    failure_clear(failure);
    va_start(arguments, format);
    err_setv(&failure->err, errno_code, format, arguments);
    va_end(arguments);
    failure->code = code;
    snprintf(failure->message, sizeof(failure->message), "%s", failure->err.text);
    return errno_code;
}

int failure_from(struct cni_failure *failure, unsigned code, const struct err *err)
{
    return failure_set(failure, err->code, code, "%s", err->text);
}

/* The end of what was written, in whole lines if it is cut, fit for a terminal but for line ends.
 */
static void take_end(char *to, size_t size, const char *bytes, size_t length)
{
    while (length && isspace((unsigned char)bytes[length - 1]))
        length--;
    if (length >= size) {
        const char *cut = bytes + length - (size - 1);
        const char *line = memchr(cut, '\n', size - 1);

        bytes = line ? line + 1 : cut;
        length = line ? size - 1 - (size_t)(bytes - cut) : size - 1;
    }
    memcpy(to, bytes, length);
    to[length] = '\0';
    utf8_repair(to, length);
    for (char *c = to; c < to + length; c++)
        if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t')
            *c = '?';
}

int failure_of_plugin(struct cni_failure *failure, const struct plugin_fault *fault,
                      const char *message, const char *details)
{
    char command[16] = "";

    failure_clear(failure);
    for (size_t i = 0; fault->command[i] && i < sizeof(command) - 1; i++)
        command[i] = (char)tolower((unsigned char)fault->command[i]);
    failure->code = fault->code;
    snprintf(failure->plugin, sizeof(failure->plugin), "%s", fault->type);
    take_end(failure->message, sizeof(failure->message), message, strlen(message));
    take_end(failure->details, sizeof(failure->details), details, strlen(details));
    take_end(failure->errors, sizeof(failure->errors), fault->errors, fault->errors_length);
    return err_set(&failure->err, fault->errno_code,
                   "plugin type=\"%s\" name=\"%s\" failed (%s): %s%s%s", fault->type,
                   fault->network->name, command, failure->message, *failure->details ? "; " : "",
                   failure->details);
}

void failure_write(const struct cni_failure *failure, const char *version, struct strbuf *out)
{
    struct json_writer writer;

    json_writer_init(&writer, out, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "cniVersion", version);
    json_write_int_member(&writer, "code", failure->code);
    json_write_string_member(&writer, "msg", failure->err.text);
    if (*failure->errors)
        json_write_string_member(&writer, "details", failure->errors);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}
