/* The parts of a pod's defaults and validation, one function a file. */
#pragma once

#include "nodeagent/objects/pod.h"
#include "validate.h"

void pod_set_defaults(struct object *object);
void pod_validate(const struct object *object, struct report *report);

/* volumes: defaults and rules of one volume kind table */
void volume_set_defaults(struct volume *volume, struct arena *arena);

/*
 * Validates spec.volumes; `valid[i]` says whether volume i had no error of its own (a mount may
 * name only such a volume).
 */
void validate_volumes(const struct pod *pod, const struct path *spec, bool *valid,
                      struct report *report);
