/* Lists of CPUs as the kernel and operators write them: "0-3,8". */
#pragma once

#include "nodeagent/base/err.h"

enum {
    CPU_LIST_LENGTH_MAX = 4096, /* what the kernel shows is a page at most */
    CPU_LIST_CPUS_MAX = 1 << 16,
};

/* How many CPUs the list names, each counted once; an empty list names none. */
int cpu_list_count(const char *text, struct err *err);
