/* What kept an answer from coming, for those who judge by it; and how long each step took. */
#pragma once

#include "nodeagent/base/time.h"

enum net_trouble {
    NET_ANSWERED,         /* none: there is an answer, or a connection where that was asked for */
    NET_NAME,             /* the name has no address, or its name servers do not answer */
    NET_REFUSED,          /* nobody listens there */
    NET_UNREACHABLE,      /* there is no way to the address */
    NET_CONNECT_TIMEOUT,  /* nobody answered the attempt to connect */
    NET_TLS,              /* no agreement on encryption */
    NET_RESPONSE_TIMEOUT, /* connected, but the head of an answer did not come in time */
    NET_BODY_TIMEOUT,     /* the head came in time, the rest did not */
    NET_CLOSED,           /* closed or reset by the peer before the head of an answer was there */
    NET_BODY_CLOSED,      /* ... or amid the rest */
    NET_PROTOCOL,         /* what came is no answer of the protocol, or more than is allowed */
    NET_LOCAL,            /* this machine has no socket, port or memory left, or forbids it */
};

/* When each step was done, counted from the beginning; 0: it was not. Several requests on the way
 * (redirections) count from the first, and show the last. */
struct net_times {
    usec_t resolved;
    usec_t connected;
    usec_t secured;    /* TLS */
    usec_t first_byte; /* of the head of the answer */
    usec_t ended;      /* always set */
};
