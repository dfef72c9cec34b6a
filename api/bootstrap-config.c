/* Joining a cluster: which kubeconfig counts, and the one that is written. */
#include "nodeagent/api/bootstrap_config.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/time.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <string.h>

enum {
    DIRECTORY_MODE = 0755, /* /etc/kubernetes */
    CONFIG_MODE = 0600,
};

/* choosing */

static bool is_usable(const struct bootstrap_facts *facts, int64_t now, struct err *why)
{
    char ended[TIME_TEXT_MAX];

    if (!facts->exists) {
        err_set(why, -ENOENT, "%s is not there", facts->kubeconfig);
        return false;
    }
    if (facts->problem) {
        err_set(why, -EINVAL, "%s cannot be used: %s", facts->kubeconfig, facts->problem);
        return false;
    }
    if (facts->has_certificate && now > facts->certificate_ends) {
        err_set(why, -EKEYEXPIRED, "%s: its client certificate expired at %s", facts->kubeconfig,
                time_format_rfc3339(facts->certificate_ends, ended));
        return false;
    }
    return true;
}

enum bootstrap_choice bootstrap_choose(const struct bootstrap_facts *facts, int64_t now,
                                       struct err *why)
{
    struct err found;

    if (is_usable(facts, now, &found))
        return BOOTSTRAP_KUBECONFIG;
    if (facts->bootstrap) {
        err_set(why, found.code, "%s", found.text);
        return BOOTSTRAP_NEEDED;
    }
    err_set(why, found.code,
            "%s, and there is no other one to join the cluster with; give --bootstrap-kubeconfig, "
            "or a kubeconfig that is valid",
            found.text);
    return BOOTSTRAP_IMPOSSIBLE;
}

/* writing */

/* YAML takes strings as JSON writes them. */
static void add_line(struct strbuf *text, const char *name, const char *value)
{
    struct json_writer writer;

    if (!value)
        return;
    strbuf_printf(text, "    %s: ", name);
    json_writer_init(&writer, text, false);
    json_write_string(&writer, value);
    json_writer_deinit(&writer);
    strbuf_add_char(text, '\n');
}

static void add_cluster(struct strbuf *text, const struct bootstrap_config *config)
{
    strbuf_add(text, "clusters:\n- cluster:\n");
    if (config->ca_length) {
        strbuf_add(text, "    certificate-authority-data: ");
        base64_encode(text, config->ca, config->ca_length);
        strbuf_add_char(text, '\n');
    } else {
        add_line(text, "certificate-authority", config->ca_path);
    }
    if (config->insecure)
        strbuf_add(text, "    insecure-skip-tls-verify: true\n");
    add_line(text, "proxy-url", config->proxy_url);
    add_line(text, "server", config->server);
    add_line(text, "tls-server-name", config->tls_server_name);
    strbuf_add(text, "  name: default-cluster\n");
}

static void add_config(struct strbuf *text, const struct bootstrap_config *config)
{
    strbuf_add(text, "apiVersion: v1\n");
    add_cluster(text, config);
    strbuf_add(text, "contexts:\n"
                     "- context:\n"
                     "    cluster: default-cluster\n"
                     "    namespace: default\n"
                     "    user: default-auth\n"
                     "  name: default-context\n"
                     "current-context: default-context\n"
                     "kind: Config\n"
                     "preferences: {}\n"
                     "users:\n"
                     "- name: default-auth\n"
                     "  user:\n");
    add_line(text, "client-certificate", config->certificate);
    add_line(text, "client-key", config->certificate);
}

static int open_parent(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    _cleanup_(mem_free_at) char *parent =
        slash ? mem_strndup(path, (size_t)MAX(slash - path, 1)) : mem_strdup(".");

    return directory_open(parent, DIRECTORY_MODE, err);
}

int bootstrap_config_write(const char *path, const struct bootstrap_config *config, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    _cleanup_(fd_close_at) int directory = open_parent(path, err);
    const char *slash = strrchr(path, '/');

    if (directory < 0)
        return directory;
    add_config(&text, config);
    return file_replace(directory, slash ? slash + 1 : path,
                        &(struct file_contents){
                            .bytes = text.text,
                            .length = text.length,
                            .mode = CONFIG_MODE,
                            .owner = FILE_OWNER_KEEP,
                            .group = FILE_GROUP_KEEP,
                        },
                        err);
}
