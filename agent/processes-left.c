/* Reading what /proc says of the processes of a group. */
#include "processes-left.h"

#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOCK_SLACK_USEC (20 * USEC_PER_MSEC) /* starts are told in hundredths of a second */

enum {
    GROUP_BYTES_MAX = 1 << 20, /* of the list of its processes */
    STAT_BYTES_MAX = 4096,
    LEFT_SHOWN_MAX = 5,
    PROCESSES_MAX = 4096, /* of a group that is looked through */
};

struct process {
    int pid;
    char name[64];
    int parent;
    int session;
    usec_t started; /* boot clock */
};

struct processes {
    struct process *items;
    size_t count;
};

/* "pid (name) state ppid pgrp session ... starttime": the name may hold anything. */
static bool read_process(int proc, int pid, struct process *process)
{
    static const unsigned start_field = 22, parent_field = 4, session_field = 6;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    unsigned long long fields[23] = {0};
    const char *open, *close;
    char path[32];
    struct err ignored; /* it ended meanwhile */
    unsigned field = 3;

    snprintf(path, sizeof(path), "%d/stat", pid);
    if (file_read_beneath(proc, path, FILE_LINKS_REFUSED, STAT_BYTES_MAX, &text, &ignored) < 0 ||
        !text.text)
        return false;
    open = strchr(text.text, '(');
    close = strrchr(text.text, ')');
    if (!open || !close || close < open)
        return false;
    *process = (struct process){.pid = pid};
    snprintf(process->name, sizeof(process->name), "%.*s", (int)(close - open - 1), open + 1);
    for (const char *at = close + 1; *at == ' ' && field <= start_field; field++) {
        fields[field] = strtoull(at + 1, NULL, 10);
        at = strchr(at + 1, ' ');
        if (!at)
            break;
    }
    process->parent = (int)fields[parent_field];
    process->session = (int)fields[session_field];
    process->started =
        fields[start_field] * (USEC_PER_SEC / (unsigned long long)sysconf(_SC_CLK_TCK));
    return process->started != 0;
}

static const struct process *find(const struct processes *processes, int pid)
{
    array_for_each (process, *processes)
        if (process->pid == pid)
            return process;
    return NULL;
}

static const struct process *find_first(const struct processes *processes)
{
    const struct process *first = NULL;

    array_for_each (process, *processes)
        if (!first || process->started < first->started)
            first = process;
    return first;
}

static bool is_left(const struct processes *processes, const struct process *process,
                    const struct process *first, usec_t began)
{
    const struct process *leader;

    if (process->started + CLOCK_SLACK_USEC < began || process->session == first->session)
        return false;
    leader = find(processes, process->session);
    return !leader || leader->parent != first->parent;
}

const char *processes_left(int proc, int group, usec_t began, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf pids = STRBUF_INIT, shown = STRBUF_INIT;
    struct processes processes = {0};
    const struct process *first;
    struct err ignored;
    unsigned count = 0;
    size_t lines = 0;

    if (file_read_beneath(group, "cgroup.procs", FILE_LINKS_REFUSED, GROUP_BYTES_MAX, &pids,
                          &ignored) < 0 ||
        !pids.text)
        return NULL;
    for (const char *c = pids.text; *c; c++)
        lines += *c == '\n';
    if (lines > PROCESSES_MAX)
        return NULL;
    processes.items = arena_array(arena, struct process, lines + 1);
    for (char *line = pids.text, *end; *line; line = *end ? end + 1 : end) {
        long pid = strtol(line, &end, 10);

        if (end == line)
            break;
        if (pid > 0 && read_process(proc, (int)pid, &processes.items[processes.count]))
            processes.count++;
    }
    first = find_first(&processes);
    array_for_each (process, processes)
        if (is_left(&processes, process, first, began) && count++ < LEFT_SHOWN_MAX)
            strbuf_printf(&shown, "%s%d (%s)", count > 1 ? ", " : "", process->pid, process->name);
    if (!count)
        return NULL;
    utf8_repair(shown.text, shown.length);
    return arena_printf(arena, "%u process%s: %s%s", count, count > 1 ? "es" : "", shown.text,
                        count > LEFT_SHOWN_MAX ? ", ..." : "");
}
