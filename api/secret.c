/* Buffers for keys. */
#include "nodeagent/api/secret.h"
#include "nodeagent/base/mem.h"

#include <openssl/crypto.h>

void secret_init(struct strbuf *secret, size_t max)
{
    *secret = (struct strbuf){.text = mem_alloc(max + 1), .space = max + 1};
    secret->text[0] = '\0';
}

void secret_init_copy(struct strbuf *secret, const void *bytes, size_t length)
{
    secret_init(secret, length);
    strbuf_add_bytes(secret, bytes, length);
}

void secret_deinit(struct strbuf *secret)
{
    if (secret->text)
        OPENSSL_cleanse(secret->text, secret->space);
    strbuf_deinit(secret);
}
