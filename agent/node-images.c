/* Asking the runtime for its images, and choosing those that the Node names. */
#include "node-images.h"

#include "node-object-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"

#include <stdlib.h>
#include <string.h>

struct node_images {
    struct node_images_options options;
    struct wheel_timer timer;
    struct cri_call *call;
    bool seen;
    struct node_image_list list;
    struct arena arena; /* of the list */
};

/* choosing */

/* The runtime may list equal ones in another order each time, which would be news each time. */
static int larger_first(const void *a, const void *b)
{
    const Cri__Image *left = *(Cri__Image *const *)a, *right = *(Cri__Image *const *)b;

    if (left->size != right->size)
        return left->size < right->size ? 1 : -1;
    return strcmp(left->id, right->id);
}

static void add_names(struct string_list *names, char *const *more, size_t count,
                      struct arena *arena)
{
    for (size_t i = 0; i < count && names->count < NODE_IMAGE_NAMES_MAX; i++)
        names->items[names->count++] = node_text(more[i], arena);
}

static struct node_image image_of(const Cri__Image *from, struct arena *arena)
{
    struct node_image image = {.size_bytes = (int64_t)MIN(from->size, (uint64_t)INT64_MAX)};

    image.names.items = arena_array(arena, const char *, NODE_IMAGE_NAMES_MAX);
    add_names(&image.names, from->repo_digests, from->n_repo_digests, arena);
    add_names(&image.names, from->repo_tags, from->n_repo_tags, arena);
    return image;
}

struct node_image_list node_images_choose(const Cri__ListImagesResponse *response, int32_t max,
                                          struct arena *arena)
{
    _cleanup_(arena_deinit) struct arena scratch = ARENA_INIT_DOCUMENT;
    size_t count = response->n_images;
    const Cri__Image **ranked = arena_array(&scratch, const Cri__Image *, count);
    struct node_image_list list = {0};

    for (size_t i = 0; i < count; i++)
        ranked[i] = response->images[i];
    if (count)
        qsort(ranked, count, sizeof(const Cri__Image *), larger_first);
    if (max >= 0)
        count = MIN(count, (size_t)max);
    list.items = arena_array(arena, struct node_image, count);
    for (size_t i = 0; i < count; i++)
        list.items[list.count++] = image_of(ranked[i], arena);
    return list;
}

/* asking */

static void later(struct node_images *images)
{
    wheel_arm(images->options.wheel, &images->timer, usec_add(clock_boottime(), NODE_IMAGES_USEC));
}

/* That the runtime is down others tell; what was seen last stays. */
static void on_list(void *owner, const struct cri_reply *reply)
{
    struct node_images *images = owner;

    images->call = NULL;
    if (reply->status == RPC_OK) {
        arena_deinit(&images->arena);
        images->arena = ARENA_INIT_DOCUMENT;
        images->list = node_images_choose(
            reply->message, images->options.config->node_status_images_max, &images->arena);
        images->seen = true;
    } else {
        log_debug("the runtime does not list its images: %s", reply->text);
    }
    later(images);
}

static void on_timer(struct wheel_timer *timer)
{
    struct node_images *images = container_of(timer, struct node_images, timer);
    Cri__ListImagesRequest request = CRI__LIST_IMAGES_REQUEST__INIT;
    struct err err;

    if (cri_call(&images->call, images->options.cri, &cri_list_images, &request.base,
                 images->options.config->runtime_request_timeout, on_list, images, &err) < 0) {
        log_debug("%s", err.text);
        later(images);
    }
}

struct node_images *node_images_new(const struct node_images_options *options)
{
    struct node_images *images = mem_new(struct node_images);

    images->options = *options;
    wheel_timer_init(&images->timer, on_timer);
    if (options->config->node_status_images_max)
        wheel_arm(options->wheel, &images->timer, clock_boottime());
    else
        images->seen = true; /* that none are to be named is known */
    return images;
}

struct node_images *node_images_free(struct node_images *images)
{
    if (!images)
        return NULL;
    if (images->call)
        cri_cancel(images->call);
    wheel_cancel(&images->timer);
    arena_deinit(&images->arena);
    free(images);
    return NULL;
}

const struct node_image_list *node_images_seen(const struct node_images *images)
{
    return images->seen ? &images->list : NULL;
}
