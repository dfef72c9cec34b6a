/*
 * What a pod asks of the kernel by name, checked before the runtime is asked: a mistyped name is a
 * clear error, never a container with less protection than it was meant to have.
 */
#pragma once

#include "nodeagent/base/err.h"
#include "nodeagent/base/str.h"
#include "nodeagent/objects/container.h"

enum {
    SECCOMP_PROFILE_BYTES_MAX = 1 << 20, /* a generous list of all calls has 30 KB */
};

/* Names are as libcap knows them, with or without "CAP_", or "ALL". */
int translate_check_capabilities(const struct container *container, struct err *err);

/*
 * The text of a profile in the OCI's form. Runtimes skip names of system calls that they do not
 * know: so it is no failure, and `unknown`, unless NULL, gets them, joined with ", ".
 */
int seccomp_profile_check(const char *json, size_t length, struct strbuf *unknown, struct err *err);
