/* A socket that listens. */
#pragma once

#include "nodeagent/base/err.h"

#include <stdint.h>

/* Its descriptor, which does not block; or a negative errno, with a sentence that names both. */
int listener_open(const char *address, uint16_t port, struct err *err);
uint16_t listener_port(int fd);
