/*
 * gRPC speaks to programmers ("failed to connect to all addresses; last error: UNKNOWN: …"), and in
 * other words each time. Here the common mistakes get one sentence each, so that the same trouble
 * is told once, however often it comes back.
 */
#include "runtime-trouble.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <string.h>

#define NAME_IT "or name its socket with --container-runtime-endpoint"
#define ANOTHER                                                                                    \
    "is it another program's socket? The runtime's is named with "                                 \
    "--container-runtime-endpoint"

#define CLOSES "who listens there closes connections within calls: see the runtime's log"

/* The first that is in gRPC's text. */
static const struct {
    const char *part;
    const char *sentence;
} connecting[] = {
    {"No such file or directory", "there is no such socket: start the runtime, " NAME_IT},
    {"Not a directory", "there is no such socket: start the runtime, " NAME_IT},
    {"Connection refused", "nobody listens on it: start the runtime, " NAME_IT},
    {"Permission denied", "may not be used (Permission denied): the agent must run as root, and no "
                          "security module may forbid it"},
    {"Protocol wrong type for socket", "is no stream socket: " ANOTHER},
    {"http1.x", "who listens there does not speak gRPC, but HTTP/1: " ANOTHER},
    {"Failed parsing HTTP/2", "who listens there does not speak gRPC: " ANOTHER},
    {"failed to connect to all addresses; last error: UNAVAILABLE: ",
     "who listens there closes connections at once: see the runtime's log; or " ANOTHER},
    {"Socket closed", CLOSES},
    {"Connection reset by peer", CLOSES},
    {"Broken pipe", CLOSES},
};

static const char *sentence_of(enum rpc_status status, const char *text)
{
    if (status == RPC_UNIMPLEMENTED)
        return "who listens there has no v1 CRI: enable the runtime's CRI plugin (containerd: "
               "\"cri\" must not be among disabled_plugins), or update it (containerd: 1.6 or "
               "later)";
    if (status == RPC_DEADLINE_EXCEEDED)
        return "who listens there does not answer: it hangs or is overloaded, see its log";
    if (status == RPC_UNAVAILABLE)
        for (size_t i = 0; i < array_size(connecting); i++)
            if (strstr(text, connecting[i].part))
                return connecting[i].sentence;
    return NULL;
}

char *runtime_trouble(const char *endpoint, const char *method, enum rpc_status status,
                      const char *text)
{
    const char *sentence = sentence_of(status, text);

    if (sentence)
        return mem_printf("%s: %s", endpoint, sentence);
    return mem_printf("%s: %s: %s: see the runtime's log", endpoint, method, text);
}
