/*
 * Networks by CNI: what a directory of configuration says, and the verbs ADD, DEL, CHECK, STATUS,
 * GC and VERSION on it. Everything here runs programs or touches files, and blocks; the caller has
 * one thread and ignores SIGPIPE.
 *
 * An attachment (a network, a container, an interface) is recorded in libcni's own cache before
 * the first plugin runs, with all that is needed to delete it: whoever finds the entry, another
 * runtime too, needs neither the configuration nor the caller any more.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/err.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/str.h"
#include "nodeagent/base/time.h"

#include <errno.h>
#include <stdbool.h>

enum {
    CNI_FILES_MAX = 256,              /* in a directory of configuration */
    CNI_CONFIG_BYTES_MAX = 1 << 20,   /* of one file, and of one list with all its plugins */
    CNI_PLUGINS_MAX = 32,             /* of one network */
    CNI_STDIN_BYTES_MAX = 4 << 20,    /* a GC with 10,000 attachments has 2 MiB */
    CNI_STDOUT_BYTES_MAX = 256 << 10, /* a result has 1 KiB */
    CNI_STDERR_BYTES_MAX = 64 << 10,
    CNI_ENTRIES_MAX = 16384, /* in the cache: pods of a node, times their interfaces, times 16 */
};

#define CNI_CONF_DIR "/etc/cni/net.d"
#define CNI_BIN_DIR "/opt/cni/bin"
#define CNI_CACHE_DIR "/var/lib/cni"
#define CNI_PROGRAM "nodeagent-cni" /* the type under which this project is a plugin itself */

/* versions of the specification */

/* All there are, oldest first, ends in NULL. */
extern const char *const cni_versions[];
#define CNI_VERSION_NEWEST "1.1.0"

/* why something failed */

enum cni_code {
    CNI_CODE_VERSION = 1,
    CNI_CODE_CONTAINER = 3,
    CNI_CODE_ENVIRONMENT = 4,
    CNI_CODE_IO = 5,
    CNI_CODE_DECODE = 6,
    CNI_CODE_CONFIG = 7,
    CNI_CODE_NETNS = 8,
    CNI_CODE_LATER = 11,
    CNI_CODE_UNAVAILABLE = 50, /* of STATUS only */
    CNI_CODE_LIMITED = 51,     /* the same: running pods may be affected */
    CNI_CODE_OTHER = 999,      /* what Go's library says for nearly everything */
};

enum {
    CNI_DETAILS_MAX = 2048,
    CNI_ERRORS_MAX = 2048,
    CNI_TYPE_MAX = 128,
};

/* Filled when a function fails. Texts are as plugins gave them, cut and made printable. */
struct cni_failure {
    struct err err;            /* the errno and the whole sentence, with the plugin in it */
    unsigned code;             /* of the specification, or the plugin's own */
    char plugin[CNI_TYPE_MAX]; /* "" when none of them was at fault */
    char message[ERR_TEXT_MAX];
    char details[CNI_DETAILS_MAX];
    char errors[CNI_ERRORS_MAX]; /* the end of what it wrote to stderr */
};

/* networks */

struct cni_plugin {
    const char *type;
    const struct json *config;       /* as it was written */
    const struct json *capabilities; /* an object, or NULL */
};

struct cni_network {
    const char *name;
    const char *version;
    const char *place; /* the file */
    bool disable_check;
    bool disable_gc;
    list_of(struct cni_plugin) plugins;
    struct strbuf text; /* one list that says all of it, those of a directory inlined */
    struct arena arena;
};

/* A list; `place` is what sentences call it. Plugins of a directory are not looked for. */
int cni_network_parse(struct cni_network **network, const char *place, const char *text,
                      size_t length, struct err *err);
/* A file, as its name says: .conflist, or .conf and .json with one plugin. */
int cni_network_load(struct cni_network **network, const char *path, struct err *err);
struct cni_network *cni_network_free(struct cni_network *network);
void cni_network_free_at(struct cni_network **network);
bool cni_network_has_plugin(const struct cni_network *network, const char *type);

struct cni_file {
    char *path;
    const struct cni_network *network; /* or NULL, and a problem: it was passed over */
    const char *problem;
};

/* All networks of a directory in the order of their files. */
struct cni_networks {
    list_of(struct cni_network *) items;
    list_of(char *) problems;       /* sentences: files that are wrong, and were passed over */
    list_of(struct cni_file) files; /* both of these, in order */
};

/* A directory that is not there is one without networks. */
int cni_networks_load(struct cni_networks *networks, const char *directory, struct err *err);
void cni_networks_deinit(struct cni_networks *networks);
/* The one that counts: the first whose plugins are not this project's own; NULL: none. */
const struct cni_network *cni_networks_first(const struct cni_networks *networks);

/* running plugins */

