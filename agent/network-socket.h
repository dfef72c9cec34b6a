/* The datagram socket on which nodeagent-cni tells of its calls: cni.sock in the run directory. */
#pragma once

#include "nodeagent/base/err.h"

#include <stddef.h>

struct loop;
struct network_socket;

typedef void network_heard_fn(void *owner, const char *bytes, size_t length);

/* The run directory is this agent's alone: what has the name is removed. */
int network_socket_new(struct network_socket **result, const char *run_dir, struct loop *loop,
                       network_heard_fn *heard, void *owner, struct err *err);
struct network_socket *network_socket_free(struct network_socket *socket);
