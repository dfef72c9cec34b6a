/* What the files of the cache share. */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/map.h"
#include "nodeagent/cri/cache.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

enum {
    INSPECTIONS_MAX = 16, /* status calls in flight; more only wait in the runtime */
    POD_LOOKS_MAX = 16,   /* at single pods, in flight */
};

#define LOOK_EXPECTING_USEC (1 * USEC_PER_SEC) /* after the end of the last, without hints */
#define LOOK_IDLE_USEC (2 * USEC_PER_SEC)
#define LOOK_HINTED_USEC                                                                           \
    (10 * USEC_PER_SEC)                        /* where hints come, all that is left is to be safe \
                                                */
#define LOOK_UNKNOWN_USEC (50 * USEC_PER_MSEC) /* after a hint about what is not known */
#define LOOK_RETRY_FIRST_USEC (100 * USEC_PER_MSEC)
#define LOOK_RETRY_MAX_USEC (5 * USEC_PER_SEC)

struct hints;

struct entry { /* of a pod */
    char *uid;
    struct arena arena; /* of what was seen */
    struct cri_pod pod;
    usec_t looked;
    char *trouble;
    bool wanted;               /* somebody asked for a look that has not begun */
    struct list queue;         /* of those that wait for a look */
    struct look *look;         /* at this pod alone */
    struct wheel_timer hinted; /* for the next look that a hint is worth */
    unsigned hint_looks;       /* that are left of them */
    struct cri_cache *cache;
};

struct cri_cache {
    struct cri_cache_options options;
    struct map entries;
    struct list wanted; /* entries */
    struct look *whole; /* the look at everything, while it goes on */
    usec_t whole_looked;
    struct wheel_timer timer;
    unsigned expectations;
    bool unknown_hinted; /* since the last look at the whole began */
    usec_t retry;
    char *trouble;
    struct list inspections; /* all, those in flight first */
    unsigned inspecting;
    unsigned pod_looks;
    struct loop_post post; /* starts what was asked for */
    bool posted;
    struct hints *hints;
    struct cri_cache_health health;
};

/* cache.c */
struct entry *entry_get(struct cri_cache *cache, const char *uid);
void entry_free(struct cri_cache *cache, struct entry *entry);
void cache_whole_ended(struct cri_cache *cache, const char *trouble, usec_t began);
void cache_changed(struct cri_cache *cache, const char *uid);
void cache_start_wanted(struct cri_cache *cache); /* soon, from the loop */

/* cache-look.c */
void look_begin(struct cri_cache *cache, struct entry *entry); /* NULL: at the whole */
void look_free(struct look *look);
void looks_cancel_all(struct cri_cache *cache);

/* cache-pod.c: from messages to what is kept */
const char *pair_value(Cri__Pair *const *pairs, size_t count, const char *key);
const char *uid_of_container(const Cri__Container *container); /* NULL: it has none */
const char *uid_of_sandbox(const Cri__PodSandbox *sandbox);
void take_sandbox(struct cri_sandbox *to, const Cri__PodSandbox *from, struct arena *arena);
void take_sandbox_status(struct cri_sandbox *to, const Cri__PodSandboxStatus *from,
                         struct arena *arena);
void take_container(struct cri_container *to, const Cri__Container *from, struct arena *arena);
void take_container_status(struct cri_container *to, const Cri__ContainerStatus *from,
                           struct arena *arena);
void pod_sort(struct cri_pod *pod);
void pod_copy(struct cri_pod *to, const struct cri_pod *from, struct arena *arena);
bool pod_equal(const struct cri_pod *a, const struct cri_pod *b);
const struct cri_sandbox *pod_sandbox(const struct cri_pod *pod, const char *id);
const struct cri_container *pod_container(const struct cri_pod *pod, const char *id);

/* hints.c */
struct hints *hints_new(struct cri_cache *cache);
struct hints *hints_free(struct hints *hints);
bool hints_come(const struct hints *hints);
const char *hints_source(const struct hints *hints);
/* Something happened to the pod. The runtime may tell so before it says so when asked: it is looked
 * at until something is new, or a few times. */
void hint_begin(struct cri_cache *cache, struct entry *entry);
void hint_again(struct cri_cache *cache, struct entry *entry); /* a look has ended */
void hint_heard(struct entry *entry);                          /* something was new */
void hint_timer(struct wheel_timer *timer);
/* The pod that has this container or sandbox, or NULL. */
struct entry *cache_find_id(struct cri_cache *cache, const char *id);
void cache_hint(struct cri_cache *cache, const char *id);
void cache_look_soon(struct cri_cache *cache); /* at the whole */
