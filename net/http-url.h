/* Where an HTTP request goes: the parts of a URL, and whether a redirection may be followed. */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/net/http.h"

#include <curl/curl.h>
#include <stdbool.h>

struct http_url {
    CURLU *parts;
    char *shown; /* without user and password: for sentences */
    char *host;  /* without brackets */
    unsigned port;
    bool secure;
    bool literal; /* the host is an address: there is no name to look up */
};

/* On failure nothing needs to be freed. */
int http_url_parse(struct http_url *url, const char *text, struct err *err);
void http_url_deinit(struct http_url *url);

/* As it stands in a URL: an address of IPv6 in brackets. The caller frees it. */
char *http_url_written(const char *host);

/* Where a redirection leads, relative or absolute: `next`. -EXDEV: to somebody else. */
int http_url_follow(struct http_url *next, const struct http_url *url, const char *location,
                    enum http_redirects redirects, struct err *err);

/* With a scheme. */
bool http_url_is_absolute(const char *location);
