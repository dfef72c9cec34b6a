/*
 * Images: present or pulled, by policy; one pull at a time for each image, a bounded number at
 * once, whoever else wants it waits for the same.
 */
#pragma once

#include "config.h"
#include "docker-config.h"
#include "nodeagent/cri/client.h"
#include "outcome.h"
#include "translate.h"

struct images;
struct image_request;
struct loop;
struct wheel;
struct work;

enum {
    IMAGE_USERS_MAX = 256, /* images whose user is remembered; another is asked for again */
};

struct images_options {
    const struct config *config;
    struct cri *cri;
    struct wheel *wheel;
    struct work *work;
};

struct images *images_new(const struct images_options *options);
struct images *images_free(struct images *images); /* without requests */

typedef void image_done_fn(void *owner, const struct outcome *outcome);
typedef void image_progress_fn(void *owner, bool pulling, const char *text);

/* All of it is copied. */
struct image_order {
    const char *image;                     /* as the pod says it */
    const char *policy;                    /* "Always", "IfNotPresent", "Never" */
    const struct string_map *annotations;  /* the pod's */
    struct docker_credentials credentials; /* of its own, tried before the node's */
    image_progress_fn *progress;           /* pulling: the runtime is being asked to, now */
    image_done_fn *done;
    void *owner;
};

/* `done` comes once, from the loop and never from within these, unless the request is cancelled. */
struct image_request *images_ensure(struct images *images, const struct image_order *order);

/* What the image says of its user, by the runtime's id of it. */
bool images_knows_user(const struct images *images, const char *image_id);
struct image_user images_user(const struct images *images, const char *image_id);
struct image_request *images_ask_user(struct images *images, const char *image_id,
                                      image_done_fn *done, void *owner);

/* A pull goes on while anybody waits for it. */
void image_request_cancel(struct image_request *request);
