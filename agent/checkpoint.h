/*
 * The checkpoint: what the API server told of this node's pods, on disk, so that they can be
 * started while it is away. A file for each pod, with all that the pod refers to, so that each is
 * whole or lost by itself; and one of the node, with what pods share and when the server was last
 * heard of.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/object.h"
#include "nodeagent/objects/pod.h"

#include <stdbool.h>

enum {
    CHECKPOINT_FILE_MAX = 16 << 20,   /* a pod with a dozen objects of the largest size */
    CHECKPOINT_BYTES_MAX = 256 << 20, /* that are read in all */
    CHECKPOINT_FILES_MAX = 10000,
};

/* beneath the root directory */
#define CHECKPOINT_DIRECTORY "nodeagent/checkpoint"
#define CHECKPOINT_NODE_FILE "node.json"

/* A pod that may run elsewhere by now is run from the checkpoint if this says "true". */
#define CHECKPOINT_ANNOTATION "nodeagent.dev/run-offline"

/* a file */

struct checkpoint_token {
    const char *audience;
    int64_t seconds; /* that it was asked for */
    const char *token;
    int64_t expires; /* by the wall clock, in microseconds */
};

struct checkpoint_file {
    int64_t heard;                    /* of the server, by the wall clock; 0: a pod's file */
    list_of(struct object *) objects; /* the pod first; held by whoever made the list */
    struct string_list absent;        /* "Secret/name": the server had none in its namespace */
    list_of(struct checkpoint_token) tokens;
};

void checkpoint_write(const struct checkpoint_file *file, struct strbuf *text);
/* Texts live in the arena; the caller drops the references: checkpoint_file_deinit(). */
int checkpoint_read(const char *text, size_t length, struct arena *arena,
                    struct checkpoint_file *file, struct err *err);
void checkpoint_file_deinit(struct checkpoint_file *file);

/* "pod-UID.json" */
const char *checkpoint_pod_file(const char *uid, struct arena *arena);

/* Why the pod is not to be run here by a checkpoint, as the end of a sentence; NULL: it may be.
 * `goes_on`: it has been running here since the boot. */
const char *checkpoint_refusal(const struct pod *pod, const char *node_name, bool goes_on,
                               struct arena *arena);

/* the directory: for the pool */

struct checkpoint_saving;
struct checkpoint_saving *checkpoint_saving_new(int root);
/* The file is to have this text, which is taken over. */
void checkpoint_saving_write(struct checkpoint_saving *saving, const char *name,
                             struct strbuf *text);
/* If it is there, it stays; all that is not named is removed ... */
void checkpoint_saving_keep(struct checkpoint_saving *saving, const char *name);
/* ... or stays, too. */
void checkpoint_saving_keep_all(struct checkpoint_saving *saving);
size_t checkpoint_saving_bytes(const struct checkpoint_saving *saving);
const struct err *checkpoint_saving_err(const struct checkpoint_saving *saving);
int checkpoint_save(void *saving);
void checkpoint_saving_free(void *saving);

struct checkpoint_loaded {
    struct arena arena;
    struct checkpoint_file node;
    list_of(struct checkpoint_file) pods;
    struct string_list problems; /* sentences: a file that is left out, and why */
    struct err err;              /* why there is nothing */
    int root;
};
struct checkpoint_loaded *checkpoint_loaded_new(int root);
int checkpoint_load(void *loaded); /* -ENOENT: there is none */
void checkpoint_loaded_free(void *loaded);

/* There is to be none: it holds Secrets. The argument is that of a load. */
int checkpoint_remove(void *loaded);
