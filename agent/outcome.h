/* How an operation, or a part of it, ended. */
#pragma once

#include "nodeagent/pod.h"

struct outcome {
    enum pod_operation_state state;
    const char *reason;  /* of a failure */
    const char *message; /* of a failure; of an image: what is told of it */
    const char *image_id;
    bool answered; /* the runtime said itself that it is done */
};
