/* agent/translate*: whole pods, as the runtime is asked for them. */
#include "translation.h"

static const char *const web = "apiVersion: v1\n"
                               "kind: Pod\n"
                               "metadata:\n"
                               "  name: web\n"
                               "  namespace: shop\n"
                               "  uid: 6a1f-22\n"
                               "  labels: {app: web, io.kubernetes.pod.name: other}\n"
                               "  annotations: {team: blue}\n"
                               "  deletionGracePeriodSeconds: 7\n"
                               "spec:\n"
                               "  nodeName: n1\n"
                               "  initContainers:\n"
                               "  - name: proxy\n"
                               "    image: proxy:1\n"
                               "    restartPolicy: Always\n"
                               "    ports: [{containerPort: 9000, hostPort: 9000}]\n"
                               "  containers:\n"
                               "  - name: nginx\n"
                               "    image: nginx:1.27\n"
                               "    command: [nginx, -g, $(FLAGS)]\n"
                               "    args: ['$$(FLAGS)']\n"
                               "    workingDir: /srv/$(FLAGS)\n"
                               "    env: [{name: FLAGS, value: daemon off}]\n"
                               "    ports: [{name: http, containerPort: 80}]\n"
                               "    stdin: true\n"
                               "    stdinOnce: true\n"
                               "    tty: true\n"
                               "    lifecycle: {preStop: {exec: {command: [nginx, -s, quit]}}}\n";

static void test_sandbox(void **state)
{
    struct fixture test;
    Cri__PodSandboxConfig *sandbox;
    struct string_map warnings;

    fixture_init(&test, web);
    assert_int_equal(
        translate_sandbox(&test.translation, &test.host, 3, &sandbox, &warnings, &test.err), 0);
    assert_sendable(&sandbox->base);
    assert_int_equal(warnings.count, 0);
    assert_string_equal(sandbox->metadata->name, "web");
    assert_string_equal(sandbox->metadata->namespace_, "shop");
    assert_string_equal(sandbox->metadata->uid, "6a1f-22");
    assert_int_equal(sandbox->metadata->attempt, 3);
    assert_string_equal(sandbox->hostname, "web");
    assert_string_equal(sandbox->log_directory, "/var/log/pods/shop_web_6a1f-22");
    assert_string_equal(pairs_text(&test, sandbox->n_labels, sandbox->labels),
                        "app=web io.kubernetes.pod.name=web io.kubernetes.pod.namespace=shop "
                        "io.kubernetes.pod.uid=6a1f-22");
    assert_string_equal(pairs_text(&test, sandbox->n_annotations, sandbox->annotations),
                        "team=blue");
    assert_string_equal(sandbox->linux_config->cgroup_parent, "/kubepods/besteffort/pod6a1f-22");
    assert_string_equal(
        text_of(&test, sandbox->dns_config->n_servers, sandbox->dns_config->servers), "10.0.0.10");
    fixture_deinit(&test);
}

static void test_container(void **state)
{
    struct fixture test;
    struct container_order order;
    Cri__ContainerConfig *config;

    fixture_init(&test, web);
    order = order_of(&test, "nginx");
    order.attempt = 2;
    config = container_of_order(&test, &order);
    assert_string_equal(config->metadata->name, "nginx");
    assert_int_equal(config->metadata->attempt, 2);
    assert_string_equal(config->image->image, "sha256:0123");
    assert_string_equal(config->image->user_specified_image, "nginx:1.27");
    assert_int_equal(config->image->n_annotations, 0);
    assert_string_equal(text_of(&test, config->n_command, config->command), "nginx -g daemon off");
    assert_string_equal(text_of(&test, config->n_args, config->args), "$(FLAGS)");
    assert_string_equal(config->working_dir, "/srv/$(FLAGS)");
    assert_true(config->stdin && config->stdin_once && config->tty);
    assert_string_equal(config->log_path, "nginx/2.log");
    assert_string_equal(pairs_text(&test, config->n_labels, config->labels),
                        "io.kubernetes.pod.name=web io.kubernetes.pod.namespace=shop "
                        "io.kubernetes.pod.uid=6a1f-22 io.kubernetes.container.name=nginx");
    assert_int_equal(config->n_envs, 1);
    assert_string_equal(config->envs[0]->key, "FLAGS");
    assert_int_equal(config->envs[0]->value.len, strlen("daemon off"));
    assert_memory_equal(config->envs[0]->value.data, "daemon off", strlen("daemon off"));
    fixture_deinit(&test);
}

/* What is not written leaves the wire's defaults. */
static void test_container_of_nothing(void **state)
{
    struct fixture test;
    Cri__ContainerConfig *config;

    fixture_init_in(&test, IN_CONTAINER, "");
    config = container_named(&test, "a");
    assert_int_equal(config->n_command, 0);
    assert_int_equal(config->n_args, 0);
    assert_int_equal(config->n_envs, 0);
    assert_int_equal(config->n_devices, 0);
    assert_string_equal(config->working_dir, "");
    assert_false(config->stdin || config->stdin_once || config->tty);
    fixture_deinit(&test);
}

static void test_check_31_third_start(void **state)
{
    struct fixture test;
    struct container_order order;
    Cri__ContainerConfig *config;

    fixture_init(&test, web);
    order = order_of(&test, "proxy");
    order.attempt = 2;
    config = container_of_order(&test, &order);
    assert_int_equal(config->metadata->attempt, 2);
    assert_string_equal(config->log_path, "proxy/2.log");
    assert_string_equal(
        pair_of(config->n_annotations, config->annotations, "io.kubernetes.container.restartCount"),
        "2");
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox),
        cmocka_unit_test(test_container),
        cmocka_unit_test(test_container_of_nothing),
        cmocka_unit_test(test_check_31_third_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
