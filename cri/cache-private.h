/*
 * What the files of the cache share.
 *
 *   cache.c         the pods, when to look, and whom to tell
 *   cache-look.c    a look: what the runtime lists
 *   cache-sight.c   ... and the details of what is new or changed in that
 *   cache-deed.c    what the owner did needs no look
 *   cache-pod.c     from messages to what is kept
 *   cache-hint.c    what a hint is worth
 *   cache-stream.c  where hints come from
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/map.h"
#include "nodeagent/cri/cache.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

enum {
    POD_LOOKS_MAX = 16, /* in flight: each has the runtime walk through all that it has, twice */
};

/* Between the end of a look at the whole and the next. Two list calls for 100 pods are a few
 * milliseconds of work for runtime and agent together. */
#define PAUSE_EXPECTING_USEC (1 * USEC_PER_SEC)
#define PAUSE_IDLE_USEC (1800 * USEC_PER_MSEC) /* an exit is noticed within 2 s, look included */
#define PAUSE_HINTED_USEC (10 * USEC_PER_SEC)  /* only what hints missed */

/* After a look at the whole that failed. */
/* For a list, which takes milliseconds: an answer that was lost delays all pods. A runtime that is
 * really that slow is given twice the time, and so on up to what the owner allows. */
#define LIST_PATIENCE_USEC (5 * USEC_PER_SEC)
#define RETRY_FIRST_USEC (100 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (5 * USEC_PER_SEC)

struct hints;
struct look;
struct sight;

struct entry { /* of a pod */
    struct cri_cache *cache;
    struct cri_pod pod;
    struct arena arena;  /* of what `pod` points at, in one piece */
    usec_t looked;       /* when the look that showed `pod` began */
    usec_t listed;       /* when the newest look that listed it began, details or not */
    char *trouble;       /* NULL: none */
    struct list news;    /* the owner is to be told */
    struct list waiting; /* for a look at it alone */
    bool wanted;         /* such a look, which has not begun */
    bool asked;          /* ... by the owner */
    unsigned expected;   /* changes by the owner, under way */
    bool unlabelled;     /* a sandbox of it cannot be selected by label */
    struct look *look;   /* at it alone, until all is listed */
    usec_t look_began;   /* the newest of those */
    struct sight *sight; /* what was listed, while details are missing */
    struct sight *next;  /* what was listed after that */
    struct list hints;
    struct wheel_timer hint_timer;
    unsigned hint_looks; /* since the newest hint */
    char uid[];
};

struct cri_cache {
    struct cri_cache_options options;
    struct map entries; /* by UID */
    struct map ids;     /* of sandboxes and containers: the entry that has it */
    struct list waiting;
    struct list news;
    bool whole_news;
    struct loop_post post; /* for both */
    bool posted;

    struct look *whole; /* the look at everything, while it lasts */
    unsigned awaited;   /* sights that it waits for */
    usec_t whole_began;
    usec_t whole_looked;
    struct wheel_timer timer; /* for the next */
    usec_t wanted_by;         /* by when there should be another; USEC_NEVER */
    usec_t retry;             /* the pause after the last failure; 0: it went well */
    char *trouble;
    usec_t trouble_began; /* the look that met it */

    usec_t patience; /* for a list */
    unsigned expectations;
    unsigned troubled; /* entries */
    unsigned pod_looks;
    struct list sights;  /* that have details to ask for, in turn */
    unsigned inspecting; /* calls for details in flight ... */
    unsigned lent;       /* ... and those among slow sights, which do not count */
    struct hints *hints;
    struct cri_cache_health health;
};

