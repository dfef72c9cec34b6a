/* Taking apart what was made for a pod: mounts first, then directories, never through a mount. */
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/mount.h"
#include "nodeagent/volumes.h"

#include <errno.h>

enum {
    ENTRIES_MAX = 100000, /* of one directory */
};

/* Unmounts what lies `depth` levels below the directory. */
static int unmount_below(int root, const char *directory, unsigned depth, struct arena *arena,
                         struct err *err)
{
    struct directory_listing listing = {0};
    int r = directory_list(root, directory, ENTRIES_MAX, arena, &listing, err);

    if (r < 0)
        return r == -ENOENT || r == -ENOTDIR ? 0 : r;
    for (size_t i = 0; i < listing.count; i++) {
        const char *path = arena_printf(arena, "%s/%s", directory, listing.items[i].name);

        r = depth > 1 ? unmount_below(root, path, depth - 1, arena, err)
                      : mount_undo(root, path, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int volumes_tear_down(int root, const char *pod_directory, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *volumes = arena_printf(&arena, "%s/volumes", pod_directory);
    const char *sub_paths = arena_printf(&arena, "%s/volume-subpaths", pod_directory);
    int r = unmount_below(root, sub_paths, 3, &arena, err);

    if (r == 0)
        r = unmount_below(root, volumes, 2, &arena, err);
    if (r == 0)
        r = tree_remove(root, sub_paths, err);
    return r < 0 ? r : tree_remove(root, volumes, err);
}
