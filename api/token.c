/* Reading and checking bearer tokens. */
#include "token.h"
#include "nodeagent/sys/files.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

int token_check(const char *token, struct err *err)
{
    if (!*token)
        return err_set(err, -EINVAL, "is empty");
    for (const char *c = token; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return err_set(err, -EINVAL, "must be one line without control characters");
    return 0;
}

int token_read(const char *path, struct strbuf *token, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *start, *end;
    int r;

    r = file_read(path, TOKEN_BYTES_MAX, &text, err);
    if (r < 0)
        return r;
    strbuf_add_char(&text, '\n');
    start = text.text;
    end = start + text.length;
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    text.text[end - text.text] = '\0';
    r = strlen(start) == (size_t)(end - start)
            ? token_check(start, err)
            : err_set(err, -EINVAL, "must be one line without control characters");
    if (r < 0)
        return err_prefix(err, "%s", path);
    strbuf_add_bytes(token, start, (size_t)(end - start));
    return 0;
}
