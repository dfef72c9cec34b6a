/* The client of the API server that a kubeconfig names. */
#pragma once

#include "agent.h"

struct cluster_client;

/* Blocks while the kubeconfig is read. `certificate_follows`: its files need not be there yet. */
int cluster_client_new(struct cluster_client **result, const char *kubeconfig,
                       bool certificate_follows, const struct config *config,
                       const struct agent_parts *parts, struct err *err);
struct cluster_client *cluster_client_free(struct cluster_client *client);
struct api *cluster_client_api(const struct cluster_client *client);
