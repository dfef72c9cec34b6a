/* Where an HTTP request goes: the parts of a URL, and whether a redirection may be followed. */
#pragma once

#include "nodeagent/base/err.h"

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

/* Replaces the URL by an absolute one that it was redirected to, unless that is somebody else's. */
int http_url_follow(struct http_url *url, const char *location, struct err *err);
