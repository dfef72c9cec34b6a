/* Judging the network behind nodeagent-cni. */
#include "network.h"

#include "network-list.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/cni.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/program.h"
#include "nodeagent/sys/wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 << 10 };

#define STATUS_TIMEOUT (30 * USEC_PER_SEC)
#define WATCHED                                                                                    \
    (IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |    \
     IN_ATTRIB)

struct network {
    struct network_options options;
    char *program; /* nodeagent-cni; NULL: it is not installed */
    struct arena arena;
    uint64_t told; /* a hash of it; 0: nothing */
    bool ours;
    struct network_list list;
    struct child *check;
    bool again;        /* something happened during the check */
    bool asks_plugins; /* some of them know STATUS */
    char *trouble;
    char *file;
    int inotify; /* -1: a change is seen only by those who need the network */
    struct loop_source *source;
    struct wheel_timer timer; /* for the next check */
};

static void check(struct network *network);

static void check_after(struct network *network, usec_t delay)
{
    wheel_arm(network->options.wheel, &network->timer, usec_add(clock_boottime(), delay));
}

static void on_timer(struct wheel_timer *timer)
{
    check(container_of(timer, struct network, timer));
}

/* Only a change is news. */
static void set_trouble(struct network *network, const char *text)
{
    if (str_equal(network->trouble, text))
        return;
    free(network->trouble);
    network->trouble = text ? mem_strdup(text) : NULL;
    if (text)
        log_warning("network not ready: %s", text);
    else
        log_info("network: all is well again");
    network->options.changed(network->options.owner);
}

/* the directory */

static void on_inotify(void *data, int fd, uint32_t events)
{
    struct network *network = data;
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    /* What happened is seen by looking. What is left is read in the next turn. */
    if (read(fd, buffer, sizeof(buffer)) > 0 && network->ours)
        check_after(network, NETWORK_SETTLE_USEC);
}

static void open_inotify(struct network *network)
{
    struct err err;

    network->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (network->inotify >= 0 &&
        loop_watch_fd(network->options.loop, &network->source, LOOP_API, network->inotify, EPOLLIN,
                      on_inotify, network, &err) < 0)
        fd_close_at(&network->inotify);
}

/* Harmless when it is watched already; one that comes later is found by the next check. */
static void watch(struct network *network)
{
    if (network->inotify >= 0)
        inotify_add_watch(network->inotify, network->list.conf_dir, WATCHED | IN_ONLYDIR);
}

/* checking */

static char *text_of(const struct json *object, const char *name)
{
    const struct json *value = object ? json_get_string(object, name) : NULL;

    return value ? mem_strndup(value->text, value->length) : NULL;
}

/* What it prints when all is well; see nodeagent/cni.h. */
static void take_report(struct network *network, const struct json *report)
{
    const struct json *plugins = json_get(report, "plugins");

    free(network->file);
    network->file = text_of(report, "file");
    network->asks_plugins = false;
    for (uint32_t i = 0; plugins && plugins->type == JSON_ARRAY && i < plugins->length; i++) {
        const struct json *verb = json_get_string(&plugins->items[i], "verb");

        network->asks_plugins |= verb && json_text_is(verb, "STATUS");
    }
}

static char *trouble_of(const struct json *printed, const struct child_result *result)
{
    const struct json *code = printed ? json_get(printed, "code") : NULL;
    _cleanup_(mem_free_at) char *message = text_of(printed, "msg");

    if (result->outcome == CHILD_EXITED && result->status == 0)
        return NULL;
    if (!message || !code || code->type != JSON_NUMBER)
        return mem_printf("NetworkReady=false reason:NetworkPluginNotReady message:" CNI_PROGRAM
                          " cannot tell: %s",
                          result->err.text);
    return mem_printf("NetworkReady=false reason:NetworkPluginNotReady message:Network plugin "
                      "returns error: %s (code %.*s)",
                      message, (int)code->length, code->text);
}

