/* exec: a command in the container, run by the runtime. Its exit code is the verdict. */
#include "attempt-internal.h"
#include "text.h"

#include <string.h>

/* What the command wrote, standard output first. */
static void keep_output(struct probe_attempt *attempt, const struct probe_exec_reply *reply)
{
    size_t out = MIN(reply->out_length, (size_t)PROBE_OUTPUT_MAX);
    size_t err = MIN(reply->err_length, PROBE_OUTPUT_MAX - out);
    char *output;

    attempt->outcome.body_cut = out < reply->out_length || err < reply->err_length;
    if (!out && !err)
        return;
    output = arena_alloc(&attempt->arena, out + err + 1);
    if (out)
        memcpy(output, reply->out, out);
    if (err)
        memcpy(output + out, reply->err, err);
    output[out + err] = '\0';
    attempt->outcome.body = output;
    attempt->outcome.body_length = out + err;
}

static const char *too_long(struct probe_attempt *attempt)
{
    struct arena *arena = &attempt->arena;

    return arena_printf(arena, "command timed out: %s timed out after %s",
                        text_quoted(arena, attempt->target.shown),
                        text_duration(arena, attempt->timeout));
}

static void ended(void *owner, const struct probe_exec_reply *reply)
{
    struct probe_attempt *attempt = owner;
    struct probe_outcome *outcome = &attempt->outcome;

    keep_output(attempt, reply);
    outcome->left = reply->left;
    if (reply->how == PROBE_EXEC_KILLED) {
        attempt_finish(attempt, PROBE_EXEC_TIMEOUT, too_long(attempt));
    } else if (reply->how == PROBE_EXEC_FAILED) {
        attempt_finish(attempt, PROBE_ERRORED, arena_strdup(&attempt->arena, reply->text));
    } else if (reply->how == PROBE_EXEC_UNANSWERED) {
        attempt_finish(attempt, PROBE_ERRORED,
                       arena_printf(&attempt->arena,
                                    "the runtime has not said what became of the command: %s",
                                    reply->text));
    } else {
        outcome->code = reply->exit_code;
        if (!reply->exit_code)
            attempt_finish(attempt, PROBE_SUCCESS, "");
        else
            attempt_finish(attempt, PROBE_EXEC_EXIT,
                           text_repaired(&attempt->arena, outcome->body, outcome->body_length));
    }
}

static void stop(struct probe_attempt *attempt)
{
    attempt->engine->options.exec.cancel(attempt->exec);
}

void attempt_exec(struct probe_attempt *attempt, const struct probe_order *order)
{
    const struct probe_exec *exec = &attempt->engine->options.exec;
    struct string_list command;
    struct err err;

    if (target_command(&command, &attempt->arena, order, &err) < 0) {
        attempt_errored(attempt, &err);
        return;
    }
    attempt->target.shown = target_command_text(&attempt->arena, &command);
    attempt->outcome.target = attempt->target.shown;
    if (!exec->begin) {
        attempt_end(attempt, PROBE_ERRORED, "there is no runtime here to run the probe's command");
    } else if (!order->container_id) {
        attempt_end(attempt, PROBE_ERRORED, "there is no container yet to run the probe's command");
    } else {
        attempt->exec =
            exec->begin(exec->owner, order->container_id, &command, order->timeout, ended, attempt);
        attempt->stop = stop;
    }
}
