/* What the system's codes mean: whether it is the peer, the way there, or this machine. */
#include "trouble.h"

#include <errno.h>

enum net_trouble net_trouble_of_connect(int code)
{
    switch (-code) {
    case 0:
        return NET_ANSWERED;
    case ECONNREFUSED:
        return NET_REFUSED;
    case ETIMEDOUT:
        return NET_CONNECT_TIMEOUT;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
        return NET_CLOSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EINVAL: /* what a route of type "blackhole" says */
        return NET_UNREACHABLE;
    default: /* no port, descriptor or memory left, no such address family, forbidden */
        return NET_LOCAL;
    }
}

enum net_trouble net_trouble_of_lookup(int code)
{
    return code == -ENOBUFS ? NET_LOCAL : NET_NAME;
}
