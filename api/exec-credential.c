/* Asking a plugin for credentials, and reading what it prints. */
#include "exec-credential.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/mem.h"
#include "pem.h"
#include "token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct json_limits output_limits = {
    .bytes_max = EXEC_OUTPUT_MAX,
    .nodes_max = 10000,
};

/* What was read already, and may have become longer since by escapes. */
static const struct json_limits config_limits = {
    .bytes_max = JSON_BYTES_MAX,
    .nodes_max = KUBECONFIG_NODES_MAX,
};

/* what it is told */

static void write_text(struct json_writer *writer, const char *name, const char *text)
{
    if (str_empty(text))
        return;
    json_write_string_member(writer, name, text);
}

static void write_true(struct json_writer *writer, const char *name, bool value)
{
    if (!value)
        return;
    json_write_bool_member(writer, name, true);
}

static void write_config(struct json_writer *writer, const char *text)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json *config;

    if (!text)
        return;
    assert_that(json_parse(&arena, text, strlen(text), &config_limits, &findings, &config, NULL) ==
                0);
    json_write_name(writer, "config");
    json_write_value(writer, config);
}

static void write_cluster(struct json_writer *writer, const struct kubeconfig_server *server)
{
    _cleanup_(strbuf_deinit) struct strbuf authority = STRBUF_INIT;

    if (server->authority.text)
        base64_encode(&authority, server->authority.text, strlen(server->authority.text));
    json_write_name(writer, "cluster");
    json_write_object(writer);
    write_text(writer, "server", server->url);
    write_text(writer, "tls-server-name", server->tls_name);
    write_true(writer, "insecure-skip-tls-verify", server->unverified);
    write_text(writer, "certificate-authority-data", authority.text);
    write_text(writer, "proxy-url", server->proxy_given);
    write_true(writer, "disable-compression", server->uncompressed);
    write_config(writer, server->exec_config);
    json_write_object_end(writer);
}

void exec_credential_ask(const struct kubeconfig *config, struct strbuf *text)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "kind", "ExecCredential");
    json_write_string_member(&writer, "apiVersion", config->user.exec->api_version);
    json_write_name(&writer, "spec");
    json_write_object(&writer);
    json_write_bool_member(&writer, "interactive", false);
    if (config->user.exec->cluster_info)
        write_cluster(&writer, &config->server);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

/* what it prints */

static const char *take_text(struct exec_credential *credential, const struct json *status,
                             const char *name)
{
    const struct json *value = json_get_string(status, name);
    const char *text = value ? arena_strndup(&credential->arena, value->text, value->length) : NULL;

    return !text || !*text || strlen(text) != value->length ? NULL : text;
}

static int take_expiry(struct exec_credential *credential, const struct json *status,
                       struct err *err)
{
    const struct json *value = json_get(status, "expirationTimestamp");
    char text[TIME_TEXT_MAX] = "";
    int64_t usec;

    credential->expires = USEC_NEVER;
    if (!value || value->type == JSON_NULL)
        return 0;
    if (value->type == JSON_STRING && value->length < sizeof(text))
        memcpy(text, value->text, value->length);
    if (time_parse_rfc3339(text, &usec) < 0)
        return err_set(err, -EBADMSG,
                       "status.expirationTimestamp must be a time such as 2026-01-02T03:04:05Z");
    credential->expires = usec < 0 ? 0 : (usec_t)usec;
    return 0;
}

static int take_status(struct exec_credential *credential, const struct json *status,
                       struct err *err)
{
    int r;

    credential->token = take_text(credential, status, "token");
    credential->certificate = take_text(credential, status, "clientCertificateData");
    credential->key = take_text(credential, status, "clientKeyData");
    if (!credential->certificate != !credential->key)
        return err_set(err, -EBADMSG,
                       "status has one of clientCertificateData and clientKeyData; it must have "
                       "both or none");
    if (!credential->certificate && !credential->token)
        return err_set(err, -EBADMSG, "status has neither a token nor a certificate");
    r = credential->token ? token_check(credential->token, err) : 0;
    if (r < 0)
        return err_prefix(err, "status.token");
    r = credential->certificate ? pem_check_pair(credential->certificate, credential->key, err) : 0;
    if (r < 0)
        return err_prefix(err, "status.clientCertificateData");
    return take_expiry(credential, status, err);
}

static int take_document(struct exec_credential *credential, const char *api_version,
                         const struct json *document, struct err *err)
{
    const struct json *kind, *version, *status;

    if (document->type != JSON_OBJECT)
        return err_set(err, -EBADMSG, "it is %s, not an object", json_type_name(document));
    kind = json_get_string(document, "kind");
    version = json_get_string(document, "apiVersion");
    status = json_get(document, "status");
    if (!kind || !json_text_is(kind, "ExecCredential"))
        return err_set(err, -EBADMSG, "its kind must be ExecCredential");
    if (!version || !json_text_is(version, api_version))
        return err_set(err, -EBADMSG, "its apiVersion must be %s, as in the kubeconfig",
                       api_version);
    if (!status || status->type != JSON_OBJECT)
        return err_set(err, -EBADMSG, "it has no status");
    return take_status(credential, status, err);
}

int exec_credential_parse(struct exec_credential **result, const char *api_version,
                          const char *text, size_t length, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct exec_credential *credential = mem_new(struct exec_credential);
    struct json_findings findings;
    struct json *document;
    int r;

    credential->arena = ARENA_INIT(1024, 16 * 1024);
    r = json_parse(&arena, text, length, &output_limits, &findings, &document, err);
    if (r == 0)
        r = take_document(credential, api_version, document, err);
    if (r < 0)
        exec_credential_free(credential);
    else
        *result = credential;
    return r;
}

struct exec_credential *exec_credential_free(struct exec_credential *credential)
{
    if (!credential)
        return NULL;
    arena_deinit(&credential->arena);
    free(credential);
    return NULL;
}
