/* Where records end up: the journal's socket or a line on a descriptor; never waits. */
#pragma once

#include "nodeagent/sys/log.h"

/* "NAME=value" and NUL for each field, MESSAGE first. */
struct log_record {
    int64_t time_usec; /* since 1970 */
    uint64_t dropped;  /* how many others it tells to be missing; 0 for most */
    uint32_t level;
    uint32_t length; /* of `bytes` */
    char bytes[LOG_RECORD_MAX];
};

struct log_sink {
    bool journal;
    bool colours;
    int fd;       /* the journal's socket (-1: not connected), or what lines are written to */
    bool fd_open; /* `fd` is ours to close */
    bool stream_socket;
    char *journal_socket;
    char *identifier;
};

void sink_init(struct log_sink *sink, const struct log_options *options);
void sink_deinit(struct log_sink *sink);

/*
 * 0; -EAGAIN when sink->fd takes no more for now; -ENOTCONN when there is no journal for now;
 * another negative errno when this record cannot be written at all.
 */
int sink_write(struct log_sink *sink, const struct log_record *record);
