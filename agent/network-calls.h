/*
 * What nodeagent-cni tells of each call (see nodeagent/cni.h): how long each plugin took, and of
 * each pod what became of its newest attachment. Best effort: what is not heard is not missed.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>

struct network_calls;

enum {
    NETWORK_CALL_MAX = 16 << 10, /* bytes of a datagram; one with 64 plugin runs is 6 KiB */
    NETWORK_PLUGINS_MAX = 64,    /* pairs of a plugin and a verb that are counted */
    NETWORK_PLUGIN_NAME_MAX = 64,
    NETWORK_CALLS_PER_TURN = 32,
};

struct network_calls *network_calls_new(void);
struct network_calls *network_calls_free(struct network_calls *calls);

struct network_call {
    char uid[128]; /* of the pod; "": nobody's */
    bool failed;
    char *text; /* of an ADD: all of it as JSON, the caller's to free; else NULL */
};

/* One datagram. */
int network_calls_take(struct network_calls *calls, const char *bytes, size_t length,
                       struct network_call *call, struct err *err);

/* An array: plugin, verb, calls, failures, seconds, longest. */
void network_calls_write(const struct network_calls *calls, struct json_writer *writer);
