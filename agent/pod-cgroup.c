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
    HIERARCHIES_MAX = 256, /* entries of that directory: controllers, or the groups of version 2 */
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

/* A pod's group has one of these names: by its class, and by the driver of the runtime. */
struct names {
    const char *items[6];
    size_t count;
};

static struct names names_of(const char *root, const char *qos_class, const char *uid,
                             struct arena *arena)
{
    static const struct {
        const char *qos_class, *groups, *slices, *slice;
    } classes[] = {
        {"Guaranteed", "kubepods", "kubepods.slice", "kubepods"},
        {"Burstable", "kubepods/burstable", "kubepods.slice/kubepods-burstable.slice",
         "kubepods-burstable"},
        {"BestEffort", "kubepods/besteffort", "kubepods.slice/kubepods-besteffort.slice",
         "kubepods-besteffort"},
    };
    struct names names = {.count = 0};

    for (size_t i = 0; i < array_size(classes); i++) {
        if (qos_class && !str_equal(qos_class, classes[i].qos_class))
            continue;
        names.items[names.count++] =
            arena_printf(arena, "%s%s/pod%s", root, classes[i].groups, uid);
        names.items[names.count++] =
            arena_printf(arena, "%s%s/%s-pod%s.slice", root, classes[i].slices, classes[i].slice,
                         slice_uid(uid, arena));
    }
    return names;
}

static int remove_below(int all, const char *hierarchy, const struct names *names,
                        struct arena *arena, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < names->count && r == 0; i++)
        r = remove_group(all, hierarchy, names->items[i], arena, err);
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

int pod_cgroup_remove(const char *cgroup_root, const char *qos_class, const char *uid,
                      struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(fd_close_at) int all = -1;
    struct names names = names_of(beneath(cgroup_root, &arena), qos_class, uid, &arena);
    struct directory_listing listing = {0};
    int r;

    all = directory_open(CGROUPS, 0755, err);
    if (all < 0)
        return all;
    /* Version 2 has its groups here, version 1 a directory for each hierarchy. */
    r = remove_below(all, ".", &names, &arena, err);
    if (r == 0)
        r = directory_list(all, ".", HIERARCHIES_MAX, &arena, &listing, err);
    for (size_t i = 0; i < listing.count && r == 0; i++)
        if (listing.items[i].type == DT_DIR && !str_has_prefix(listing.items[i].name, "kubepods"))
            r = remove_below(all, listing.items[i].name, &names, &arena, err);
    return r == -ENOENT ? 0 : r;
}
