/* Bearer tokens: one line, of which no sentence quotes a byte. */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"

enum {
    TOKEN_BYTES_MAX = 64 << 10, /* servers take heads of 1 MiB, proxies often of 16 KiB */
};

/* Can it be sent as a part of a header? The sentence lacks its subject. */
int token_check(const char *token, struct err *err);

/* Appends what the file has in it, without the white space around; blocks. */
int token_read(const char *path, struct strbuf *token, struct err *err);
