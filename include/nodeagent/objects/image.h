/*
 * The name of an image, taken apart: registry.example.com/team/web:1.4@sha256:...
 */
#pragma once

#include "nodeagent/base/macros.h"

#include <stdbool.h>

struct image_part {
    const char *text; /* into the image's name; not NUL-terminated */
    size_t length;    /* 0: absent */
};

struct image_name {
    struct image_part domain; /* absent: the default registry */
    struct image_part path;
    struct image_part tag;
    struct image_part digest;
};

/* False when it is not a reference that a runtime could pull. */
bool image_name_parse(const char *image, struct image_name *name);

/* The pull policy that the API gives a container without one: "Always" for :latest or no tag. */
const char *image_default_pull_policy(const char *image);
