/*
 * Addresses that host-local has reserved: DIRECTORY/NETWORK/ADDRESS, in which there are a
 * container's id and an interface's name, under a lock beside them.
 */
#include "document.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "sweep.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define IPAM "host-local"
#define DEFAULT_DIRECTORY "/var/lib/cni/networks"
#define LOCK_FILE "lock"

enum {
    DIRECTORIES_MAX = 8,
    RESERVATIONS_MAX = 1 << 17, /* a /16 has half as many */
    RESERVATION_BYTES_MAX = 4096,
};

#define LOCK_PATIENCE (10 * USEC_PER_SEC)
#define LOCK_PAUSE_MSEC 5

/* where they are */

struct directories {
    const char *paths[DIRECTORIES_MAX];
    size_t count;
};

static void add_directory(struct directories *directories, const char *path)
{
    for (size_t i = 0; i < directories->count; i++)
        if (!strcmp(directories->paths[i], path))
            return;
    if (directories->count < DIRECTORIES_MAX)
        directories->paths[directories->count++] = path;
}

/* Wherever it stands: plugins hand parts of their configuration to others. */
static void find_directories(const struct json *value, struct arena *arena,
                             struct directories *directories)
{
    if (value->type == JSON_ARRAY)
        json_for_each (item, value)
            find_directories(item, arena, directories);
    if (value->type != JSON_OBJECT)
        return;
    json_for_each_member (member, value)
        find_directories(&member->value, arena, directories);

    const struct json *type = json_get_any_case(value, "type");

    if (type && json_text_is(type, IPAM)) {
        const char *path = json_take_string(json_get_any_case(value, "dataDir"), arena);

        add_directory(directories, str_empty(path) ? DEFAULT_DIRECTORY : path);
    }
}

/* one network in one directory */

struct place {
    struct collection *collection;
    const struct cni_network *network;
    const char *path;
    int directory;
};

static int lock(const struct place *place, struct err *err)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MSEC * 1000000L};
    usec_t deadline = usec_add(clock_monotonic(), LOCK_PATIENCE);
    int fd = openat(place->directory, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(err, -errno, "cannot open %s/%s: %s", place->path, LOCK_FILE,
                       strerror(errno));
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int code = -errno;

        if (code == -EINTR || (code == -EWOULDBLOCK && clock_monotonic() < deadline)) {
            nanosleep(&pause, NULL);
            continue;
        }
        close(fd);
        return err_set(err, code, "cannot lock %s/%s: %s", place->path, LOCK_FILE, strerror(-code));
    }
    return fd;
}

static bool is_address(const char *name)
{
    struct in6_addr address;

    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

/* A clock that was set back makes it look young, and it stays until it is not. */
static bool is_young(const struct place *place, const char *name)
{
    struct stat status;
    usec_t changed;

    if (fstatat(place->directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return true;
    changed = (usec_t)MAX(status.st_mtim.tv_sec, 0) * USEC_PER_SEC;
    return usec_sub(clock_wall(), changed) < CNI_RESERVATION_SPARE;
}

/* "ID\r\nINTERFACE"; the id alone in old ones, and nothing where the writer was killed. */
static int read_reservation(const struct place *place, const char *name, struct gone *gone)
{
    struct arena *arena = place->collection->arena;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    size_t length, rest;
    int r = file_read_beneath(place->directory, name, FILE_LINKS_REFUSED, RESERVATION_BYTES_MAX,
                              &text, NULL);

    if (r < 0)
        return r;
    strbuf_add(&text, "");
    length = strcspn(text.text, "\r\n");
    rest = length + strspn(text.text + length, "\r\n");
    *gone = (struct gone){
        .network = place->network->name,
        .container_id = arena_strndup(arena, text.text, length),
        .ifname = arena_strndup(arena, text.text + rest, strcspn(text.text + rest, "\r\n")),
    };
    return 0;
}

/* Is it nobody's? What is young may be somebody's who is at work. */
static bool is_stale(const struct place *place, const char *name, struct gone *gone)
{
    struct collection *collection = place->collection;

    if (!is_address(name) || read_reservation(place, name, gone) < 0 ||
        map_get(&collection->known, gone->container_id))
        return false;
    if (!is_young(place, name))
        return true;
    if (*gone->container_id)
        collection_keep(collection, gone->container_id);
    return false;
}

static void sweep_one(const struct place *place, const char *name)
{
    struct collection *collection = place->collection;
    struct cni_count *count = &collection->gc->reservations;
    struct gone gone;
    struct err err;

    if (!is_stale(place, name, &gone))
        return;
    count->stale++;
    if (collection->gc->dry_run)
        return;
    if (unlinkat(place->directory, name, 0) < 0) {
        err_set(&err, -errno, "cannot remove %s/%s: %s", place->path, name, strerror(errno));
        collection_fail(collection, &err);
        return;
    }
    count->deleted++;
    if (*gone.container_id && *gone.ifname)
        collection_lose(collection, &gone);
}

static int sweep_place(const struct place *place, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(fd_close_at) int fd = lock(place, err);
    struct directory_listing listing;
    int r = fd;

    if (r >= 0)
        r = directory_list(place->directory, ".", RESERVATIONS_MAX, &arena, &listing, err);
    for (size_t i = 0; r >= 0 && i < listing.count; i++)
        sweep_one(place, listing.items[i].name);
    return r;
}

static int sweep_directory(struct collection *collection, const struct cni_network *network,
                           const char *parent, struct err *err)
{
    _cleanup_(mem_free_at) char *path = mem_printf("%s/%s", parent, network->name);
    _cleanup_(fd_close_at) int directory =
        open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const struct place place = {collection, network, path, directory};

    if (directory < 0 && errno == ENOENT)
        return 0;
    if (directory < 0)
        return err_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
    return sweep_place(&place, err);
}

void sweep_reservations(struct collection *collection, const struct cni_network *network)
{
    struct directories directories = {0};

    array_for_each (plugin, network->plugins)
        find_directories(plugin->config, collection->arena, &directories);
    /* A plugin that makes up host-local's configuration itself, as flannel does. */
    if (!directories.count)
        add_directory(&directories, DEFAULT_DIRECTORY);
    for (size_t i = 0; i < directories.count; i++) {
        struct err err;

        if (sweep_directory(collection, network, directories.paths[i], &err) < 0)
            collection_fail(collection, &err);
    }
}
