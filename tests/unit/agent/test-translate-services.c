/* agent/translate-services: what containers are told of Services. */
#include "translation.h"

#include <stdio.h>

static const char pod_yaml[] = "apiVersion: v1\n"
                               "kind: Pod\n"
                               "metadata: {name: p, namespace: shop, uid: u}\n"
                               "spec:\n"
                               "  enableServiceLinks: %s\n"
                               "  containers: [{name: c, image: i}]\n";

static const char *const services[] = {
    "apiVersion: v1\nkind: Service\nmetadata: {name: kubernetes, namespace: default}\n"
    "spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443}]}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: my-db, namespace: shop}\n"
    "spec: {clusterIP: 'fd00::7', ports: [{name: pg, port: 5432}, {port: 53, protocol: UDP}]}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: headless, namespace: shop}\n"
    "spec: {clusterIP: None, ports: [{port: 1}]}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: elsewhere}\n"
    "spec: {clusterIP: 10.96.0.9, ports: [{port: 1}]}\n",
};

static const char *environment(struct fixture *test, const char *links, bool complete,
                               struct known_services *known)
{
    struct strbuf text = STRBUF_INIT;
    struct string_map variables;
    const char *result;
    char yaml[256];

    snprintf(yaml, sizeof(yaml), pod_yaml, links);
    fixture_init(test, yaml);
    known->complete = complete;
    known->items.items = arena_array(&test->arena, const struct object *, array_size(services));
    known->items.count = array_size(services);
    for (size_t i = 0; i < array_size(services); i++) {
        fixture_add(test, services[i]);
        known->items.items[i] = test->objects[i].object;
    }
    test->translation.services = known;
    if (translate_env(&test->translation, &test->translation.pod->spec.containers.items[0],
                      &variables, &test->err) < 0)
        return NULL;
    array_for_each (pair, variables)
        strbuf_printf(&text, "%s=%s\n", pair->name, pair->value);
    result = arena_strdup(&test->arena, text.text);
    strbuf_deinit(&text);
    return result;
}

/* API check 45 */
static void test_services_of_the_namespace(void **state)
{
    struct known_services known = {0};
    struct fixture test;

    assert_string_equal(environment(&test, "true", true, &known),
                        "KUBERNETES_SERVICE_HOST=10.96.0.1\n"
                        "KUBERNETES_SERVICE_PORT=443\n"
                        "KUBERNETES_SERVICE_PORT_HTTPS=443\n"
                        "KUBERNETES_PORT=tcp://10.96.0.1:443\n"
                        "KUBERNETES_PORT_443_TCP=tcp://10.96.0.1:443\n"
                        "KUBERNETES_PORT_443_TCP_PROTO=tcp\n"
                        "KUBERNETES_PORT_443_TCP_PORT=443\n"
                        "KUBERNETES_PORT_443_TCP_ADDR=10.96.0.1\n"
                        "MY_DB_SERVICE_HOST=fd00::7\n"
                        "MY_DB_SERVICE_PORT=5432\n"
                        "MY_DB_SERVICE_PORT_PG=5432\n"
                        "MY_DB_PORT=tcp://[fd00::7]:5432\n"
                        "MY_DB_PORT_5432_TCP=tcp://[fd00::7]:5432\n"
                        "MY_DB_PORT_5432_TCP_PROTO=tcp\n"
                        "MY_DB_PORT_5432_TCP_PORT=5432\n"
                        "MY_DB_PORT_5432_TCP_ADDR=fd00::7\n"
                        "MY_DB_PORT_53_UDP=udp://[fd00::7]:53\n"
                        "MY_DB_PORT_53_UDP_PROTO=udp\n"
                        "MY_DB_PORT_53_UDP_PORT=53\n"
                        "MY_DB_PORT_53_UDP_ADDR=fd00::7\n");
    fixture_deinit(&test);
}

static void test_without_links_only_the_api_server(void **state)
{
    struct known_services known = {0};
    struct fixture test;
    const char *text = environment(&test, "false", true, &known);

    assert_non_null(strstr(text, "KUBERNETES_SERVICE_HOST=10.96.0.1\n"));
    assert_null(strstr(text, "MY_DB"));
    fixture_deinit(&test);
}

static void test_a_pod_of_the_cluster_waits_for_them(void **state)
{
    struct known_services known = {0};
    struct fixture test;

    assert_null(environment(&test, "true", false, &known));
    assert_string_equal(test.err.text,
                        "services have not yet been read at least once, cannot construct envvars");
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services_of_the_namespace),
        cmocka_unit_test(test_without_links_only_the_api_server),
        cmocka_unit_test(test_a_pod_of_the_cluster_waits_for_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
