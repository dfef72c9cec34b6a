/* What a process costs, as it sees it itself. */
#pragma once

#include <stdint.h>

int64_t costs_now(void); /* microseconds, monotonic */
int64_t costs_cpu(void); /* microseconds of CPU so far, the kernel's for it included */

uint64_t costs_memory(void);      /* bytes: resident, and nobody else's */
unsigned costs_descriptors(void); /* open ones */
unsigned costs_time_wait(void);   /* sockets in the network namespace that are */

void costs_allow_descriptors(void); /* as many as may be */
