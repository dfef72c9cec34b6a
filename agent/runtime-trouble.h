/* What a failed call to the runtime says to an operator: what is wrong, and what to do. */
#pragma once

#include "nodeagent/cri/client.h"

/* "unix:///run/x.sock: nobody listens on it: start the runtime, …"; to be freed. `text` is what
 * gRPC or the runtime said. */
char *runtime_trouble(const char *endpoint, const char *method, enum rpc_status status,
                      const char *text);
