/*
 * The API's certificate is from one of three: the cluster, which is asked for it, files of the
 * operator's, which are read again and again, or the agent itself.
 */
#include "serving.h"
#include "cluster-certificate.h"

#include "nodeagent/api/certificate_store.h"
#include "nodeagent/api/credential_file.h"
#include "nodeagent/api/secret.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/server.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"

#include <stdlib.h>
#include <string.h>

#define HEALTH_RETRY_USEC (5 * USEC_PER_SEC)
#define FILES_USEC (30 * USEC_PER_SEC)

enum {
    HEALTH_CONNECTIONS_MAX = 16, /* somebody on this machine who waits, and monitoring */
    HEALTH_HEAD_MAX = 4 << 10,
    /* Each may have its handshake in one turn of the loop, which takes up to a millisecond. */
    API_CONNECTIONS_MAX = 64,
    API_CONNECTIONS_PER_CLIENT_MAX = 32,
    API_HEAD_MAX = 32 << 10,
};

struct serving {
    const struct config *config;
    const struct agent_parts *parts;
    struct agent *agent;
    struct server *health;
    struct wheel_timer health_again;
    bool health_told; /* why it is not there */
    struct server *api;
    struct cluster_certificate *certificate;
    struct credential_file files;
};

/* health */

static void open_health(struct serving *serving)
{
    const struct config *config = serving->config;
    struct server_options options = {
        .loop = serving->parts->loop,
        .wheel = serving->parts->wheel,
        .address = config->healthz_address,
        .port = (uint16_t)config->healthz_port,
        .brief = true, /* whoever is on this machine may connect */
        .connections_max = HEALTH_CONNECTIONS_MAX,
        .connections_per_client_max = HEALTH_CONNECTIONS_MAX,
        .head_max = HEALTH_HEAD_MAX,
        .answer = server_answer_health,
    };
    struct err err;

    if (server_new(&serving->health, &options, &err) == 0)
        return;
    if (!serving->health_told)
        log_warning("healthzPort (--healthz-port): %s; it is tried again until it works", err.text);
    serving->health_told = true;
    wheel_arm(serving->parts->wheel, &serving->health_again,
              usec_add(clock_boottime(), HEALTH_RETRY_USEC));
}

static void on_health_again(struct wheel_timer *timer)
{
    open_health(container_of(timer, struct serving, health_again));
}

static void on_begun(void *owner)
{
    open_health(owner);
}

/* the certificate */

static int use(struct serving *serving, const struct certificate *certificate, struct err *err)
{
    struct server_pem chain = {certificate->chain, certificate->chain_length},
                      key = {certificate->key.text, certificate->key.length};

    return server_use_certificate(serving->api, &chain, &key, err);
}

static void on_issued(void *owner, const struct certificate *certificate)
{
    struct err err;

    if (use(owner, certificate, &err) < 0)
        log_failure(LOG_LEVEL_WARNING, NULL, &err);
}

static const char *const *node_names(void *owner, struct arena *arena)
{
    return agent_node_names(((struct serving *)owner)->agent, arena);
}

static int ask_cluster(struct serving *serving, struct err *err)
{
    const struct cluster_certificate_options options = {
        .config = serving->config,
        .parts = serving->parts,
        .use = CERTIFICATE_SERVING,
        .api = serving->parts->api,
        .owner = serving,
        .names = node_names,
        .issued = on_issued,
    };

    return cluster_certificate_new(&serving->certificate, &options, err);
}

static int use_texts(struct serving *serving, const char *chain, const char *key, struct err *err)
{
    const struct config *config = serving->config;
    struct certificate_text texts[] = {
        {config->tls_cert_file, chain, strlen(chain)},
        {config->tls_key_file, key, strlen(key)},
    };
    struct certificate certificate;
    int r = certificate_parse(&certificate, &texts[0], &texts[1], err);

    if (r < 0)
        return r;
    r = use(serving, &certificate, err);
    certificate_deinit(&certificate);
    return r < 0 ? err_prefix(err, "%s", config->tls_cert_file) : 0;
}

static void on_files(struct credential_file *files)
{
    struct serving *serving = container_of(files, struct serving, files);
    struct err err;

    if (use_texts(serving, files->texts[0], files->texts[1], &err) < 0)
        log_failure(LOG_LEVEL_WARNING, NULL, &err);
    else
        log_notice("%s: there is another serving certificate; it is used from now on",
                   files->paths[0]);
}

