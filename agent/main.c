/* nodeagentd: the service. */
#include "agent.h"
#include "cluster-bootstrap.h"
#include "cluster-certificate.h"
#include "cluster-client.h"
#include "control.h"
#include "lock-file.h"
#include "network-socket.h"
#include "notify.h"
#include "probe-command.h"
#include "serving.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/net/http.h"
#include "nodeagent/net/rpc.h"
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/program.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOG_STOP_USEC (2 * USEC_PER_SEC)

struct service {
    struct config config;
    struct lock_file *lock;
    int root;           /* the root directory, locked */
    struct arena arena; /* of the facts */
    struct node_facts facts;
    struct agent_parts parts;
    struct cluster_client *cluster;   /* NULL: static pods alone */
    struct cluster_client *bootstrap; /* asks for the first certificate; NULL: there was one */
    struct cluster_certificate *certificate;
    struct wheel_driver *driver;
    struct agent *agent;
    struct control *control;
    struct network_socket *network;
    struct serving *serving;
    struct notify *notify;
    struct loop_source *signals[2];
    struct loop_source *helper;
    bool ending;
    struct err failure; /* why it stopped by itself */
};

/* What a careless parent closed: no file of ours may become a standard stream. */
static void open_standard_streams(void)
{
    while (true) {
        int fd = open("/dev/null", O_RDWR);

        if (fd < 0)
            return;
        if (fd > STDERR_FILENO) {
            close(fd);
            return;
        }
    }
}

/* By default each thread gets a part of its own, and keeps in it what it ever needed at once. */
static void share_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
}

static void raise_limits(const struct config *config)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)config->max_open_files;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = MIN(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_debug("cannot raise the limit of open files: %s", strerror(errno));
}

static void set_oom_score(const struct config *config)
{
    FILE *file = fopen("/proc/self/oom_score_adj", "we");

    if (!file)
        return;
    fprintf(file, "%d", (int)config->oom_score_adj);
    if (fclose(file) != 0)
        log_notice("cannot set oomScoreAdj to %d (%s): under memory pressure the agent may be "
                   "killed before pods are",
                   (int)config->oom_score_adj, strerror(errno));
}

/* operators */

static bool answer_events(struct service *service, struct control_client *client, bool follow)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    agent_write_events(service->agent, &writer);
    json_writer_deinit(&writer);
    control_line(client, text.text, text.length);
    return follow;
}

static void answer_pods(struct service *service, struct control_client *client)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    agent_write_pods(service->agent, &writer);
    json_writer_deinit(&writer);
    control_line(client, text.text, text.length);
}

typedef int write_fn(struct agent *agent, const char *pod, struct json_writer *writer,
                     struct err *err);

/* About one pod, or all. */
static void answer_about(struct service *service, struct control_client *client, const char *pod,
                         write_fn *write)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct json_writer writer;
    struct err err;
    int r;

    json_writer_init(&writer, &text, false);
    r = write(service->agent, pod, &writer, &err);
    json_writer_deinit(&writer);
    if (r < 0)
        control_refuse(client, "%s", err.text);
    else
        control_line(client, text.text, text.length);
}

/* As one JSON string: answers are lines of JSON. */
static void answer_metrics(struct service *service, struct control_client *client)
{
    _cleanup_(strbuf_deinit) struct strbuf metrics = STRBUF_INIT, text = STRBUF_INIT;
    struct json_writer writer;

    agent_write_metrics(service->agent, &metrics);
    json_writer_init(&writer, &text, false);
    json_write_bytes(&writer, metrics.text ? metrics.text : "", metrics.length);
    json_writer_deinit(&writer);
    control_line(client, text.text, text.length);
}

static bool answer(void *owner, struct control_client *client,
                   const struct control_request *request)
{
    struct service *service = owner;

    if (!strcmp(request->command, "events"))
        return answer_events(service, client, request->follow);
    if (!strcmp(request->command, "ps"))
        answer_pods(service, client);
    else if (!strcmp(request->command, "why"))
        answer_about(service, client, request->pod, agent_write_why);
    else if (!strcmp(request->command, "probes"))
        answer_about(service, client, request->pod, agent_write_probes);
    else if (!strcmp(request->command, "metrics"))
        answer_metrics(service, client);
    else
        control_refuse(client, "this agent knows no command \"%.64s\"", request->command);
    return false;
}

static void on_event(void *owner, const char *json, size_t length)
{
    struct service *service = owner;

    control_line_to_followers(service->control, json, length);
}

static void on_network_call(void *owner, const char *bytes, size_t length)
{
    struct service *service = owner;

    agent_network_call(service->agent, bytes, length);
}

/* running */

static void on_finished(void *owner)
{
    struct service *service = owner;

    loop_stop(service->parts.loop, 0);
}

static void end(struct service *service)
{
    service->ending = true;
    notify_say(service->notify, "STOPPING=1");
    agent_finish(service->agent, on_finished, service);
}

