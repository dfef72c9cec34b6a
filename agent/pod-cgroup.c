/* Removing the cgroups of a pod that is gone. */
#include "pod-cgroup.h"

#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"

enum {
    PROCESSES_MAX = 1 << 20, /* bytes of one list of them */
    GROUPS_MAX = 10000,      /* in one group */
    DEPTH_MAX = 8,
    HIERARCHIES_MAX = 256, /* of version 1 */
};

/* The name as a systemd slice has it: "-" is a separator there. */
static const char *slice_uid(const char *uid, struct arena *arena)
{
    char *text = arena_strdup(arena, uid);

    for (char *c = text; *c; c++)
        if (*c == '-')
            *c = '_';
    return text;
}

/* What a runtime has lost track of (a start that was given up half-way) lives on in its group. */
static void kill_left(int hierarchy, const char *path, unsigned depth, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct directory_listing listing = {0};
    struct err ignored; /* what is gone needs no killing */
    const char *processes = arena_printf(arena, "%s/cgroup.procs", path);

    if (file_read_beneath(hierarchy, processes, FILE_LINKS_REFUSED, PROCESSES_MAX, &text,
                          &ignored) == 0 &&
        text.text)
        for (char *line = text.text, *end; *line; line = *end ? end + 1 : end) {
            long pid = strtol(line, &end, 10);

            if (end == line)
                break;
            if (pid > 1)
                kill((pid_t)pid, SIGKILL);
        }
    if (depth == DEPTH_MAX ||
        directory_list(hierarchy, path, GROUPS_MAX, arena, &listing, &ignored) < 0)
        return;
    for (size_t i = 0; i < listing.count; i++)
        if (listing.items[i].type == DT_DIR)
            kill_left(hierarchy, arena_printf(arena, "%s/%s", path, listing.items[i].name),
                      depth + 1, arena);
}

/* Most are not there, and what is there is mostly empty. */
static int remove_group(int all, const char *hierarchy, const char *path, struct arena *arena,
                        struct err *err)
{
    _cleanup_(fd_close_at) int directory = -1;
    int r;

    r = unlinkat(all, arena_printf(arena, "%s/%s", hierarchy, path), AT_REMOVEDIR);
    if (r == 0 || errno == ENOENT)
        return 0;
    directory =
        file_open_beneath(all, hierarchy, O_RDONLY | O_DIRECTORY, 0, FILE_LINKS_REFUSED, err);
    if (directory < 0)
        return directory;
    r = directories_remove(directory, path, err);
    if (r == -EBUSY)
        kill_left(directory, path, 0, arena); /* they end soon; the removal is tried again */
    return r;
}

/* What a pod's group may be called: by the driver of the runtime, and by the pod's class. */
enum { DRIVER_CGROUPFS, DRIVER_SYSTEMD, DRIVERS };

enum { CLASSES = 3 };

struct names {
    const char *tops[DRIVERS]; /* above those of all pods */
    const char *items[DRIVERS][CLASSES];
    size_t count; /* of each driver's */
    bool known;   /* which drivers have been used, by the first hierarchy that has a top at all */
    bool used[DRIVERS];
};

static struct names names_of(const char *root, const char *qos_class, const char *uid,
                             struct arena *arena)
{
    static const struct {
        const char *qos_class, *groups, *slices, *slice;
    } classes[CLASSES] = {
        {"Guaranteed", "kubepods", "kubepods.slice", "kubepods"},
        {"Burstable", "kubepods/burstable", "kubepods.slice/kubepods-burstable.slice",
         "kubepods-burstable"},
        {"BestEffort", "kubepods/besteffort", "kubepods.slice/kubepods-besteffort.slice",
         "kubepods-besteffort"},
    };
    struct names names = {.tops = {arena_printf(arena, "%skubepods", root),
                                   arena_printf(arena, "%skubepods.slice", root)}};

    for (size_t i = 0; i < array_size(classes); i++) {
        if (qos_class && !str_equal(qos_class, classes[i].qos_class))
            continue;
        names.items[DRIVER_CGROUPFS][names.count] =
            arena_printf(arena, "%s%s/pod%s", root, classes[i].groups, uid);
        names.items[DRIVER_SYSTEMD][names.count] =
            arena_printf(arena, "%s%s/%s-pod%s.slice", root, classes[i].slices, classes[i].slice,
                         slice_uid(uid, arena));
        names.count++;
    }
    return names;
}

/* Version 1 has a dozen hierarchies: what none of them can have is not looked for in each. */
static void learn_drivers(int all, const char *hierarchy, struct names *names, struct arena *arena)
{
    for (size_t i = 0; i < DRIVERS && !names->known; i++)
        names->used[i] =
            faccessat(all, arena_printf(arena, "%s/%s", hierarchy, names->tops[i]), F_OK, 0) == 0;
    names->known = names->used[DRIVER_CGROUPFS] || names->used[DRIVER_SYSTEMD];
}

static int remove_below(int all, const char *hierarchy, struct names *names, struct arena *arena,
                        struct err *err)
{
    int r = 0;

    learn_drivers(all, hierarchy, names, arena);
    for (size_t i = 0; i < DRIVERS; i++)
        for (size_t j = 0; names->used[i] && j < names->count && r == 0; j++)
            r = remove_group(all, hierarchy, names->items[i][j], arena, err);
    return r;
}

/* "/a/b/" as "a/b/", "/" as "". */
static const char *beneath(const char *cgroup_root, struct arena *arena)
{
    size_t length;

    while (*cgroup_root == '/')
        cgroup_root++;
    length = strlen(cgroup_root);
    while (length && cgroup_root[length - 1] == '/')
        length--;
    return length ? arena_printf(arena, "%.*s/", (int)length, cgroup_root) : "";
}

/* Version 2 has its groups at the top, version 1 in a directory for each hierarchy. */
static int remove_all(int all, struct names *names, struct arena *arena, struct err *err)
{
    struct directory_listing listing = {0};
    int r;

    if (faccessat(all, "cgroup.controllers", F_OK, 0) == 0)
        return remove_below(all, ".", names, arena, err);
    r = directory_list(all, ".", HIERARCHIES_MAX, arena, &listing, err);
    for (size_t i = 0; i < listing.count && r == 0; i++)
        if (listing.items[i].type == DT_DIR)
            r = remove_below(all, listing.items[i].name, names, arena, err);
    return r;
}

int pod_cgroup_remove(const char *cgroup_root, const char *qos_class, const char *uid,
                      struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(fd_close_at) int all = -1;
    struct names names = names_of(beneath(cgroup_root, &arena), qos_class, uid, &arena);
    int r;

    all = directory_open(CGROUPS, 0755, err);
    if (all < 0)
        return all;
    r = remove_all(all, &names, &arena, err);
    return r == -ENOENT ? 0 : r;
}
