/* Reading what an API server says when it refuses. */
#include "nodeagent/api/failure.h"
#include "nodeagent/base/arena.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TEXT_SHOWN_MAX = 120,
    STATUS_BYTES_MAX = 64 << 10, /* of a Status: more is no sentence any more */
    MESSAGE_SHOWN_MAX = 300,
};

static const struct json_limits status_limits = {
    .bytes_max = STATUS_BYTES_MAX,
    .nodes_max = 10000,
};

/* The value of a header; NULL: it is not there. */
static const char *find_header(const char *head, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = head; *line; line += strcspn(line, "\n") + 1) {
        if (!strncasecmp(line, name, length) && line[length] == ':')
            return line + length + 1;
        if (!line[strcspn(line, "\n")])
            break;
    }
    return NULL;
}

static usec_t to_delay(const char *text)
{
    char *end;
    long seconds = strtol(text, &end, 10);

    if (end == text || seconds < 0)
        return 0;
    return (usec_t)MIN(seconds, API_RETRY_AFTER_MAX_SECONDS) * USEC_PER_SEC;
}

static int errno_of(int code)
{
    switch (code) {
    case 401:
    case 403:
        return -EACCES;
    case 404:
        return -ENOENT;
    case 409:
        return -EEXIST;
    case 410:
        return -ESTALE;
    default:
        return -EIO;
    }
}

static bool is_status(const struct json *document)
{
    const struct json *kind =
        document->type == JSON_OBJECT ? json_get_string(document, "kind") : NULL;

    return kind && json_text_is(kind, "Status");
}

static void take_status(struct api_failure *failure, const char *shown, const struct json *status)
{
    const struct json *reason = json_get_string(status, "reason"),
                      *message = json_get_string(status, "message"),
                      *details = json_get(status, "details"),
                      *seconds = details && details->type == JSON_OBJECT
                                     ? json_get(details, "retryAfterSeconds")
                                     : NULL;

    if (reason)
        snprintf(failure->reason, sizeof(failure->reason), "%.*s", (int)reason->length,
                 reason->text);
    if (seconds && seconds->type == JSON_NUMBER && !failure->retry_after)
        failure->retry_after = to_delay(seconds->text);
    if (message && message->length)
        err_set(&failure->err, errno_of(failure->code), "%s: the API server answers %d: %.*s",
                shown, failure->code, (int)MIN(message->length, MESSAGE_SHOWN_MAX), message->text);
}

/* A line of plain text, as proxies have it, and servers that are asked in plain HTTP. */
static void take_text(struct api_failure *failure, const char *shown, const char *body,
                      size_t length)
{
    size_t end = 0;

    while (end < length && end < TEXT_SHOWN_MAX && body[end] >= ' ' && body[end] < 0x7f)
        end++;
    if (!end || strchr("<{[", body[0]))
        return;
    if (end < length && end < TEXT_SHOWN_MAX && !strchr("\r\n", body[end]))
        return;
    err_set(&failure->err, errno_of(failure->code), "%s: the API server answers %d: %.*s", shown,
            failure->code, (int)end, body);
}

void api_failure_read(struct api_failure *failure, const char *shown, int code, const char *head,
                      const char *body, size_t length)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *after = find_header(head, "Retry-After");
    struct json_findings findings;
    struct json *status;
    struct err err;

    *failure = (struct api_failure){.code = code};
    err_set(&failure->err, errno_of(code), "%s: the API server answers %d", shown, code);
    if (after)
        failure->retry_after = to_delay(after);
    if (json_parse(&arena, body, length, &status_limits, &findings, &status, &err) < 0)
        take_text(failure, shown, body, length);
    else if (is_status(status))
        take_status(failure, shown, status);
}

bool api_failure_is_expired(const struct api_failure *failure)
{
    return failure->code == 410 || !strcmp(failure->reason, "Expired") ||
           strstr(failure->err.text, "Too large resource version");
}

bool api_failure_is_of_identity(const struct api_failure *failure)
{
    return failure->code == 401 || failure->code == 403;
}

bool api_failure_is_lasting(const struct api_failure *failure)
{
    return failure->code >= 400 && failure->code < 500 && failure->code != 429;
}

bool api_failure_refuses_streams(const struct api_failure *failure)
{
    return failure->code == 400 || failure->code == 404 || failure->code == 405 ||
           failure->code == 422;
}