static void on_checked(void *owner, const struct child_result *result)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(mem_free_at) char *trouble = NULL;
    struct network *network = owner;
    struct json_findings findings;
    struct json *printed = NULL;
    struct err err;

    network->check = NULL;
    if (json_parse(&arena, result->out.bytes, result->out.length, &json_limits_manifest, &findings,
                   &printed, &err) < 0 ||
        printed->type != JSON_OBJECT)
        printed = NULL;
    trouble = trouble_of(printed, result);
    if (printed && !trouble)
        take_report(network, printed);
    set_trouble(network, trouble);
    if (network->again)
        check_after(network, NETWORK_SETTLE_USEC);
    else if (trouble)
        check_after(network, NETWORK_RETRY_USEC);
    else if (network->asks_plugins)
        check_after(network, NETWORK_POLL_USEC);
}

static void check(struct network *network)
{
    _cleanup_(strbuf_deinit) struct strbuf input = STRBUF_INIT;
    struct json_writer writer;
    struct err err;

    if (!network->ours)
        return;
    network->again = network->check != NULL;
    if (network->again)
        return;
    watch(network);
    json_writer_init(&writer, &input, false);
    network_begin(network, &writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    if (network_run(network, "STATUS", &input, STATUS_TIMEOUT, on_checked, network, &network->check,
                    &err) == 0)
        return;
    set_trouble(network, err.text);
    check_after(network, NETWORK_RETRY_USEC);
}

void network_doubt(struct network *network)
{
    if (network->ours && !network->trouble)
        check_after(network, NETWORK_SETTLE_USEC);
}

/* running nodeagent-cni */

void network_begin(const struct network *network, struct json_writer *writer)
{
    network_list_begin(&network->list, writer);
}

int network_run(struct network *network, const char *verb, const struct strbuf *input,
                usec_t timeout, child_done_fn done, void *owner, struct child **child,
                struct err *err)
{
    _cleanup_(mem_free_at) char *command = mem_printf("CNI_COMMAND=%s", verb),
                                *path = mem_printf("CNI_PATH=%s", network->list.path);
    const char *argv[] = {NULL, NULL};
    const char *environment[] = {
        command, path, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    struct child_request request = {
        .argv = argv,
        .environment = environment,
        .input = input->text,
        .input_length = input->length,
        .stdout_max = OUTPUT_MAX,
        .stderr_max = OUTPUT_MAX,
        .timeout = timeout,
    };

    if (!network->program && program_find(CNI_PROGRAM, "cni", NULL, &network->program, err) < 0)
        return -ENOENT;
    argv[0] = network->program;
    return child_spawn(network->options.helper, &request, done, owner, child, err);
}

/* what the runtime says */

void network_told(struct network *network, const char *status)
{
    uint64_t hash = status ? map_hash(status, strlen(status)) | 1 : 0;
    bool before = network->ours;

    if (hash == network->told || !network->options.helper)
        return;
    network->told = hash;
    arena_deinit(&network->arena);
    network->arena = ARENA_INIT_DOCUMENT;
    network->ours = network_list_read(&network->list, status, &network->arena);
    if (network->ours) {
        if (!before)
            log_info("the runtime calls " CNI_PROGRAM "; networks are in %s",
                     network->list.conf_dir);
        check(network);
        return;
    }
    arena_deinit(&network->arena);
    wheel_cancel(&network->timer);
    set_trouble(network, NULL);
}

struct network *network_new(const struct network_options *options)
{
    struct network *network = mem_new(struct network);

    network->options = *options;
    network->inotify = -1;
    wheel_timer_init(&network->timer, on_timer);
    if (options->helper)
        open_inotify(network);
    return network;
}

struct network *network_free(struct network *network)
{
    if (!network)
        return NULL;
    if (network->check)
        child_cancel(network->options.helper, network->check);
    if (network->source)
        loop_source_free(network->source);
    fd_close_at(&network->inotify);
    wheel_cancel(&network->timer);
    arena_deinit(&network->arena);
    free(network->program);
    free(network->trouble);
    free(network->file);
    free(network);
    return NULL;
}

bool network_is_ours(const struct network *network)
{
    return network->ours;
}

const char *network_ifname(const struct network *network)
{
    return network->list.ifname;
}

const char *network_trouble(const struct network *network)
{
    return network->trouble;
}

const char *network_file(const struct network *network)
{
    return network->file ? network->file : "";
}
