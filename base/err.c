/* Errors as values: a code and a sentence, without allocation. */
#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void mark_cut(char *text, size_t size)
{
    /* Never end in the middle of a UTF-8 character. */
    size_t end = size - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
}

/* Sentences quote what came from outside; no terminal or log line may suffer from it. */
static void make_printable(char *text)
{
    utf8_repair(text, strlen(text));
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f)
            *c = '?';
        else if (c[0] == 0xc2 && c[1] < 0xa0)
            c[0] = c[1] = '?';
    }
}

int err_setv(struct err *err, int code, const char *format, va_list arguments)
{
    int length;

    assert_that(code < 0);
    if (!err)
        return code;
    err->code = code;
    length = vsnprintf(err->text, sizeof(err->text), format, arguments);
    make_printable(err->text);
    if (length >= (int)sizeof(err->text))
        mark_cut(err->text, sizeof(err->text));
    return code;
}

int err_set(struct err *err, int code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    err_setv(err, code, format, arguments);
    va_end(arguments);
    return code;
}

int err_prefix(struct err *err, const char *format, ...)
{
    char sentence[ERR_TEXT_MAX], prefix[ERR_TEXT_MAX / 2];
    va_list arguments;

    if (!err)
        return -1;
    memcpy(sentence, err->text, sizeof(sentence));
    va_start(arguments, format);
    if (vsnprintf(prefix, sizeof(prefix), format, arguments) >= (int)sizeof(prefix))
        mark_cut(prefix, sizeof(prefix));
    va_end(arguments);
    return err_set(err, err->code, "%s: %s", prefix, sentence);
}

void assert_that_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "nodeagent: %s:%d: this must hold but does not: %s\n", file, line, condition);
    abort();
}
