/* Chance, from the kernel. */
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/clock.h"

#include <sys/random.h>

usec_t chance_between(usec_t low, usec_t high)
{
    uint64_t random;

    if (high <= low)
        return low;
    /* Before the kernel has gathered any, the clock is as good. */
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
        random = clock_monotonic();
    return low + random % (high - low);
}
