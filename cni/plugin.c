/*
 * One plugin run once. It is found in the directories of programs, gets an environment of its own
 * and nothing else, runs in a process group that ends with it, and within a time.
 */
#include "plugin.h"
#include "document.h"
#include "failure.h"
#include "names.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/clock.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    ENVIRONMENT_MAX = 8,
    BUSY_TRIES_MAX = 50, /* of a program that is just being written; 5 s in all */
};

#define BUSY_PAUSE_MSEC 100

static const struct {
    const char *name;
    usec_t timeout;
} verbs[] = {
    [VERB_ADD] = {"ADD", CNI_TIMEOUT_ADD},       [VERB_DEL] = {"DEL", CNI_TIMEOUT_DEL},
    [VERB_CHECK] = {"CHECK", CNI_TIMEOUT_CHECK}, [VERB_STATUS] = {"STATUS", CNI_TIMEOUT_STATUS},
    [VERB_GC] = {"GC", CNI_TIMEOUT_GC},          [VERB_VERSION] = {"VERSION", CNI_TIMEOUT_VERSION},
};

const char *verb_name(enum verb verb)
{
    return verbs[verb].name;
}

usec_t verb_timeout(const struct cni_setup *setup, enum verb verb)
{
    return setup->timeout ? MIN(setup->timeout, verbs[verb].timeout) : verbs[verb].timeout;
}

usec_t plugin_time(const struct plugin_call *call, usec_t now)
{
    return MIN(verb_timeout(call->setup, call->verb),
               MAX(usec_sub(call->deadline, now), PLUGIN_TIME_LEAST));
}

int cni_setup_check(const struct cni_setup *setup, struct err *err)
{
    if (!setup->bin_dirs || !*setup->bin_dirs)
        return err_set(err, -EINVAL, "no directory of CNI plugins is given; %s is the usual one",
                       CNI_BIN_DIR);
    for (size_t i = 0; setup->bin_dirs[i]; i++)
        if (setup->bin_dirs[i][0] != '/' || strchr(setup->bin_dirs[i], ':'))
            return err_set(err, -EINVAL,
                           "the directory of CNI plugins \"%s\" must be an absolute path without "
                           "\":\"",
                           setup->bin_dirs[i]);
    return 0;
}

/* what it gets */

/* One run, with what must stay until it was told of. */
struct run {
    const struct plugin_call *call;
    char *program;
    char *environment[ENVIRONMENT_MAX + 1];
    struct strbuf input;
    struct strbuf storage;
    struct child_result result;
};

static void run_deinit(struct run *run)
{
    free(run->program);
    for (size_t i = 0; run->environment[i]; i++)
        free(run->environment[i]);
    strbuf_deinit(&run->input);
    strbuf_deinit(&run->storage);
}

static char *join_dirs(const char *const *dirs)
{
    struct strbuf path = STRBUF_INIT;

    for (size_t i = 0; dirs[i]; i++)
        strbuf_printf(&path, "%s%s", i ? ":" : "", dirs[i]);
    return strbuf_take(&path);
}

static void environment_set(struct run *run)
{
    static const struct cni_attachment none = {0},
                                       /* very old plugins want all of them for VERSION, too */
        dummy = {.container_id = "dummy", .netns = "dummy", .ifname = "dummy"};
    const struct plugin_call *call = run->call;
    const struct cni_attachment *attachment = call->attachment ? call->attachment : &none;
    _cleanup_(mem_free_at) char *dirs = join_dirs(call->setup->bin_dirs);
    size_t count = 0;

    if (call->verb == VERB_VERSION)
        attachment = &dummy;
    const struct {
        const char *name, *value;
    } variables[] = {
        {"CNI_COMMAND", verb_name(call->verb)}, {"CNI_CONTAINERID", attachment->container_id},
        {"CNI_NETNS", attachment->netns},       {"CNI_IFNAME", attachment->ifname},
        {"CNI_ARGS", attachment->args},         {"CNI_PATH", dirs},
    };

    for (size_t i = 0; i < array_size(variables); i++)
        run->environment[count++] =
            mem_printf("%s=%s", variables[i].name, variables[i].value ? variables[i].value : "");
    run->environment[count++] = mem_strdup(TOOL_PATH);
    assert_that(count <= ENVIRONMENT_MAX);
}

char *cni_program_find(const struct cni_setup *setup, const char *type)
{
    struct stat status;

    for (const char *const *dir = setup->bin_dirs; *dir; dir++) {
        char *path = mem_printf("%s/%s", *dir, type);

        if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
            return path;
        free(path);
    }
    return NULL;
}

/* what became of it */

static int fault(const struct run *run, int errno_code, unsigned code, const char *message,
                 const char *details, struct cni_failure *failure)
{
    const struct plugin_fault fault = {
        .network = run->call->network,
        .type = run->call->plugin->type,
        .command = verb_name(run->call->verb),
        .code = code,
        .errno_code = errno_code,
        .errors = run->result.errors.bytes ? run->result.errors.bytes : "",
        .errors_length = run->result.errors.length,
    };

    return failure_of_plugin(failure, &fault, message, details);
}

int plugin_answered_badly(const struct plugin_call *call, const struct err *err,
                          struct cni_failure *failure)
{
    const struct run run = {.call = call};

    return fault(&run, err->code, CNI_CODE_DECODE, err->text, "", failure);
}