/* cache.c */
struct entry *entry_get(struct cri_cache *cache, const char *uid);
void entry_want(struct entry *entry, bool asked); /* a look at it */
void entry_tell(struct entry *entry);             /* the owner, soon */
void entry_trouble(struct entry *entry, const char *text);
void entry_name(struct entry *entry, const struct cri_pod *pod); /* as long as it has nothing */
/* What a look that began then showed; `pod` is copied. */
void entry_take(struct entry *entry, const struct cri_pod *pod, usec_t began);
struct entry *cache_find_id(struct cri_cache *cache, const char *id); /* who has it, or NULL */
void cache_look_by(struct cri_cache *cache, usec_t when);             /* at the whole */
void cache_listed(struct cri_cache *cache, usec_t began);
void cache_ended(struct cri_cache *cache, const char *trouble, usec_t began);
void cache_begin_waiting(struct cri_cache *cache);

/* cache-look.c */
void look_begin(struct cri_cache *cache, struct entry *entry); /* NULL: at the whole */
void whole_awaits_less(struct cri_cache *cache);               /* by one sight */
struct look *look_free(struct look *look);

/* cache-sight.c */
/* What was listed of the pod by a look that began then; does the look at the whole await the
 * details, if there are any to ask for? */
void entry_see(struct entry *entry, struct cri_pod *pod, usec_t began, bool awaited);
/* What the pod must be now, by what is known of it. */
void entry_infer(struct entry *entry, struct cri_pod *pod, usec_t began);
void sights_go_on(struct cri_cache *cache); /* ask for the details of what was seen */
bool sight_is_slow(const struct sight *sight);
struct sight *sight_free(struct sight *sight);

/* cache-pod.c */
#define LABEL_UID "io.kubernetes.pod.uid"

struct listed { /* what says whose an object is */
    const char *uid;
    const char *name;
    const char *name_space;
};

struct listed_sandbox {
    struct listed of;
    struct cri_sandbox sandbox;
    bool unlabelled;
};

struct listed_container {
    struct listed of;
    struct cri_container container;
};

/* False: it is no pod's. Texts are copied to the arena. */
bool take_sandbox(struct listed_sandbox *to, const Cri__PodSandbox *from, struct arena *arena);
bool take_container(struct listed_container *to, const Cri__Container *from, struct arena *arena);
void take_sandbox_status(struct cri_sandbox *to, const Cri__PodSandboxStatus *from,
                         struct arena *arena);
void take_container_status(struct cri_container *to, const Cri__ContainerStatus *from,
                           struct arena *arena);

/* By UID, then the newest first: what qsort() wants. */
int compare_sandboxes(const void *left, const void *right);
int compare_containers(const void *left, const void *right);

/* Copies all but UID and version; an arena whose first block has that size is filled by it. */
size_t pod_size(const struct cri_pod *pod);
void pod_copy(struct cri_pod *to, const struct cri_pod *from, struct arena *arena);
bool pod_equal(const struct cri_pod *a, const struct cri_pod *b);
bool pod_empty(const struct cri_pod *pod);
struct cri_sandbox *pod_sandbox(const struct cri_pod *pod, const char *id);
struct cri_container *pod_container(const struct cri_pod *pod, const char *id);

/* cache-hint.c */
enum hint {
    HINT_CHANGED, /* something is different now */
    HINT_ENDED,   /* ... which is that it ended; the runtime is about to take note of it */
    HINT_OOM,     /* the reason of an end may be told late */
};

void cache_hint(struct cri_cache *cache, enum hint hint, const char *id, const char *uid);
void hint_timer(struct wheel_timer *timer);
/* Do details of this container have to be asked for again? */
bool hints_doubt(const struct entry *entry, const char *id);
void hints_settle(struct entry *entry); /* by what the entry shows now */
void hints_drop(struct entry *entry);
void hints_hurry(struct entry *entry);   /* the owner changes nothing any more */
void hints_looking(struct entry *entry); /* a look at it begins */

/* cache-stream.c */
struct hints *hints_new(struct cri_cache *cache);
struct hints *hints_free(struct hints *hints);
bool hints_work(const struct hints *hints);
const char *hints_source(const struct hints *hints);
void hints_ask_again(struct hints *hints); /* the runtime was away: it may be another now */
