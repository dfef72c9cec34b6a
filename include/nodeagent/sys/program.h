/* Where the project's other programs are. */
#pragma once

#include "nodeagent/base/err.h"

/*
 * The path, to be freed, of the program of this name: beside the running one, in the build
 * directory of its room, or in `installed` (NULL: nowhere else). -ENOENT says where it was sought.
 */
int program_find(const char *name, const char *room, const char *installed, char **path,
                 struct err *err);
