/*
 * Base64 with the standard alphabet and padding, as the API carries bytes. Line ends inside are
 * passed over; anything else that does not belong is refused.
 */
#pragma once

#include "nodeagent/base/str.h"

/* In place: the bytes replace the text. 0 or -EINVAL. */
int base64_decode(char *text, size_t length, size_t *decoded);

void base64_encode(struct strbuf *out, const void *bytes, size_t length);
