/*
 * How the configuration is read. One table names every setting once, with the field of a file and
 * the flag that mean the same. Defaults, files and flags, in this order, fill one value for each
 * row; what the agent uses is then checked and copied into struct config.
 */
#pragma once

#include "config.h"
#include "nodeagent/base/str.h"
#include "nodeagent/objects/report.h"

enum {
    /* What kubeadm writes has 3 KiB and comes from a ConfigMap, which ends at 1 MiB. */
    CONFIG_FILE_MAX = 1 << 20,
    CONFIG_DROP_INS_MAX = 1000,
    CONFIG_DROP_IN_DEPTH_MAX = 16, /* directories in directories */
    CONFIG_ITEMS_MAX = 1000,       /* of a list or a map; there are about 200 feature gates */
    CONFIG_WARNINGS_MAX = 20,      /* lines about one file; the rest only counts */
};

/* settings */

enum setting_kind {
    SETTING_BOOL,
    SETTING_INT32,
    SETTING_INT64,
    SETTING_FLOAT,
    SETTING_STRING,
    SETTING_PATH,
    SETTING_DURATION,
    SETTING_STRINGS,
    SETTING_MAP,      /* name=value; in a file the values are strings */
    SETTING_EVICTION, /* name<value as a flag, else as a map */
    SETTING_GATES,    /* name=true */
    SETTING_HEADERS,  /* name:value; in a file each name has a list */
    SETTING_TAINTS,   /* key=value:Effect; in a file a list of objects */
    SETTING_OBJECT,   /* not looked into: only whether there is anything in it */
    SETTING_OBJECTS,  /* likewise, a list */
};

enum setting_trait {
    /* In a file zero and "" count; of other settings (where the reference cannot tell them from
     * what is absent) they ask for the default, which kubeadm relies on. */
    ZERO_COUNTS = 1,
    ALSO_NUMBER = 2, /* a duration that may be a number of nanoseconds */
    LASTING = 4,     /* the flag is not deprecated although there is a field */
    OUR_FLAG = 8,    /* the kubelet has no such flag */
    OUR_FIELD = 16,  /* of a NodeAgentConfiguration */
    QUIET = 32,      /* without effect on purpose: nothing to warn of */
};

struct setting {
    const char *field; /* "authentication.webhook.enabled"; NULL: a flag only */
    const char *flag;  /* without dashes; NULL: a field only */
    uint8_t kind;
    uint8_t traits;
    uint16_t member;    /* of struct config, to which the value is copied; 0: none */
    const char *normal; /* the default, written as for the flag; NULL: unset */
    const char *legacy; /* the default without --config, where it is another */
    const char *help;   /* NULL: accepted, without effect */
};

extern const struct setting config_settings[];
extern const size_t config_setting_count;

/* values */

enum setting_source { FROM_DEFAULT, FROM_FILE, FROM_FLAG };

struct setting_value {
    uint8_t source;
    bool set;                /* not only a default that is "unset" */
    bool filled;             /* OBJECT, OBJECTS: there is something in it */
    int64_t number;          /* BOOL, INT32, INT64; DURATION in nanoseconds */
    const char *text;        /* STRING, PATH, FLOAT; never NULL */
    const char *place;       /* "/etc/x.yaml:3:1" when it is from a file, else NULL */
    struct string_map map;   /* MAP, EVICTION, GATES (of "true" and "false") */
    struct string_list list; /* STRINGS; HEADERS as "Name: value"; TAINTS as their flag has them */
};

struct flag_use {
    const struct setting *setting;
    const char *text;
};

struct config_reader {
    struct arena *arena;
    struct setting_value *values; /* in the order of the table */
    list_of(struct flag_use) flags;
    bool legacy;      /* there is no --config */
    const char *file; /* --config, or NULL */
};

enum file_role {
    FILE_MAIN,    /* --config: maps replace the default, relative paths begin at the file */
    FILE_DROP_IN, /* of --config-dir: maps are merged by name */
};

/* One document as it is decoded. */
struct config_document {
    struct config_reader *reader;
    enum file_role role;
    const char *file;
    const char *directory; /* that relative paths begin at */
    const struct json_places *places;
    struct report *report;
    bool ours; /* a NodeAgentConfiguration */
};

struct setting_value *config_value(const struct config_reader *reader,
                                   const struct setting *setting);
/* By the field, or the flag when there is none; it is surely in the table. */
const struct setting *config_setting_of(const char *name);
struct setting_value *config_value_of(const struct config_reader *reader, const char *name);

void config_set_defaults(struct config_reader *reader);
void config_set_default(struct config_reader *reader, const struct setting *setting);
bool config_is_default(const struct config_reader *reader, const struct setting *setting);

/* Both return whether there was room. */
bool config_list_add(struct arena *arena, struct string_list *list, const char *string);
bool config_map_set(struct arena *arena, struct string_map *map, const char *name,
                    const char *value);
void config_map_unset(struct string_map *map, const char *name);

/* The value as a flag has it; `err` holds what it should be. */
int config_set_text(struct config_reader *reader, const struct setting *setting, const char *text,
                    struct err *err);
/* The value as a document has it; what is wrong is reported. */
void config_set_json(struct config_document *document, const struct setting *setting,
                     const struct json *json, const struct path *path);

/* As Go's filepath.Join() and Clean() do: no ".", "..", doubled slashes, none at the end. What is
 * absolute already does not begin at the directory (NULL: the working directory); "" stays. */
const char *config_clean_path(struct arena *arena, const char *directory, const char *path);

/* the steps */
int config_parse_flags(struct config_reader *reader, int argc, char **argv, struct err *err);
int config_apply_flags(struct config_reader *reader, struct err *err);
int config_read_file(struct config_reader *reader, const char *path, enum file_role role,
                     struct err *err);
int config_read_directory(struct config_reader *reader, const char *path, struct err *err);
int config_check(const struct config_reader *reader, struct err *err);
void config_warn(const struct config_reader *reader);
void config_warn_of_gates(const struct config_reader *reader);
bool config_gate_enabled(const struct config_reader *reader, const char *name);
void config_print_help(void);

/* the node's name and addresses */
int config_node_name(const struct config_reader *reader, const char **name, struct err *err);
int config_node_addresses(const struct config_reader *reader, struct string_list *addresses,
                          struct err *err);
/* Those that are addresses; of others it warns. */
void config_cluster_dns(const struct config_reader *reader, struct string_list *servers);

/* its object: one label, one taint, a version; `err` holds the end of a sentence */
int config_check_label(const struct string_pair *label, struct err *err);
/* "key=value:Effect", "key:Effect"; its texts live in the arena. */
int config_taint(const char *text, struct arena *arena, struct taint *taint, struct err *err);
/* "1.34", "v1.35.2": as the Node reports it, or NULL. */
const char *config_kubernetes_version(const char *text, struct arena *arena);

/* eviction: what must stay free by one signal, or why it is wrong */
int config_threshold(const struct string_pair *pair, struct eviction_threshold *threshold,
                     struct err *err);
/* Of evictionHard; zero when the signal has none. */
struct eviction_threshold config_threshold_of(const struct config_reader *reader,
                                              const char *signal);

/* its servers: what is wrong with the value of a setting, given that of others */
int config_check_serving(const struct config_reader *reader, const char *name, struct err *err);
void config_keep_serving(struct config *config, const struct config_reader *reader);
void config_warn_of_serving(const struct config_reader *reader);
