/* How a node that has no identity yet joins a cluster: with the kubeconfig for bootstrapping. */
#pragma once

#include "config.h"
#include "nodeagent/base/err.h"

#include <stdbool.h>

/* Where the node's client certificate is, or will be. */
const char *cluster_certificate_path(const struct config *config, struct arena *arena);

/*
 * Is the node's own kubeconfig usable, or must it bootstrap (`needed`)? Then one is written that
 * points at the certificate to come. Neither is possible: a failure that says why. It blocks.
 */
int cluster_bootstrap(const struct config *config, bool *needed, struct err *err);
