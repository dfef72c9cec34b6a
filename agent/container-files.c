/* Making what a container needs on the disk. */
#include "container-files.h"
#include "translate-check.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *pod_log_directory(const struct pod *pod, struct arena *arena)
{
    const struct object_meta *meta = &pod->object.metadata;

    return arena_printf(arena, "%s_%s_%s", meta->name_space, meta->name, meta->uid);
}

const char *pod_directory(const char *uid, struct arena *arena)
{
    return arena_printf(arena, "pods/%s", uid);
}

static bool mounts_hosts(const struct container *container)
{
    array_for_each (mount, container->volume_mounts)
        if (str_equal(mount->mount_path, "/etc/hosts"))
            return true;
    return false;
}

static int order_hosts(struct container_files *files, const struct translation *translation,
                       const struct container *container, const char *directory, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    int r;

    if (mounts_hosts(container) ||
        (!translation->pod_ips.count && !translation->pod->spec.host_network))
        return 0;
    r = translate_hosts(translation, &text, err);
    if (r < 0)
        return r;
    files->hosts = arena_strndup(&files->arena, text.text, text.length);
    files->hosts_of_node = translation->pod->spec.host_network;
    files->hosts_file = arena_printf(&files->arena, "%s/etc-hosts", directory);
    files->hosts_path = arena_printf(&files->arena, "%s/%s", translation->node->config->root_dir,
                                     files->hosts_file);
    return 0;
}

static int order_seccomp(struct container_files *files, const struct translation *translation,
                         const struct container *container, struct err *err)
{
    const char *path = NULL;
    int r = translate_seccomp_file(translation, container, &path, err);

    files->seccomp_file = path ? arena_strdup(&files->arena, path) : NULL;
    return r;
}

static void order_termination(struct container_files *files, const struct translation *translation,
                              const struct container *container, uint32_t attempt,
                              const char *directory)
{
    if (str_empty(container->termination_message_path))
        return;
    files->termination_file =
        arena_printf(&files->arena, "%s/containers/%s/%08x", directory, container->name, attempt);
    /* The last two are kept: one may be being read. */
    if (attempt >= 2)
        files->stale_termination_file = arena_printf(&files->arena, "%s/containers/%s/%08x",
                                                     directory, container->name, attempt - 2);
    files->termination_path = arena_printf(
        &files->arena, "%s/%s", translation->node->config->root_dir, files->termination_file);
}

static const struct volume_order *find_order(const struct volume_orders *orders, const char *name)
{
    array_for_each (order, orders->items)
        if (str_equal(order->name, name))
            return order;
    return NULL;
}

static int order_place(struct container_files *files, const struct translation *translation,
                       const struct container *container, size_t index,
                       const struct volume_orders *orders, const struct string_map *env,
                       const char *directory, struct err *err)
{
    const struct volume_mount *mount = &container->volume_mounts.items[index];
    const struct volume_order *order = find_order(orders, mount->name);
    struct container_place *place = &files->places[index];
    struct sub_path_order *part;
    const char *sub_path;
    int r;

    if (!order)
        return err_set(err, -ENOENT, "cannot find volume \"%s\" to mount into container \"%s\"",
                       mount->name, container->name);
    place->host_path = order->path;
    place->read_only = order->read_only;
    place->relabel = !order->host_type;
    r = translate_sub_path(translation, env, mount, &sub_path, err);
    if (r < 0 || str_empty(sub_path))
        return r;
    part = &files->sub_paths.items[files->sub_paths.count++];
    *part = (struct sub_path_order){
        .volume_path = order->path,
        .sub_path = arena_strdup(&files->arena, sub_path),
        .target =
            volumes_sub_path_target(directory, mount->name, container->name, index, &files->arena),
    };
    place->host_path =
        arena_printf(&files->arena, "%s/%s", translation->node->config->root_dir, part->target);
    return 0;
}

static int order_places(struct container_files *files, const struct translation *translation,
                        const struct container *container, const char *directory, struct err *err)
{
    struct pod_place place = {
        .root = files->directories.root,
        .root_path = translation->node->config->root_dir,
        .directory = directory,
    };
    struct string_map env = {0};
    struct volume_orders orders;
    int r = volumes_order(translation->pod, &place, (uint64_t)translation->node->memory_bytes,
                          &files->arena, &orders, err);

    if (r == 0)
        r = translate_env(translation, container, &env, err);
    files->places =
        arena_array(&files->arena, struct container_place, container->volume_mounts.count);
    files->sub_paths.items =
        arena_array(&files->arena, struct sub_path_order, container->volume_mounts.count);
    for (size_t i = 0; i < container->volume_mounts.count && r == 0; i++)
        r = order_place(files, translation, container, i, &orders, &env, directory, err);
    return r;
}

