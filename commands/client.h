/*
 * Asking the agent over its local socket. agent/control.h describes what is said there.
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"
#include "nodeagent/objects/report.h"

#include <stdbool.h>

#define CLIENT_RUN_DIR "/run/nodeagent"
#define CLIENT_SOCKET "nodeagent.sock"

/* An agent answers within milliseconds; one that says nothing for so long hangs. */
#define CLIENT_TIMEOUT_USEC (5 * USEC_PER_SEC)

enum {
    CLIENT_LINE_MAX = 64 << 20, /* what an agent holds for its clients at most */
    CLIENT_NODES_MAX = 4 << 20, /* values in a line; the answer about 500 pods has 250,000 */
    CLIENT_POD_MAX = 512,       /* bytes; a name and a namespace have 253 each at most */
};

struct client_request {
    const char *command;
    const char *pod; /* or NULL */
    bool follow;
};

/* a conversation */

struct client {
    const char *run_dir; /* borrowed */
    int fd;
    struct strbuf buffer;
    size_t next; /* in the buffer: what was not handed out yet */
};

/* Connects, asks, and reads whether the agent understood; if not, its sentence is the error. */
int client_open(struct client *client, const char *run_dir, const struct client_request *request,
                struct err *err);
void client_close(struct client *client);

/* 1 and a line, which the next call overwrites; 0 at the end; or a negative errno. */
int client_line(struct client *client, const char **line, size_t *length, struct err *err);

/* From now on the agent may be silent for as long as it likes. */
void client_wait(struct client *client);

/* one line of an answer, parsed */

struct answer {
    struct arena arena;
    char *text;
    struct json *document;
};

/* Takes a copy of the line. */
int answer_parse(struct answer *answer, const char *line, size_t length, struct err *err);
void answer_deinit(struct answer *answer);

/* The next line, of which there must be one. */
int client_answer(struct client *client, struct answer *answer, struct err *err);

/* Asks and gets the one line that is the whole answer. */
int client_fetch(struct answer *answer, const char *run_dir, const struct client_request *request,
                 struct err *err);

/* The items of a list of that kind ("PodList"), or NULL: not what the agent should say. */
struct json *answer_items(const struct answer *answer, const char *kind, struct err *err);

/* An item that cannot be decoded: says where and why. Returns -EPROTO. */
int answer_unreadable(const struct report *report, size_t index, struct err *err);

/* reading a document: what is not there, or of another type, is nothing */

struct json_items {
    const struct json *items;
    uint32_t length;
};

struct json_items answer_array(const struct json *object, const char *name);
const char *answer_string(const struct json *object, const char *name, struct arena *arena);
int64_t answer_number(const struct json *object, const char *name, struct arena *arena);
