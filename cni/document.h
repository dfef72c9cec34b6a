/* A JSON text with a name, so that what is wrong in it can be pointed at. */
#pragma once

#include "nodeagent/base/json.h"

struct document {
    const char *place; /* what sentences call it: a path */
    const char *text;
    size_t length;
    struct json *root;
};

/* Copies the text into the arena; place must outlive the document. */
int document_parse(struct document *document, struct arena *arena, const char *place,
                   const char *text, size_t length, struct err *err);

/* "/etc/cni/net.d/10-a.conflist:3:14: sentence" */
int document_failed(const struct document *document, const struct json *value, struct err *err,
                    const char *format, ...) _printf_(4, 5);

/* The last member of a name in any case, as Go's programs look it up; or NULL. */
const struct json *json_get_any_case(const struct json *object, const char *name);
bool member_is_any_case(const struct json_member *member, const char *name);

bool bytes_are(const char *a, size_t a_length, const char *b, size_t b_length);

/* Is there a later member of the same name? Then this one does not count. */
bool member_is_overridden(const struct json *object, const struct json_member *member);

/* A string that ends in NUL and has none before; NULL when it is something else, or absent. */
const char *json_take_string(const struct json *value, struct arena *arena);

#define json_for_each_member(member, object)                                                       \
    for (const struct json_member *member = (object)->members;                                     \
         member && member < (object)->members + (object)->length; member++)
#define json_for_each(item, list)                                                                  \
    for (const struct json *item = (list)->items; item && item < (list)->items + (list)->length;   \
         item++)

void json_write_member(struct json_writer *writer, const struct json_member *member);
