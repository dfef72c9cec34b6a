/* api/bootstrap-config: which kubeconfig counts, and the one that is written. */
#include "authority.h"

#include "nodeagent/api/bootstrap_config.h"
#include "nodeagent/base/yaml.h"
#include "nodeagent/sys/files.h"

#include <sys/stat.h>
#include <unistd.h>

static void test_which_one_counts(void **state)
{
    static const struct {
        struct bootstrap_facts facts;
        enum bootstrap_choice with, without; /* one for bootstrapping */
        const char *sentence;
    } cases[] = {
        {{.exists = true}, BOOTSTRAP_KUBECONFIG, BOOTSTRAP_KUBECONFIG, ""},
        {{.exists = true, .has_certificate = true, .certificate_ends = SECONDS(NOW)},
         BOOTSTRAP_KUBECONFIG,
         BOOTSTRAP_KUBECONFIG,
         ""},
        {{.exists = true, .has_certificate = true, .certificate_ends = SECONDS(NOW) - 1},
         BOOTSTRAP_NEEDED,
         BOOTSTRAP_IMPOSSIBLE,
         "k.conf: its client certificate expired at 2026-01-02T03:04:04Z"},
        {{.exists = true, .problem = "user: no such file"},
         BOOTSTRAP_NEEDED,
         BOOTSTRAP_IMPOSSIBLE,
         "k.conf cannot be used: user: no such file"},
        {{0}, BOOTSTRAP_NEEDED, BOOTSTRAP_IMPOSSIBLE, "k.conf is not there"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct bootstrap_facts facts = cases[i].facts;
        struct err err = {0};

        facts.kubeconfig = "k.conf";
        assert_int_equal(bootstrap_choose(&facts, SECONDS(NOW), &err), cases[i].without);
        assert_sentence(&err, cases[i].sentence);
        assert_int_equal(!!strstr(err.text, "give --bootstrap-kubeconfig"),
                         cases[i].without == BOOTSTRAP_IMPOSSIBLE);
        facts.bootstrap = "b.conf";
        err = (struct err){0};
        assert_int_equal(bootstrap_choose(&facts, SECONDS(NOW), &err), cases[i].with);
        assert_sentence(&err, cases[i].sentence);
        assert_null(strstr(err.text, "--bootstrap-kubeconfig"));
    }
}

static void read_config(const char *path, struct strbuf *text)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
    assert_int_equal(file_read(path, 10000, text, NULL), 0);
}

static void test_what_is_written(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    char *place = make_place(), *path = mem_printf("%s/new/kubelet.conf", place);
    struct err err;

    assert_int_equal(
        bootstrap_config_write(path,
                               &(struct bootstrap_config){
                                   .server = "https://10.0.0.1:6443",
                                   .ca = "PEM",
                                   .ca_length = 3,
                                   .certificate = "/var/lib/kubelet/pki/kubelet-client-current.pem",
                               },
                               &err),
        0);
    read_config(path, &text);
    assert_string_equal(
        text.text, "apiVersion: v1\n"
                   "clusters:\n"
                   "- cluster:\n"
                   "    certificate-authority-data: UEVN\n"
                   "    server: \"https://10.0.0.1:6443\"\n"
                   "  name: default-cluster\n"
                   "contexts:\n"
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
                   "  user:\n"
                   "    client-certificate: \"/var/lib/kubelet/pki/kubelet-client-current.pem\"\n"
                   "    client-key: \"/var/lib/kubelet/pki/kubelet-client-current.pem\"\n");
    free(path);
    remove_place(place);
}

static const struct json *cluster_of(struct arena *arena, const struct strbuf *text)
{
    struct yaml_stream stream = {text->text, text->length, 0};
    struct json_findings findings;
    struct json *root;

    assert_int_equal(
        yaml_next(&stream, arena, &json_limits_manifest, &findings, &root, &(struct err){0}), 1);
    return json_get(&json_get(root, "clusters")->items[0], "cluster");
}

/* Values with what means something in YAML come back as they were; the file is replaced. */
static void test_values_survive(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    char *place = make_place(), *path = mem_printf("%s/kubelet.conf", place);
    struct strbuf before = {.text = (char[]){"before"}, .length = 6};
    const struct json *cluster;
    struct err err;

    write_text(place, "kubelet.conf", &before);
    assert_int_equal(bootstrap_config_write(path,
                                            &(struct bootstrap_config){
                                                .server = "https://[fd00::1]:6443/a: b #c\n\"é\\",
                                                .tls_server_name = "no",
                                                .proxy_url = "socks5://p:1",
                                                .ca_path = "/etc/ca 'x'.crt",
                                                .insecure = true,
                                                .certificate = "/p",
                                            },
                                            &err),
                     0);
    read_config(path, &text);
    cluster = cluster_of(&arena, &text);
    assert_true(
        json_text_is(json_get_string(cluster, "server"), "https://[fd00::1]:6443/a: b #c\n\"é\\"));
    assert_true(json_text_is(json_get_string(cluster, "tls-server-name"), "no"));
    assert_true(json_text_is(json_get_string(cluster, "proxy-url"), "socks5://p:1"));
    assert_true(json_text_is(json_get_string(cluster, "certificate-authority"), "/etc/ca 'x'.crt"));
    assert_true(json_get(cluster, "insecure-skip-tls-verify")->boolean);
    free(path);
    remove_place(place);
}

static void test_places_that_are_none(void **state)
{
    static const struct bootstrap_config config = {.server = "https://a", .certificate = "/p"};
    struct err err;

    assert_int_equal(bootstrap_config_write("/proc/version/x", &config, &err), -ENOTDIR);
    assert_sentence(&err, "/proc/version");
    assert_int_equal(bootstrap_config_write("/tmp/", &config, &err), -EINVAL);
    assert_sentence(&err, "does not end in the name of a file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_one_counts),
        cmocka_unit_test(test_what_is_written),
        cmocka_unit_test(test_values_survive),
        cmocka_unit_test(test_places_that_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
