/* agent/translate-mounts: what containers have mounted. */
#include "translation.h"

#include <limits.h>

#define WITH_MOUNT                                                                                 \
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1, annotations: {x: "  \
    "y1}}, spec: {volumes: [{name: v, emptyDir: {}}, {name: im, image: {reference: 'data:1'}}], "  \
    "containers: [{name: a, image: a, env: [{name: A, value: one}, {name: E, value: ''}], "        \
    "volumeMounts: [{name: v, mountPath: /data, %s}]}]}}"

static const char *mounts_text(struct fixture *test, const Cri__ContainerConfig *config)
{
    const char *text = "";

    for (size_t i = 0; i < config->n_mounts; i++) {
        const Cri__Mount *mount = config->mounts[i];

        text =
            arena_printf(&test->arena, "%s%s%s>%s:%s%d%s%s", text, i ? " " : "", mount->host_path,
                         mount->container_path, mount->readonly ? "ro" : "rw", mount->propagation,
                         mount->recursive_read_only ? "R" : "", mount->selinux_relabel ? "z" : "");
    }
    return text;
}

static void test_order(void **state)
{
    struct container_order order;
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER,
                    "volumeMounts: [{name: two, mountPath: /b}, {name: one, mountPath: a}]");
    assert_string_equal(mounts_text(&test, container_named(&test, "a")),
                        "/volumes/two>/b:rw0 /volumes/one>/a:rw0 /etc-hosts>/etc/hosts:rw0 "
                        "/termination>/dev/termination-log:rw0");
    order = order_of(&test, "a");
    order.hosts_path = order.termination_path = NULL;
    assert_string_equal(mounts_text(&test, container_of_order(&test, &order)),
                        "/volumes/two>/b:rw0 /volumes/one>/a:rw0");
    fixture_deinit(&test);
}

static void test_hosts(void **state)
{
    static const struct {
        const char *spec;
        const char *ips;
        bool mounted;
    } cases[] = {
        {"containers: [{name: a, image: a}]", "10.0.0.1", true},
        {"containers: [{name: a, image: a}]", "", false},
        {"containers: [{name: a, image: a}], hostNetwork: true", "", true},
        {"containers: [{name: a, image: a, volumeMounts: [{name: v, mountPath: /etc/hosts}]}]",
         "10.0.0.1", false},
        {"containers: [{name: a, image: a, volumeMounts: [{name: v, mountPath: /etc/hosts/}]}]",
         "10.0.0.1", true},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct fixture test;
        const char *text;

        fixture_init_in(&test,
                        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: "
                        "u1}, spec: {%s}}",
                        cases[i].spec);
        test.translation.pod_ips = words(&test, cases[i].ips);
        text = mounts_text(&test, container_named(&test, "a"));
        assert_int_equal(!!strstr(text, "/etc-hosts>/etc/hosts:rw0"), cases[i].mounted);
        fixture_deinit(&test);
    }
}

