/*
 * URLs. A redirection is followed to the same host and port, or from http to https on the same
 * host: the headers of a request may hold secrets that are nobody else's business.
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

static bool is_plain(const char *host)
{
    for (const char *c = host; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
            return false;
    return *host;
}

static int take_parts(struct http_url *url, struct err *err)
{
    _cleanup_(mem_free_at) char *scheme = part(url->parts, CURLUPART_SCHEME, 0);
    _cleanup_(mem_free_at) char *host = part(url->parts, CURLUPART_HOST, 0);
    _cleanup_(mem_free_at) char *port = part(url->parts, CURLUPART_PORT, CURLU_DEFAULT_PORT);

    if (!str_equal(scheme, "http") && !str_equal(scheme, "https"))
        return err_set(err, -EINVAL, "%s: must begin with http:// or https://", url->shown);
    if (!host || !is_plain(host))
        return err_set(err, -EINVAL, "%s: the host must be an address, or a name in ASCII",
                       url->shown);
    url->secure = str_equal(scheme, "https");
    url->port = port ? (unsigned)atoi(port) : 0;
    take_host(url, host);
    return 0;
}

int http_url_parse(struct http_url *url, const char *text, struct err *err)
{
    CURLUcode code;
    int r;

    *url = (struct http_url){.parts = curl_url(), .shown = http_url_public(text)};
    assert_that(url->parts);
    code = curl_url_set(url->parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    r = code == CURLUE_OK
            ? take_parts(url, err)
            : err_set(err, -EINVAL, "%s: is not a URL: %s", url->shown, curl_url_strerror(code));
    if (r < 0)
        http_url_deinit(url);
    return r;
}

void http_url_deinit(struct http_url *url)
{
    curl_url_cleanup(url->parts);
    free(url->shown);
    free(url->host);
    *url = (struct http_url){0};
}

static void copy_part(CURLU *to, CURLU *from, CURLUPart which)
{
    _cleanup_(mem_free_at) char *text = part(from, which, 0);

    if (text)
        curl_url_set(to, which, text, 0);
}

static bool is_same_side(const struct http_url *url, const struct http_url *next)
{
    if (strcasecmp(url->host, next->host))
        return false;
    return url->secure == next->secure ? url->port == next->port : next->secure;
}

int http_url_follow(struct http_url *url, const char *location, struct err *err)
{
    struct http_url next;
    int r = http_url_parse(&next, location, err);

    if (r < 0) {
        err_prefix(err, "%s: redirects", url->shown);
        return r;
    }
    if (!is_same_side(url, &next)) {
        err_set(err, -EXDEV,
                "%s: redirects to %s, which is not followed to another host or port; name that URL "
                "if it is meant",
                url->shown, next.shown);
        http_url_deinit(&next);
        return -EXDEV;
    }
    curl_url_set(next.parts, CURLUPART_USER, NULL, 0);
    curl_url_set(next.parts, CURLUPART_PASSWORD, NULL, 0);
    copy_part(next.parts, url->parts, CURLUPART_USER);
    copy_part(next.parts, url->parts, CURLUPART_PASSWORD);
    http_url_deinit(url);
    *url = next;
    return 0;
}
