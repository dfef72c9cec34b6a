/* IP addresses and networks as the API server accepts them: strict, without system calls. */
#include "nodeagent/objects/names.h"
#include "nodeagent/base/str.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* 4 or 16 bytes into `bytes`; 0 when it is not an address. */
static size_t ip_read(const char *string, unsigned char bytes[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (!string)
        return 0;
    if (inet_pton(AF_INET, string, bytes) == 1)
        return 4;
    if (inet_pton(AF_INET6, string, bytes) == 1 && memcmp(bytes, mapped, sizeof(mapped)) != 0)
        return 16;
    return 0;
}

const char *name_check_ip(const char *string)
{
    unsigned char bytes[16];

    if (!ip_read(string, bytes))
        return "must be an IP address such as 10.0.0.1 (no leading zeros) or fd00::1 (no zone, "
               "not IPv4-mapped)";
    return NULL;
}

/* Addresses that mean something else on every host, or on every link. */
static bool ip_is_local(const unsigned char *bytes, size_t size)
{
    static const unsigned char none[16], loopback[16] = {[15] = 1};

    if (size == 4)
        return !memcmp(bytes, none, 4) || bytes[0] == 127 || (bytes[0] == 169 && bytes[1] == 254) ||
               (bytes[0] == 224 && bytes[1] == 0 && bytes[2] == 0);
    return !memcmp(bytes, none, 16) || !memcmp(bytes, loopback, 16) ||
           (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) ||
           (bytes[0] == 0xff && (bytes[1] & 0x0f) == 0x02);
}

const char *name_check_reachable_ip(const char *string)
{
    const char *complaint = name_check_ip(string);
    unsigned char bytes[16];
    size_t size = ip_read(string, bytes);

    if (complaint)
        return complaint;
    return ip_is_local(bytes, size) ? "must not be unspecified, loopback or link-local" : NULL;
}

bool ip_is_v6(const char *ip)
{
    return strchr(ip, ':');
}

static bool bits_behind(const unsigned char *bytes, size_t size, unsigned prefix)
{
    for (unsigned bit = prefix; bit < size * 8; bit++)
        if (bytes[bit / 8] & (0x80 >> bit % 8))
            return true;
    return false;
}

const char *name_check_cidr(const char *string)
{
    const char *complaint = "must be a network such as 10.0.0.0/24 or fd00::/64, with no bits "
                            "set behind the prefix";
    const char *slash = string ? strchr(string, '/') : NULL;
    unsigned char bytes[16];
    char address[INET6_ADDRSTRLEN];
    int64_t prefix;
    size_t size;

    if (!slash || (size_t)(slash - string) >= sizeof(address) || slash[1] == '-' ||
        (slash[1] == '0' && slash[2]) || str_to_i64(slash + 1, &prefix) < 0)
        return complaint;
    snprintf(address, sizeof(address), "%.*s", (int)(slash - string), string);
    size = ip_read(address, bytes);
    if (!size || prefix > (int64_t)size * 8 || bits_behind(bytes, size, (unsigned)prefix))
        return complaint;
    return NULL;
}
