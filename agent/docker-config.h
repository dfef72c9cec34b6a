/*
 * The node's own credentials for registries: docker's config.json or .dockercfg (spec/cri.md 4.4).
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct docker_credential {
    const char *user;
    const char *password;
};

struct docker_credentials {
    struct docker_credential *items;
    size_t count;
};

struct docker_config;

/*
 * Reads the first of the known files that is there and good: in `root_dir`, the working directory,
 * the home directory, "/". Blocks: for the pool. A file that is broken is passed over, and `err`
 * names it (code 0 when all was well, also when there is none).
 */
struct docker_config *docker_config_load(const char *root_dir, const char *home, struct err *err);
/* The same from a text. NULL: it cannot be understood. */
struct docker_config *docker_config_parse(const char *text, size_t length, struct err *err);
struct docker_config *docker_config_free(struct docker_config *config);

/* lists of credentials, in an arena */
struct docker_credentials docker_credentials_copy(const struct docker_credentials *credentials,
                                                  struct arena *arena);
struct docker_credentials docker_credentials_join(const struct docker_credentials *first,
                                                  const struct docker_credentials *second,
                                                  struct arena *arena);
bool docker_credentials_equal(const struct docker_credentials *a,
                              const struct docker_credentials *b);

/* What to try for this image (as written in the pod), in this order. */
struct docker_credentials docker_config_match(const struct docker_config *config, const char *image,
                                              struct arena *arena);
