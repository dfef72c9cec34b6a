/* The formats of names and versions in CNI. */
#pragma once

#include "nodeagent/cni.h"

enum {
    CNI_NAME_MAX = 200, /* it becomes part of the names of files */
    CNI_IFNAME_MAX = 15,
};

/* Each returns NULL, or the end of the sentence "... must ...". */
const char *cni_name_check(const char *string);   /* of a network or a container */
const char *cni_ifname_check(const char *string); /* of an interface */
const char *cni_type_check(const char *string);   /* of a plugin: a file's name */
const char *cni_args_check(const char *string);   /* CNI_ARGS */

/* 1 to 3 numbers, as one that can be compared; negative when it is something else. */
int64_t cni_version_number(const char *version);
/* One of cni_versions, or NULL. */
const char *cni_version_known(const char *version);
bool cni_version_at_least(const char *version, const char *least);
