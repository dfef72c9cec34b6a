/*
 * What a Node is computed from, besides what the cluster has of it: the configuration, the machine,
 * its network and its name, the runtime and its images.
 */
#pragma once

#include "node-object.h"

struct agent;
struct node_view;

/* `changed`: the Node may be another one now. */
struct node_view *node_view_new(struct agent *agent, void (*changed)(void *owner), void *owner);
struct node_view *node_view_free(struct node_view *view);

/* Is everything known that is known soon after the start? */
bool node_view_is_settled(const struct node_view *view);

/* What is read for them lives in the arena. */
void node_view_read(const struct node_view *view, struct node_inputs *inputs, struct arena *arena);

/* The Node is told with these addresses: its pods have the same. */
void node_view_follow(struct node_view *view, const struct node *told);
