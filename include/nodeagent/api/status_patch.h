/*
 * What to tell the API server of a pod's status: a strategic merge patch with what is this agent's
 * to say and differs from what the server has. All else, whoever wrote it, stays as it is.
 */
#pragma once

#include "nodeagent/base/str.h"
#include "nodeagent/objects/pod.h"

enum status_change {
    STATUS_SAME,   /* the server has all of it: there is no patch */
    STATUS_DETAIL, /* what may be told with the next news */
    STATUS_NEWS,   /* what others wait for: an address, a phase, what a condition says */
};

/*
 * `seen` is the pod as the server has it, `uid` and `version` are preconditions: the server refuses
 * to change another pod of this name, and one that is newer than `version` (NULL: any).
 */
enum status_change status_patch(const struct pod *seen, const struct pod_status *status,
                                const char *uid, const char *version, struct strbuf *patch);
