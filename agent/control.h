/*
 * The local socket: how the operator's commands ask a running agent. A client connects to
 * `nodeagent.sock` in the run directory, sends one line of JSON ({"command": "ps"}), and gets
 * JSON lines back, the first of which says whether the question was understood.
 *
 *   {"ok": true}                          then the answer's lines
 *   {"ok": false, "error": "sentence"}    and the end
 *
 * The answer to `ps` is one line, a v1 PodList; to `why` {"pod": "namespace/name"} one line; to
 * `events` {"follow": true} one v1 EventList, then an Event a line while the client stays.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/json.h"

#include <stdbool.h>

struct control;
struct control_client;
struct loop;

enum {
    CONTROL_CLIENTS_MAX = 32,       /* at once; more are told so and closed */
    CONTROL_REQUEST_MAX = 4096,     /* bytes of a request's line */
    CONTROL_PENDING_MAX = 64 << 20, /* bytes a client has not read yet; 500 pods are 5 MiB */
    CONTROL_FOLLOWER_PENDING_MAX = 1 << 20, /* of one that follows; who is slower is closed */
};

struct control_request {
    const char *command; /* "ps", "why", "events" */
    const char *pod;     /* of why: "name" or "namespace/name"; may be NULL */
    bool follow;         /* of events */
};

/*
 * Answers by control_line(), or by control_refuse(). When it returns, the answer is complete
 * unless it returned true: the client follows and gets more lines later.
 */
typedef bool control_fn(void *owner, struct control_client *client,
                        const struct control_request *request);
/* A client that follows has gone. */
typedef void control_gone_fn(void *owner, struct control_client *client);

/* Makes the socket (mode 0600) in `run_dir`; one that nobody listens on is replaced, one that
 * another agent listens on is an error. */
int control_new(struct control **result, const char *run_dir, struct loop *loop, control_fn *answer,
                control_gone_fn *gone, void *owner, struct err *err);
struct control *control_free(struct control *control);

/* One line of the answer: JSON text without line breaks. Takes a copy. */
void control_line(struct control_client *client, const char *json, size_t length);
/* A line to all that follow. */
void control_line_to_followers(struct control *control, const char *json, size_t length);
void control_refuse(struct control_client *client, const char *format, ...) _printf_(2, 3);
