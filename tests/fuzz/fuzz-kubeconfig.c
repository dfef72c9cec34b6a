/*
 * Kubeconfigs: whatever the text is, there is a sentence, or a configuration that a client can rely
 * on; and read twice it is the same. The files that it names are the fuzzer's, not this machine's.
 */
#include "fuzz.h"

#include "exec-credential.h"
#include "kubeconfig-private.h"
#include "nodeagent/sys/files.h"

#include <errno.h>

int __wrap_file_read(const char *path, size_t max, struct strbuf *contents, struct err *err);

/* Stands in for the one of sys: see meson.build. */
int __wrap_file_read(const char *path, size_t max, struct strbuf *contents, struct err *err)
{
    if (!str_has_suffix(path, "/token"))
        return err_set(err, -ENOENT, "cannot open %s", path);
    strbuf_add(contents, " abc\n");
    return 0;
}

static void check_pem(const struct kubeconfig_pem *pem)
{
    assert_that(!pem->file || pem->file[0] == '/');
    assert_that(!pem->text || *pem->text);
}

static void check_server(const struct kubeconfig_server *server)
{
    assert_that(str_has_prefix(server->url, server->secure ? "https://" : "http://"));
    assert_that(*server->host && !strpbrk(server->host, "/@[] "));
    assert_that(server->port > 0 && server->port < 65536);
    assert_that(!*server->prefix || (server->prefix[0] == '/' && server->prefix[1]));
    assert_that(str_has_suffix(server->url, server->prefix));
    assert_that(!server->unverified || !server->authority.text);
    assert_that(!server->proxy_given || server->proxy);
    assert_that(!server->proxy || !strpbrk(server->proxy, "\r\n"));
    assert_that(!server->tls_name || (*server->tls_name && !strpbrk(server->tls_name, "/@ \r\n")));
    check_pem(&server->authority);
}

static void check_user(const struct kubeconfig *config)
{
    const struct kubeconfig_user *user = &config->user;
    bool known = user->certificate.text || user->token || user->token_file || user->name;

    check_pem(&user->certificate);
    check_pem(&user->key);
    assert_that(!user->certificate.text == !user->key.text);
    assert_that(!user->token || (*user->token && !strpbrk(user->token, "\r\n")));
    assert_that(!user->name || (!user->token && user->password));
    assert_that(!known || !user->exec);
    assert_that(config->server.secure || (!known && !user->exec));
    if (user->exec)
        assert_that(*user->exec->command == '/' || !strchr(user->exec->command, '/'));
}

/* What a plugin is told is JSON, whatever the cluster has for it. */
static void check_told(const struct kubeconfig *config)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf told = STRBUF_INIT;
    struct json_findings findings;
    struct json *root;

    if (!config->user.exec)
        return;
    exec_credential_ask(config, &told);
    assert_that(json_parse(&arena, told.text, told.length, &json_limits_manifest, &findings, &root,
                           NULL) == 0);
}

static void check_printed(const char *text, size_t length)
{
    struct exec_credential *credential;
    struct err err = {0};
    int r =
        exec_credential_parse(&credential, "client.authentication.k8s.io/v1", text, length, &err);

    if (r < 0) {
        check_sentence(&err, r);
        return;
    }
    assert_that(credential->token || credential->certificate);
    assert_that(!credential->token || !strpbrk(credential->token, "\r\n"));
    assert_that(!credential->certificate == !credential->key);
    exec_credential_free(credential);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const environment[] = {"HTTPS_PROXY=http://proxy:1", "NO_PROXY=10.0.0.0/8",
                                              NULL};
    struct kubeconfig_options options = {.path = "/k/config", .environment = environment};

    check_printed((const char *)data, size);
    for (int i = 0; i < 2; i++) {
        struct kubeconfig *config, *again;
        struct err err = {0};
        int r;

        options.certificate_follows = i;
        r = kubeconfig_parse(&config, &options, (const char *)data, size, &err);
        if (r < 0) {
            check_sentence(&err, r);
            continue;
        }
        check_server(&config->server);
        check_user(config);
        check_told(config);
        assert_that(kubeconfig_parse(&again, &options, (const char *)data, size, &err) == 0);
        assert_that(!strcmp(config->server.url, again->server.url));
        assert_that(str_equal(config->user.token, again->user.token));
        kubeconfig_free(again);
        kubeconfig_free(config);
    }
    return 0;
}
