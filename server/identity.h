/*
 * A certificate with its key as GnuTLS has it, counted: each connection has the one that it began
 * with, and the newest is for those to come.
 */
#pragma once

#include "nodeagent/server.h"

#include <gnutls/gnutls.h>

struct identity;

int identity_new(struct identity **result, const struct server_pem *chain,
                 const struct server_pem *key, struct err *err);
struct identity *identity_ref(struct identity *identity);
struct identity *identity_unref(struct identity *identity);

/* Before the handshake. The session needs the identity until its end. */
int identity_use(struct identity *identity, gnutls_session_t session);
