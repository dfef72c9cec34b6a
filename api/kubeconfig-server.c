/* Where the server is: the parts of its URL. */
#include "kubeconfig-private.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *part(struct arena *arena, CURLU *parts, CURLUPart which, unsigned flags)
{
    const char *copy;
    char *text = NULL;

    if (curl_url_get(parts, which, &text, flags) != CURLUE_OK)
        return NULL;
    copy = arena_strdup(arena, text);
    curl_free(text);
    return copy;
}

static const char *without_slashes(struct arena *arena, const char *text)
{
    size_t length = strlen(text);

    while (length && text[length - 1] == '/')
        length--;
    return arena_strndup(arena, text, length);
}

static const char *without_brackets(struct arena *arena, const char *host)
{
    size_t length = strlen(host);

    return host[0] == '[' && host[length - 1] == ']' ? arena_strndup(arena, host + 1, length - 2)
                                                     : host;
}

static int take_parts(struct kubeconfig *config, CURLU *parts, struct err *err)
{
    struct kubeconfig_server *server = &config->server;
    struct arena *arena = &config->arena;
    const char *scheme = part(arena, parts, CURLUPART_SCHEME, 0),
               *host = part(arena, parts, CURLUPART_HOST, 0),
               *port = part(arena, parts, CURLUPART_PORT, CURLU_DEFAULT_PORT),
               *path = part(arena, parts, CURLUPART_PATH, 0);

    if (!str_equal(scheme, "http") && !str_equal(scheme, "https"))
        return err_set(err, -EINVAL, "must begin with https:// or http://");
    if (!host || !str_is_plain(host))
        return err_set(err, -EINVAL, "must have an address for its host, or a name in ASCII");
    if (part(arena, parts, CURLUPART_USER, 0) || part(arena, parts, CURLUPART_PASSWORD, 0))
        return err_set(err, -EINVAL,
                       "must not have a user or a password in it; put them into username and "
                       "password of the user");
    server->secure = str_equal(scheme, "https");
    server->port = port ? (unsigned)atoi(port) : 0;
    if (!server->port)
        return err_set(err, -EINVAL, "must have a port from 1 to 65535");
    server->prefix = without_slashes(arena, path ? path : "");
    server->url = without_slashes(arena, part(arena, parts, CURLUPART_URL, 0));
    server->host = without_brackets(arena, host);
    return 0;
}

int kubeconfig_split_server(struct kubeconfig *config, const char *text, bool tls, struct err *err)
{
    bool scheme = strstr(text, "://");
    CURLU *parts = curl_url();
    CURLUcode code;
    int r;

    assert_that(parts);
    if (!scheme)
        text = arena_printf(&config->arena, "%s://%s", tls ? "https" : "http", text);
    code = curl_url_set(parts, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    curl_url_set(parts, CURLUPART_QUERY, NULL, 0);
    curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
    r = code == CURLUE_OK
            ? take_parts(config, parts, err)
            : err_set(err, -EINVAL, "must be a URL such as https://api.example.com:6443: %s",
                      curl_url_strerror(code));
    curl_url_cleanup(parts);
    if (r == 0 && !scheme && *config->server.prefix)
        r = err_set(err, -EINVAL, "must begin with https:// or http://, as it has a path");
    return r;
}
