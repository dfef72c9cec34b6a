/*
 * A text that holds a key: a buffer that has all its room from the start, since growing would leave
 * copies behind, and that is wiped when it goes.
 */
#pragma once

#include "nodeagent/base/str.h"

/* `secret` is overwritten. More than `max` bytes do not belong into it. */
void secret_init(struct strbuf *secret, size_t max);
void secret_init_copy(struct strbuf *secret, const void *bytes, size_t length);
void secret_deinit(struct strbuf *secret);
