/* The address of a runtime, from the URL that the configuration has. */
#pragma once

#include "nodeagent/base/err.h"

/*
 * "unix:///run/x.sock", or a bare path, to gRPC's target. Only local sockets are supported; the
 * result is the caller's.
 */
int cri_endpoint_target(const char *endpoint, char **target, struct err *err);
