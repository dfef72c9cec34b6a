/* What the files of the loop, and the wheel's timer, share. */
#pragma once

#include "nodeagent/sys/loop.h"

#include <pthread.h>
#include <systemd/sd-event.h>

/* Posts from other threads. The descriptor stays readable until all of them were called. */
struct loop_inbox {
    struct loop_source *source;
    int wake_fd;
    struct list taken; /* the loop's thread only */
    pthread_mutex_t lock;
    struct list arrived;
    bool awake; /* the descriptor is readable */
};

struct loop {
    sd_event *event;
    struct list ready;  /* sources that may be called in this turn */
    struct list called; /* sources that were */
    struct loop_inbox inbox;
    void (*before_wait)(void *data);
    void *before_wait_data;
    struct loop_turns turns;
    usec_t turn_began;
    bool stopped;
    int code;
};

int loop_inbox_init(struct loop *loop, struct err *err);
void loop_inbox_deinit(struct loop *loop);

/* Called once a turn, before the wait; there is one. NULL takes it away. */
void loop_before_wait(struct loop *loop, void (*call)(void *data), void *data);
