/* What the tests of volumes share: a root directory of their own, and mounts that nobody sees. */
#pragma once

#include "../objects/fixture.h"

#include "nodeagent/sys/files.h"
#include "nodeagent/sys/mount.h"
#include "nodeagent/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char path[64];
    int root;
    struct arena arena;
    struct err err;
};

static inline int own_mounts(void **state)
{
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static inline void place_init(struct place *place)
{
    *place = (struct place){.path = "/tmp/nodeagent-test-XXXXXX", .arena = ARENA_INIT_DOCUMENT};
    assert_non_null(mkdtemp(place->path));
    place->root = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(place->root >= 0);
    assert_int_equal(directory_make(place->root, "pods/u", 0750, &place->err), 0);
}

static inline void place_deinit(struct place *place)
{
    assert_int_equal(tree_remove(place->root, "pods", &place->err), 0);
    close(place->root);
    arena_deinit(&place->arena);
    assert_int_equal(rmdir(place->path), 0);
}

static inline struct stat status_of_path(const struct place *place, const char *path)
{
    struct stat status;

    assert_int_equal(fstatat(place->root, path, &status, AT_SYMLINK_NOFOLLOW), 0);
    return status;
}

static inline void put_file(const struct place *place, const char *path)
{
    int fd = openat(place->root, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    close(fd);
}

/* The volumes of a pod with these, of which `mounted` is used: a name, with what belongs to its
 * mount and to further ones. */
static inline int order_volumes(struct place *place, const char *volumes, const char *mounted,
                                struct volume_orders *orders)
{
    char *yaml = mem_printf("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {"
                            "securityContext: {fsGroup: 4711}, containers: [{name: a, image: a, "
                            "resources: {limits: {memory: 32Mi}}, volumeMounts: [{name: "
                            "%s%s}]}], volumes: [%s]}}",
                            mounted, strchr(mounted, ',') ? "" : ", mountPath: /x", volumes);
    struct pod_place pod_place = {place->root, place->path, "pods/u"};
    struct document document;
    int r;

    document_read(&document, yaml);
    assert_non_null(document.object);
    r = volumes_order(pod_of(document.object), &pod_place, 64 << 20, &place->arena, orders,
                      &place->err);
    document_deinit(&document);
    free(yaml);
    return r;
}
