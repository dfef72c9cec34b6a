/*
 * References to URLs, by the rules of Go's net/url: schemes, user and password, hosts and broken
 * escapes are judged as there, so that a probe asks for the same path.
 */
#include "reference.h"
#include "text.h"

#include "nodeagent/base/str.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define UNRESERVED LETTERS DIGITS "-_.~"

/* What may stand in a part as it is. */
static const char scheme_chars[] = LETTERS DIGITS "+-.";
static const char user_chars[] = UNRESERVED ":!$&'()*+,;=%@";
static const char host_chars[] = UNRESERVED "!$&'()*+,;=<>\"";
static const char path_chars[] = UNRESERVED "!$&'()*+,;=:@[]/%";
/* What stays as it is when a path is escaped anew. */
static const char path_kept[] = UNRESERVED "$&+,/:;=@";

static bool escapes_are_good(const char *text)
{
    char byte;

    for (; (text = strchr(text, '%')); text += 3)
        if (!text_escape_read(text, &byte))
            return false;
    return true;
}

/* The byte at the place, which moves on. */
static char next_byte(const char **text)
{
    char byte = **text;

    *text += text_escape_read(*text, &byte) ? 3 : 1;
    return byte;
}

/* user and password */

/* NULL: an escape is broken. A NUL cannot be sent, so it ends the text. */
static const char *unescape(struct arena *arena, const char *text)
{
    char *result, *to;

    if (!escapes_are_good(text))
        return NULL;
    result = to = arena_strdup(arena, text);
    while (*text)
        *to++ = next_byte(&text);
    *to = '\0';
    return result;
}

static bool read_user(struct reference *reference, struct arena *arena, const char *text,
                      size_t length)
{
    char *user = arena_strndup(arena, text, length);
    char *colon = strchr(user, ':');

    if (strspn(user, user_chars) != length)
        return false;
    if (colon) {
        *colon = '\0';
        reference->password = unescape(arena, colon + 1);
    }
    reference->user = unescape(arena, user);
    return reference->user && (!colon || reference->password);
}

/* host and port */

const char *reference_host_error(struct arena *arena, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (strchr(host, ':') || host[0] == '[')
        return inet_pton(AF_INET6, host, address) == 1 ? NULL : "invalid IP-literal";
    for (; *(host += strspn(host, host_chars)); host++) {
        if (*host == '%')
            return arena_printf(arena, "invalid URL escape %s",
                                text_quoted(arena, arena_strndup(arena, host, strnlen(host, 3))));
        if ((unsigned char)*host < 0x80)
            return arena_printf(arena, "invalid character %s in host name",
                                text_quoted(arena, (char[]){*host, '\0'}));
    }
    return NULL;
}

static bool read_host(struct arena *arena, const char *text, size_t length)
{
    char *host = arena_strndup(arena, text, length);
    char *end = host[0] == '[' ? strrchr(host, ']') : strrchr(host, ':');
    const char *port = "";

    if (host[0] == '[' && !end)
        return false;
    if (end) {
        port = host[0] == '[' ? end + 1 : end;
        if (*port && (*port != ':' || port[1 + strspn(port + 1, DIGITS)]))
            return false;
        *end = '\0';
    }
    return !reference_host_error(arena, host[0] == '[' ? host + 1 : host);
}

static bool read_authority(struct reference *reference, struct arena *arena, const char *text,
                           size_t length)
{
    const char *at = memrchr(text, '@', length);
    const char *host = at ? at + 1 : text;

    return read_host(arena, host, (size_t)(text + length - host)) &&
           (!at || read_user(reference, arena, text, (size_t)(at - text)));
}

/* path and query */

static void add_escaped(struct strbuf *buffer, char c)
{
    if (c && strchr(path_kept, c))
        strbuf_add_char(buffer, c);
    else
        strbuf_printf(buffer, "%%%02X", (unsigned char)c);
}

/* `raw`: a percent sign is one. */
static const char *escape_path(struct arena *arena, const char *text, bool raw)
{
    struct strbuf buffer = STRBUF_INIT;
    const char *result;

    if (*text != '/' && *text)
        strbuf_add_char(&buffer, '/');
    while (*text)
        add_escaped(&buffer, raw ? *text++ : next_byte(&text));
    result = buffer.text ? arena_strndup(arena, buffer.text, buffer.length) : "";
    strbuf_deinit(&buffer);
    return result;
}

static bool read_path(struct reference *reference, struct arena *arena, const char *path)
{
    if (!escapes_are_good(path))
        return false;
    if (path[strspn(path, path_chars)])
        reference->path = escape_path(arena, path, false);
    else
        reference->path = *path && *path != '/' ? arena_printf(arena, "/%s", path) : path;
    return true;
}

/* A blank would end the URL in the line of the request. */
static const char *read_query(struct arena *arena, const char *query)
{
    struct strbuf buffer = STRBUF_INIT;
    const char *blank, *result;

    if (!strchr(query, ' '))
        return query;
    for (; (blank = strchr(query, ' ')); query = blank + 1) {
        strbuf_add_bytes(&buffer, query, (size_t)(blank - query));
        strbuf_add(&buffer, "%20");
    }
    strbuf_add(&buffer, query);
    result = arena_strndup(arena, buffer.text, buffer.length);
    strbuf_deinit(&buffer);
    return result;
}

/* the whole */

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return true;
    return false;
}

/* The length of "http" in "http:...", or 0. */
static size_t scheme_length(const char *text)
{
    size_t length = strspn(text, scheme_chars);

    return text[length] == ':' && isalpha((unsigned char)text[0]) ? length : 0;
}

/* Without query and fragment. */
static bool read_hierarchy(struct reference *reference, struct arena *arena, const char *text)
{
    size_t scheme = scheme_length(text);

    if (scheme)
        text += scheme + 1;
    if (*text != '/') {
        if (scheme) {
            reference->opaque = *text ? text : NULL;
            return true;
        }
        if (text[strcspn(text, "/:")] == ':')
            return false;
    }
    if (str_has_prefix(text, "//") && (scheme || text[2] != '/')) {
        size_t length = strcspn(text + 2, "/");

        if (!read_authority(reference, arena, text + 2, length))
            return false;
        text += 2 + length;
    }
    return read_path(reference, arena, text);
}

static bool read_all(struct reference *reference, struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    char *fragment = strchr(copy, '#');
    char *query;

    if (fragment) {
        *fragment = '\0';
        if (!escapes_are_good(fragment + 1))
            return false;
    }
    if (has_control(copy))
        return false;
    query = strchr(copy, '?');
    if (query) {
        reference->query = read_query(arena, arena_strdup(arena, query));
        *query = '\0';
    }
    return read_hierarchy(reference, arena, copy);
}

void reference_read(struct reference *reference, struct arena *arena, const char *text)
{
    *reference = (struct reference){.path = "", .query = ""};
    /* what nearly all are */
    if (text[0] == '/' && text[1] != '/' && !text[strspn(text, UNRESERVED "/")]) {
        reference->path = text;
        return;
    }
    if (!read_all(reference, arena, text)) {
        *reference = (struct reference){.query = ""};
        reference->path = escape_path(arena, text, true);
    }
}
