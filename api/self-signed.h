/* A certificate that nobody signed but its own key: what a node serves with until it has better. */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

enum {
    SELF_SIGNED_DAYS = 365,
};

/* Appends it in PEM; `host` is a name or an IP address, `now` microseconds since 1970. */
int self_signed_make(const char *host, const struct strbuf *key, int64_t now, struct strbuf *pem,
                     struct err *err);
