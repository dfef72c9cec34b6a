/* A socket that listens. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t read_address(union address *result, const char *text, uint16_t port)
{
    *result = (union address){0};
    if (inet_pton(AF_INET, text, &result->v4.sin_addr) == 1) {
        result->v4.sin_family = AF_INET;
        result->v4.sin_port = htons(port);
        return sizeof(result->v4);
    }
    if (inet_pton(AF_INET6, text, &result->v6.sin6_addr) == 1) {
        result->v6.sin6_family = AF_INET6;
        result->v6.sin6_port = htons(port);
        return sizeof(result->v6);
    }
    return 0;
}

static const char *remedy(int code)
{
    switch (code) {
    case EADDRINUSE:
        return "; another agent or program listens there: stop it, or choose another port";
    case EADDRNOTAVAIL:
        return "; this machine has no such address";
    case EACCES:
        return "; ports below 1024 are root's";
    default:
        return "";
    }
}

static int failed(const char *address, uint16_t port, int code, struct err *err)
{
    return err_set(err, -code, "cannot listen on %s%s%s:%u: %s%s", strchr(address, ':') ? "[" : "",
                   address, strchr(address, ':') ? "]" : "", (unsigned)port, strerror(code),
                   remedy(code));
}

static int listen_on(const union address *address, socklen_t length)
{
    int yes = 1, no = 0, code;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, &address->any, length) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    code = errno;
    close(fd);
    return -code;
}

static bool is_any(const union address *address)
{
    return address->any.sa_family == AF_INET && address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

int listener_open(const char *address, uint16_t port, struct err *err)
{
    union address given, any;
    socklen_t length = read_address(&given, address, port);
    int fd = -EAFNOSUPPORT;

    if (!length)
        return err_set(err, -EINVAL, "cannot listen on \"%.64s\": it is no IP address", address);
    /* As in Go, any is any of IPv6, too, where the machine has it. */
    if (is_any(&given))
        fd = listen_on(&any, read_address(&any, "::", port));
    if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
        fd = listen_on(&given, length);
    return fd < 0 ? failed(address, port, -fd, err) : fd;
}

uint16_t listener_port(int fd)
{
    union address bound = {0};
    socklen_t length = sizeof(bound);

    if (getsockname(fd, &bound.any, &length) < 0)
        return 0;
    return ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
}
