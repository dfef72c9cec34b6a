/*
 * The local socket: how the operator's commands ask a running agent. A client connects to
 * `nodeagent.sock` in the run directory, sends one line of JSON ({"command": "ps"}), and gets
 * JSON lines back, the first of which says whether the question was understood.
 *
 *   {"ok": true}                          then the answer's lines
 *   {"ok": false, "error": "sentence"}    and the end
 *
 *   ps                     one line: a v1 PodList (metadata, spec, status as published), no more
 *   why {"pod": "web"}     one line, the document below; without "pod": all pods
 *   probes {"pod": "web"}  one line: {"probes": [...]}, as probes/telling.c writes them; without
 *                          "pod": of all pods
 *   metrics                one line: a JSON string with metrics in Prometheus' text format
 *   events {"follow": true}  one v1 EventList, oldest first; with "follow" then an Event a line
 *                          (anew with each count) while the client stays
 *
 * {"node": {"blockers": [BLOCKER...]},
 *  "pods": [{"namespace", "name", "uid", "phase", "ready": bool,
 *            "blockers": [BLOCKER...], "events": [the last few of the pod, v1 Event, oldest
 * first]}]}
 *
 * BLOCKER: {"reason": word, "text": sentence, "container": name?, "since": RFC 3339?, "until":
 * RFC 3339?}; `until` is when it ends or is tried again. The node's blockers are those of no single
 * pod: the runtime is down, a manifest is broken.
 *
 * "pod" is passed on as the client wrote it. It may be NAME, NAMESPACE/NAME, either without the
 * node's name at the end (as in the manifest), a UID or the beginning of one; the agent resolves it
 * and refuses one that it does not know or that means several.
 *
 * Only root may ask. Clients harm nobody else: what each may send and leave unread is bounded, and
 * so is the time that one may do nothing.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

struct control;
struct control_client;
struct loop;
struct wheel;

#define CONTROL_SOCKET_NAME "nodeagent.sock"

/* For a request to come in whole, and for a reader to take the next bytes of an answer. Commands
 * send and read at once: who is slower was stopped, or means harm. */
#define CONTROL_PATIENCE_USEC (10 * USEC_PER_SEC)

/* After accept() failed for want of descriptors: others must close some first. */
#define CONTROL_ACCEPT_PAUSE_USEC (1 * USEC_PER_SEC)

enum {
    CONTROL_CLIENTS_MAX = 32,       /* at once; more are told so and closed */
    CONTROL_REQUEST_MAX = 4096,     /* bytes of a request's line */
    CONTROL_REQUEST_NODES_MAX = 32, /* values in it; we use three */
    CONTROL_PENDING_MAX = 64 << 20, /* bytes that all clients together have not read yet; the
                                       answer about 500 pods has 5 MiB */
    CONTROL_FOLLOWER_PENDING_MAX = 1 << 20, /* of one that follows, beyond its first answer; who is
                                               slower is closed */
};

struct control_request {
    const char *command; /* "ps", "why", "probes", "metrics", "events" */
    const char *pod;     /* of why and probes; may be NULL */
    bool follow;         /* of events */
};

/*
 * Answers by control_line(), or by control_refuse(). When it returns, the answer is complete
 * unless it returned true: the client follows and gets more lines later.
 */
typedef bool control_fn(void *owner, struct control_client *client,
                        const struct control_request *request);
/* A client that follows has gone, and is no more when this returns. May be NULL. */
typedef void control_gone_fn(void *owner, struct control_client *client);

/* Makes the socket (mode 0600) in `run_dir`, whatever the length of its path; one that nobody
 * listens on is replaced, one that another agent listens on is an error (-EADDRINUSE). */
int control_new(struct control **result, const char *run_dir, struct loop *loop,
                struct wheel *wheel, control_fn *answer, control_gone_fn *gone, void *owner,
                struct err *err);
/* Closes all clients without calling gone(), and removes the socket. Not from within a callback. */
struct control *control_free(struct control *control);

/* One line of the answer: JSON text without line breaks. Takes a copy. No client goes away in
 * these calls: who is too slow is closed in a later turn. */
void control_line(struct control_client *client, const char *json, size_t length);
/* A line to all that follow. */
void control_line_to_followers(struct control *control, const char *json, size_t length);
/* Instead of any line: what was added is taken back. */
void control_refuse(struct control_client *client, const char *format, ...) _printf_(2, 3);
