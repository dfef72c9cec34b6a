/* Which files of a manifest directory are no manifests but what editors and packages leave. */
#pragma once

#include <stdbool.h>

bool leftover_is(const char *name);
