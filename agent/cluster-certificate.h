/*
 * A certificate of the node's from the cluster: asked for when there is none, and asked for again
 * in time. The client's is asked for with the identity that the bootstrap kubeconfig gives, then
 * with the node's own; the serving one is asked for again, too, when the node has other addresses.
 */
#pragma once

#include "agent.h"
#include "nodeagent/api/certificate_request.h"

struct api;
struct certificate;
struct cluster_certificate;

struct cluster_certificate_options {
    const struct config *config;
    const struct agent_parts *parts;
    enum certificate_use use;
    struct api *api;       /* the node's own client */
    struct api *bootstrap; /* who asks for the first one; NULL: there is one */
    void *owner;

    /* a client's: the process is of no use any more */
    void (*lost)(void *owner, const char *why);

    /* a serving one's: whom it is to speak for (NULL-terminated; NULL: not known yet), and the one
     * to be used from now on */
    const char *const *(*names)(void *owner, struct arena *arena);
    void (*issued)(void *owner, const struct certificate *certificate);
};

/* Blocks while the directory is read. */
int cluster_certificate_new(struct cluster_certificate **result,
                            const struct cluster_certificate_options *options, struct err *err);
struct cluster_certificate *cluster_certificate_free(struct cluster_certificate *certificate);
