/*
 * The directory of a node's certificates (--cert-dir, /var/lib/kubelet/pki), laid out as the
 * kubelet's, so that a node can go from one to the other and back:
 *
 *     kubelet-client-2026-01-02-03-04-05.pem   chain, then key
 *     kubelet-client-current.pem               a link to the one in use, switched atomically
 *     kubelet-server-...                       the same for serving
 *     kubelet.crt, kubelet.key                 serving, signed by nobody
 *
 * All of this blocks: for the pool, or the start.
 */
#pragma once

#include "nodeagent/api/certificate.h"

enum {
    CERTIFICATES_KEPT = 5, /* dated files: the current one, and those before it to go back to */
    CERTIFICATE_DIRECTORY_ENTRIES_MAX = 4096,
};

#define CERTIFICATE_PAIR_CLIENT "kubelet-client"
#define CERTIFICATE_PAIR_SERVER "kubelet-server"

struct certificate_store {
    int directory;    /* open, the caller's */
    const char *path; /* the directory's, for sentences */
    const char *pair; /* what names of files begin with */
};

/* Makes the directory where it is missing, removes what a crash left, and returns it, open. Once at
 * the start, before any of the below. */
int certificate_directory_open(const char *path, struct err *err);

/*
 * The first that there is: what the link leads to; the files of the configuration (both or neither
 * are NULL); PAIR.crt with PAIR.key, as before there were links. -ENOENT: there is none. One that
 * is broken is an error, not passed over.
 */
int certificate_store_load(const struct certificate_store *store, const char *chain_path,
                           const char *key_path, struct certificate *certificate, struct err *err);

/* Writes a pair under a name of the time (microseconds since 1970), then switches the link. */
int certificate_store_save(const struct certificate_store *store,
                           const struct certificate *certificate, int64_t now, struct err *err);

/* After a save: removes dated files beyond those kept, and the key (PAIR.key.tmp) that a kubelet
 * was asking a certificate for. */
int certificate_store_tidy(const struct certificate_store *store, struct err *err);

/*
 * kubelet.crt and kubelet.key, made for `host` (a name or an IP address) when they are missing.
 * Each is whole or not there, and the key is first: one without a certificate gets one.
 */
int certificate_self_signed(int directory, const char *path, const char *host, int64_t now,
                            struct certificate *certificate, struct err *err);
