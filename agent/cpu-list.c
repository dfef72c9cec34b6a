/* Counting the CPUs of a list. */
#include "cpu-list.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool take_number(const char **text, unsigned long *number)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return false;
    *number = strtoul(*text, &end, 10);
    *text = end;
    return *number < CPU_LIST_CPUS_MAX;
}

/* "4" or "4-7", and the comma behind it, which another one must follow. */
static bool take_range(const char **text, unsigned long *first, unsigned long *last)
{
    if (!take_number(text, first))
        return false;
    *last = *first;
    if (**text == '-') {
        ++*text;
        if (!take_number(text, last) || *last < *first)
            return false;
    }
    if (!**text)
        return true;
    return *(*text)++ == ',' && **text;
}

static int mark(unsigned char seen[CPU_LIST_CPUS_MAX / 8], unsigned long cpu)
{
    unsigned char bit = (unsigned char)(1u << cpu % 8);

    if (seen[cpu / 8] & bit)
        return 0;
    seen[cpu / 8] |= bit;
    return 1;
}

int cpu_list_count(const char *text, struct err *err)
{
    unsigned char seen[CPU_LIST_CPUS_MAX / 8] = {0};
    const char *rest = text;
    unsigned long first, last;
    int count = 0;

    if (strlen(text) > CPU_LIST_LENGTH_MAX)
        return err_set(err, -E2BIG, "a list of CPUs must have at most %d characters",
                       CPU_LIST_LENGTH_MAX);
    while (*rest) {
        if (!take_range(&rest, &first, &last))
            return err_set(err, -EINVAL, "\"%.64s\" must be a list of CPUs below %d, such as 0-3,8",
                           text, CPU_LIST_CPUS_MAX);
        for (unsigned long cpu = first; cpu <= last; cpu++)
            count += mark(seen, cpu);
    }
    return count;
}
