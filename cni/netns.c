/* What a path that should be a network namespace really is. */
#include "netns.h"
#include "nodeagent/base/str.h"
#include "nodeagent/cni.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

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
