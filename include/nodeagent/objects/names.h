/*
 * The formats that names have in the API. Each check returns NULL when the string is right, or
 * the end of the sentence "... must be ...".
 */
#pragma once

#include "nodeagent/base/macros.h"

#include <stdbool.h>

const char *name_check_label(const char *string);       /* DNS label: web-1 */
const char *name_check_subdomain(const char *string);   /* DNS subdomain: web.example.com */
const char *name_check_qualified(const char *string);   /* example.com/role, role */
const char *name_check_label_value(const char *string); /* "" or 63 of [-A-Za-z0-9_.] */
const char *name_check_config_key(const char *string);  /* key of a ConfigMap or Secret */
const char *name_check_env(const char *string);         /* printable ASCII but = */
const char *name_check_port_name(const char *string);   /* http-alt */
const char *name_check_port_number(int64_t number);     /* 1 to 65535 */
const char *name_check_http_header(const char *string);
const char *name_check_relative_path(const char *string); /* no leading /, no .. */
const char *name_check_user_id(int64_t id);               /* 0 to 2147483647 */

/* The same with the annotation rule: the key is compared in lower case. */
const char *name_check_annotation_key(const char *string);

bool path_has_dot_dot(const char *path); /* an element "..", split at "/" */

/* Strict: four decimal octets without leading zeros, or IPv6 that is not IPv4-mapped, no zone. */
const char *name_check_ip(const char *string);

/* The same, and no unspecified, loopback or link-local address. */
const char *name_check_reachable_ip(const char *string);

/* An address and a prefix length with no bits set behind it. */
const char *name_check_cidr(const char *string);

bool ip_is_v6(const char *ip); /* of a checked address */
