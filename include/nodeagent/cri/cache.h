/*
 * What the runtime has: sandboxes and containers by pod, as of the last look. A look is a list
 * call and the statuses of what changed since. Looks are made periodically (often while something
 * is expected to change, seldom otherwise), on request, and soon after the runtime hints that
 * something happened. A hint is only a reason to look: with all hints lost, the cache is late, not
 * wrong.
 */
#pragma once

#include "nodeagent/base/list.h"
#include "nodeagent/cri/client.h"

struct cri_cache;
struct wheel;

/* what is known of a pod */

enum cri_state { CRI_CREATED, CRI_RUNNING, CRI_EXITED, CRI_UNKNOWN }; /* the wire's numbers */

struct cri_container {
    const char *id;
    const char *name;
    const char *sandbox_id;
    enum cri_state state;
    uint32_t attempt;
    int32_t restart_count; /* by its annotation; 0 when that is missing */
    const char *hash;      /* by its annotation; "" when that is missing */
    int64_t created_usec;  /* since 1970; 0: never */
    int64_t started_usec;
    int64_t finished_usec;
    int32_t exit_code;
    const char *reason;
    const char *message;
    const char *image;    /* the runtime's name for it */
    const char *image_id; /* image_ref: a digest, or the image's id */
    const char *log_path;
    const char *termination_path; /* of the message's file on the host; NULL: none is mounted */
    bool termination_from_logs;   /* policy FallbackToLogsOnError */
};

struct cri_sandbox {
    const char *id;
    uint32_t attempt;
    bool ready;
    int64_t created_usec;
    bool host_network;
    bool network_known; /* the runtime told a network status, maybe without an address */
    const char **ips;   /* the primary first */
    size_t ip_count;
    const char *runtime_handler;
    const char *config_source; /* by its annotation: "file", "api"; "" when that is missing */
    bool own_uid;              /* by its annotation: the pod's UID was made here */
};

struct cri_pod {
    const char *uid;
    const char *name; /* by the labels of the newest object */
    const char *name_space;
    list_of(struct cri_sandbox) sandboxes;    /* newest first: attempt, then creation, then id */
    list_of(struct cri_container) containers; /* newest first: attempt, creation, id */
    uint64_t version;                         /* grows with every change of the above */
};

/* the cache */

/*
 * Something was learned about the pod: it changed or is gone, there is trouble with it or no more,
 * or a look that was asked for ended, well or not. With NULL: a look at the whole ended well, so
 * all pods were looked at but those with a trouble. Comes from the loop, never from within the
 * functions below; all of them may be called but cri_cache_free().
 */
typedef void cri_cache_fn(void *owner, const char *uid);

struct cri_cache_options {
    struct cri *cri;
    struct loop *loop;
    struct wheel *wheel;
    usec_t call_timeout; /* of each list and status call */
    cri_cache_fn *changed;
    void *owner;
};

struct cri_cache *cri_cache_new(const struct cri_cache_options *options);
struct cri_cache *cri_cache_free(struct cri_cache *cache);

/* looking */

/* Looks at this pod as soon as possible; requests made before a look began are one. One that failed
 * need not be repeated: the whole is looked at until it goes well. */
void cri_cache_look(struct cri_cache *cache, const char *uid);

/* What the owner did, and the runtime answered that it is done. */
enum cri_deed_kind {
    CRI_RAN_SANDBOX,
    CRI_STARTED_CONTAINER,
    CRI_STOPPED_CONTAINER,
    CRI_STOPPED_SANDBOX,
    CRI_REMOVED, /* either */
};

struct cri_deed {
    enum cri_deed_kind kind;
    const char *id;
    const char *name; /* the pod's; of what was made, as all that follows */
    const char *name_space;
    const char *container; /* its name */
    const char *sandbox_id;
    uint32_t attempt;
};

/* As a look at the pod, of which only what was done is asked for when that suffices. */
void cri_cache_learn(struct cri_cache *cache, const char *uid, const struct cri_deed *deed);

/*
 * The owner changes something of this pod, and will look when that is done, or tell what it did:
 * until then hints about it may wait, and without hints the whole is looked at often. Held until it
 * is taken back.
 */
void cri_cache_expect(struct cri_cache *cache, const char *uid);
void cri_cache_expect_no_more(struct cri_cache *cache, const char *uid);

/* what was seen */

/* NULL: the runtime has nothing of it, or it was not looked at yet. Valid until the loop's next
 * turn. */
const struct cri_pod *cri_cache_pod(const struct cri_cache *cache, const char *uid);

/*
 * The point of the boot clock at which the newest good look that covers this pod began; 0 before
 * the first. A pod whose statuses could not be had (`cri_cache_trouble`) keeps its old one.
 */
usec_t cri_cache_looked(const struct cri_cache *cache, const char *uid);

/* Why the newest look at this pod, or at all, failed; NULL when it did not. */
const char *cri_cache_trouble(const struct cri_cache *cache, const char *uid);

/* `size_t at = 0; while ((pod = cri_cache_next(cache, &at)))`: all pods with something in the
 * runtime, also one (still without content) whose statuses could not be had yet. Nothing may be
 * called in between that looks. */
const struct cri_pod *cri_cache_next(const struct cri_cache *cache, size_t *position);

/* health */

struct cri_cache_health {
    usec_t looked;           /* when the newest good look at the whole began; 0: none yet */
    uint64_t looks;          /* at the whole, begun */
    uint64_t pod_looks;      /* at one pod */
    uint64_t failures;       /* of either */
    uint64_t hints;          /* received */
    const char *hint_source; /* "GetContainerEvents", "containerd events", "none" */
    const char *trouble;     /* the last failure of a look at the whole, NULL when it went well */
};

struct cri_cache_health cri_cache_health(const struct cri_cache *cache);
