/* The rules for a user of a kubeconfig: how the agent shows who it is. */
#include "kubeconfig-private.h"
#include "pem.h"
#include "token.h"

#include <errno.h>
#include <string.h>

#define EXEC_V1 "client.authentication.k8s.io/v1"
#define EXEC_V1BETA1 "client.authentication.k8s.io/v1beta1"

static bool has_certificate(const struct written_user *user)
{
    return !str_empty(user->certificate) || !str_empty(user->certificate_data);
}

static bool has_key(const struct written_user *user)
{
    return !str_empty(user->key) || !str_empty(user->key_data);
}

static bool has_token(const struct written_user *user)
{
    return !str_empty(user->token) || !str_empty(user->token_file);
}

static bool has_name(const struct written_user *user)
{
    return !str_empty(user->name) || !str_empty(user->password);
}

/* what a node agent has no use for */

static void refuse(struct reading *reading, const struct written_user *user,
                   const struct path *path)
{
    const struct {
        const char *name;
        bool set;
    } others[] = {
        {"as", !str_empty(user->as)},
        {"as-uid", !str_empty(user->as_uid)},
        {"as-groups", user->as_groups.count > 0},
        {"as-user-extra", user->as_extra},
    };

    if (user->auth_provider)
        report_error_in(reading->report, path, "auth-provider", FINDING_NOT_SUPPORTED,
                        "is not supported, as nowhere any more; use exec with the plugin of the "
                        "same provider");
    for (size_t i = 0; i < array_size(others); i++)
        if (others[i].set)
            report_error_in(reading->report, path, others[i].name, FINDING_NOT_SUPPORTED,
                            "acting as somebody else is not supported; use credentials of the "
                            "node's own, such as a client certificate of system:node:NAME");
}

/* certificates */

static void take_certificate(struct reading *reading, const struct written_user *user,
                             const struct path *path)
{
    struct kubeconfig_user *out = &reading->config->user;
    const bool follows = reading->options->certificate_follows;
    const struct pem_written certificate = {"client-certificate", user->certificate,
                                            user->certificate_data, follows},
                             key = {"client-key", user->key, user->key_data, follows};
    struct err err;

    if (has_certificate(user) != has_key(user)) {
        report_error_in(reading->report, path, has_key(user) ? key.name : certificate.name,
                        FINDING_INVALID, "needs %s, too",
                        has_key(user) ? "the certificate that it belongs to, in client-certificate"
                                      : "its key, in client-key");
        return;
    }
    out->certificate = kubeconfig_take_pem(reading, path, &certificate);
    out->key = kubeconfig_take_pem(reading, path, &key);
    if (!out->certificate.text || !out->key.text)
        out->certificate.text = out->key.text = NULL;
    else if (pem_check_pair(out->certificate.text, out->key.text, &err) < 0)
        report_error_in(reading->report, path,
                        out->certificate.file ? certificate.name : "client-certificate-data",
                        FINDING_INVALID, "%s", err.text);
}

/* tokens and passwords */

static void take_token(struct reading *reading, const struct written_user *user,
                       const struct path *path)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct kubeconfig_user *out = &reading->config->user;
    struct err err;

    if (!str_empty(user->token_file))
        out->token_file = kubeconfig_resolve(reading, user->token_file);
    if (!str_empty(user->token)) {
        out->token = user->token;
        if (token_check(user->token, &err) < 0)
            report_error_in(reading->report, path, "token", FINDING_INVALID, "%s", err.text);
    } else if (out->token_file) {
        if (token_read(out->token_file, &text, &err) < 0)
            report_error_in(reading->report, path, "tokenFile", FINDING_INVALID, "%s", err.text);
        else
            out->token = arena_strdup(&reading->config->arena, text.text);
    }
}

