/* The headers of an HTTP probe. */
#include "headers.h"
#include "text.h"

#include "nodeagent/base/base64.h"
#include "nodeagent/base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    HEADERS_OF_OURS = 5, /* User-Agent, Accept, Host, Authorization, Connection */
};

struct headers {
    struct arena *arena;
    const struct http_get_action *get;
    const char **lines;
    size_t count;
};

/* what the document says */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* No control characters but blanks: a line end would begin another header. */
static bool is_value(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < ' ' && *value != '\t') || *value == 0x7f)
            return false;
    return true;
}

/* "x-a" is "X-A" */
static const char *canonical(struct arena *arena, const char *name)
{
    char *result = arena_strdup(arena, name);
    bool first = true;

    for (char *c = result; *c; c++) {
        *c = (char)(first ? toupper((unsigned char)*c) : tolower((unsigned char)*c));
        first = *c == '-';
    }
    return result;
}

/* The value of the first that has the name; NULL: there is none. */
static const char *find(const struct headers *headers, const char *name)
{
    array_for_each (header, headers->get->http_headers)
        if (!strcasecmp(header->name, name))
            return header->value ? header->value : "";
    return NULL;
}

static int check(const struct headers *headers, struct err *err)
{
    array_for_each (header, headers->get->http_headers)
        if (header->value && !is_value(header->value))
            return err_set(err, -EINVAL, "net/http: invalid header field value for %s",
                           text_quoted(headers->arena, canonical(headers->arena, header->name)));
    return 0;
}

/* lines */

static void add(struct headers *headers, const char *line)
{
    headers->lines[headers->count++] = line;
}

static void add_pair(struct headers *headers, const char *name, const char *value)
{
    size_t length = strlen(value);

    for (; is_blank(*value); value++)
        length--;
    while (length && is_blank(value[length - 1]))
        length--;
    add(headers, length ? arena_printf(headers->arena, "%s: %.*s", name, (int)length, value)
                        : arena_printf(headers->arena, "%s;", name));
}

static void add_agent(struct headers *headers, const char *ours)
{
    const char *value = find(headers, "User-Agent");

    if (!value)
        add(headers, ours);
    else if (!*value)
        add(headers, "User-Agent:");
    else
        add_pair(headers, "User-Agent", value);
}

static void add_accept(struct headers *headers)
{
    const char *value = find(headers, "Accept");

    if (!value)
        add(headers, "Accept: */*");
    else if (!*value)
        add(headers, "Accept:");
}

/* The port is named even where it is that of the scheme: so does the reference. */
static void add_host(struct headers *headers, const struct target *target)
{
    const char *value = find(headers, "Host");

    if (!str_empty(value))
        add_pair(headers, "Host", value);
    else if (target->port == (target->secure ? 443 : 80))
        add_pair(headers, "Host", target->authority);
}

static void add_authorization(struct headers *headers, const struct target *target)
{
    struct strbuf buffer = STRBUF_INIT;
    const char *pair;

    if (!target->user || !str_empty(find(headers, "Authorization")))
        return;
    pair = arena_printf(headers->arena, "%s:%s", target->user,
                        target->password ? target->password : "");
    base64_encode(&buffer, pair, strlen(pair));
    add(headers, arena_printf(headers->arena, "Authorization: Basic %s", buffer.text));
    strbuf_deinit(&buffer);
}

/* Those that the client sends by itself, or leaves out. */
static bool is_special(const struct headers *headers, const char *name)
{
    static const char *const names[] = {"Host", "User-Agent", "Content-Length", "Transfer-Encoding",
                                        "Trailer"};

    for (size_t i = 0; i < array_size(names); i++)
        if (!strcasecmp(name, names[i]))
            return true;
    return !strcasecmp(name, "Accept") && str_empty(find(headers, "Accept"));
}

static void add_others(struct headers *headers)
{
    array_for_each (header, headers->get->http_headers)
        if (!is_special(headers, header->name))
            add_pair(headers, canonical(headers->arena, header->name),
                     header->value ? header->value : "");
}

int headers_of(const char *const **result, struct probe_attempt *attempt,
               const struct http_get_action *get, struct err *err)
{
    const struct target *target = &attempt->target;
    struct headers headers = {.arena = &attempt->arena, .get = get};
    const char *connection;
    int r;

    *result = attempt->engine->plain_headers;
    if (!get->http_headers.count && !target->user && target->port != (target->secure ? 443 : 80))
        return 0;
    r = check(&headers, err);
    if (r < 0)
        return r;
    headers.lines =
        arena_array(headers.arena, const char *, get->http_headers.count + HEADERS_OF_OURS + 1);
    add_host(&headers, target);
    add_agent(&headers, attempt->engine->plain_headers[0]);
    add_accept(&headers);
    add_authorization(&headers, target);
    add_others(&headers);
    connection = find(&headers, "Connection");
    if (!connection || strcasecmp(connection, "close"))
        add(&headers, "Connection: close");
    *result = headers.lines;
    return 0;
}
