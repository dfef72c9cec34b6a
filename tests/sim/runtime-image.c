/* The model runtime: images. Any name can be pulled but those that say that they are missing. */
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_MIN (1 * USEC_PER_MSEC)
#define STATUS_MAX (20 * USEC_PER_MSEC)
#define PULL_MIN (200 * USEC_PER_MSEC)
#define PULL_MAX (30 * USEC_PER_SEC)

enum {
    IMAGE_BYTES = 4 << 20,
    RATE_PULL_FAILS = 1500, /* of 10,000 */
};

static struct image *image_find(const char *name)
{
    list_for_each (node, &world->runtime->images) {
        struct image *image = list_entry(node, struct image, link);

        if (!strcmp(image->name, name) || !strcmp(image->id, name))
            return image;
    }
    return NULL;
}

const struct image *runtime_image(const char *name)
{
    const struct image *image = image_find(name);

    return image && image->present ? image : NULL;
}

void runtime_add_image(const char *name)
{
    struct image *image = image_find(name);

    if (!image) {
        image = mem_new(struct image);
        snprintf(image->name, sizeof(image->name), "%s", name);
        snprintf(image->id, sizeof(image->id), "sha256:%s", name);
        list_push_back(&world->runtime->images, &image->link);
    }
    image->present = true;
}

static void describe(const struct image *image, Cri__Image *answer, char **tag)
{
    cri__image__init(answer);
    *tag = (char *)image->name;
    answer->id = (char *)image->id;
    answer->repo_tags = tag;
    answer->n_repo_tags = 1;
    answer->size = IMAGE_BYTES;
}

static void status_ends(struct call *call)
{
    const Cri__ImageStatusRequest *request = (const void *)call->request;
    const struct image *image = runtime_image(request->image->image);
    Cri__ImageStatusResponse response = CRI__IMAGE_STATUS_RESPONSE__INIT;
    Cri__Image answer;
    char *tag;

    if (image) {
        describe(image, &answer, &tag);
        response.image = &answer;
    }
    call_reply(call, &response.base);
}

void serve_image_status(struct call *call)
{
    call_after(call, draw_usec(SITE_DURATION, call->key, STATUS_MIN, STATUS_MAX), status_ends);
}

static void pull_ends(struct call *call)
{
    const Cri__PullImageRequest *request = (const void *)call->request;
    const char *name = request->image->image;
    Cri__PullImageResponse response = CRI__PULL_IMAGE_RESPONSE__INIT;

    if (call_is_abandoned(call))
        return;
    if (strstr(name, "missing") && !world->choices.calm) {
        call_fail(call, RPC_NOT_FOUND, "failed to resolve reference \"%s\": %s: not found", name,
                  name);
        return;
    }
    if (choose(SITE_PULL_FAILS, call->key, RATE_PULL_FAILS)) {
        call_fail(call, RPC_UNKNOWN, "failed to pull image \"%s\": i/o timeout", name);
        return;
    }
    runtime_add_image(name);
    response.image_ref = image_find(name)->id;
    call_reply(call, &response.base);
}

void serve_pull_image(struct call *call)
{
    call_after(call, draw_usec_wide(SITE_DURATION, call->key, PULL_MIN, PULL_MAX), pull_ends);
}

void serve_list_images(struct call *call)
{
    size_t space = list_count(&world->runtime->images) + 1;
    _cleanup_(mem_free_at) Cri__Image *images = mem_alloc(sizeof(*images) * space);
    _cleanup_(mem_free_at) Cri__Image **pointers = mem_alloc(sizeof(*pointers) * space);
    _cleanup_(mem_free_at) char **tags = mem_alloc(sizeof(*tags) * space);
    Cri__ListImagesResponse response = CRI__LIST_IMAGES_RESPONSE__INIT;

    response.images = pointers;
    list_for_each (node, &world->runtime->images) {
        const struct image *image = list_entry(node, struct image, link);

        if (!image->present)
            continue;
        describe(image, &images[response.n_images], &tags[response.n_images]);
        pointers[response.n_images] = &images[response.n_images];
        response.n_images++;
    }
    call_reply(call, &response.base);
}

void serve_remove_image(struct call *call)
{
    const Cri__RemoveImageRequest *request = (const void *)call->request;
    Cri__RemoveImageResponse response = CRI__REMOVE_IMAGE_RESPONSE__INIT;
    struct image *image = image_find(request->image->image);

    if (image)
        image->present = false;
    call_reply(call, &response.base);
}

void serve_image_fs_info(struct call *call)
{
    Cri__FilesystemIdentifier id = CRI__FILESYSTEM_IDENTIFIER__INIT;
    Cri__FilesystemUsage usage = CRI__FILESYSTEM_USAGE__INIT, *usages[] = {&usage};
    Cri__ImageFsInfoResponse response = CRI__IMAGE_FS_INFO_RESPONSE__INIT;

    id.mountpoint = (char *)"/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs";
    usage.timestamp = runtime_now();
    usage.fs_id = &id;
    response.image_filesystems = usages;
    response.n_image_filesystems = array_size(usages);
    call_reply(call, &response.base);
}
