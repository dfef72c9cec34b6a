/* Events in words: how one is decoded and shown. */
#pragma once

#include "nodeagent/objects/event.h"
#include "show.h"

/* A new reference, or NULL: the item of that index cannot be decoded. */
struct object *event_decode(const struct json *document, size_t index, struct err *err);

/* Four cells: LAST SEEN, TYPE, REASON, MESSAGE. */
void event_cells(const struct event *event, struct table *table);
