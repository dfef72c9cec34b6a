/* A socket that listens. */
#include "listener.h"
#include "nodeagent/net/address.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 128 };

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

static int listen_on(const union net_address *address)
{
    int yes = 1, no = 0, code;
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (address->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
    if (bind(fd, &address->any, net_address_length(address)) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    code = errno;
    close(fd);
    return -code;
}

static bool is_any(const union net_address *address)
{
    return address->any.sa_family == AF_INET && address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

int listener_open(const char *address, uint16_t port, struct err *err)
{
    union net_address given, any;
    int fd = -EAFNOSUPPORT;

    if (!net_address_parse(&given, address, port))
        return err_set(err, -EINVAL, "cannot listen on \"%.64s\": it is no IP address", address);
    /* As in Go, any is any of IPv6, too, where the machine has it. */
    if (is_any(&given) && net_address_parse(&any, "::", port))
        fd = listen_on(&any);
    if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
        fd = listen_on(&given);
    return fd < 0 ? failed(address, port, -fd, err) : fd;
}

uint16_t listener_port(int fd)
{
    union net_address bound = {0};
    socklen_t length = sizeof(bound);

    if (getsockname(fd, &bound.any, &length) < 0)
        return 0;
    return net_address_port(&bound);
}
