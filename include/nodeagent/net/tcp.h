/*
 * Connecting to a TCP port, on the loop, and nothing more: to learn that somebody listens. A
 * connection that was made is reset at once, so that nothing of it is left on this machine.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"
#include "nodeagent/net/trouble.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct tcp;
struct tcp_call;
struct wheel;
struct work;

/* An address of a name that does not answer within this makes way for the next one. */
#define TCP_NEXT_ADDRESS_USEC (300 * USEC_PER_MSEC)

/* Names are resolved in the pool. How many calls are in flight is the owner's business. */
int tcp_new(struct tcp **result, struct loop *loop, struct wheel *wheel, struct work *work,
            struct err *err);
struct tcp *tcp_free(struct tcp *tcp); /* cancels what is in flight */

struct tcp_request {
    const char *host; /* an address (IPv6 without brackets), or a name */
    uint16_t port;
    usec_t timeout; /* of everything */
    bool close;     /* with a FIN, in place of a reset */
};

struct tcp_reply {
    enum net_trouble trouble; /* NET_ANSWERED: it is connected */
    struct net_times times;
    struct err err; /* its code is the system's: -ECONNREFUSED, -ETIMEDOUT */
};

typedef void tcp_done_fn(void *owner, const struct tcp_reply *reply);

/* `done` comes exactly once, from the loop and never from within tcp_connect(), unless cancelled.
 */
struct tcp_call *tcp_connect(struct tcp *tcp, const struct tcp_request *request, tcp_done_fn *done,
                             void *owner);
void tcp_cancel(struct tcp_call *call);
