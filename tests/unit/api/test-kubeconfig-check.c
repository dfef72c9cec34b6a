/* api/kubeconfig-check: contexts and clusters. */
#include "kubeconfig-place.h"

static void assert_cluster_refused(const struct place *place, const char *cluster,
                                   const char *expected)
{
    char *text = mem_printf(CONFIG("%s", "token: abc"), cluster);

    assert_refused(place, text, expected);
    free(text);
}

static struct kubeconfig *read_cluster(const struct place *place, const char *cluster)
{
    char *text = mem_printf(CONFIG("%s", "token: abc"), cluster);
    struct kubeconfig *config = read_config(place, text);

    free(text);
    return config;
}

#define PARTS(current, contexts, clusters, users)                                                  \
    "current-context: " current "\ncontexts: [" contexts "]\nclusters: [" clusters                 \
    "]\nusers: [" users "]\n"
#define CONTEXT "{name: c, context: {cluster: k, user: u}}"
#define CLUSTER "{name: k, cluster: {server: 'http://api'}}"
#define USER "{name: u, user: {}}"

static void test_contexts(void **state)
{
    struct place *place = *state;
    struct kubeconfig *config = read_config(
        place, PARTS("d", CONTEXT ", {name: d, context: {cluster: k2, user: u2, namespace: kube}}",
                     CLUSTER ", {name: k2, cluster: {server: 'https://b'}}",
                     USER ", {name: u2, user: {token: b}}"));
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {PARTS("''", CONTEXT, CLUSTER, USER),
         "kc:1:18: current-context: must be set to the name of one of the contexts"},
        {"kind: Config", "kc:1:1: current-context: must be set to the name of one of the contexts"},
        {PARTS("x", CONTEXT, CLUSTER, USER),
         "kc:1:18: current-context: names a context that is not one of the contexts"},
        {PARTS("c", "{name: c}", CLUSTER, USER),
         "kc:2:12: contexts[0].context.cluster: must be set to the name of one of the clusters; "
         "kc:2:12: contexts[0].context.user: must be set to the name of one of the users"},
        {PARTS("c", CONTEXT, "null", USER),
         "kc:2:41: contexts[0].context.cluster: names a cluster that is not one of the clusters"},
        {PARTS("c", CONTEXT, CLUSTER, "{name: x}"),
         "kc:2:50: contexts[0].context.user: names a user that is not one of the users"},
        {PARTS("c", "{name: c, context: {cluster: k, user: u, namespace: A.b}}", CLUSTER, USER),
         "kc:2:64: contexts[0].context.namespace: must be a DNS label: at most 63 lower-case "
         "letters, digits and \"-\", beginning and ending with a letter or digit"},
        {PARTS("c", CONTEXT ", " CONTEXT, CLUSTER, USER),
         "kc:2:62: contexts[1].name: is the name of another one, too"},
        {PARTS("c", CONTEXT, CLUSTER ", " CLUSTER, USER ", " USER),
         "kc:3:63: clusters[1].name: is the name of another one, too; kc:4:37: users[1].name: is "
         "the name of another one, too"},
        {"apiVersion: v2\nkind: Pod\n" PARTS("c", CONTEXT, CLUSTER, USER),
         "kc:1:13: apiVersion: must be v1; kc:2:7: kind: must be Config"},
    };

    assert_string_equal(config->server.host, "b");
    assert_string_equal(config->user.token, "b");
    kubeconfig_free(config);
    for (size_t i = 0; i < array_size(cases); i++)
        assert_refused(place, cases[i].text, cases[i].expected);
}

static void test_only_the_active_cluster_counts(void **state)
{
    struct place *place = *state;

    kubeconfig_free(read_config(
        place, PARTS("c", CONTEXT ", {name: d}",
                     CLUSTER ", {name: e, cluster: {certificate-authority: gone, server: ':'}}",
                     USER ", {name: f, user: {as: x, password: pw}}")));
}

static void test_authorities(void **state)
{
    struct place *place = *state;
    struct kubeconfig *config = read_cluster(place, SERVER ", certificate-authority: ca.crt");
    char *node = base64_of(place->node.certificate);
    char *text = mem_printf(SERVER ", certificate-authority-data: %s", node);
    static const struct {
        const char *cluster, *expected;
    } cases[] = {
        {SERVER ", certificate-authority: gone",
         "kc:5:83: clusters[0].cluster.certificate-authority: cannot open gone: No such file or "
         "directory"},
        {SERVER ", certificate-authority: token",
         "kc:5:83: clusters[0].cluster.certificate-authority: has no certificate in it that is "
         "PEM"},
        {SERVER ", certificate-authority: ca.crt, certificate-authority-data: AAAA",
         "kc:5:119: clusters[0].cluster.certificate-authority-data: is set together with "
         "certificate-authority; remove one of them"},
        {SERVER ", certificate-authority-data: A",
         "kc:5:88: clusters[0].cluster.certificate-authority-data: must be the base64 of a PEM "
         "text"},
        {SERVER ", certificate-authority-data: AAAA",
         "kc:5:88: clusters[0].cluster.certificate-authority-data: must be the base64 of a PEM "
         "text"},
        {SERVER ", certificate-authority-data: YWJj",
         "kc:5:88: clusters[0].cluster.certificate-authority-data: has no certificate in it that "
         "is PEM"},
        {SERVER ", certificate-authority: ca.crt, insecure-skip-tls-verify: true",
         "kc:5:117: clusters[0].cluster.insecure-skip-tls-verify: is set together with a "
         "certificate authority; remove one of them"},
    };

    assert_string_equal(config->server.authority.text, place->other.certificate);
    assert_true(str_has_suffix(config->server.authority.file, "/ca.crt"));
    kubeconfig_free(config);
    config = read_cluster(place, text);
    assert_string_equal(config->server.authority.text, place->node.certificate);
    assert_null(config->server.authority.file);
    kubeconfig_free(config);
    config = read_cluster(place, SERVER ", insecure-skip-tls-verify: true");
    assert_true(config->server.unverified);
    kubeconfig_free(config);
    for (size_t i = 0; i < array_size(cases); i++)
        assert_cluster_refused(place, cases[i].cluster, cases[i].expected);
    free(text);
    free(node);
}

