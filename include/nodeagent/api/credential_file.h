/*
 * What a configuration names as a file, read again and again in the pool: a token, a certificate
 * with its key, authorities. What is not understood leaves what was understood last as it is.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/sys/wheel.h"

#include <stdbool.h>

struct work;
struct work_job;

enum credential_kind {
    CREDENTIAL_TOKEN,
    CREDENTIAL_PAIR, /* the certificate, and the key */
    CREDENTIAL_AUTHORITY,
};

enum {
    CREDENTIAL_TEXTS = 2,
};

/* The key that a certificate manager renews; it is noticed soon. */
#define CREDENTIAL_ROTATED_NAME "kubelet-client-current.pem"

/* A token is as good as new for a minute; ten seconds of it are for reading and sending it. */
#define CREDENTIAL_TOKEN_PERIOD (50 * USEC_PER_SEC)
#define CREDENTIAL_PEM_PERIOD (300 * USEC_PER_SEC)
#define CREDENTIAL_ROTATED_PERIOD (10 * USEC_PER_SEC)
#define CREDENTIAL_AWAITED_PERIOD (1 * USEC_PER_SEC) /* until the first certificate is there */
#define CREDENTIAL_RETRY (10 * USEC_PER_SEC)         /* after a failure: it may be half written */
#define CREDENTIAL_READ_LIMIT (10 * USEC_PER_SEC)

struct credential_file;

/* After a reading that made a difference: other texts, or the end of `fetching`. */
typedef void credential_file_fn(struct credential_file *file);

/* Embedded in its owner. */
struct credential_file {
    enum credential_kind kind;
    const char *paths[CREDENTIAL_TEXTS]; /* the owner's; NULL: it is not used */
    struct wheel *wheel;
    struct work *work;
    credential_file_fn *changed;
    usec_t period; /* between two readings; 0: as its kind wants it */

    char *texts[CREDENTIAL_TEXTS]; /* as understood last; NULL: not yet, or not any more */
    usec_t read;                   /* when that reading began, by boottime */
    bool fetching;                 /* what was there is refused, and another is on its way */

    struct wheel_timer timer;
    struct work_job *job;
    usec_t began;       /* the job */
    bool again;         /* it began too early for what it is wanted for */
    struct err trouble; /* of the last reading */
};

/* The first six members are set. The texts are as they were read before; NULL: not yet. */
void credential_file_begin(struct credential_file *file, const char *text, const char *more);
void credential_file_end(struct credential_file *file); /* harmless when it was not begun */

/* Nothing that was read before then is of use: reads at once, unless there is something newer. */
void credential_file_refuse(struct credential_file *file, usec_t then);
