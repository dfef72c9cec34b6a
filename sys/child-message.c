/*
 * What is asked of a helper and what it answers, as bytes.
 */
#include "child-message.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <string.h>

enum {
    QUOTED_ERRORS_MAX = 200, /* of a program's stderr in a sentence */
};

/* requests */

static uint32_t add_strings(struct strbuf *payload, const char *const *strings)
{
    uint32_t count = 0;

    for (; strings && strings[count]; count++)
        strbuf_add_bytes(payload, strings[count], strlen(strings[count]) + 1);
    return count;
}

void request_encode(const struct child_request *request, struct strbuf *payload)
{
    const char *directory = request->directory ? request->directory : "/";
    struct wire_spawn spawn = {
        .deadline = usec_add(clock_monotonic(), MIN(request->timeout, CHILD_TIMEOUT_MAX)),
        .input_length = (uint32_t)request->input_length,
        .output_max = {(uint32_t)MIN(request->stdout_max, (size_t)CHILD_OUTPUT_MAX),
                       (uint32_t)MIN(request->stderr_max, (size_t)CHILD_OUTPUT_MAX)},
        .ends_with_agent = request->ends_with_agent,
    };

    strbuf_add_bytes(payload, &spawn, sizeof(spawn));
    strbuf_add_bytes(payload, directory, strlen(directory) + 1);
    spawn.argument_count = add_strings(payload, request->argv);
    spawn.environment_count = add_strings(payload, request->environment);
    strbuf_add_bytes(payload, request->input, request->input_length);
    memcpy(payload->text, &spawn, sizeof(spawn));
}

/* results */

void result_explain(const char *program, usec_t timeout, struct child_result *result)
{
    _cleanup_(strbuf_deinit) struct strbuf said = STRBUF_INIT;
    struct err *err = &result->err;
    size_t length = result->errors.length;

    while (length && strchr("\n\r \t", result->errors.bytes[length - 1]))
        length--;
    if (length) {
        strbuf_add(&said, ": ");
        strbuf_add_quoted(&said, result->errors.bytes, length, QUOTED_ERRORS_MAX);
    }
    switch (result->outcome) {
    case CHILD_EXITED:
        if (result->status)
            err_set(err, -EIO, "%s exited with status %d%s", program, result->status,
                    said.text ? said.text : "");
        break;
    case CHILD_SIGNALLED:
        err_set(err, -EIO, "%s was ended by signal %d (%s)%s", program, result->status,
                strsignal(result->status), said.text ? said.text : "");
        break;
    case CHILD_TIMED_OUT:
        if (err->code)
            err_prefix(err, "%s", program);
        else
            err_set(err, -ETIMEDOUT, "%s did not end within %.1f s and was killed%s", program,
                    (double)timeout / USEC_PER_SEC, said.text ? said.text : "");
        break;
    case CHILD_NOT_STARTED:
    case CHILD_LOST:
        break;
    }
}

int result_decode(const struct strbuf *payload, struct child_result *result)
{
    struct wire_result head;
    const char *next;
    size_t left;
    struct child_output *outputs[] = {&result->out, &result->errors};

    if (payload->length < sizeof(head))
        return -EBADMSG;
    next = payload->text + sizeof(head);
    left = payload->length - sizeof(head);
    memcpy(&head, payload->text, sizeof(head));
    for (size_t i = 0; i < array_size(outputs); i++) {
        if (left <= head.output_length[i])
            return -EBADMSG;
        *outputs[i] = (struct child_output){next, head.output_length[i], head.output_dropped[i]};
        next += head.output_length[i] + 1;
        left -= head.output_length[i] + 1;
    }
    result->outcome = (enum child_outcome)head.outcome;
    result->status = head.status;
    result->pid = head.pid;
    result->wall_usec = head.wall_usec;
    result->user_usec = head.user_usec;
    result->system_usec = head.system_usec;
    if (head.code < 0)
        err_set(&result->err, head.code, "%.*s", (int)strnlen(next, left), next);
    return 0;
}
