/* Reading directories of configuration. */
#pragma once

#include "document.h"
#include "nodeagent/cni.h"
#include "nodeagent/sys/files.h"

/* One that is not there is empty; one that everybody can write to is refused. */
int config_directory_list(const char *path, struct arena *arena, struct directory_listing *listing,
                          struct err *err);
