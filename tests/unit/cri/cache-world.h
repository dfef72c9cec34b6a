/*
 * A world for the runtime cache: the test plays the runtime, the network to it, the loop and the
 * clock. A call is answered as the runtime was when it was made; when the answer arrives is the
 * test's business. Nothing here waits for real.
 */
#pragma once

#include "test.h"

#include "nodeagent/cri/cache.h"

enum {
    WORLD_OBJECTS = 2048,
    WORLD_RULES = 32,
};

struct world_sandbox {
    const char *id; /* NULL: it is gone */
    const char *uid;
    const char *ip;
    const char *ip2;
    uint32_t attempt;
    int64_t created;
    bool not_ready;
    bool host_network;
    bool no_metadata;
    bool no_label;
    bool vanishes; /* it is listed, but has no status */
    bool no_network;
};

struct world_container {
    const char *id;
    const char *uid;
    const char *sandbox_id;
    const char *name;
    enum cri_state state;
    uint32_t attempt;
    int64_t created;
    int32_t exit_code;
    const char *reason;
    const char *restarts; /* annotation */
    bool no_metadata;
    bool vanishes;
    bool no_status; /* the answer has none */
};

/* Answers to these calls are held back, or are failures. The last rule that fits counts. */
struct world_rule {
    const char *method; /* "ContainerStatus"; NULL: any */
    const char *about;  /* an id, or the UID of a list's filter, "" for a list of all; NULL: any */
    bool hold;
    bool refuse; /* the call cannot even be made */
    enum rpc_status status;
    const char *text;
};

struct world {
    struct cri *cri;
    struct cri_cache *cache;
    struct wheel *wheel;
    struct world_sandbox sandboxes[WORLD_OBJECTS];
    struct world_container containers[WORLD_OBJECTS];
    size_t sandbox_count, container_count;
    struct world_rule rules[WORLD_RULES];
    size_t rule_count;
    bool no_containerd_events;
    bool no_cri_events;
    char told[4096]; /* "a,b,*," */
    void (*on_told)(struct world *world, const char *uid);
};

int world_set_up(void **state);
int world_tear_down(void **state);
#define world_test(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

/* The cache is made; its first look has not begun. */
void world_begin(struct world *world);

struct world_sandbox *world_sandbox(struct world *world, const char *uid, const char *id);
struct world_container *world_container(struct world *world, const char *uid, const char *id);
struct world_rule *world_rule(struct world *world, struct world_rule rule);

/* Answers arrive and the loop turns until nothing more happens at this time. */
void world_settle(struct world *world);
/* The same for so long, timers included. */
void world_pass(struct world *world, usec_t usec);
/* The loop turns once or more, but no answer arrives. */
void world_turn(struct world *world);

/* One answer that is held back, the newest such call first, arrives. */
void world_release_newest(struct world *world, const char *method);
void world_release_all(struct world *world);

unsigned world_in_flight(const struct world *world, const char *method); /* NULL: any */
unsigned world_calls(const struct world *world, const char *method);     /* made so far */
unsigned world_calls_about(const struct world *world, const char *method, const char *about);
void world_forget_calls(struct world *world);
void world_expect_told(struct world *world, const char *told); /* and forgets it */
usec_t world_now(const struct world *world);
usec_t world_last_call(const struct world *world, const char *method); /* when it was made */

/* streams */
bool world_stream_open(const struct world *world, const char *method);
void world_stream_message(struct world *world, const void *bytes, size_t length);
void world_stream_end(struct world *world, enum rpc_status status);