static void test_servers(void **state)
{
    struct place *place = *state;
    static const struct {
        const char *cluster;
        bool secure;
    } cases[] = {
        {"server: 'api:6443'", false},
        {"server: 'api:6443', insecure-skip-tls-verify: true", true},
        {"server: 'api:6443', certificate-authority: ca.crt", true},
    };
    struct kubeconfig *config;

    for (size_t i = 0; i < array_size(cases); i++) {
        config = read_cluster(place, cases[i].cluster);
        assert_int_equal(config->server.secure, cases[i].secure);
        assert_int_equal(!config->user.token, !cases[i].secure);
        kubeconfig_free(config);
    }
    config = read_config(
        place, CONFIG("server: 'api:6443'", "client-certificate: node.crt, client-key: node.key"));
    assert_true(config->server.secure);
    kubeconfig_free(config);
    assert_cluster_refused(place, "",
                           "kc:5:31: clusters[0].cluster.server: must be set, for example to "
                           "https://api.example.com:6443");
    assert_cluster_refused(place, "server: 'ftp://x'",
                           "kc:5:40: clusters[0].cluster.server: must begin with https:// or "
                           "http://");
}

static void test_names_in_certificates(void **state)
{
    struct place *place = *state;
    static const char *const accepted[] = {"api.example.com", "API_1", "10.0.0.1", "'fd00::1'"};
    static const char *const refused[] = {"'a b'", "'a/b'", "'a\"b'", "\"a\\nb\""};

    for (size_t i = 0; i < array_size(accepted); i++) {
        char *text = mem_printf(SERVER ", tls-server-name: %s", accepted[i]);
        struct kubeconfig *config = read_cluster(place, text);

        assert_non_null(strstr(accepted[i], config->server.tls_name));
        assert_string_equal(config->server.host, "api");
        kubeconfig_free(config);
        free(text);
    }
    for (size_t i = 0; i < array_size(refused); i++) {
        char *text = mem_printf(SERVER ", tls-server-name: %s", refused[i]);

        assert_cluster_refused(place, text,
                               "kc:5:77: clusters[0].cluster.tls-server-name: must be a name such "
                               "as api.example.com, or an address");
        free(text);
    }
}

static void test_proxies(void **state)
{
    struct place *place = *state;
    static const char *const environment[] = {"HTTPS_PROXY=http://env:1", "NO_PROXY=direct", NULL};
    static const char *const wrong[] = {"HTTPS_PROXY=ftp://a:hu5h@p", NULL};
    struct kubeconfig *config;

    place->options.environment = environment;
    config = read_cluster(place, SERVER);
    assert_string_equal(config->server.proxy, "http://env:1/");
    assert_null(config->server.proxy_given);
    kubeconfig_free(config);
    config = read_cluster(place, SERVER ", proxy-url: 'socks5://p'");
    assert_string_equal(config->server.proxy, "socks5h://p/");
    assert_string_equal(config->server.proxy_given, "socks5://p");
    kubeconfig_free(config);
    config = read_cluster(place, "server: 'https://direct'");
    assert_null(config->server.proxy);
    kubeconfig_free(config);
    place->options.environment = wrong;
    assert_cluster_refused(place, SERVER,
                           "kc:5:40: clusters[0].cluster.server: is to be reached through the "
                           "proxy that HTTPS_PROXY of the environment names, but that must be a "
                           "URL such as http://proxy:3128");
}

static void test_the_rest_of_a_cluster(void **state)
{
    struct place *place = *state;
    struct kubeconfig *config = read_cluster(
        place, SERVER ", disable-compression: true, extensions: [{name: other, extension: 1}, "
                      "{name: client.authentication.k8s.io/exec, extension: {a: [1.50, x]}}]");

    assert_true(config->server.uncompressed);
    assert_string_equal(config->server.exec_config, "{\"a\":[1.5,\"x\"]}");
    kubeconfig_free(config);
    config = read_cluster(place, SERVER ", extensions: [7, {name: 3}, {extension: x}]");
    assert_null(config->server.exec_config);
    kubeconfig_free(config);
    config = read_cluster(place, SERVER ", extensions: {a: b}");
    assert_null(config->server.exec_config);
    kubeconfig_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_contexts),
        in_place(test_only_the_active_cluster_counts),
        in_place(test_authorities),
        in_place(test_servers),
        in_place(test_names_in_certificates),
        in_place(test_proxies),
        in_place(test_the_rest_of_a_cluster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
