/* From a kubeconfig to a client. */
#include "cluster-client.h"

#include "nodeagent/api/client.h"
#include "nodeagent/api/credentials.h"
#include "nodeagent/api/kubeconfig.h"
#include "nodeagent/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cluster_client {
    struct kubeconfig *kubeconfig;
    struct credentials *credentials;
    struct api *api;
};

static struct http_identity tls_identity(const struct cluster_client *client,
                                         const struct credential *credential)
{
    return (struct http_identity){
        .authorities = credential->authority,
        .authorities_length = credential->authority ? strlen(credential->authority) : 0,
        .certificate = credential->certificate,
        .certificate_length = credential->certificate ? strlen(credential->certificate) : 0,
        .key = credential->key,
        .key_length = credential->key ? strlen(credential->key) : 0,
        .server_name = client->kubeconfig->server.tls_name,
    };
}

static int identify(void *owner, struct api_identity *identity, struct err *err)
{
    struct cluster_client *client = owner;
    struct credential credential = {0};
    int r = credentials_get(client->credentials, &credential, err);

    if (r < 0)
        return r;
    *identity = (struct api_identity){
        .authorization = credential.authorization,
        .tls = tls_identity(client, &credential),
        .generation = credential.generation,
    };
    return 0;
}

static void on_refused(void *owner, usec_t began)
{
    struct cluster_client *client = owner;

    credentials_refused(client->credentials, began);
}

static void on_changed(void *owner)
{
    struct cluster_client *client = owner;

    if (client->api)
        api_identity_changed(client->api);
}

static int open_api(struct cluster_client *client, const struct config *config,
                    const struct agent_parts *parts, struct err *err)
{
    const struct kubeconfig_server *server = &client->kubeconfig->server;
    struct api_options options = {
        .loop = parts->loop,
        .wheel = parts->wheel,
        .work = parts->work,
        .server = server->url,
        .user_agent = "nodeagent/" NODEAGENT_VERSION " (linux) kubernetes/" KUBERNETES_VERSION,
        .compressed = !server->uncompressed,
        .unverified = server->unverified,
        .proxy = server->proxy,
        .rate = config->api_qps,
        .burst = config->api_burst,
        .event_rate = config->event_qps,
        .event_burst = config->event_burst,
        .owner = client,
        .identify = identify,
        .refused = on_refused,
    };

    return api_new(&client->api, &options, err);
}

int cluster_client_new(struct cluster_client **result, const char *kubeconfig,
                       bool certificate_follows, const struct config *config,
                       const struct agent_parts *parts, struct err *err)
{
    struct cluster_client *client = mem_new(struct cluster_client);
    struct kubeconfig_options from = {
        .path = kubeconfig,
        .environment = (const char *const *)environ,
        .certificate_follows = certificate_follows,
    };
    struct credentials_options credentials = {
        .wheel = parts->wheel,
        .work = parts->work,
        .helper = parts->helper,
        .environment = (const char *const *)environ,
        .changed = on_changed,
        .owner = client,
    };
    int r = kubeconfig_read(&client->kubeconfig, &from, err);

    if (r == 0) {
        credentials.kubeconfig = client->kubeconfig;
        client->credentials = credentials_new(&credentials);
        r = open_api(client, config, parts, err);
    }
    if (r < 0) {
        cluster_client_free(client);
        return r;
    }
    *result = client;
    return 0;
}

struct cluster_client *cluster_client_free(struct cluster_client *client)
{
    if (!client)
        return NULL;
    api_free(client->api);
    credentials_free(client->credentials);
    kubeconfig_free(client->kubeconfig);
    free(client);
    return NULL;
}

struct api *cluster_client_api(const struct cluster_client *client)
{
    return client->api;
}
