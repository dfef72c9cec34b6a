/*
 * How an API server says no: an HTTP status, and in the body an object of kind Status whose reason
 * tells apart what shares a status ("AlreadyExists" and "Conflict" are both 409).
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/time.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    API_REASON_MAX = 64,
    API_RETRY_AFTER_MAX_SECONDS = 3600,
};

struct api_failure {
    int code;                    /* HTTP's; 0: no answer came */
    char reason[API_REASON_MAX]; /* "AlreadyExists"; "": none was given */
    usec_t retry_after;          /* when the server wants to be asked again; 0: it does not say */
    struct err err;              /* a sentence: the server's, or what its status means */
};

/* What was asked to go on from is not there any more, or not yet: all is to be read anew. */
bool api_failure_is_expired(const struct api_failure *failure);

/* 401 or 403: it is not what was asked for, but who asks. */
bool api_failure_is_of_identity(const struct api_failure *failure);

/* It was refused, and would be again: no trouble that passes by itself. */
bool api_failure_is_lasting(const struct api_failure *failure);

/* No server that knows sets as streams answers so to who asks for one. */
bool api_failure_refuses_streams(const struct api_failure *failure);

/* `head` are the lines of the answer's head, "" when unknown; `shown` names what was asked. */
void api_failure_read(struct api_failure *failure, const char *shown, int code, const char *head,
                      const char *body, size_t length);