static void take_name(struct reading *reading, const struct written_user *user,
                      const struct path *path)
{
    struct kubeconfig_user *out = &reading->config->user;

    if (!has_name(user))
        return;
    if (has_token(user)) {
        report_error_in(reading->report, path, str_empty(user->name) ? "password" : "username",
                        FINDING_INVALID, "is set together with %s; remove one of them",
                        str_empty(user->token) ? "tokenFile" : "token");
    } else if (str_empty(user->name)) {
        report_error_in(reading->report, path, "password", FINDING_INVALID, "needs username, too");
    } else if (strchr(user->name, ':')) {
        report_error_in(reading->report, path, "username", FINDING_INVALID,
                        "must not contain a colon, which ends it when it is sent");
    }
    out->name = user->name;
    out->password = user->password ? user->password : "";
}

/* plugins */

static void check_interactive(struct reading *reading, const struct written_exec *exec,
                              const struct path *path)
{
    static const char *const modes[] = {"Never", "IfAvailable", NULL};
    const char *mode = exec->interactive;

    if (str_empty(mode) && str_equal(exec->api_version, EXEC_V1))
        report_error_in(reading->report, path, "interactiveMode", FINDING_REQUIRED,
                        "must be set to Never or IfAvailable");
    else if (str_equal(mode, "Always"))
        report_error_in(reading->report, path, "interactiveMode", FINDING_INVALID,
                        "Always wants a terminal, which a service never has; use a plugin that "
                        "asks nothing, with Never");
    else if (!str_empty(mode) && !str_one_of(mode, modes))
        report_error_in(reading->report, path, "interactiveMode", FINDING_NOT_SUPPORTED,
                        "must be Never, IfAvailable or Always");
}

static void check_environment(struct reading *reading, const struct written_exec *exec,
                              const struct path *path)
{
    struct path list = path_name(path, "env");

    for (size_t i = 0; i < exec->environment.count; i++) {
        struct string_pair *variable = &exec->environment.items[i];
        struct path item = path_index(&list, i);

        if (str_empty(variable->name) || strchr(variable->name, '='))
            report_error_in(reading->report, &item, "name", FINDING_INVALID,
                            "must be the name of a variable");
        if (!variable->value)
            variable->value = "";
    }
}

static void take_exec(struct reading *reading, const struct written_exec *exec,
                      const struct path *path)
{
    struct kubeconfig_exec *out = arena_new(&reading->config->arena, struct kubeconfig_exec);

    if (!str_equal(exec->api_version, EXEC_V1) && !str_equal(exec->api_version, EXEC_V1BETA1))
        report_error_in(reading->report, path, "apiVersion",
                        str_empty(exec->api_version) ? FINDING_REQUIRED : FINDING_NOT_SUPPORTED,
                        "must be " EXEC_V1 " or " EXEC_V1BETA1);
    check_interactive(reading, exec, path);
    check_environment(reading, exec, path);
    if (str_empty(exec->command)) {
        report_error_in(reading->report, path, "command", FINDING_REQUIRED,
                        "must be set to the plugin's program");
        return;
    }
    *out = (struct kubeconfig_exec){
        .api_version = exec->api_version,
        .command =
            strchr(exec->command, '/') ? kubeconfig_resolve(reading, exec->command) : exec->command,
        .arguments = exec->arguments,
        .environment = {exec->environment.items, exec->environment.count},
        .install_hint = str_empty(exec->install_hint) ? NULL : exec->install_hint,
        .cluster_info = exec->cluster_info,
    };
    reading->config->user.exec = out;
}

void kubeconfig_check_user(struct reading *reading, const struct written_user *user,
                           const struct path *path)
{
    bool known = has_certificate(user) || has_token(user) || has_name(user);
    struct path exec = path_name(path, "exec");

    refuse(reading, user, path);
    take_certificate(reading, user, path);
    take_token(reading, user, path);
    take_name(reading, user, path);
    if (user->exec)
        take_exec(reading, user->exec, &exec);
    if (user->exec && known) {
        report_warning(reading->report, &exec, FINDING_INVALID,
                       "is not used, as this user has other credentials");
        reading->config->user.exec = NULL;
    }
    if (reading->config->server.host && !reading->config->server.secure && (known || user->exec)) {
        report_warning(reading->report, path, FINDING_INVALID,
                       "is not used, as the server is not https: requests do not say who sends "
                       "them");
        reading->config->user = (struct kubeconfig_user){0};
    }
}
