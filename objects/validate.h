/*
 * The API server's rules, by part. Each function reports what breaks a rule and goes on; paths
 * are the server's, its oddities included (docs/compatibility.md).
 */
#pragma once

#include "nodeagent/base/str.h"
#include "nodeagent/objects/container.h"
#include "nodeagent/objects/names.h"
#include "nodeagent/objects/object.h"
#include "seen.h"

/* reporting helpers: each is silent when all is well */

/* `complaint` is what a name check said of `value`, NULL when all is well. */
void require(struct report *report, const struct path *path, const char *value,
             const char *complaint);
void require_number(struct report *report, const struct path *path, int64_t value,
                    const char *complaint);

/* An empty string is Required; another that breaks the format is Invalid. */
void require_named(struct report *report, const struct path *path, const char *value,
                   const char *(*check)(const char *));

/* A Required finding when the string is empty; returns whether it is not. */
bool require_some(struct report *report, const struct path *path, const char *value);

/* One of the NULL-terminated words, else NotSupported naming them; returns whether it is. */
bool require_one_of(struct report *report, const struct path *path, const char *value,
                    const char *const *words);

/* The same for a child of the path, so that callers need no local for it. */
void require_in(struct report *report, const struct path *path, const char *name, const char *value,
                const char *complaint);
bool require_some_in(struct report *report, const struct path *path, const char *name,
                     const char *value);
bool require_one_of_in(struct report *report, const struct path *path, const char *name,
                       const char *value, const char *const *words);

/* metadata */

enum name_format { NAME_SUBDOMAIN, NAME_LABEL, NAME_PATH_SEGMENT };

enum finalizer_rule { FINALIZERS_ANY, FINALIZERS_QUALIFIED };

void validate_meta(const struct object *object, enum name_format format,
                   enum finalizer_rule finalizers, struct report *report);
void validate_labels(const struct string_map *labels, const struct path *path,
                     struct report *report);
void validate_annotations(const struct string_map *annotations, const struct path *path,
                          struct report *report);
void validate_label_selector(const struct label_selector *selector, const struct path *path,
                             struct report *report);

/* "app-" as the server checks a name that may still grow: its end replaced by a letter. */
const char *name_masked(const char *prefix, char *masked, size_t size);

/* shared by pods and runtime classes */
void validate_tolerations(const struct toleration *tolerations, size_t count,
                          const struct path *path, struct report *report);

enum resource_level { RESOURCES_OF_CONTAINER, RESOURCES_OF_POD, RESOURCES_OVERHEAD };

/* Limits and requests: names, signs, what must be whole, hugepages; not a container's claims. An
 * overhead is checked as limits. */
void validate_resources(const struct resources *resources, enum resource_level level,
                        const struct path *path, struct report *report);

/* Only the amount: not negative, and whole where things are counted. */
void validate_amount(const char *name, const struct quantity *quantity, const struct path *path,
                     struct report *report);
bool resource_is_counted(const char *name);
