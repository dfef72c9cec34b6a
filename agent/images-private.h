/* What asking for images and pulling them share. */
#pragma once

#include "images.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/map.h"
#include "nodeagent/sys/wheel.h"

#include <stdarg.h>

struct docker_config;
struct work_job;

struct images {
    struct images_options options;
    struct map users; /* image id to struct user_entry */
    struct list requests;
    struct list pulls; /* in the order in which they were asked for */
    unsigned pulling;
    int64_t tokens; /* of the registry's rate limit */
    usec_t tokens_at;
};

struct user_entry {
    struct image_user user;
    char name[];
};

struct image_request {
    struct list link;    /* of all */
    struct list waiting; /* for the pull */
    struct images *images;
    struct arena arena;
    const char *written; /* as in the pod */
    const char *image;   /* with its tag */
    const char *policy;
    struct string_map annotations;
    struct docker_credentials credentials;
    image_progress_fn *progress;
    image_done_fn *done;
    void *owner;
    struct cri_call *call;
    struct pull *pull;
    bool only_status;
    const char *pulled_ref;
    usec_t began;
    usec_t pulled_usec; /* what the pull itself took */
    struct wheel_timer failure;
    struct outcome early;
};

void image_spec_annotate(struct image_request *request, Cri__ImageSpec *spec);
void image_request_done(struct image_request *request, const struct outcome *outcome);
void image_request_failed(struct image_request *request, const char *reason, const char *format,
                          ...) _printf_(3, 4);
void image_request_free(struct image_request *request);
void image_pulled(struct image_request *request, const char *image_ref);

/* images-pull.c */
void pull_join(struct image_request *request);
void pull_left(struct pull *pull); /* somebody who waited does not any more */
const char *pull_told(struct image_request *request, uint64_t bytes);
