/* Deciding by what the files say. */
#include "cluster-bootstrap.h"

#include "nodeagent/api/bootstrap_config.h"
#include "nodeagent/api/certificate.h"
#include "nodeagent/api/kubeconfig.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *cluster_certificate_path(const struct config *config, struct arena *arena)
{
    return arena_printf(arena, "%s/kubelet-client-current.pem", config->cert_dir);
}

static int read_config(const char *path, struct kubeconfig **kubeconfig, struct err *err)
{
    struct kubeconfig_options options = {
        .path = path,
        .environment = (const char *const *)environ,
    };

    return kubeconfig_read(kubeconfig, &options, err);
}

/* When its client certificate ends, if it has one. */
static void look_at_certificate(const struct kubeconfig *kubeconfig, struct bootstrap_facts *facts)
{
    const struct kubeconfig_pem *pem = &kubeconfig->user.certificate;
    struct certificate_text chain = {
        .shown = pem->file ? pem->file : kubeconfig->path,
        .text = pem->text,
        .length = pem->text ? strlen(pem->text) : 0,
    };
    struct certificate certificate;
    struct err ignored; /* the kubeconfig's reader has understood it */

    if (!pem->text || certificate_parse(&certificate, &chain, NULL, &ignored) < 0)
        return;
    facts->has_certificate = true;
    facts->certificate_ends = certificate.chain_ends;
    certificate_deinit(&certificate);
}

static int write_own(const struct config *config, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(256, 1024);
    struct kubeconfig *bootstrap;
    struct bootstrap_config own;
    int r = read_config(config->bootstrap_kubeconfig, &bootstrap, err);

    if (r < 0)
        return err_prefix(err, "--bootstrap-kubeconfig");
    own = (struct bootstrap_config){
        .server = bootstrap->server.url,
        .tls_server_name = bootstrap->server.tls_name,
        .proxy_url = bootstrap->server.proxy_given,
        .ca_path = bootstrap->server.authority.file,
        .ca = bootstrap->server.authority.file ? NULL : bootstrap->server.authority.text,
        .insecure = bootstrap->server.unverified,
        .certificate = cluster_certificate_path(config, &arena),
    };
    own.ca_length = own.ca ? strlen(own.ca) : 0;
    r = bootstrap_config_write(config->kubeconfig, &own, err);
    kubeconfig_free(bootstrap);
    return r;
}

int cluster_bootstrap(const struct config *config, bool *needed, struct err *err)
{
    struct bootstrap_facts facts = {
        .kubeconfig = config->kubeconfig,
        .bootstrap = config->bootstrap_kubeconfig,
        .exists = access(config->kubeconfig, F_OK) == 0,
    };
    struct kubeconfig *own = NULL;
    struct err problem, why;
    enum bootstrap_choice choice;

    if (facts.exists && read_config(config->kubeconfig, &own, &problem) < 0)
        facts.problem = problem.text;
    if (own)
        look_at_certificate(own, &facts);
    kubeconfig_free(own);
    choice = bootstrap_choose(&facts, (int64_t)clock_wall(), &why);
    *needed = choice == BOOTSTRAP_NEEDED;
    if (choice == BOOTSTRAP_IMPOSSIBLE) {
        *err = why;
        return err->code;
    }
    if (!*needed)
        return 0;
    log_info("%s: a certificate is asked for with --bootstrap-kubeconfig", why.text);
    return write_own(config, err);
}
