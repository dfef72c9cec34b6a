/*
 * The cgroups of pods. Runtimes make them (and all above) as they are named in a sandbox's
 * configuration, and leave them behind.
 */
#pragma once

#include "config.h"
#include "nodeagent/base/err.h"

/* Removes it in every hierarchy; of a pod whose class is not known (NULL), under every class. May
 * block. */
int pod_cgroup_remove(const char *cgroup_root, const char *qos_class, const char *uid,
                      struct err *err);
