/*
 * How the runtime is: its name and version, what it can do, whether its network is ready. Asked at
 * start until it answers, and every few seconds after that.
 */
#pragma once

#include "config.h"
#include "nodeagent/cri/client.h"
#include "translate.h"

struct runtime_state;
struct wheel;

#define RUNTIME_STATUS_USEC (5 * USEC_PER_SEC)
#define RUNTIME_DOWN_USEC (30 * USEC_PER_SEC) /* without a good answer: it is down */

/* These calls cost the runtime nothing: who does not answer by then is asked again, and told of,
 * though pulls and starts may take much longer. */
#define RUNTIME_PATIENCE_USEC (10 * USEC_PER_SEC)

typedef void runtime_changed_fn(void *owner);
/* What its verbose status says of its networks ("cniconfig"); NULL: nothing. */
typedef void runtime_networks_fn(void *owner, const char *status);

struct runtime_options {
    const struct config *config;
    struct cri *cri;
    struct wheel *wheel;
    struct node_facts *facts; /* what it can do is written there */
    runtime_changed_fn *changed;
    runtime_networks_fn *networks;
    void *owner;
};

struct runtime_state *runtime_state_new(const struct runtime_options *options);
struct runtime_state *runtime_state_free(struct runtime_state *runtime);

const char *runtime_state_name(const struct runtime_state *runtime); /* "containerd" */

const char *runtime_state_version(const struct runtime_state *runtime);

/* What it says that it can do, as of its last good answer; node_facts have the same for pods. */
struct runtime_abilities {
    bool told;
    struct runtime_handler *handlers;
    size_t handler_count;
    bool features_told;
};
const struct runtime_abilities *runtime_state_abilities(const struct runtime_state *runtime);

/* Why pods cannot be run; NULL: they can, as far as is known. */
const char *runtime_state_trouble(const struct runtime_state *runtime);

/* Why pods that have a network of their own cannot be run; NULL: they can. */
const char *runtime_state_network_trouble(const struct runtime_state *runtime);
