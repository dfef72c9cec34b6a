/* What the files of the probers share: whom they watch, and whose turn it is. */
#pragma once

#include "history.h"
#include "nodeagent/probes/judge.h"
#include "nodeagent/probes/timing.h"

#include "nodeagent/base/list.h"
#include "nodeagent/base/map.h"
#include "nodeagent/sys/wheel.h"

enum {
    PROBE_TRIES = 3,      /* of an attempt that cannot be made */
    PROBE_TEXT_MAX = 256, /* bytes kept of what was wrong last */
};

/* Those that wait for an attempt: quick ones first, and neither of the others takes all of it. */
enum prober_queue { QUEUE_QUICK, QUEUE_SLOW, QUEUE_EXEC, QUEUES };

struct prober {
    struct list queue;
    struct wheel_timer timer;
    struct probed *of;
    const struct probe *probe;
    struct probe_attempt *attempt;
    struct probe_timing timing;
    struct judge judge;
    usec_t due;             /* the tick of the attempt at hand */
    usec_t armed;           /* when that was to be seen: not while another attempt went on */
    usec_t lag;             /* by which this agent held it up until it was sent, its turn aside */
    usec_t began;           /* that attempt */
    usec_t held_up;         /* probers->held_up, when it began */
    unsigned tries;         /* of that attempt */
    enum prober_queue took; /* of the attempt at hand, or that it waits for */
    bool slow;              /* its last attempt timed out */
    bool quick;             /* counts in probers->quick_rate */
    char *text;             /* what was wrong with the last attempt; NULL: nothing */
    struct history history;
};

struct probed { /* a container */
    struct list link;
    struct watched *pod;
    struct object *object; /* the pod's, as it was when the container was first told of */
    const struct container *container; /* of that */
    bool seen;                         /* in the set at hand */
    struct prober *probers[PROBE_TYPES];
    char id[];
};

struct watched { /* a pod */
    struct probers *probers;
    char *ip;
    bool close;
    struct list containers;
    char uid[];
};

struct probers {
    struct probers_options options;
    struct map pods; /* UID to struct watched */
    struct list queues[QUEUES];
    unsigned in_flight;
    unsigned took[QUEUES];
    struct wheel_timer pulse; /* beats while attempts are in flight */
    usec_t pulse_due;
    usec_t held_up;      /* how late beats came, in sum */
    uint64_t quick_rate; /* of annotated probes: attempts a second, in thousandths */
};

/* turns.c */
void turns_init(struct probers *probers);
void prober_init(struct prober *prober);
void prober_arm(struct prober *prober);  /* for its next tick, or not at all */
void prober_rest(struct prober *prober); /* nothing is armed, queued or in flight any more */
