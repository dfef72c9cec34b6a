/* api/kubeconfig: files as they are found, as YAML and JSON, and what is said of broken ones. */
#include "kubeconfig-place.h"

static void test_one_of_kubeadm(void **state)
{
    struct place *place = *state;
    char *authority = base64_of(place->other.certificate);
    char *text = mem_printf("apiVersion: v1\n"
                            "clusters:\n"
                            "- cluster:\n"
                            "    certificate-authority-data: %s\n"
                            "    server: https://10.0.0.1:6443\n"
                            "  name: kubernetes\n"
                            "contexts:\n"
                            "- context:\n"
                            "    cluster: kubernetes\n"
                            "    namespace: default\n"
                            "    user: system:node:n1\n"
                            "  name: system:node:n1@kubernetes\n"
                            "current-context: system:node:n1@kubernetes\n"
                            "kind: Config\n"
                            "preferences: {colors: true}\n"
                            "users:\n"
                            "- name: system:node:n1\n"
                            "  user:\n"
                            "    client-certificate: node.crt\n"
                            "    client-key: %s/node.key\n",
                            authority, place->directory);
    struct kubeconfig *config;
    char *logged;

    write_file(place, "kc", text);
    assert_int_equal(kubeconfig_read(&config, &place->options, NULL), 0);
    assert_string_equal(config->path, place->path);
    assert_string_equal(config->server.url, "https://10.0.0.1:6443");
    assert_true(config->server.secure);
    assert_false(config->server.unverified || config->server.uncompressed);
    assert_null(config->server.tls_name);
    assert_null(config->server.proxy);
    assert_null(config->server.authority.file);
    assert_string_equal(config->server.authority.text, place->other.certificate);
    assert_string_equal(config->user.certificate.text, place->node.certificate);
    assert_string_equal(config->user.key.text, place->node.key);
    assert_true(str_has_prefix(config->user.certificate.file, place->directory));
    assert_true(str_has_suffix(config->user.certificate.file, "/node.crt"));
    assert_null(config->user.token);
    assert_null(config->user.name);
    assert_null(config->user.exec);
    logged = read_log(place);
    assert_string_equal(logged, "");
    free(logged);
    kubeconfig_free(config);
    free(text);
    free(authority);
}

static void test_names_are_relative_to_the_file(void **state)
{
    struct place *place = *state;
    struct kubeconfig *config;
    char before[PATH_MAX];

    write_file(place, "kc", CONFIG(SERVER ", certificate-authority: ./ca.crt", "token: abc"));
    config = NULL;
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(kubeconfig_read(&config, &place->options, NULL), 0);
    assert_string_equal(config->server.authority.text, place->other.certificate);
    kubeconfig_free(config);
    assert_int_equal(chdir(place->directory), 0);
    place->options.path = "kc";
    assert_int_equal(kubeconfig_read(&config, &place->options, NULL), 0);
    assert_int_equal(chdir(before), 0);
    assert_string_equal(config->path, place->path);
    assert_true(config->server.authority.file[0] == '/');
    kubeconfig_free(config);
}

static void test_json(void **state)
{
    struct place *place = *state;
    struct kubeconfig *config = read_config(
        place, "{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":"
               "\"k\",\"user\":\"u\"}}],\"clusters\":[{\"name\":\"k\",\"cluster\":{\"server\":"
               "\"https://api\"}}],\"users\":[{\"name\":\"u\",\"user\":{\"token\":\"abc\"}}]}");

    assert_string_equal(config->user.token, "abc");
    kubeconfig_free(config);
    assert_refused(place, "{\"clusters\": [}",
                   "kc:1:15: not JSON: parse error: unallowed token at "
                   "this point in JSON text");
    assert_refused(place, "{\"clusters\": [", "kc:1:15: the JSON text ends too early");
}

static void test_no_kubeconfig(void **state)
{
    struct place *place = *state;
    struct kubeconfig *config;
    struct err err;

    assert_int_equal(kubeconfig_read(&config, &place->options, &err), -ENOENT);
    assert_non_null(strstr(err.text, place->path));
    write_file(place, "kc", "");
    assert_int_equal(kubeconfig_read(&config, &place->options, &err), -EINVAL);
    strip(place, err.text);
    assert_string_equal(err.text, "kc: is empty; it must be a kubeconfig");
    assert_int_equal(truncate(place->path, KUBECONFIG_BYTES_MAX + 1), 0);
    assert_int_equal(kubeconfig_read(&config, &place->options, &err), -EFBIG);
    assert_refused(place, "[]", "kc:1:1: must be an object, not a list");
    assert_refused(place, "clusters: {}\nusers: 3",
                   "kc:1:11: clusters: must be a list, not an object; kc:2:8: users: must be a "
                   "list, not a number");
}

/* Whatever is wrong with a secret, it is not shown. */
static void test_secrets_are_not_quoted(void **state)
{
    struct place *place = *state;
    static const char *const users[] = {
        "token: !hu5h x",
        "token: *hu5h",
        "token: !!int hu5h",
        "token: [hu5h]",
        "token: {hu5h: 1}",
        "token: hu5h: x",
        "token: \"hu5h\\q\"",
        "token: 'hu5h",
        "token: \"hu5h\\nhu5h\"",
        "client-key-data: hu5h",
        "client-key-data: aHU1aA==",
        "client-certificate-data: hu5h",
        "username: 'a:hu5h', password: hu5h",
        "password: hu5h",
        "token: hu5h, password: hu5h",
        "client-certificate: token, client-key: token",
        "tokenFile: lines",
        "token: hu5h, token: hu5h, as: x",
        "unknown: hu5h, as: x",
        "exec: hu5h",
        "exec: {env: [{name: '', value: hu5h}], args: [hu5h]}",
    };

    write_file(place, "token", "hu5h");
    write_file(place, "lines", "hu5h\nhu5h");
    for (size_t i = 0; i < array_size(users); i++) {
        char *text = mem_printf(CONFIG(SERVER, "%s"), users[i]);
        struct kubeconfig *config;
        struct err err;

        if (kubeconfig_parse(&config, &place->options, text, strlen(text), &err) == 0)
            fail_msg("not refused: %s", users[i]);
        if (strstr(err.text, "hu5h") || strstr(err.text, "aHU1"))
            fail_msg("%s: %s", users[i], err.text);
        free(text);
    }
    assert_refused(place, CONFIG("server: 'https://a:hu5h@api', proxy-url: 'ftp://a:hu5h@p'", ""),
                   "kc:5:40: clusters[0].cluster.server: must not have a user or a password in "
                   "it; put them into username and password of the user; kc:5:73: "
                   "clusters[0].cluster.proxy-url: must be the URL of a proxy that begins with "
                   "http://, https:// or socks5://");
    assert_logged(place, "hu5h", false);
}

static void test_warnings_are_logged(void **state)
{
    struct place *place = *state;

    kubeconfig_free(read_config(place, CONFIG(SERVER ", servr: x", "token: abc, token: abc")));
    assert_logged(place, "kc:5:60: clusters[0].cluster.servr: unknown field; did you mean server?",
                  true);
    assert_logged(place, "kc:6:38: users[0].user.token: is set twice; the last one wins", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_one_of_kubeadm),
        in_place(test_names_are_relative_to_the_file),
        in_place(test_json),
        in_place(test_no_kubeconfig),
        in_place(test_secrets_are_not_quoted),
        in_place(test_warnings_are_logged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