/* The second signal is not waited for. */
static void on_signal(void *owner, int signal)
{
    struct service *service = owner;

    if (service->ending) {
        on_finished(service);
        return;
    }
    log_info("ends by signal %d (%s); pods run on", signal, strsignal(signal));
    end(service);
}

static void on_contention(void *owner)
{
    struct service *service = owner;

    log_info("ends since another process opened %s; pods run on", service->config.lock_file);
    if (!service->ending)
        end(service);
}

/* What the helper kept and ran is lost: the next agent starts with another. */
static void on_helper(void *owner, int fd, uint32_t events)
{
    struct service *service = owner;
    int r = child_helper_dispatch(service->parts.helper, &service->failure);

    if (r < 0)
        loop_stop(service->parts.loop, r);
}

static int start_helper(struct service *service, struct err *err)
{
    _cleanup_(mem_free_at) char *program = NULL;
    int r = program_find("nodeagent-helper", "sys", NULL, &program, err);

    return r < 0 ? r : child_helper_start(&service->parts.helper, program, err);
}

static int watch_signals(struct service *service, struct err *err)
{
    static const int watched[] = {SIGTERM, SIGINT};
    int r = 0;

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < array_size(watched) && r == 0; i++)
        r = loop_watch_signal(service->parts.loop, &service->signals[i], LOOP_COMPLETIONS,
                              watched[i], on_signal, service, err);
    return r;
}

/* For the URL of static pods. */
static int start_http(struct agent_parts *parts, struct err *err)
{
    const struct http_options options = {
        .loop = parts->loop,
        .wheel = parts->wheel,
        .work = parts->work,
        .class = LOOP_API,
        .calls_max = 64,
    };

    return http_new(&parts->http, &options, err);
}

static int open_parts(struct service *service, struct err *err)
{
    struct agent_parts *parts = &service->parts;
    int r = loop_new(&parts->loop, err);

    if (r < 0)
        return r;
    parts->wheel = wheel_new(clock_boottime());
    r = wheel_driver_new(&service->driver, parts->wheel, parts->loop, err);
    if (r == 0)
        r = watch_signals(service, err);
    if (r == 0)
        r = loop_watch_fd(parts->loop, &service->helper, LOOP_COMPLETIONS,
                          child_helper_fd(parts->helper), EPOLLIN, on_helper, service, err);
    if (r == 0)
        r = work_new(&parts->work, parts->loop, parts->wheel, err);
    if (r == 0)
        r = rpc_new(&parts->rpc, parts->loop, err);
    if (r == 0 && service->config.static_pod_url)
        r = start_http(parts, err);
    return r;
}

static int take_lock(struct service *service, struct err *err)
{
    const struct config *config = &service->config;

    if (!config->lock_file)
        return 0;
    return lock_file_new(&service->lock, config->lock_file, service->parts.loop,
                         config->exit_on_lock_contention ? on_contention : NULL, service, err);
}

