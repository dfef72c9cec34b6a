/*
 * Running programs. The agent never forks: a small helper process, a program of its own that is
 * started before any thread and before privileges are dropped, does it on request. The helper
 * checks that a program can only have been put there by root, gives it nothing but what the request
 * says, enforces limits of time and output, and kills process groups whole.
 *
 * When the agent ends, what runs may finish within its deadline (a CNI DEL half done is worse than
 * one done late), unless the request says otherwise; then the helper ends too. When the helper
 * dies, so do the programs it started (not what they started), and everything in flight is
 * CHILD_LOST.
 *
 * The helper also keeps connections open past the agent's end: see child_helper_keep().
 *
 * A program that leaves its process group (a FUSE daemon calls setsid) outlives the request: that
 * is how mount helpers work.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/macros.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>
#include <sys/types.h>

struct child_helper;
struct child;

enum {
    CHILD_IN_FLIGHT_MAX = 64,       /* programs at once; a burst of CNI DELs and mounts is 20 */
    CHILD_REQUEST_MAX = 256 * 1024, /* bytes of arguments, environment and input together; a CNI
                                       GC with 500 attachments is 60 KiB */
    CHILD_OUTPUT_MAX = 256 * 1024,  /* bytes kept of each stream, whatever the request says */
    CHILD_DISPATCH_MAX = 16,        /* results delivered in one turn of the loop */
    CHILD_KEPT_MAX = 8,             /* sockets kept open past the agent's end */
};

#define CHILD_KEEP (30 * USEC_PER_SEC) /* past the agent's end; starting a pod takes a second */

#define CHILD_TIMEOUT_MAX (3600 * USEC_PER_SEC) /* mkfs on a large slow disk takes minutes */

struct child_request {
    const char *const *argv;        /* ends in NULL; argv[0] is an absolute path */
    const char *const *environment; /* "NAME=value", ends in NULL; nothing is inherited */
    const char *directory;          /* "/" when NULL */
    const void *input;              /* for its stdin */
    size_t input_length;
    size_t stdout_max; /* bytes kept; what is beyond is read, dropped and counted */
    size_t stderr_max;
    usec_t timeout;       /* from now, at most CHILD_TIMEOUT_MAX; then its group gets SIGTERM, and
                             half a second later SIGKILL */
    bool ends_with_agent; /* killed when the agent ends */
};

enum child_outcome {
    CHILD_EXITED,      /* `status` is its exit status */
    CHILD_SIGNALLED,   /* `status` is the signal, not sent by us */
    CHILD_TIMED_OUT,   /* killed; or not even that works, as the sentence then says */
    CHILD_NOT_STARTED, /* never ran: missing, not trusted, out of resources */
    CHILD_LOST,        /* the helper died; nobody knows */
};

struct child_output {
    const char *bytes; /* ends in NUL, though there may be others before */
    size_t length;
    uint64_t dropped;
};

struct child_result {
    enum child_outcome outcome;
    int status;
    pid_t pid; /* 0 when it never ran */
    struct child_output out;
    struct child_output errors; /* stderr */
    usec_t wall_usec;
    usec_t user_usec;
    usec_t system_usec;
    struct err err; /* code 0 only for exit status 0 */
};

/* `result` lives as long as the call, which may spawn and cancel but not free the helper. */
typedef void (*child_done_fn)(void *userdata, const struct child_result *result);

/* the helper */
/* `program` is the path of nodeagent-helper. */
int child_helper_start(struct child_helper **helper, const char *program, struct err *err);
/* What is in flight is forgotten without a call; the helper ends once it has seen it through. */
struct child_helper *child_helper_free(struct child_helper *helper);
pid_t child_helper_pid(const struct child_helper *helper);
size_t child_helper_in_flight(const struct child_helper *helper);

/*
 * Shares these sockets, in place of those shared before, until CHILD_KEEP after the agent's end: a
 * server whose client is killed then sees a client that is slow to read, and finishes what it was
 * asked to do instead of breaking off in the middle. At most CHILD_KEPT_MAX count.
 */
void child_helper_keep(struct child_helper *helper, const int *sockets, size_t count);

/*
 * The descriptor is readable when there is something to dispatch. A negative return of dispatch
 * means that the helper is gone: all requests have been answered with CHILD_LOST, no other will be
 * taken, and the descriptor must not be watched any more.
 */
int child_helper_fd(const struct child_helper *helper);
int child_helper_dispatch(struct child_helper *helper, struct err *err);

/* programs */

/*
 * `done` is called once, from child_helper_dispatch(). -EBUSY: CHILD_IN_FLIGHT_MAX are running;
 * -E2BIG: more than CHILD_REQUEST_MAX; -EPIPE: the helper is gone. `child` may be NULL; it is valid
 * until `done` was called.
 */
int child_spawn(struct child_helper *helper, const struct child_request *request,
                child_done_fn done, void *userdata, struct child **child, struct err *err);

/* Kills its process group; `done` will not be called and the child is no longer the caller's. */
void child_cancel(struct child_helper *helper, struct child *child);

/*
 * Runs a program without a helper and waits for it: for programs that are small themselves, have
 * one thread and ignore SIGPIPE. What is true of a program in a helper is true of this one, only
 * that nobody reaps what leaves its process group, and that without input it has the caller's
 * stdin. `storage` holds the outputs; why it failed is in the result.
 */
void child_run(const struct child_request *request, struct strbuf *storage,
               struct child_result *result);
