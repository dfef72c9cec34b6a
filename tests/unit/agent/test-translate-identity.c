/* agent/translate-identity: by what the runtime's objects are known. */
#include "translation.h"

static const char *annotation(const Cri__ContainerConfig *config, const char *name)
{
    return pair_of(config->n_annotations, config->annotations, name);
}

static void test_annotations(void **state)
{
    struct fixture test;
    Cri__ContainerConfig *config;

    fixture_init_in(&test, IN_CONTAINER,
                    "terminationMessagePath: /dev/last, terminationMessagePolicy: "
                    "FallbackToLogsOnError");
    pod_of(test.document.object)->object.metadata.deletion_grace_period_seconds =
        (struct opt_int64){7, true};
    config = container_named(&test, "a");
    assert_string_equal(annotation(config, "io.kubernetes.container.restartCount"), "0");
    assert_string_equal(annotation(config, "io.kubernetes.container.terminationMessagePath"),
                        "/dev/last");
    assert_string_equal(annotation(config, "io.kubernetes.container.terminationMessagePolicy"),
                        "FallbackToLogsOnError");
    assert_string_equal(annotation(config, "io.kubernetes.pod.deletionGracePeriod"), "7");
    assert_string_equal(annotation(config, "io.kubernetes.pod.terminationGracePeriod"), "30");
    assert_int_equal(config->n_annotations, 6);
    fixture_deinit(&test);
}

static void test_annotations_of_nothing(void **state)
{
    struct fixture test;
    Cri__ContainerConfig *config;

    fixture_init_in(&test, IN_CONTAINER, "lifecycle: {postStart: {sleep: {seconds: 1}}}");
    pod_of(test.document.object)->spec.termination_grace_period_seconds.set = false;
    config = container_named(&test, "a");
    assert_string_equal(annotation(config, "io.kubernetes.container.terminationMessagePath"),
                        "/dev/termination-log");
    assert_int_equal(config->n_annotations, 4);
    fixture_deinit(&test);
}

static void test_check_29_hash(void **state)
{
    struct fixture test;

    fixture_init(&test, "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u}, "
                        "spec: {containers: [{name: nginx, image: 'nginx:1.27'}]}}");
    assert_string_equal(annotation(container_named(&test, "nginx"), "io.kubernetes.container.hash"),
                        "91edee8f");
    fixture_deinit(&test);
}

static void test_hooks(void **state)
{
    static const struct {
        const char *hook;
        const char *json;
    } cases[] = {
        {"exec: {command: [sh, -c, 'echo \"x\"']}",
         "{\"exec\":{\"command\":[\"sh\",\"-c\",\"echo \\\"x\\\"\"]}}"},
        {"httpGet: {port: 80, path: /bye}",
         "{\"httpGet\":{\"path\":\"/bye\",\"port\":80,\"scheme\":\"HTTP\"}}"},
        {"sleep: {seconds: 5}", "{\"sleep\":{\"seconds\":5}}"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = mem_printf("lifecycle: {preStop: {%s}}", cases[i].hook);
        struct fixture test;

        fixture_init_in(&test, IN_CONTAINER, text);
        assert_string_equal(
            annotation(container_named(&test, "a"), "io.kubernetes.container.preStopHandler"),
            cases[i].json);
        fixture_deinit(&test);
        free(text);
    }
}

static void test_ports(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER,
                    "ports: [{containerPort: 80, name: http, hostPort: 8080, hostIP: 127.0.0.1}, "
                    "{containerPort: 53, protocol: UDP}]");
    assert_string_equal(
        annotation(container_named(&test, "a"), "io.kubernetes.container.ports"),
        "[{\"name\":\"http\",\"hostPort\":8080,\"containerPort\":80,\"protocol\":\"TCP\","
        "\"hostIP\":\"127.0.0.1\"},{\"containerPort\":53,\"protocol\":\"UDP\"}]");
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_annotations),   cmocka_unit_test(test_annotations_of_nothing),
        cmocka_unit_test(test_check_29_hash), cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
