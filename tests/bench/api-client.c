/*
 * The agent's client of the API server, with no agent: tests of the protocol tell it, line by line,
 * what to do, and read what came of it.
 *
 *     api-client KUBECONFIG
 *
 *     watch NAME KIND PATH [SELECTOR]   NAME set NAMESPACE/NAME VERSION
 *                                       NAME gone NAMESPACE/NAME
 *                                       NAME complete
 *     ask NAME METHOD PATH [BODY]       NAME ok BYTES
 *                                       NAME failed CODE SENTENCE
 *     beat NAME METHOD PATH [BODY]      the same, as heartbeats are sent
 *
 * It ends with its input; with 1 and a sentence in the log if the kubeconfig is of no use.
 */
#include "cluster-client.h"
#include "config.h"
#include "nodeagent/api/client.h"
#include "nodeagent/api/watch.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 << 10,
    RATE = 50, /* requests a second, and twice as many at once, as an agent's by default */
};

struct client {
    struct agent_parts parts;
    struct wheel_driver *driver;
    struct loop_source *helper;
    struct loop_source *input;
    struct cluster_client *cluster;
    struct strbuf line;
    struct list watches;
};

struct watch {
    struct list link;
    char *name;
    struct api_watch *watch;
};

static const char *space_of(const struct object *object)
{
    return object->metadata.name_space ? object->metadata.name_space : "";
}

/* watches */

static void on_set(void *owner, struct object *object)
{
    struct watch *watch = owner;

    printf("%s set %s/%s %s\n", watch->name, space_of(object), object->metadata.name,
           object->metadata.resource_version);
}

static void on_gone(void *owner, struct object *object)
{
    struct watch *watch = owner;

    printf("%s gone %s/%s\n", watch->name, space_of(object), object->metadata.name);
}

static void on_complete(void *owner)
{
    struct watch *watch = owner;

    printf("%s complete\n", watch->name);
}

static void begin_watch(struct client *client, char *rest)
{
    struct watch *watch = mem_new(struct watch);
    struct api_watch_options options = {
        .api = cluster_client_api(client->cluster),
        .wheel = client->parts.wheel,
        .owner = watch,
        .set = on_set,
        .gone = on_gone,
        .complete = on_complete,
    };

    watch->name = mem_strdup(strsep(&rest, " "));
    options.kind = object_kind_find("v1", strsep(&rest, " "));
    options.path = strsep(&rest, " ");
    options.selector = rest;
    watch->watch = api_watch_new(&options);
    list_push_back(&client->watches, &watch->link);
}

static void watch_free(struct watch *watch)
{
    list_unlink(&watch->link);
    api_watch_free(watch->watch);
    free(watch->name);
    free(watch);
}

/* calls */

static void on_reply(void *owner, const struct api_reply *reply)
{
    char *name = owner;

    if (reply->failure)
        printf("%s failed %d %s\n", name, reply->failure->code, reply->failure->err.text);
    else
        printf("%s ok %zu\n", name, reply->length);
    free(name);
}

static void begin_call(struct client *client, enum api_class class, char *rest)
{
    char *name = mem_strdup(strsep(&rest, " "));
    struct api_request request = {
        .class = class,
        .method = strsep(&rest, " "),
        .path = strsep(&rest, " "),
        .body = rest,
    };

    if (request.body && !strcmp(request.method, "PATCH"))
        request.type = API_STRATEGIC_MERGE;
    api_begin(cluster_client_api(client->cluster), &request, on_reply, name);
}

/* what is to be done */

static void obey(struct client *client, char *line)
{
    const char *what = strsep(&line, " ");

    if (!strcmp(what, "watch"))
        begin_watch(client, line);
    else if (!strcmp(what, "beat"))
        begin_call(client, API_HEARTBEAT, line);
    else
        begin_call(client, API_GENERAL, line);
}

static void on_input(void *owner, int fd, uint32_t events)
{
    struct client *client = owner;
    char bytes[READ_BYTES];
    ssize_t length = read(fd, bytes, sizeof(bytes));

    if (length <= 0) {
        loop_stop(client->parts.loop, 0);
        return;
    }
    for (ssize_t i = 0; i < length; i++) {
        if (bytes[i] != '\n') {
            strbuf_add_char(&client->line, bytes[i]);
            continue;
        }
        obey(client, client->line.text);
        strbuf_truncate(&client->line, 0);
    }
}

static void on_helper(void *owner, int fd, uint32_t events)
{
    struct client *client = owner;
    struct err err;

    if (child_helper_dispatch(client->parts.helper, &err) < 0)
        loop_stop(client->parts.loop, -EPIPE);
}

static int open_client(struct client *client, const char *kubeconfig, struct err *err)
{
    const struct config config = {
        .api_qps = RATE, .api_burst = 2 * RATE, .event_qps = RATE, .event_burst = 2 * RATE};
    struct agent_parts *parts = &client->parts;
    int r = child_helper_start(&parts->helper, NODEAGENT_HELPER, err);

    if (r == 0)
        r = loop_new(&parts->loop, err);
    if (r < 0)
        return r;
    parts->wheel = wheel_new(clock_boottime());
    r = wheel_driver_new(&client->driver, parts->wheel, parts->loop, err);
    if (r == 0)
        r = work_new(&parts->work, parts->loop, parts->wheel, err);
    if (r == 0)
        r = loop_watch_fd(parts->loop, &client->helper, LOOP_COMPLETIONS,
                          child_helper_fd(parts->helper), EPOLLIN, on_helper, client, err);
    if (r == 0)
        r = loop_watch_fd(parts->loop, &client->input, LOOP_CLIENTS, STDIN_FILENO, EPOLLIN,
                          on_input, client, err);
    if (r == 0)
        r = cluster_client_new(&client->cluster, kubeconfig, false, &config, parts, err);
    return r;
}

static void close_client(struct client *client)
{
    struct agent_parts *parts = &client->parts;

    while (!list_empty(&client->watches))
        watch_free(list_first(&client->watches, struct watch, link));
    cluster_client_free(client->cluster);
    work_free(parts->work);
    loop_source_free(client->input);
    loop_source_free(client->helper);
    wheel_driver_free(client->driver);
    wheel_free(parts->wheel);
    loop_free(parts->loop);
    child_helper_free(parts->helper);
    strbuf_deinit(&client->line);
}

int main(int argc, char **argv)
{
    struct log_options options = {
        .identifier = "api-client", .threshold = LOG_LEVEL_INFO, .fd = STDERR_FILENO};
    struct client client = {.line = STRBUF_INIT};
    struct log *log = log_new(&options);
    struct err err;
    int r;

    if (argc != 2) {
        fprintf(stderr, "usage: api-client KUBECONFIG\n");
        return 2;
    }
    log_set(log);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    list_init(&client.watches);
    r = open_client(&client, argv[1], &err);
    if (r == 0)
        r = loop_run(client.parts.loop, &err);
    else
        log_error("%s", err.text);
    if (client.input) /* and all that comes before it */
        close_client(&client);
    log_free(log);
    return r < 0 ? 1 : 0;
}
