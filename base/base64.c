/* Base64. */
#include "nodeagent/base/base64.h"

#include <errno.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

int base64_decode(char *text, size_t length, size_t *decoded)
{
    size_t digits = 0, padding = 0, out = 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < length; i++) {
        int value = digit_value(text[i]);

        if (text[i] == '\r' || text[i] == '\n')
            continue;
        if (text[i] == '=') {
            padding++;
            continue;
        }
        if (value < 0 || padding)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)value;
        if (digits % 4)
            text[out++] = (char)(bits >> (6 - 2 * (digits % 4)));
        digits++;
    }
    if ((digits + padding) % 4 || padding > 2)
        return -EINVAL;
    *decoded = out;
    return 0;
}

void base64_encode(struct strbuf *out, const void *bytes, size_t length)
{
    const unsigned char *in = bytes;

    for (size_t i = 0; i < length; i += 3) {
        size_t left = MIN(length - i, (size_t)3);
        uint32_t bits = (uint32_t)in[i] << 16;
        char group[4];

        if (left > 1)
            bits |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            bits |= in[i + 2];
        for (size_t j = 0; j < 4; j++)
            group[j] = j <= left ? alphabet[bits >> (18 - 6 * j) & 63] : '=';
        strbuf_add_bytes(out, group, sizeof(group));
    }
}