static unsigned error_code(const struct json *value)
{
    char text[16] = "";
    int64_t code;

    if (value && value->type == JSON_NUMBER && value->length < sizeof(text))
        memcpy(text, value->text, value->length);
    return str_to_i64(text, &code) == 0 && code > 0 && code <= UINT32_MAX ? (unsigned)code
                                                                          : CNI_CODE_OTHER;
}

/* It ended with a status of failure: its own error object, or whatever else can be said. */
static int fault_told(const struct run *run, struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct child_output *out = &run->result.out;
    struct document document;
    const char *message, *details;
    struct err err;

    if (!out->length)
        return fault(run, -EIO, CNI_CODE_OTHER, run->result.err.text, "", failure);
    if (document_parse(&document, &arena, "stdout", out->bytes, out->length, &err) < 0 ||
        document.root->type != JSON_OBJECT) {
        _cleanup_(strbuf_deinit) struct strbuf quoted = STRBUF_INIT;

        strbuf_printf(&quoted, "%s, and printed no error object: ", run->result.err.text);
        strbuf_add_quoted(&quoted, out->bytes, out->length, CNI_ERRORS_MAX / 8);
        return fault(run, -EIO, CNI_CODE_OTHER, quoted.text, "", failure);
    }
    message = json_take_string(json_get_any_case(document.root, "msg"), &arena);
    details = json_take_string(json_get_any_case(document.root, "details"), &arena);
    return fault(run, -EIO, error_code(json_get_any_case(document.root, "code")),
                 str_empty(message) ? run->result.err.text : message, details ? details : "",
                 failure);
}

static int judge(const struct run *run, struct cni_failure *failure)
{
    const struct child_result *result = &run->result;
    char text[128];

    switch (result->outcome) {
    case CHILD_EXITED:
        break;
    case CHILD_TIMED_OUT:
        return fault(run, -ETIMEDOUT, CNI_CODE_LATER, result->err.text, "", failure);
    case CHILD_SIGNALLED:
        return fault(run, -EIO, CNI_CODE_OTHER, result->err.text, "", failure);
    case CHILD_NOT_STARTED:
    case CHILD_LOST:
        return fault(run, result->err.code, CNI_CODE_IO, result->err.text, "", failure);
    }
    if (result->out.dropped) {
        snprintf(text, sizeof(text), "it printed %zu bytes, more than the %d allowed",
                 (size_t)(result->out.length + result->out.dropped), CNI_STDOUT_BYTES_MAX);
        return fault(run, -EMSGSIZE, CNI_CODE_DECODE, text, "", failure);
    }
    return result->status ? fault_told(run, failure) : 0;
}

/* running */

static void execute(struct run *run)
{
    const char *const argv[] = {run->program, NULL};
    const struct child_request request = {
        .argv = argv,
        .environment = (const char *const *)run->environment,
        .input = run->input.text,
        .input_length = run->input.length,
        .stdout_max = CNI_STDOUT_BYTES_MAX,
        .stderr_max = CNI_STDERR_BYTES_MAX,
        .timeout = plugin_time(run->call, clock_monotonic()),
    };
    const struct timespec pause = {.tv_nsec = BUSY_PAUSE_MSEC * 1000000L};

    for (int i = 0; i < BUSY_TRIES_MAX; i++) {
        child_run(&request, &run->storage, &run->result);
        if (run->result.outcome != CHILD_NOT_STARTED || run->result.err.code != -ETXTBSY)
            return;
        nanosleep(&pause, NULL);
    }
}

static void tell(const struct run *run, usec_t began, const struct cni_failure *failure)
{
    const struct plugin_call *call = run->call;
    const struct cni_step step = {
        .command = verb_name(call->verb),
        .network = call->network->name,
        .type = call->plugin->type,
        .program = run->program ? run->program : "",
        .environment = (const char *const *)run->environment,
        .input = run->input.text,
        .output = run->result.out.bytes ? run->result.out.bytes : "",
        .output_length = run->result.out.length,
        .errors = run->result.errors.bytes ? run->result.errors.bytes : "",
        .errors_length = run->result.errors.length,
        .wall_usec = usec_sub(clock_monotonic(), began),
        .failure = failure,
    };

    if (call->setup->trace)
        call->setup->trace(call->setup->userdata, &step);
}

int plugin_run(const struct plugin_call *call, struct strbuf *output, struct cni_failure *failure)
{
    _cleanup_(run_deinit) struct run run = {
        .call = call,
        .program = cni_program_find(call->setup, call->plugin->type),
    };
    _cleanup_(mem_free_at) char *dirs = join_dirs(call->setup->bin_dirs);
    usec_t began = clock_monotonic();
    char text[ERR_TEXT_MAX];
    int r;

    environment_set(&run);
    request_write(call, &run.input);
    if (!run.program) {
        snprintf(text, sizeof(text), "failed to find plugin \"%s\" in path [%s]",
                 call->plugin->type, dirs);
        r = fault(&run, -ENOENT, CNI_CODE_IO, text, "", failure);
    } else {
        execute(&run);
        r = judge(&run, failure);
    }
    tell(&run, began, r < 0 ? failure : NULL);
    strbuf_truncate(output, 0);
    strbuf_add_bytes(output, run.result.out.bytes, run.result.out.length);
    return r;
}
