/*
 * Proxies. What the environment says is read as other Kubernetes programs read it: the variable in
 * capitals first; NO_PROXY is a list of names (with all below them), ".name" or "*.name" (only what
 * is below), addresses, ranges of addresses, each with a port or without, or "*" for everything.
 * What is on this machine is never asked for through a proxy.
 */
#include "kubeconfig-private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    ADDRESS_BYTES = 16,
    V4_BITS = 32,
    V4_MAPPED_BITS = 96, /* in front of an IPv4 address among those of IPv6 */
};

/* proxies */

int proxy_check(struct arena *arena, const char *url, const char **proxy, struct err *err)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h", NULL};
    CURLU *parts = curl_url();
    char *scheme = NULL, *text = NULL;
    int r = 0;

    assert_that(parts);
    if (curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        !str_one_of(scheme, schemes))
        r = err_set(err, -EINVAL,
                    "must be the URL of a proxy that begins with http://, https:// or socks5://");
    /* Names are for the proxy to resolve; curl has a scheme of its own for that. */
    if (r == 0 && !strcmp(scheme, "socks5"))
        curl_url_set(parts, CURLUPART_SCHEME, "socks5h", CURLU_NON_SUPPORT_SCHEME);
    if (r == 0) {
        assert_that(curl_url_get(parts, CURLUPART_URL, &text, 0) == CURLUE_OK);
        *proxy = arena_strdup(arena, text);
    }
    curl_free(text);
    curl_free(scheme);
    curl_url_cleanup(parts);
    return r;
}

/* the environment */

static const char *variable(const char *const *environment, const char *name, const char **found)
{
    size_t length = strlen(name);

    for (; *environment; environment++)
        if (!strncmp(*environment, name, length) && (*environment)[length] == '=' &&
            (*environment)[length + 1]) {
            *found = name;
            return *environment + length + 1;
        }
    return NULL;
}

static const char *either_case(const char *const *environment, const char *upper, const char *lower,
                               const char **found)
{
    const char *value = variable(environment, upper, found);

    return value ? value : variable(environment, lower, found);
}

/* addresses, those of IPv4 as IPv6 has them */

static bool read_address(const char *text, unsigned char address[ADDRESS_BYTES])
{
    static const unsigned char mapped[ADDRESS_BYTES] = {[10] = 0xff, [11] = 0xff};

    memcpy(address, mapped, ADDRESS_BYTES);
    return inet_pton(AF_INET, text, address + V4_MAPPED_BITS / 8) == 1 ||
           inet_pton(AF_INET6, text, address) == 1;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned char mask = (unsigned char)(0xff00 >> bits % 8);

    return !memcmp(a, b, bits / 8) && (!mask || !((a[bits / 8] ^ b[bits / 8]) & mask));
}

static bool is_loopback(const unsigned char address[ADDRESS_BYTES])
{
    unsigned char v4[ADDRESS_BYTES], v6[ADDRESS_BYTES];

    read_address("127.0.0.0", v4);
    read_address("::1", v6);
    return same_bits(address, v4, V4_MAPPED_BITS + 8) || !memcmp(address, v6, ADDRESS_BYTES);
}

/* "10.0.0.0/8"; false also for what is no range. */
static bool in_range(char *text, const unsigned char address[ADDRESS_BYTES])
{
    char *slash = strchr(text, '/');
    unsigned char range[ADDRESS_BYTES];
    bool v4 = !strchr(text, ':');
    int64_t bits;

    if (!slash)
        return false;
    *slash = '\0';
    if (!read_address(text, range) || str_to_i64(slash + 1, &bits) < 0 || bits < 0 ||
        bits > (v4 ? V4_BITS : ADDRESS_BYTES * 8))
        return false;
    return same_bits(address, range, (unsigned)bits + (v4 ? V4_MAPPED_BITS : 0));
}

/* NO_PROXY */

/* Cuts ":port" and brackets off; the port or NULL. */
static const char *cut_port(char **text)
{
    size_t length = strlen(*text);
    char *colon = strrchr(*text, ':'), *bracket = strchr(*text, ']');
    bool several = colon && strchr(*text, ':') != colon;

    if (**text == '[' && bracket && (bracket[1] == '\0' || bracket[1] == ':')) {
        *bracket = '\0';
        ++*text;
        return bracket[1] && length ? bracket + 2 : NULL;
    }
    if (!colon || several)
        return NULL;
    *colon = '\0';
    return colon + 1;
}

static bool name_matches(const char *pattern, const char *host)
{
    size_t length = strlen(host), tail;
    bool itself = true;

    if (str_has_prefix(pattern, "*."))
        pattern++;
    if (*pattern == '.') {
        itself = false;
        pattern++;
    }
    tail = strlen(pattern);
    if (!tail || tail > length || strcasecmp(host + length - tail, pattern) != 0)
        return false;
    return tail == length ? itself : host[length - tail - 1] == '.';
}

static bool entry_matches(char *entry, const struct kubeconfig_server *server)
{
    unsigned char address[ADDRESS_BYTES], named[ADDRESS_BYTES];
    bool literal = read_address(server->host, address);
    const char *port;

    if (!strcmp(entry, "*"))
        return true;
    if (strchr(entry, '/'))
        return literal && in_range(entry, address);
    port = cut_port(&entry);
    if (port && *port && (unsigned)atoi(port) != server->port)
        return false;
    if (read_address(entry, named))
        return literal && !memcmp(address, named, ADDRESS_BYTES);
    return name_matches(entry, server->host);
}

static bool is_direct(struct arena *arena, const char *list, const struct kubeconfig_server *server)
{
    unsigned char address[ADDRESS_BYTES];
    char *text = arena_strdup(arena, list ? list : ""), *next;

    if (!strcasecmp(server->host, "localhost") ||
        (read_address(server->host, address) && is_loopback(address)))
        return true;
    while ((next = strsep(&text, ","))) {
        size_t length;

        next += strspn(next, " \t");
        length = strlen(next);
        while (length && isspace((unsigned char)next[length - 1]))
            next[--length] = '\0';
        if (length && entry_matches(next, server))
            return true;
    }
    return false;
}

int proxy_from_environment(struct arena *arena, const char *const *environment,
                           const struct kubeconfig_server *server, const char **proxy,
                           struct err *err)
{
    const char *name = NULL,
               *value = server->secure
                            ? either_case(environment, "HTTPS_PROXY", "https_proxy", &name)
                            : either_case(environment, "HTTP_PROXY", "http_proxy", &name),
               *ignored, *list = either_case(environment, "NO_PROXY", "no_proxy", &ignored);

    *proxy = NULL;
    if (!value || is_direct(arena, list, server))
        return 0;
    if (!strstr(value, "://"))
        value = arena_printf(arena, "http://%s", value);
    if (proxy_check(arena, value, proxy, NULL) < 0)
        return err_set(err, -EINVAL,
                       "is to be reached through the proxy that %s of the environment names, but "
                       "that must be a URL such as http://proxy:3128",
                       name);
    return 0;
}
