/* What is asked of a helper and what it answers, as bytes. */
#pragma once

#include "child-wire.h"

/* The payload of WIRE_SPAWN; its deadline counts from now. */
void request_encode(const struct child_request *request, struct strbuf *payload);

/* Takes the outputs and the sentence out of the payload of WIRE_RESULT, which stays theirs. */
int result_decode(const struct strbuf *payload, struct child_result *result);

/* "program exited with status 1: what it wrote to stderr" */
void result_explain(const char *program, usec_t timeout, struct child_result *result);
