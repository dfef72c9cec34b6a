/* What a server offers in the handshake, in the words of GnuTLS. */
#pragma once

#include "nodeagent/server.h"

/* Appends a priority string. */
void tls_priority(const struct server_tls *tls, struct strbuf *text);
