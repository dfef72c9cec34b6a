/*
 * URLs. A redirection is followed to the same host and port, or from http to https on the same
 * host: the headers of a request may hold secrets that are nobody else's business. Probes follow
 * to any port of the host, as they do everywhere.
 */
#include "http-url.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/net/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

char *http_url_public(const char *url)
{
    const char *scheme = strstr(url, "://"), *authority = scheme ? scheme + strlen("://") : url;
    size_t length = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', length);

    if (!at)
        return mem_strdup(url);
    return mem_printf("%.*s%s", (int)(authority - url), url, at + 1);
}

static char *part(CURLU *parts, CURLUPart which, unsigned flags)
{
    char *text = NULL, *copy;

    if (curl_url_get(parts, which, &text, flags) != CURLUE_OK)
        return NULL;
    copy = mem_strdup(text);
    curl_free(text);
    return copy;
}

/* "[::1]" loses its brackets, "example.com." its dot, of which certificates know nothing. */
static void take_host(struct http_url *url, char *host)
{
    size_t length = strlen(host);
    unsigned char address[16];

    if (host[0] == '[' && host[length - 1] == ']') {
        url->host = mem_strndup(host + 1, length - 2);
        url->literal = true;
        return;
    }
    if (length > 1 && host[length - 1] == '.') {
        host[length - 1] = '\0';
        curl_url_set(url->parts, CURLUPART_HOST, host, 0);
    }
    url->host = mem_strdup(host);
    url->literal = inet_pton(AF_INET, host, address) == 1;
}

static int take_parts(struct http_url *url, struct err *err)
{
    _cleanup_(mem_free_at) char *scheme = part(url->parts, CURLUPART_SCHEME, 0);
    _cleanup_(mem_free_at) char *host = part(url->parts, CURLUPART_HOST, 0);
    _cleanup_(mem_free_at) char *port = part(url->parts, CURLUPART_PORT, CURLU_DEFAULT_PORT);

    if (!str_equal(scheme, "http") && !str_equal(scheme, "https"))
        return err_set(err, -EINVAL, "%s: must begin with http:// or https://", url->shown);
    if (!host || !str_is_plain(host))
        return err_set(err, -EINVAL, "%s: the host must be an address, or a name in ASCII",
                       url->shown);
    url->secure = str_equal(scheme, "https");
    url->port = port ? (unsigned)atoi(port) : 0;
    take_host(url, host);
    return 0;
}

/* Of `parts` and `shown`, which it takes over. */
static int url_make(struct http_url *url, CURLUcode code, struct err *err)
{
    int r = code == CURLUE_OK ? take_parts(url, err)
                              : err_set(err, -EINVAL, "%s: is not a URL: %s", url->shown,
                                        curl_url_strerror(code));

    if (r < 0)
        http_url_deinit(url);
    return r;
}

int http_url_parse(struct http_url *url, const char *text, struct err *err)
{
    *url = (struct http_url){.parts = curl_url(), .shown = http_url_public(text)};
    assert_that(url->parts);
    return url_make(
        url,
        curl_url_set(url->parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS),
        err);
}

void http_url_deinit(struct http_url *url)
{
    curl_url_cleanup(url->parts);
    free(url->shown);
    free(url->host);
    *url = (struct http_url){0};
}

char *http_url_written(const char *host)
{
    return mem_printf(strchr(host, ':') ? "[%s]" : "%s", host);
}

/* redirections */

static void copy_part(CURLU *to, CURLU *from, CURLUPart which)
{
    _cleanup_(mem_free_at) char *text = part(from, which, 0);

    curl_url_set(to, which, text, 0);
}

static bool is_same_side(const struct http_url *url, const struct http_url *next)
{
    if (strcasecmp(url->host, next->host))
        return false;
    return url->secure == next->secure ? url->port == next->port : next->secure;
}

/* Of any scheme. */
static bool is_same_host(const struct http_url *url, CURLU *next)
{
    _cleanup_(mem_free_at) char *ours = part(url->parts, CURLUPART_HOST, 0);
    _cleanup_(mem_free_at) char *theirs = part(next, CURLUPART_HOST, 0);

    return str_equal(ours, theirs);
}

bool http_url_is_absolute(const char *location)
{
    size_t length = strspn(location, "abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

    return length && location[length] == ':';
}

static int refuse(const struct http_url *url, struct http_url *next, struct err *err)
{
    err_set(err, -EXDEV,
            "%s: redirects to %s, which is not followed to another host or port; name that URL "
            "if it is meant",
            url->shown, next->shown);
    http_url_deinit(next);
    return -EXDEV;
}

int http_url_follow(struct http_url *next, const struct http_url *url, const char *location,
                    enum http_redirects redirects, struct err *err)
{
    _cleanup_(mem_free_at) char *whole = NULL;
    CURLUcode code;
    int r;

    *next = (struct http_url){.parts = curl_url_dup(url->parts)};
    assert_that(next->parts);
    code = curl_url_set(next->parts, CURLUPART_URL, location,
                        CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE);
    whole = code == CURLUE_OK ? part(next->parts, CURLUPART_URL, 0) : NULL;
    next->shown = http_url_public(whole ? whole : location);
    if (code == CURLUE_OK && redirects == HTTP_FOLLOW_SAME_HOST && !is_same_host(url, next->parts))
        return refuse(url, next, err);
    r = url_make(next, code, err);
    if (r < 0) {
        err_prefix(err, "%s: redirects", url->shown);
        return r;
    }
    if (redirects == HTTP_FOLLOW_SAME_SIDE && !is_same_side(url, next))
        return refuse(url, next, err);
    copy_part(next->parts, url->parts, CURLUPART_USER);
    copy_part(next->parts, url->parts, CURLUPART_PASSWORD);
    return 0;
}
