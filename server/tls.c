/*
 * Versions and suites. GnuTLS chooses key exchange, cipher and MAC each for itself, so a list of
 * suites becomes a list of each: of TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 and
 * TLS_RSA_WITH_AES_256_GCM_SHA384 all four combinations. No cipher is ever used that is not in the
 * list, with TLS 1.3 either.
 */
#include "tls.h"

#include <errno.h>
#include <string.h>

#define SUITE_MAX 64 /* bytes of a name; the longest has 46 */

static const char *const versions[] = {
    [SERVER_TLS_1_0] = "1.0",
    [SERVER_TLS_1_1] = "1.1",
    [SERVER_TLS_1_2] = "1.2",
    [SERVER_TLS_1_3] = "1.3",
};

static const struct part {
    const char *name; /* in a suite's name */
    const char *priority;
    bool weak;
} exchanges[] = {
    {"TLS_ECDHE_ECDSA_WITH_", "+ECDHE-ECDSA", false},
    {"TLS_ECDHE_RSA_WITH_", "+ECDHE-RSA", false},
    {"TLS_RSA_WITH_", "+RSA", true},
    {"TLS_", "", false}, /* of TLS 1.3, which has its own; the last, as all begin so */
};

static const struct part ciphers[] = {
    {"AES_128_GCM_SHA256", "+AES-128-GCM:+AEAD", false},
    {"AES_256_GCM_SHA384", "+AES-256-GCM:+AEAD", false},
    {"CHACHA20_POLY1305_SHA256", "+CHACHA20-POLY1305:+AEAD", false},
    {"CHACHA20_POLY1305", "+CHACHA20-POLY1305:+AEAD", false},
    {"AES_128_CBC_SHA", "+AES-128-CBC:+SHA1", false},
    {"AES_256_CBC_SHA", "+AES-256-CBC:+SHA1", false},
    {"AES_128_CBC_SHA256", "+AES-128-CBC:+SHA256", true},
    {"3DES_EDE_CBC_SHA", "+3DES-CBC:+SHA1", true},
    {"RC4_128_SHA", "+ARCFOUR-128:+SHA1", true},
};

enum { CIPHERS_OF_TLS_1_3 = 3 };

struct suite {
    const struct part *exchange, *cipher;
};

static bool find_suite(const char *name, struct suite *suite)
{
    size_t exchange = 0;

    while (exchange < array_size(exchanges) && !str_has_prefix(name, exchanges[exchange].name))
        exchange++;
    if (exchange == array_size(exchanges))
        return false;
    suite->exchange = &exchanges[exchange];
    name += strlen(suite->exchange->name);
    for (size_t i = 0; i < array_size(ciphers); i++) {
        suite->cipher = &ciphers[i];
        if (str_equal(name, suite->cipher->name))
            return *suite->exchange->priority || i < CIPHERS_OF_TLS_1_3;
    }
    return false;
}

int server_tls_suite_check(const char *name, bool *weak, struct err *err)
{
    struct suite suite;

    if (!find_suite(name, &suite))
        return err_set(err, -EINVAL,
                       "\"%.*s\" is no cipher suite that is known here; it should be one such as "
                       "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                       SUITE_MAX, name);
    *weak = suite.exchange->weak || suite.cipher->weak;
    return 0;
}

int server_tls_version(const char *name, enum server_tls_version *version, struct err *err)
{
    static const char *const names[] = {
        [SERVER_TLS_1_0] = "VersionTLS10",
        [SERVER_TLS_1_1] = "VersionTLS11",
        [SERVER_TLS_1_2] = "VersionTLS12",
        [SERVER_TLS_1_3] = "VersionTLS13",
    };

    *version = SERVER_TLS_1_2;
    if (!*name)
        return 0;
    for (size_t i = 0; i < array_size(names); i++) {
        if (str_equal(name, names[i])) {
            *version = (enum server_tls_version)i;
            return 0;
        }
    }
    return err_set(err, -EINVAL,
                   "\"%.32s\" must be VersionTLS10, VersionTLS11, VersionTLS12 or VersionTLS13",
                   name);
}

/* Both have a signature of the server's, and keys that nobody can use later. */
static void add_good(struct strbuf *text)
{
    strbuf_add(text, ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA");
}

/* Each part once, the best first, however often and in which order suites name them. */
static void add_parts(const struct part *parts, const bool *named, size_t count,
                      struct strbuf *text)
{
    for (size_t i = 0; i < count; i++)
        if (named[i] && *parts[i].priority)
            strbuf_printf(text, ":%s", parts[i].priority);
}

static void add_suites(const char *const *suites, struct strbuf *text)
{
    bool exchanged[array_size(exchanges)] = {false}, ciphered[array_size(ciphers)] = {false};

    for (size_t i = 0; suites[i]; i++) {
        struct suite suite;

        if (!find_suite(suites[i], &suite))
            continue;
        exchanged[suite.exchange - exchanges] = true;
        ciphered[suite.cipher - ciphers] = true;
    }
    strbuf_add(text, ":-KX-ALL:-CIPHER-ALL:-MAC-ALL");
    add_parts(exchanges, exchanged, array_size(exchanges), text);
    add_parts(ciphers, ciphered, array_size(ciphers), text);
}

void tls_priority(const struct server_tls *tls, struct strbuf *text)
{
    strbuf_add(text, "NORMAL:-VERS-ALL");
    for (size_t i = tls->oldest; i < array_size(versions); i++)
        strbuf_printf(text, ":+VERS-TLS%s", versions[i]);
    /* Suites of TLS 1.3 are not chosen by anybody. */
    if (tls->suites && tls->suites[0] && tls->oldest < SERVER_TLS_1_3)
        add_suites(tls->suites, text);
    else
        add_good(text);
}
