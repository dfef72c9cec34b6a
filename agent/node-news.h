/*
 * What changed of a Node that is told in events about it: the difference of the one that was seen
 * and the one that is told.
 */
#pragma once

#include "nodeagent/objects/node.h"

enum node_news {
    NODE_REBOOTED,
    NODE_HAS_SUFFICIENT_MEMORY,
    NODE_HAS_INSUFFICIENT_MEMORY,
    NODE_HAS_NO_DISK_PRESSURE,
    NODE_HAS_DISK_PRESSURE,
    NODE_HAS_SUFFICIENT_PID,
    NODE_HAS_INSUFFICIENT_PID,
    NODE_READY,
    NODE_NOT_READY,
    NODE_NEWS,
};

/* A set of bits, 1 << NODE_READY; `seen` is NULL for a Node that is made. */
unsigned node_news(const struct node *seen, const struct node *told);

/* Of one of them. */
const char *node_news_reason(enum node_news news);
