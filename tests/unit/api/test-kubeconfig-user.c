/* api/kubeconfig-user: certificates, tokens, passwords and plugins. */
#include "kubeconfig-place.h"

#define EXEC(fields)                                                                               \
    "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/x" fields "}"
#define NEVER ", interactiveMode: Never"

static void assert_user_refused(const struct place *place, const char *user, const char *expected)
{
    char *text = mem_printf(CONFIG(SERVER, "%s"), user);

    assert_refused(place, text, expected);
    free(text);
}

static struct kubeconfig *read_user(const struct place *place, const char *user)
{
    char *text = mem_printf(CONFIG(SERVER, "%s"), user);
    struct kubeconfig *config = read_config(place, text);

    free(text);
    return config;
}

static void test_what_is_refused(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *user, *expected;
    } cases[] = {
        {"client-certificate: node.crt",
         "kc:6:46: users[0].user.client-certificate: needs its key, in client-key, too"},
        {"client-key: node.key",
         "kc:6:38: users[0].user.client-key: needs the certificate that it belongs to, in "
         "client-certificate, too"},
        {"client-certificate: node.crt, client-key: other.key",
         "kc:6:46: users[0].user.client-certificate: its key is another certificate's"},
        {"client-certificate: node.crt, client-key: gone",
         "kc:6:68: users[0].user.client-key: cannot open gone: No such file or directory"},
        {"client-certificate: gone, client-key: node.key",
         "kc:6:46: users[0].user.client-certificate: cannot open gone: No such file or directory"},
        {"client-certificate: node.crt, client-certificate-data: AAAA, client-key: node.key",
         "kc:6:81: users[0].user.client-certificate-data: is set together with "
         "client-certificate; remove one of them"},
        {"client-certificate: node.crt, client-key: node.key, client-key-data: AAAA",
         "kc:6:95: users[0].user.client-key-data: is set together with client-key; remove one of "
         "them"},
        {"client-certificate-data: YWJj, client-key-data: YWJj",
         "kc:6:51: users[0].user.client-certificate-data: has no certificate in it that is PEM"},
        {"token: abc, username: me, password: pw",
         "kc:6:48: users[0].user.username: is set together with token; remove one of them"},
        {"tokenFile: token, password: pw",
         "kc:6:54: users[0].user.password: is set together with tokenFile; remove one of them"},
        {"password: pw", "kc:6:36: users[0].user.password: needs username, too"},
        {"username: 'a:b'",
         "kc:6:36: users[0].user.username: must not contain a colon, which ends it when it is "
         "sent"},
        {"token: \"a\\nb\"",
         "kc:6:33: users[0].user.token: must be one line without control characters"},
        {"token: 7",
         "kc:6:33: users[0].user.token: must be a string, not a number; put the value in quotes"},
        {"tokenFile: gone",
         "kc:6:37: users[0].user.tokenFile: cannot open gone: No such file or directory"},
        {"tokenFile: empty", "kc:6:37: users[0].user.tokenFile: empty: is empty"},
        {"auth-provider: {name: gcp, config: {a: b}}",
         "kc:6:41: users[0].user.auth-provider: is not supported, as nowhere any more; use exec "
         "with the plugin of the same provider"},
        {"as: x, token: abc",
         "kc:6:30: users[0].user.as: acting as somebody else is not supported; use credentials of "
         "the node's own, such as a client certificate of system:node:NAME"},
        {"as-uid: x",
         "kc:6:34: users[0].user.as-uid: acting as somebody else is not supported; use "
         "credentials of the node's own, such as a client certificate of system:node:NAME"},
        {"as-groups: [x]",
         "kc:6:37: users[0].user.as-groups: acting as somebody else is not supported; use "
         "credentials of the node's own, such as a client certificate of system:node:NAME"},
        {"as-user-extra: {x: [z]}",
         "kc:6:41: users[0].user.as-user-extra: acting as somebody else is not supported; use "
         "credentials of the node's own, such as a client certificate of system:node:NAME"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_user_refused(place, cases[i].user, cases[i].expected);
}

static void test_plugins_that_are_refused(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *user, *expected;
    } cases[] = {
        {"exec: {command: x}",
         "kc:6:32: users[0].user.exec.apiVersion: must be client.authentication.k8s.io/v1 or "
         "client.authentication.k8s.io/v1beta1"},
        {"exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}",
         "kc:6:57: users[0].user.exec.apiVersion: must be client.authentication.k8s.io/v1 or "
         "client.authentication.k8s.io/v1beta1"},
        {"exec: {apiVersion: client.authentication.k8s.io/v1beta1}",
         "kc:6:32: users[0].user.exec.command: must be set to the plugin's program"},
        {EXEC(""), "kc:6:32: users[0].user.exec.interactiveMode: must be set to Never or "
                   "IfAvailable"},
        {EXEC(", interactiveMode: Always"),
         "kc:6:112: users[0].user.exec.interactiveMode: Always wants a terminal, which a service "
         "never has; use a plugin that asks nothing, with Never"},
        {EXEC(", interactiveMode: never"),
         "kc:6:112: users[0].user.exec.interactiveMode: must be Never, IfAvailable or Always"},
        {EXEC(NEVER ", env: [{name: a, value: b}, {name: a=b}]"),
         "kc:6:153: users[0].user.exec.env[1].name: must be the name of a variable"},
        {EXEC(NEVER ", env: [{value: b}]"),
         "kc:6:125: users[0].user.exec.env[0].name: must be the name of a variable"},
        {EXEC(NEVER ", args: [1]"),
         "kc:6:126: users[0].user.exec.args[0]: must be a string, not a number; put the value in "
         "quotes"},
        {EXEC(NEVER) ", auth-provider: {}",
         "kc:6:135: users[0].user.auth-provider: is not supported, as nowhere any more; use exec "
         "with the plugin of the same provider"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_user_refused(place, cases[i].user, cases[i].expected);
}

static void test_credentials(void **state)
{
    struct place *place = *state;
    char *certificate = base64_of(place->node.certificate), *key = base64_of(place->node.key);
    char *text = mem_printf("client-certificate-data: %s, client-key-data: %s, token: abc",
                            certificate, key);
    struct kubeconfig *config = read_user(place, text);

    assert_string_equal(config->user.certificate.text, place->node.certificate);
    assert_string_equal(config->user.key.text, place->node.key);
    assert_null(config->user.key.file);
    assert_string_equal(config->user.token, "abc");
    kubeconfig_free(config);
    config = read_user(place, "tokenFile: token");
    assert_string_equal(config->user.token, "t0ken");
    assert_true(str_has_suffix(config->user.token_file, "/token"));
    kubeconfig_free(config);
    config = read_user(place, "tokenFile: gone, token: abc");
    assert_string_equal(config->user.token, "abc");
    assert_true(str_has_suffix(config->user.token_file, "/gone"));
    kubeconfig_free(config);
    config = read_user(place, "username: me");
    assert_string_equal(config->user.name, "me");
    assert_string_equal(config->user.password, "");
    kubeconfig_free(config);
    config = read_user(place, "");
    assert_null(config->user.token);
    kubeconfig_free(config);
    free(text);
    free(certificate);
    free(key);
}

static void test_a_certificate_that_follows(void **state)
{
    struct place *place = *state;
    struct kubeconfig *config;

    place->options.certificate_follows = true;
    config = read_user(place, "client-certificate: current.pem, client-key: current.pem");
    assert_true(str_has_suffix(config->user.certificate.file, "/current.pem"));
    assert_null(config->user.certificate.text);
    kubeconfig_free(config);
    config = read_user(place, "client-certificate: node.crt, client-key: gone");
    assert_null(config->user.certificate.text);
    assert_null(config->user.key.text);
    kubeconfig_free(config);
    config = read_user(place, "client-certificate: node.crt, client-key: node.key");
    assert_string_equal(config->user.certificate.text, place->node.certificate);
    kubeconfig_free(config);
    assert_user_refused(place, "client-certificate: node.crt, client-key: other.key",
                        "kc:6:46: users[0].user.client-certificate: its key is another "
                        "certificate's");
}

static void test_plugins(void **state)
{
    struct place *place = *state;
    struct kubeconfig *config =
        read_user(place, EXEC(NEVER ", args: [a, '', null], env: [{name: A, value: b}, {name: C}], "
                                    "installHint: get it, provideClusterInfo: true"));
    const struct kubeconfig_exec *exec = config->user.exec;

    assert_string_equal(exec->api_version, "client.authentication.k8s.io/v1");
    assert_string_equal(exec->command, "/bin/x");
    assert_int_equal(exec->arguments.count, 3);
    assert_string_equal(exec->arguments.items[0], "a");
    assert_string_equal(exec->arguments.items[2], "");
    assert_int_equal(exec->environment.count, 2);
    assert_string_equal(exec->environment.items[1].value, "");
    assert_string_equal(exec->install_hint, "get it");
    assert_true(exec->cluster_info);
    kubeconfig_free(config);
    config = read_user(place, "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: "
                              "bin/x}");
    assert_true(str_has_prefix(config->user.exec->command, place->directory));
    assert_true(str_has_suffix(config->user.exec->command, "/bin/x"));
    assert_false(config->user.exec->cluster_info);
    kubeconfig_free(config);
    config = read_user(place, "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: "
                              "x, interactiveMode: IfAvailable}");
    assert_string_equal(config->user.exec->command, "x");
    kubeconfig_free(config);
}

static void test_a_plugin_is_the_last_resort(void **state)
{
    struct place *place = *state;
    static const char *const users[] = {
        "token: abc, ",
        "tokenFile: token, ",
        "username: me, ",
        "client-certificate: node.crt, client-key: node.key, ",
    };

    for (size_t i = 0; i < array_size(users); i++) {
        char *text = mem_printf("%s" EXEC(NEVER), users[i]);
        struct kubeconfig *config = read_user(place, text);

        assert_null(config->user.exec);
        kubeconfig_free(config);
        free(text);
    }
    assert_logged(place, "users[0].user.exec: is not used, as this user has other credentials",
                  true);
}

static void test_http_shows_nobody(void **state)
{
    struct place *place = *state;
    static const char *const users[] = {
        "token: hu5h",
        "username: me",
        "client-certificate: node.crt, client-key: node.key",
        EXEC(NEVER),
    };

    for (size_t i = 0; i < array_size(users); i++) {
        char *text = mem_printf(CONFIG("server: 'http://api'", "%s"), users[i]);
        struct kubeconfig *config = read_config(place, text);
        const struct kubeconfig_user *user = &config->user;

        assert_false(user->token || user->name || user->exec || user->certificate.text ||
                     user->certificate.file);
        kubeconfig_free(config);
        free(text);
    }
    assert_logged(place, "users[0].user: is not used, as the server is not https", true);
    assert_logged(place, "hu5h", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_what_is_refused),   in_place(test_plugins_that_are_refused),
        in_place(test_credentials),       in_place(test_a_certificate_that_follows),
        in_place(test_plugins),           in_place(test_a_plugin_is_the_last_resort),
        in_place(test_http_shows_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