static void test_mounts(void **state)
{
    static const struct {
        const char *mount;
        bool read_only_volume;
        bool supported;
        const char *expected; /* or the sentence */
    } cases[] = {
        {"", false, false, "rw0"},
        {"", true, false, "ro0"},
        {"readOnly: true", false, false, "ro0"},
        {"mountPropagation: None", false, false, "rw0"},
        {"mountPropagation: HostToContainer", false, false, "rw1"},
        {"mountPropagation: Bidirectional", false, false, "rw2"},
        {"mountPropagation: Odd", false, false, "invalid MountPropagation mode: \"Odd\""},
        {"readOnly: true, recursiveReadOnly: Disabled", false, true, "ro0"},
        {"readOnly: true, recursiveReadOnly: IfPossible", false, true, "ro0R"},
        {"readOnly: true, recursiveReadOnly: IfPossible", false, false, "ro0"},
        {"readOnly: true, recursiveReadOnly: Enabled", false, true, "ro0R"},
        {"readOnly: true, recursiveReadOnly: Enabled, mountPropagation: None", false, true, "ro0R"},
        {"readOnly: true, recursiveReadOnly: Enabled", false, false,
         "volume \"v\" requested recursive read-only mode, but it is not supported by the runtime"},
        {"recursiveReadOnly: IfPossible", true, true,
         "volume \"v\" requested recursive read-only mode, but it is not read-only"},
        {"readOnly: true, recursiveReadOnly: IfPossible, mountPropagation: HostToContainer", false,
         true,
         "volume \"v\" requested recursive read-only mode, but it is not compatible with "
         "propagation \"HostToContainer\""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct container_place place = {.host_path = "/volumes/v",
                                        .read_only = cases[i].read_only_volume};
        struct container_order order;
        Cri__ContainerConfig *config;
        struct fixture test;

        fixture_init_in(&test, WITH_MOUNT, cases[i].mount);
        if (cases[i].supported) {
            test.translation.handler = "kata";
            test.node.recursive_read_only_handlers = words(&test, "runc kata");
        }
        order = order_of(&test, "a");
        order.places = &place;
        order.hosts_path = order.termination_path = NULL;
        if (translate_container(&test.translation, &order, &config, &test.err) < 0)
            assert_string_equal(test.err.text, cases[i].expected);
        else
            assert_string_equal(mounts_text(&test, config) + strlen("/volumes/v>/data:"),
                                cases[i].expected);
        fixture_deinit(&test);
    }
}

/* The default handler has no name. */
static void test_the_default_handler(void **state)
{
    struct fixture test;

    fixture_init_in(&test, WITH_MOUNT, "readOnly: true, recursiveReadOnly: Enabled");
    strings_add(&test.arena, &test.node.recursive_read_only_handlers, "");
    assert_true(container_named(&test, "a")->mounts[0]->recursive_read_only);
    fixture_deinit(&test);
}

static void test_relabelling(void **state)
{
    for (int selinux = 0; selinux < 2; selinux++)
        for (int relabel = 0; relabel < 2; relabel++) {
            struct container_place place = {.host_path = "/v", .relabel = relabel};
            struct container_order order;
            Cri__ContainerConfig *config;
            struct fixture test;

            fixture_init_in(&test, WITH_MOUNT, "");
            test.node.selinux = selinux;
            order = order_of(&test, "a");
            order.places = &place;
            config = container_of_order(&test, &order);
            assert_int_equal(config->mounts[0]->selinux_relabel, selinux && relabel);
            assert_int_equal(config->mounts[1]->selinux_relabel, selinux);
            assert_int_equal(config->mounts[2]->selinux_relabel, selinux);
            fixture_deinit(&test);
        }
}

static void test_image_volumes(void **state)
{
    struct container_place place = {.image_id = "sha256:9", .read_only = true};
    struct container_order order;
    struct fixture test;
    Cri__Mount *mount;

    fixture_init(&test, "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1, "
                        "annotations: {x: y1}}, spec: {volumes: [{name: im, image: {reference: "
                        "'data:1'}}], containers: [{name: a, image: a, volumeMounts: [{name: im, "
                        "mountPath: /im, subPath: part/one}]}]}}");
    order = order_of(&test, "a");
    order.places = &place;
    mount = container_of_order(&test, &order)->mounts[0];
    assert_string_equal(mount->host_path, "");
    assert_string_equal(mount->container_path, "/im");
    assert_true(mount->readonly);
    assert_string_equal(mount->image->image, "sha256:9");
    assert_string_equal(mount->image->user_specified_image, "data:1");
    assert_string_equal(pairs_text(&test, mount->image->n_annotations, mount->image->annotations),
                        "x=y1");
    assert_string_equal(mount->image_sub_path, "part/one");
    pod_of(test.document.object)->spec.containers.items[0].volume_mounts.items[0].sub_path = "..";
    assert_order_fails(&test, &order, "unable to provision SubPath `..`: must not contain '..'");
    fixture_deinit(&test);
}

static void test_a_volume_without_a_place(void **state)
{
    struct container_place place = {0};
    struct container_order order;
    struct fixture test;

    fixture_init_in(&test, WITH_MOUNT, "");
    order = order_of(&test, "a");
    order.places = &place;
    assert_order_fails(&test, &order, "cannot find volume \"v\" to mount into container \"a\"");
    fixture_deinit(&test);
}

/* sub paths */

static void test_sub_paths(void **state)
{
    static const struct {
        const char *mount;
        const char *expected; /* or the sentence; NULL: none */
    } cases[] = {
        {"", NULL},
        {"subPath: ''", NULL},
        {"subPath: a/b", "a/b"},
        {"subPath: $(A)", "$(A)"},
        {"subPathExpr: $(A)/b", "one/b"},
        {"subPathExpr: a..b", "a..b"},
        {"subPathExpr: $(E)", "missing value for E"},
        {"subPathExpr: $(Z)$(A)$(B)$(Z)", "missing value for B, Z"},
        {"subPathExpr: $$(A)", "$(A)"},
        {"subPath: /a", "error SubPath `/a` must not be an absolute path"},
        {"subPathExpr: /$(A)", "error SubPath `/one` must not be an absolute path"},
        {"subPath: a/../b", "unable to provision SubPath `a/../b`: must not contain '..'"},
        {"subPathExpr: ../$(A)", "unable to provision SubPath `../one`: must not contain '..'"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const struct container *container;
        struct string_map env;
        struct fixture test;
        const char *path;

        fixture_init_in(&test, WITH_MOUNT, cases[i].mount);
        container = test.translation.pod->spec.containers.items;
        assert_int_equal(translate_env(&test.translation, container, &env, &test.err), 0);
        if (translate_sub_path(&test.translation, &env, container->volume_mounts.items, &path,
                               &test.err) < 0)
            path = test.err.text;
        if (cases[i].expected)
            assert_string_equal(path, cases[i].expected);
        else
            assert_null(path);
        fixture_deinit(&test);
    }
}

static void test_a_long_expression(void **state)
{
    struct volume_mount mount = {.name = "v", .sub_path_expr = letters('x', PATH_MAX)};
    struct string_map env = {0};
    struct fixture test;
    const char *path;

    fixture_init_in(&test, WITH_MOUNT, "");
    assert_true(translate_sub_path(&test.translation, &env, &mount, &path, &test.err) < 0);
    assert_string_equal(test.err.text,
                        "the subPathExpr of volume \"v\" is longer than a path may be");
    free((char *)mount.sub_path_expr);
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_mounts),
        cmocka_unit_test(test_the_default_handler),
        cmocka_unit_test(test_relabelling),
        cmocka_unit_test(test_image_volumes),
        cmocka_unit_test(test_a_volume_without_a_place),
        cmocka_unit_test(test_sub_paths),
        cmocka_unit_test(test_a_long_expression),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
