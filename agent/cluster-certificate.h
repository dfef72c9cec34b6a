/*
 * The node's client certificate: asked for when there is none, with the identity that the bootstrap
 * kubeconfig gives, and asked for again in time, with the node's own.
 */
#pragma once

#include "agent.h"

struct api;
struct cluster_certificate;

struct cluster_certificate_options {
    const struct config *config;
    const struct agent_parts *parts;
    struct api *api;       /* the node's own client */
    struct api *bootstrap; /* who asks for the first one; NULL: there is one */
    void *owner;
    void (*lost)(void *owner, const char *why); /* the process is of no use any more */
};

/* Blocks while the directory is read. */
int cluster_certificate_new(struct cluster_certificate **result,
                            const struct cluster_certificate_options *options, struct err *err);
struct cluster_certificate *cluster_certificate_free(struct cluster_certificate *certificate);
