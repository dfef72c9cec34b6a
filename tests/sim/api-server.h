/*
 * The model API server: objects with versions, what became of them since when, and the watches that
 * are told of it. It sees decoded requests, which the simulated net/http brings (net-http.c), and
 * may be away, slow, behind, or of the kind that knows no sets as streams.
 *
 * Versions have as many digits as VERSION_DIGITS: they are written into an object's text in place.
 */
#pragma once

#include "nodeagent/base/json.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/str.h"
#include "world.h"

enum {
    API_KEY_MAX = 60, /* as that of an event */
    API_NAME_MAX = 80,
    STORM_REQUESTS_MAX = 120, /* in STORM_WINDOW, to a server that was away */
    VERSION_FIRST = 10000,
    VERSION_LAST = 99999,
};

#define STORM_WINDOW (10 * USEC_PER_SEC)

struct http_call;
struct manifest;

enum api_state {
    API_IS_UP,
    API_REFUSES,   /* nobody listens */
    API_IS_SILENT, /* what is sent there is lost */
};

struct api_kind {
    const char *group; /* "/api/v1" */
    const char *plural;
    bool watched;
};

/* By their place in the table of kinds. */
enum api_kind_name {
    KIND_POD,
    KIND_NODE,
    KIND_LEASE,
    KIND_CSI_NODE,
    KIND_EVENT,
    KIND_CONFIG_MAP,
    KIND_SECRET,
    KIND_SERVICE,
    KIND_RUNTIME_CLASS,
    KIND_ACCOUNT, /* of which there are only tokens */
    API_KIND_COUNT,
};

extern const struct api_kind api_kinds[API_KIND_COUNT];

struct api_object {
    struct list link;
    enum api_kind_name kind;
    char name_space[24];
    char name[API_NAME_MAX];
    char uid[40];
    char *text;
};

enum api_change_type { API_ADDED, API_MODIFIED, API_DELETED };

struct api_change {
    struct list link;
    uint64_t version;
    enum api_change_type type;
    enum api_kind_name kind;
    char name_space[24];
    char name[API_NAME_MAX];
    char *text;
};

struct api_server {
    struct list objects;
    struct list changes; /* oldest first */
    uint64_t version;
    uint64_t oldest; /* from here on it can tell what became of things */
    unsigned next_uid;
    bool knows_streams; /* sets as streams */
    enum api_state state;
    struct event *returns;
    usec_t sent[STORM_REQUESTS_MAX]; /* when the last requests were sent, in a ring */
    unsigned sent_count;
    struct list clients;      /* of the present agent: struct http */
    struct list calls;        /* its requests and watches */
    struct api_call *telling; /* whose stream is read at the moment, while it is there */
};

struct api_server *api_server_new(void);
struct api_server *api_server_free(struct api_server *server);

/* api-store.c: objects */

struct api_object *api_find(enum api_kind_name kind, const char *name_space, const char *name);
/* A new one, or a new text of one that is there. */
struct api_object *api_put(enum api_kind_name kind, const char *name_space, const char *name,
                           const char *text);
/* The same with `patch` merged into the text; NULL: nothing but a new version. */
void api_patch(struct api_object *object, const char *patch);
void api_remove(struct api_object *object);
uint64_t api_version_of(const struct api_object *object);
const char *api_new_uid(enum api_kind_name kind, char uid[40]);

/* How things were at some version: the set of a kind, oldest first. */
typedef void api_set_fn(void *data, const char *name_space, const char *name, const char *text);
void api_set_at(enum api_kind_name kind, uint64_t version, api_set_fn *call, void *data);

/* api-merge.c: strategic merge, as far as statuses, Nodes and events need it */

char *api_merge(const char *text, const char *patch);
/* Do both say the same? Members in any order, conditions too. `where` tells of a difference. */
bool api_same(const struct json *a, const struct json *b, struct strbuf *where);
/* A member at the end of a path "metadata.uid" as text; "": there is none. */
const char *api_text_at(const struct json *document, const char *path, char text[API_NAME_MAX]);
struct json *api_parse(struct arena *arena, const char *text);

/* requests */

struct api_call {
    struct list link;
    struct http_call *client;
    char method[8];
    enum api_kind_name kind;
    char name_space[24];
    char name[API_NAME_MAX];     /* "": all of them */
    char part[16];               /* "status", "token" */
    char selected[API_NAME_MAX]; /* the one that a watch or a list is about; "": all */
    char *query;
    char *body;            /* NULL: none */
    char key[API_KEY_MAX]; /* for choices and traces */
    /* of a watch that was answered */
    bool streams;
    uint64_t told;         /* up to this version */
    bool marks;            /* ... which it is told next */
    struct strbuf pending; /* lines on their way */
};

struct api_answer {
    int status;
    unsigned retry_after; /* seconds; 0: it does not say */
    struct strbuf body;
};

/* False: nothing that this server knows. */
bool api_call_parse(struct api_call *call, const char *method, const char *path);
/* A parameter of the query, decoded; NULL: it is not there. Valid until the next call. */
const char *api_parameter(const struct api_call *call, const char *name);

/* api-serve.c. A watch that is answered with 200 has begun to stream. */
void api_serve(struct api_call *call, struct api_answer *answer);
/* Is it refused for no reason of its own? */
bool api_serve_trouble(struct api_call *call, struct api_answer *answer);
void api_refuse(struct api_answer *answer, int status, const char *reason, const char *message);

/* api-watch.c */
bool api_watch_is_about(const struct api_call *call, const struct api_object *object);
void api_watch_begin(struct api_call *call, struct api_answer *answer);
void api_list(struct api_call *call, struct api_answer *answer);
void api_watch_mark(struct api_call *call); /* it is told how far it is */
/* Adds what the watch is to be told now. False: nothing. */
bool api_watch_gather(struct api_call *call);

/* net-http.c */
void net_stream_wake(struct http_call *client); /* there may be something to be told */
void net_http_agent_died(void);
void net_connections_break(void);       /* all at once */
void net_connections_die(bool noticed); /* silently; does TCP notice? */

/* cluster.c: what others do in the cluster */
void cluster_begin(void);
void cluster_pod_put(struct manifest *manifest);
void cluster_pod_delete(struct manifest *manifest);
bool cluster_has(const struct manifest *manifest);
void cluster_note_arrival(const char *text, size_t length);
void cluster_all_well(void); /* it is calm: what pods refer to is there, and so is the server */
void cluster_away(enum api_state state); /* until it is all well */
