/*
 * What the node's name means in DNS and the hosts file: looked up in the pool, at first at the
 * start and then now and then.
 */
#pragma once

#include "nodeagent/base/time.h"
#include "nodeagent/objects/values.h"

#include <stdbool.h>

struct node_name;
struct wheel;
struct work;

#define NODE_NAME_USEC (300 * USEC_PER_SEC)        /* between two look-ups */
#define NODE_NAME_RETRY_USEC (60 * USEC_PER_SEC)   /* after one that failed */
#define NODE_NAME_LIMIT_USEC (30 * USEC_PER_SEC)   /* of one */
#define NODE_NAME_PATIENCE_USEC (3 * USEC_PER_SEC) /* with the first one */

struct node_name_options {
    const char *name;
    struct wheel *wheel;
    struct work *work;
    void (*changed)(void *owner); /* it means something else now */
    void *owner;
};

struct node_name *node_name_new(const struct node_name_options *options);
struct node_name *node_name_free(struct node_name *name);

/* Was it answered once, or is it no use to wait for that? */
bool node_name_is_settled(const struct node_name *name);

/* Of the last look-up that found any: one that fails takes nothing back. Valid until the loop's
 * next turn. */
const struct string_list *node_name_addresses(const struct node_name *name);
