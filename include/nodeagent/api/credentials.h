/*
 * What proves who the agent is, as it is at any time: a kubeconfig says where it comes from, and
 * here it is kept up to date. Files are read again in the pool, plugins are run by the helper;
 * nothing here waits.
 *
 * A client asks before each request, and again when `changed` is called. What cannot be had is told
 * in a sentence, which never has a secret in it; where there is an older one it stays in use.
 */
#pragma once

#include "nodeagent/api/kubeconfig.h"
#include "nodeagent/base/time.h"

struct child_helper;
struct credentials;
struct wheel;
struct work;

struct credential {
    const char *authorization; /* the header's value, "Bearer ..." or "Basic ..."; NULL: none */
    const char *authority;     /* PEM; NULL: what the system trusts */
    const char *certificate;   /* PEM, with its key; NULL: none */
    const char *key;
    uint64_t
        generation; /* grows when a PEM changes; connections of an older one are to be closed */
};

/* From the loop, and never from within a function of this header: ask again. */
typedef void credentials_fn(void *owner);

struct credentials_options {
    const struct kubeconfig *kubeconfig; /* outlives them, as the others do */
    struct wheel *wheel;
    struct work *work;
    struct child_helper *helper;
    const char *const *environment; /* which plugins get: the agent's own, ends in NULL */
    credentials_fn *changed;
    void *owner;
};

struct credentials *credentials_new(const struct credentials_options *options);
struct credentials *credentials_free(struct credentials *credentials);

/*
 * 0: `credential` is what to send now; what it points at is there until `changed` is called next.
 * -EAGAIN: it is being fetched, and `changed` is called when it is there or cannot be had.
 * Otherwise it cannot be had: the request fails. Who asks later makes it be tried again.
 */
int credentials_get(struct credentials *credentials, struct credential *credential,
                    struct err *err);

/*
 * The server answered 401 to a request that began then (boottime): a token from before is not used
 * any more, unless there is no other. Of many refusals only the first makes it be fetched anew.
 */
void credentials_refused(struct credentials *credentials, usec_t began);