/* One plugin that was run, with all that went in and came out. */
struct cni_step {
    const char *command; /* "ADD" */
    const char *network;
    const char *type;
    const char *program;
    const char *const *environment; /* ends in NULL */
    const char *input;
    const char *output;
    size_t output_length;
    const char *errors;
    size_t errors_length;
    usec_t wall_usec;
    const struct cni_failure *failure; /* NULL: none */
};

typedef void cni_trace_fn(void *userdata, const struct cni_step *step);

struct cni_setup {
    const char *const *bin_dirs; /* absolute, ends in NULL; the first that has a plugin counts */
    const char *cache_dir;       /* libcni's: results are below it */
    usec_t timeout;              /* instead of CNI_TIMEOUT_..., when it is shorter; 0: none */
    cni_trace_fn *trace;         /* may be NULL */
    void *userdata;
};

/*
 * The limits of time are for a chain as a whole. A plugin whose turn comes late still gets 5 s, so
 * that a DEL reaches all of them. An ADD and its undoing fit into the 4 minutes of a kubelet for a
 * sandbox, a DEL into the 2 minutes for its end.
 */
#define CNI_TIMEOUT_ADD (120 * USEC_PER_SEC)
#define CNI_TIMEOUT_DEL (60 * USEC_PER_SEC)
#define CNI_TIMEOUT_CHECK (30 * USEC_PER_SEC)
#define CNI_TIMEOUT_STATUS (5 * USEC_PER_SEC)
#define CNI_TIMEOUT_VERSION (5 * USEC_PER_SEC)
#define CNI_TIMEOUT_GC (300 * USEC_PER_SEC)

/* -EINVAL unless there is one and all are absolute. */
int cni_setup_check(const struct cni_setup *setup, struct err *err);

/* The program that is run for plugins of this type, to be freed; NULL: it is in no directory. */
char *cni_program_find(const struct cni_setup *setup, const char *type);

/* attachments */

struct cni_attachment {
    const char *container_id;
    const char *ifname;
    const char *netns;
    const char *args;                /* CNI_ARGS: "K=V;K=V", or NULL */
    const struct json *capabilities; /* an object of all capability arguments, or NULL */
};

/*
 * The result of the last plugin, as it gave it. A failure was undone by a DEL of the whole chain;
 * what could not be undone stays recorded. -EEXIST: it is attached, and nothing was touched.
 */
int cni_add(const struct cni_setup *setup, const struct cni_network *network,
            const struct cni_attachment *attachment, struct strbuf *result,
            struct cni_failure *failure);

/*
 * Deletes all that is recorded of this container and interface, as it is recorded. `network` (may
 * be NULL) is for a record of it that cannot be read, and with `unrecorded` also for none at all.
 * Every plugin gets its DEL, also after another's failed; the first failure is reported.
 */
int cni_del(const struct cni_setup *setup, const struct cni_network *network,
            const struct cni_attachment *attachment, bool unrecorded, struct cni_failure *failure);

/*
 * Asks the plugins whether all is as it was recorded. -ENOENT: nothing is recorded; -EOPNOTSUPP:
 * its version of the specification knows no CHECK.
 */
int cni_check(const struct cni_setup *setup, const struct cni_network *network,
              const struct cni_attachment *attachment, struct cni_failure *failure);

/* networks as a whole */

/* Whether pods can be attached, as far as the plugins tell (since 1.1.0). */
int cni_status(const struct cni_setup *setup, const struct cni_network *network,
               struct cni_failure *failure);

/*
 * Are all plugins there, and do they know the network's version? One that does not understand the
 * question may do its work all the same: its failure is none for which cni_cannot_run().
 */
int cni_check_versions(const struct cni_setup *setup, const struct cni_network *network,
                       struct cni_failure *failure);

static inline bool cni_cannot_run(int code)
{
    return code == -ENOENT || code == -EPROTONOSUPPORT;
}

struct cni_valid {
    const char *container_id;
    const char *ifname;
};

struct cni_entry;
/* What became of a stale one; `failure` is NULL when it was deleted, and in a dry run. */
typedef void cni_gc_fn(void *userdata, const struct cni_entry *entry,
                       const struct cni_failure *failure);

struct cni_count {
    size_t stale;   /* found */
    size_t deleted; /* of these */
};

struct cni_gc {
    list_of(const struct cni_valid) valid; /* complete: what is not in it is deleted */
    usec_t spare; /* what was recorded less than so long ago is left alone: a runtime lists a
                     sandbox only some time after its ADD */
    /* For who has no such list: valid is what has its network namespace still, and what is not
     * recorded. So plugins are not told, and the host is swept only of what was deleted. */
    bool by_netns;
    bool dry_run;    /* counts what is stale */
    cni_gc_fn *tell; /* of each attachment that was found stale; may be NULL */
    void *userdata;