static const char *text_of(struct strbuf *text)
{
    strbuf_add(text, ""); /* also of an empty file */
    return text->text;
}

static int use_files(struct serving *serving, struct err *err)
{
    const struct config *config = serving->config;
    _cleanup_(secret_deinit) struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT;
    int r;

    secret_init(&chain, CERTIFICATE_TEXT_MAX);
    secret_init(&key, CERTIFICATE_TEXT_MAX);
    r = file_read(config->tls_cert_file, CERTIFICATE_TEXT_MAX, &chain, err);
    if (r == 0)
        r = file_read(config->tls_key_file, CERTIFICATE_TEXT_MAX, &key, err);
    if (r == 0)
        r = use_texts(serving, text_of(&chain), text_of(&key), err);
    if (r < 0)
        return r;
    serving->files = (struct credential_file){
        .kind = CREDENTIAL_PAIR,
        .paths = {config->tls_cert_file, config->tls_key_file},
        .wheel = serving->parts->wheel,
        .work = serving->parts->work,
        .changed = on_files,
        .period = FILES_USEC,
    };
    credential_file_begin(&serving->files, chain.text, key.text);
    return 0;
}

static int use_self_signed(struct serving *serving, struct err *err)
{
    const struct config *config = serving->config;
    _cleanup_(fd_close_at) int directory = certificate_directory_open(config->cert_dir, err);
    struct certificate certificate;
    int r;

    if (directory < 0)
        return err_prefix(err, "--cert-dir");
    r = certificate_self_signed(directory, config->cert_dir, config->node_name,
                                (int64_t)clock_wall(), &certificate, err);
    if (r < 0)
        return r;
    r = use(serving, &certificate, err);
    certificate_deinit(&certificate);
    return r;
}

/* the API */

static void answer_api(void *owner, const struct server_request *request,
                       struct server_answer *answer)
{
    answer->status = 503;
    strbuf_add(
        &answer->body,
        "nodeagent " NODEAGENT_VERSION " does not serve the node's API yet: what happens on "
        "this node is told there by \"nodeagent ps\", \"nodeagent why\" and \"nodeagent "
        "events\", and its containers are reached by \"crictl logs\" and \"crictl exec\".\n");
}

static int open_api(struct serving *serving, struct err *err)
{
    const struct config *config = serving->config;
    struct server_options options = {
        .loop = serving->parts->loop,
        .wheel = serving->parts->wheel,
        .address = config->address,
        .port = (uint16_t)config->port,
        .tls = &config->tls,
        .connections_max = API_CONNECTIONS_MAX,
        .connections_per_client_max = API_CONNECTIONS_PER_CLIENT_MAX,
        .head_max = API_HEAD_MAX,
        .answer = answer_api,
    };
    int r = server_new(&serving->api, &options, err);

    if (r < 0)
        return err_prefix(err, "address, port (--address, --port)");
    if (config->server_tls_bootstrap && serving->parts->api)
        return ask_cluster(serving, err);
    return config->tls_cert_file ? use_files(serving, err) : use_self_signed(serving, err);
}

/* the whole */

int serving_new(struct serving **result, const struct config *config,
                const struct agent_parts *parts, struct agent *agent, struct err *err)
{
    struct serving *serving = mem_new(struct serving);
    int r = 0;

    serving->config = config;
    serving->parts = parts;
    serving->agent = agent;
    wheel_timer_init(&serving->health_again, on_health_again);
    if (config->port)
        r = open_api(serving, err);
    if (r < 0) {
        serving_free(serving);
        return r;
    }
    if (config->healthz_port)
        agent_watch_beginning(agent, on_begun, serving);
    *result = serving;
    return 0;
}

struct serving *serving_free(struct serving *serving)
{
    if (!serving)
        return NULL;
    agent_watch_beginning(serving->agent, NULL, NULL);
    wheel_cancel(&serving->health_again);
    cluster_certificate_free(serving->certificate);
    credential_file_end(&serving->files);
    server_free(serving->health);
    server_free(serving->api);
    free(serving);
    return NULL;
}
