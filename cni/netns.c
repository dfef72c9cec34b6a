/* What a path that should be a network namespace really is. */
#include "netns.h"
#include "nodeagent/base/str.h"
#include "nodeagent/cni.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define OWN_NETNS "/proc/self/ns/net"

bool cni_netns_is_gone(const char *path)
{
    enum netns_kind kind = netns_look(path);

    return !str_empty(path) && (kind == NETNS_GONE || kind == NETNS_STALE);
}

enum netns_kind netns_look(const char *path)
{
    struct stat status, own;
    struct statfs system;

    if (str_empty(path) || stat(path, &status) < 0)
        return NETNS_GONE;
    if (statfs(path, &system) < 0 || system.f_type != NSFS_MAGIC)
        return S_ISREG(status.st_mode) && status.st_size == 0 ? NETNS_STALE : NETNS_NONE;
    if (stat(OWN_NETNS, &own) < 0)
        return NETNS_NONE;
    return status.st_dev == own.st_dev && status.st_ino == own.st_ino ? NETNS_OWN : NETNS_FOREIGN;
}

/* Where containerd and libcni's friends mount them; others have other names. */
bool netns_is_runtimes(const char *path)
{
    static const char *const prefixes[] = {"/var/run/netns/cni-", "/run/netns/cni-"};

    for (size_t i = 0; i < array_size(prefixes); i++)
        if (path && str_has_prefix(path, prefixes[i]) && !strchr(path + strlen(prefixes[i]), '/'))
            return netns_look(path) == NETNS_FOREIGN;
    return false;
}

int netns_remove(const char *path, struct err *err)
{
    /* Somebody may still look into it; that is no reason to keep it. */
    if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
        return err_set(err, -errno, "cannot unmount %s: %s", path, strerror(errno));
    if (unlink(path) < 0 && errno != ENOENT)
        return err_set(err, -errno, "cannot remove %s: %s", path, strerror(errno));
    return 0;
}