/* Of two agents each would take what the other has in this directory for leftovers. */
static int claim_root(struct service *service, struct err *err)
{
    const char *path = service->config.root_dir;

    service->root = directory_open(path, 0750, err);
    if (service->root < 0)
        return err_prefix(err, "--root-dir");
    if (flock(service->root, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return err_set(err, -EADDRINUSE,
                       "%s: another agent has this root directory; stop that one, or give this one "
                       "another --root-dir, --run-dir and --pod-log-dir",
                       path);
    return 0;
}

/* Before anything in the run directory is read or removed: it may be another agent's. Nobody is
 * answered before the loop runs. */
static int open_control(struct service *service, struct err *err)
{
    const char *path = service->config.run_dir;
    _cleanup_(fd_close_at) int made = directory_open(path, 0700, err);

    if (made < 0)
        return err_prefix(err, "--run-dir");
    return control_new(&service->control, path, service->parts.loop, service->parts.wheel, answer,
                       NULL, service, err);
}

/* Started again it may bootstrap anew. */
static void on_certificate_lost(void *owner, const char *why)
{
    struct service *service = owner;

    err_set(&service->failure, -EACCES, "%s", why);
    loop_stop(service->parts.loop, -EACCES);
}

static int open_certificate(struct service *service, struct err *err)
{
    const struct cluster_certificate_options options = {
        .config = &service->config,
        .parts = &service->parts,
        .use = CERTIFICATE_CLIENT,
        .api = service->parts.api,
        .bootstrap = service->parts.bootstrap,
        .owner = service,
        .lost = on_certificate_lost,
    };

    return cluster_certificate_new(&service->certificate, &options, err);
}

static int open_cluster(struct service *service, struct err *err)
{
    bool bootstraps = false;
    int r;

    if (!service->config.kubeconfig)
        return 0;
    r = cluster_bootstrap(&service->config, &bootstraps, err);
    if (r == 0)
        r = cluster_client_new(&service->cluster, service->config.kubeconfig, bootstraps,
                               &service->config, &service->parts, err);
    if (r < 0)
        return r;
    service->parts.api = cluster_client_api(service->cluster);
    if (bootstraps)
        r = cluster_client_new(&service->bootstrap, service->config.bootstrap_kubeconfig, false,
                               &service->config, &service->parts, err);
    if (service->bootstrap)
        service->parts.bootstrap = cluster_client_api(service->bootstrap);
    if (r == 0 && (bootstraps || service->config.rotate_certificates))
        r = open_certificate(service, err);
    return r;
}

static int open_service(struct service *service, struct err *err)
{
    int r;

    service->arena = ARENA_INIT_DOCUMENT;
    r = claim_root(service, err);
    if (r == 0)
        r = node_facts_read(&service->facts, &service->config, &service->arena, err);
    if (r < 0)
        return r;
    service->parts.facts = &service->facts;
    r = open_parts(service, err);
    if (r == 0)
        r = take_lock(service, err);
    if (r == 0)
        r = open_control(service, err);
    if (r < 0)
        return r;
    service->notify = notify_new(service->parts.wheel);
    r = open_cluster(service, err);
    if (r == 0)
        r = agent_new(&service->agent, &service->config, &service->parts, err);
    if (r == 0)
        r = network_socket_new(&service->network, service->config.run_dir, service->parts.loop,
                               on_network_call, service, err);
    if (r == 0)
        r = serving_new(&service->serving, &service->config, &service->parts, service->agent, err);
    if (r == 0)
        agent_watch_events(service->agent, on_event, service);
    return r;
}

static void close_service(struct service *service)
{
    struct agent_parts *parts = &service->parts;

    if (service->agent)
        agent_watch_events(service->agent, NULL, NULL);
    if (service->control)
        control_free(service->control);
    network_socket_free(service->network);
    serving_free(service->serving);
    agent_free(service->agent);
    cluster_certificate_free(service->certificate);
    cluster_client_free(service->bootstrap);
    cluster_client_free(service->cluster);
    notify_free(service->notify);
    if (parts->http)
        http_free(parts->http);
    if (parts->rpc)
        rpc_free(parts->rpc);
    if (parts->work)
        work_free(parts->work);
    for (size_t i = 0; i < array_size(service->signals); i++)
        if (service->signals[i])
            loop_source_free(service->signals[i]);
    if (service->helper)
        loop_source_free(service->helper);
    lock_file_free(service->lock);
    if (service->driver)
        wheel_driver_free(service->driver);
    if (parts->wheel)
        wheel_free(parts->wheel);
    if (parts->loop)
        loop_free(parts->loop);
    arena_deinit(&service->arena);
    fd_close_at(&service->root);
}

static int serve(struct service *service, struct err *err)
{
    int r = open_service(service, err);

    if (r == 0) {
        log_info("runs as node %s, version %s", service->config.node_name, NODEAGENT_VERSION);
        notify_say(service->notify, "READY=1");
        r = loop_run(service->parts.loop, err);
        if (r < 0 && service->failure.code)
            *err = service->failure;
    }
    close_service(service);
    return r;
}

static int check_user(struct err *err)
{
    if (geteuid() == 0)
        return 0;
    return err_set(err, -EPERM,
                   "must run as root, not as user %u: it makes mounts and control groups for pods; "
                   "start it with sudo, or as a system service",
                   (unsigned)geteuid());
}

static int run(struct service *service, struct log *log, struct err *err)
{
    int r = check_user(err);

    if (r < 0)
        return r;
    if (service->config.verbosity >= 2)
        log_set_threshold(log, LOG_LEVEL_DEBUG);
    share_memory();
    raise_limits(&service->config);
    set_oom_score(&service->config);
    r = start_helper(service, err);
    if (r == 0)
        r = log_start(log, err);
    if (r == 0)
        r = serve(service, err);
    child_helper_free(service->parts.helper);
    return r;
}

/* What could not be written was not said. */
static int end_output(struct err *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return err_set(err, -errno, "cannot write the output: %m");
}

int main(int argc, char **argv)
{
    struct log_options options = {
        .identifier = "nodeagent",
        .threshold = LOG_LEVEL_INFO,
        .fd = STDERR_FILENO,
    };
    static struct service service = {.root = -1};
    struct log *log;
    struct err err;
    int r;

    open_standard_streams();
    if (argc > 1 && !strcmp(argv[1], "probe"))
        return probe_command(argc - 1, argv + 1);
    log = log_new(&options);
    log_set(log);
    r = config_read(&service.config, argc, argv, &err);
    if (r == 0)
        r = service.config.action == CONFIG_RUN ? run(&service, log, &err) : end_output(&err);
    if (r < 0)
        log_error("\"command failed\" err=\"%s\"", err.text);
    config_deinit(&service.config);
    log_stop(log, LOG_STOP_USEC);
    log_free(log);
    return r < 0 ? 1 : 0;
}