    /* attachments: records */
    size_t stale;
    size_t deleted;
    /* what nobody has a record of, see below */
    struct cni_count namespaces; /* mounts of /run/netns/cni-*, of attachments that were deleted */
    struct cni_count reservations; /* addresses of host-local */
    struct cni_count rules;        /* of bridge and portmap, by iptables or nftables */
};

#define CNI_RESERVATION_SPARE (300 * USEC_PER_SEC) /* host-local may outlive who called it */

/*
 * Deletes what is recorded, of this network or by cni_add() of any network, and not in `valid`, and
 * tells plugins that know GC (since 1.1.0). `network` may be NULL. Waits for what is under way and
 * holds up what comes. Goes on after a failure and reports the first.
 *
 * Then it sweeps the host: what bears the name of one of these networks and the id of a container
 * that is neither valid nor on record is deleted, by hand and by a DEL of the network's plugins.
 * Plugins that are killed leave such things, and so does whoever lost the records. Names of
 * networks that are nobody's here, and of those with disableGC, are left alone.
 */
int cni_gc(const struct cni_setup *setup, const struct cni_network *network, struct cni_gc *gc,
           struct cni_failure *failure);

/* the cache */

struct cni_entry {
    const char *file; /* its name in the directory of results */
    const char *network;
    const char *container_id;
    const char *ifname;
    const char *netns;
    const char *args;                /* or NULL */
    const struct json *capabilities; /* or NULL */
    const char *config;              /* the text of the network, or NULL */
    const struct json *result;       /* NULL: the ADD did not come to its end */
    bool ours;                       /* cni_add() wrote it */
    bool deleting;                   /* a DEL has begun before */
    usec_t written;                  /* when, on the wall clock */
};

struct cni_entries {
    list_of(struct cni_entry) items;
    list_of(const char *) unreadable; /* names of files */
};

/* Has the network namespace ended? One that cannot be told has not. */
bool cni_netns_is_gone(const char *path);

/* All of them; everything lives in the arena. */
int cni_entries_load(const char *cache_dir, struct arena *arena, struct cni_entries *entries,
                     struct err *err);

/* results */

/* Checks a result of any version, and puts in `version` if it has none. It lives in the arena. */
int cni_result_parse(struct arena *arena, const char *text, size_t length, const char *version,
                     const struct json **result, struct err *err);
/* Writes it as another version says it. */
int cni_result_convert(const struct json *result, const char *version, struct strbuf *out,
                       struct err *err);
/* The addresses ("10.1.2.3", no prefix) that are the container's on this interface. */
struct cni_addresses {
    list_of(const char *) items;
};
void cni_result_addresses(const struct json *result, const char *ifname, struct arena *arena,
                          struct cni_addresses *addresses);

/* the program */

/*
 * What nodeagent-cni (CNI_PROGRAM) understands in its list, which lies in the runtime's private
 * directory; only "type" is needed:
 *
 *     {"cniVersion": "1.0.0", "name": "nodeagent-cni", "plugins": [{
 *         "type": "nodeagent-cni",
 *         "capabilities": {"portMappings": true, "bandwidth": true, ...},
 *         "confDir": "/etc/cni/net.d",     where real networks are
 *         "binDirs": ["/opt/cni/bin"],     where plugins are; else where the runtime has its own
 *         "cacheDir": "/var/lib/cni",
 *         "agentSocket": "/run/nodeagent/cni.sock",
 *         "timeLimitSeconds": 120,         shorter than usual, for a chain
 *         "spareSeconds": 300,             GC leaves alone what was added less than so long ago
 *         "report": true,                  GC and STATUS print what they found
 *         "builtIn": {"subnets": ["10.85.0.0/16", "fd85::/64"], "bridge": "nodeagent0"}
 *     }]}
 *
 * "builtIn" allows a network of bridge, host-local and portmap while confDir has none. The list's
 * name must not be that of a real network.
 *
 * STATUS is good when there is a network, its plugins are there and know its version, and those
 * that know STATUS are ready. Its report is the object that goes to the socket, see below.
 *
 * GC is that of cni_gc() with the network that counts now, if there is one. Its report is a line,
 * which the object of an error may follow:
 *
 *     {"attachments": {"stale": 2, "deleted": 2}, "namespaces": {...}, "reservations": {...},
 *      "rules": {...}}
 *
 * To the socket goes a datagram of JSON for each call, but for VERSION:
 *
 *     {"verb": "ADD", "containerId": ..., "ifName": ..., "netns": ..., "args": CNI_ARGS,
 *      "network": its name, "file": its configuration, "usec": all of it,
 *      "plugins": [{"type": "bridge", "verb": "ADD", "usec": 1200, "failed": false}],
 *      "addresses": ["10.1.2.3"], "problems": ["FILE:LINE:COLUMN: what is wrong"],
 *      "failure": {"code": 11, "plugin": "bridge", "message": ..., "details": ...}}
 *
 * What does not apply is left out. Nobody has to listen.
 */
#define CNI_AGENT_SOCKET "/run/nodeagent/cni.sock"
