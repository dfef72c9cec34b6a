/*
 * A container's last words: the end of its termination message's file, or of its log. What is read
 * was written by the container, and reading blocks: a job for the pool.
 */
#pragma once

#include <stdbool.h>

enum {
    TERMINATION_MESSAGE_MAX = 4096,     /* bytes, the file's last; so has the reference */
    TERMINATION_LOG_LINES_MAX = 80,     /* the log's last */
    TERMINATION_LOG_MAX = 2048,         /* bytes of what those lines say, the last */
    TERMINATION_LOG_WINDOW = 64 * 1024, /* bytes of the log that are looked at */
};

/* The log is read if `fall_back_to_logs` and the message is empty. Either path may be NULL. */
void *termination_job_new(const char *message_path, const char *log_path, bool fall_back_to_logs);
int termination_job(void *job); /* a work_run_fn; always 0: the text says what went wrong */
void termination_job_free(void *job);

/* The caller's; never NULL, "" when there is nothing, valid UTF-8. */
char *termination_take_text(void *job);
