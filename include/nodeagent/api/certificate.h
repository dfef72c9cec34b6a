/*
 * Certificates: a chain in PEM, whose first is the holder's own, and mostly the key to it. What is
 * wrong with them is told with the file's name and never with what is in it: it may be a key.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

#include <stdbool.h>

enum {
    CERTIFICATE_TEXT_MAX = 256 << 10, /* bytes of a file: a chain with its key has some KiB */
    CERTIFICATE_CHAIN_MAX = 16,       /* certificates of a chain */
    CERTIFICATE_NAMES_MAX = 256,      /* a certificate's names, of each kind */
};

/* Times are microseconds since 1970. */
struct certificate {
    struct arena arena;
    const char *common_name;     /* the last of its subject; "": it has none */
    list_of(const char *) names; /* whom it speaks for: DNS names and IP addresses */
    int64_t not_before, not_after;
    int64_t chain_ends; /* the first end of a certificate of the chain */
    const char *chain;  /* PEM, nothing but certificates, in their order */
    size_t chain_length;
    struct strbuf key; /* PEM, a secret; empty: it was not asked for */
};

struct certificate_text {
    const char *shown; /* what sentences call it: a path, or what was asked for */
    const char *text;
    size_t length;
};

/*
 * The chain is what one text has of certificates, the key the first one of another or of the same
 * text; other blocks are passed over. The key must be that of the first certificate: so it is also
 * found out whether an issued certificate is for the key that was asked for. Without `key` none is
 * wanted. On failure there is nothing to free.
 */
int certificate_parse(struct certificate *certificate, const struct certificate_text *chain,
                      const struct certificate_text *key, struct err *err);
/* The same for files, which may be one; it blocks. */
int certificate_read(struct certificate *certificate, const char *chain_path, const char *key_path,
                     struct err *err);
void certificate_deinit(struct certificate *certificate);

/* Does it speak for all of them (NULL-terminated)? However an IP address is written. */
bool certificate_has_names(const struct certificate *certificate, const char *const *names);
