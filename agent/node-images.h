/*
 * The images that a Node names, for the scheduler's sake: what the runtime has, asked for now and
 * then, the largest first.
 */
#pragma once

#include "node-object.h"
#include "nodeagent/cri/client.h"

struct node_images;
struct wheel;

enum {
    NODE_IMAGE_NAMES_MAX = 5,
};

#define NODE_IMAGES_USEC (30 * USEC_PER_SEC) /* between two looks at them */

/* Of the runtime's images the `max` largest (-1: all); equal ones are in an order that stays. */
struct node_image_list node_images_choose(const Cri__ListImagesResponse *response, int32_t max,
                                          struct arena *arena);

struct node_images_options {
    const struct config *config;
    struct cri *cri;
    struct wheel *wheel;
};

struct node_images *node_images_new(const struct node_images_options *options);
struct node_images *node_images_free(struct node_images *images);

/* As of the last look; NULL: there was none yet. Valid until the loop's next turn. */
const struct node_image_list *node_images_seen(const struct node_images *images);
