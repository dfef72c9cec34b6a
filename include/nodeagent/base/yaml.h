/*
 * YAML as Kubernetes' tools read it (YAML 1.1 scalars: yes, off, 0755, ~), into the same
 * documents as JSON. One stream may hold many documents; a broken one does not hide the next.
 */
#pragma once

#include "nodeagent/base/json.h"

struct yaml_stream {
    const char *text;
    size_t length;
    size_t position; /* of the document that yaml_next reads next */
};

/*
 * The next document: 1 with *root set, 0 at the end, or a negative errno with `err` filled
 * (without its place, which is findings->error_offset); the stream is then past that document.
 * Documents without content are passed over, as other readers do.
 */
int yaml_next(struct yaml_stream *stream, struct arena *arena, const struct json_limits *limits,
              struct json_findings *findings, struct json **root, struct err *err);

/* Does a text start like JSON (its first character that is not white space is a brace)? */
bool yaml_is_json(const char *text, size_t length);
