/*
 * What every API object has: its metadata, and the label selectors that several kinds share.
 */
#pragma once

#include "nodeagent/objects/values.h"

struct owner_reference {
    const char *api_version;
    const char *kind;
    const char *name;
    const char *uid;
    uint8_t controller; /* enum opt_bool */
    uint8_t block_owner_deletion;
};

struct object_meta {
    const char *name;
    const char *generate_name;
    const char *name_space;
    const char *uid;
    const char *resource_version;
    int64_t generation;
    struct opt_time creation_timestamp;
    struct opt_time deletion_timestamp;
    struct opt_int64 deletion_grace_period_seconds;
    struct string_map labels;
    struct string_map annotations;
    list_of(struct owner_reference) owner_references;
    struct string_list finalizers;
};

struct label_requirement {
    const char *key;
    const char *operator_;
    struct string_list values;
};

struct label_selector {
    struct string_map match_labels;
    list_of(struct label_requirement) match_expressions;
};

struct local_reference {
    const char *name;
};

/* Used by pods and by runtime classes. */
struct toleration {
    const char *key;
    const char *operator_;
    const char *value;
    const char *effect;
    struct opt_int64 toleration_seconds;
};
