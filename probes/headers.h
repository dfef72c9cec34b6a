/* The headers of an HTTP probe: what its document says, by the rules of Go's HTTP client. */
#pragma once

#include "attempt-internal.h"

/* For a request; ends in NULL. An error: no request can have them. */
int headers_of(const char *const **headers, struct probe_attempt *attempt,
               const struct http_get_action *get, struct err *err);
