/* Where an attempt goes: port, host, URL and command, from what a pod's document says. */
#pragma once

#include "nodeagent/probes/attempt.h"

#include "nodeagent/base/arena.h"

struct target {
    const char *shown;     /* the URL, a password hidden; or the authority */
    const char *url;       /* of httpGet, without user and password */
    const char *authority; /* "10.0.0.1:80", "[fd00::1]:80" */
    const char *host;      /* without brackets */
    uint16_t port;
    bool secure;
    const char *user; /* NULL: none */
    const char *password;
    bool hostless; /* the URL has no host at all: it cannot be asked for */
};

/* Into the arena, or parts of the order and the handler. An error is why no attempt can be made. */
int target_http(struct target *target, struct arena *arena, const struct probe_order *order,
                struct err *err);
int target_tcp(struct target *target, struct arena *arena, const struct probe_order *order,
               struct err *err);
int target_grpc(struct target *target, struct arena *arena, const struct probe_order *order,
                struct err *err);

/* The command with `$(NAME)` replaced by the literal values of the container's environment. */
int target_command(struct string_list *command, struct arena *arena,
                   const struct probe_order *order, struct err *err);
const char *target_command_text(struct arena *arena, const struct string_list *command);