struct container_files *container_files_new(const struct translation *translation,
                                            const struct agent_directories *directories,
                                            const struct container *container, uint32_t attempt,
                                            struct err *err)
{
    struct container_files *files = mem_new(struct container_files);
    const char *directory;

    files->arena = ARENA_INIT(1024, 4096);
    files->directories.root = fd_duplicate(directories->root);
    files->directories.logs = fd_duplicate(directories->logs);
    directory = pod_directory(translation->pod->object.metadata.uid, &files->arena);
    files->log_directory =
        arena_printf(&files->arena, "%s/%s", pod_log_directory(translation->pod, &files->arena),
                     container->name);
    order_termination(files, translation, container, attempt, directory);
    if (order_seccomp(files, translation, container, err) == 0 &&
        order_hosts(files, translation, container, directory, err) == 0 &&
        order_places(files, translation, container, directory, err) == 0)
        return files;
    container_files_free(files);
    return NULL;
}

void container_files_free(void *container_files)
{
    struct container_files *files = container_files;

    fd_close_at(&files->directories.root);
    fd_close_at(&files->directories.logs);
    node_reading_free(files->node);
    arena_deinit(&files->arena);
    free(files);
}

/* on a thread */

/* The node's own come after the first line. */
static int add_hosts(struct container_files *files, struct strbuf *text)
{
    const char *rest = files->hosts;
    int r = 0;

    if (files->hosts_of_node) {
        rest = strchr(files->hosts, '\n') + 1;
        strbuf_add_bytes(text, files->hosts, (size_t)(rest - files->hosts));
        r = node_hosts_read(text, &files->err);
    }
    strbuf_add(text, rest);
    return r;
}

static int write_hosts(struct container_files *files)
{
    _cleanup_(strbuf_deinit) struct strbuf old = STRBUF_INIT, text = STRBUF_INIT;
    struct file_contents contents = {
        .mode = 0644,
        .owner = FILE_OWNER_KEEP,
        .group = FILE_GROUP_KEEP,
        .fleeting = true, /* made anew for each start */
    };
    int r;

    r = add_hosts(files, &text);
    if (r < 0)
        return r;
    contents.bytes = text.text;
    contents.length = text.length;
    /* Containers that run have this very file mounted: it is written only when it changes. */
    if (file_read_beneath(files->directories.root, files->hosts_file, FILE_LINKS_REFUSED,
                          contents.length + 1, &old, &files->err) == 0 &&
        old.length == contents.length && !memcmp(old.text, contents.bytes, old.length))
        return 0;
    return file_replace(files->directories.root, files->hosts_file, &contents, &files->err);
}

static int make_termination_file(struct container_files *files)
{
    struct file_contents empty = {
        .bytes = "",
        .mode = 0666,
        .owner = FILE_OWNER_KEEP,
        .group = FILE_GROUP_KEEP,
        .fleeting = true, /* made anew for each start */
    };
    _cleanup_(mem_free_at) char *folder = mem_strdup(files->termination_file);
    int r;

    *strrchr(folder, '/') = '\0';
    r = directory_make(files->directories.root, folder, 0750, &files->err);
    if (r == 0 && files->stale_termination_file)
        r = tree_remove(files->directories.root, files->stale_termination_file, &files->err);
    return r < 0 ? r
                 : file_replace(files->directories.root, files->termination_file, &empty,
                                &files->err);
}

/* A profile that the runtime would choke on, or take for another, is told by its name. */
static int check_seccomp(struct container_files *files)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    int r = file_read(files->seccomp_file, SECCOMP_PROFILE_BYTES_MAX, &text, &files->err);

    if (r < 0)
        return err_prefix(&files->err, "seccomp profile");
    r = seccomp_profile_check(text.text ? text.text : "", text.length, NULL, &files->err);
    return r < 0 ? err_prefix(&files->err, "seccomp profile %s", files->seccomp_file) : 0;
}

int container_files_make(void *container_files)
{
    struct container_files *files = container_files;
    int r = node_reading_run(files->node);

    if (r < 0)
        files->err = files->node->err;
    else
        r = directory_make(files->directories.logs, files->log_directory, 0755, &files->err);
    if (r == 0 && files->seccomp_file)
        r = check_seccomp(files);
    if (r == 0 && files->hosts)
        r = write_hosts(files);
    if (r == 0 && files->termination_file)
        r = make_termination_file(files);
    array_for_each (part, files->sub_paths) {
        if (r == 0)
            r = volumes_sub_path(files->directories.root, part, &files->err);
    }
    return r;
}
