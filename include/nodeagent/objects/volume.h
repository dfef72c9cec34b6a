/*
 * The volumes of a pod.
 */
#pragma once

#include "nodeagent/objects/meta.h"

struct volume {
    const char *name;
};
