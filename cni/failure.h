/* Why a verb failed: filling the structure, here or from what a plugin printed. */
#pragma once

#include "nodeagent/cni.h"

/* A failure that is no plugin's. Returns the errno. */
int failure_set(struct cni_failure *failure, int errno_code, unsigned code, const char *format, ...)
    _printf_(4, 5);

/* The same from an error that a callee described. */
int failure_from(struct cni_failure *failure, unsigned code, const struct err *err);

/* What went wrong with a plugin, in the words of libcni; `err` has the sentence without its name.
 */
struct plugin_fault {
    const struct cni_network *network;
    const char *type;
    const char *command;
    unsigned code;
    int errno_code;
    const char *errors; /* its stderr */
    size_t errors_length;
};
int failure_of_plugin(struct cni_failure *failure, const struct plugin_fault *fault,
                      const char *message, const char *details);

/* The error object that a plugin prints; {code, msg, details, cniVersion}. */
void failure_write(const struct cni_failure *failure, const char *version, struct strbuf *out);

/* Forgets all of it. */
void failure_clear(struct cni_failure *failure);
