/* agent/translate-security: who containers run as, and what they share. */
#include "translation.h"

static const Cri__LinuxContainerSecurityContext *security_of(struct fixture *test)
{
    return container_named(test, "a")->linux_config->security_context;
}

/* namespaces */

static void test_namespaces(void **state)
{
    static const struct {
        const char *spec;
        Cri__NamespaceMode network, pid, ipc;
    } cases[] = {
        /* check 19 */
        {"", CRI__NAMESPACE_MODE__POD, CRI__NAMESPACE_MODE__CONTAINER, CRI__NAMESPACE_MODE__POD},
        {"hostNetwork: true", CRI__NAMESPACE_MODE__NODE, CRI__NAMESPACE_MODE__CONTAINER,
         CRI__NAMESPACE_MODE__POD},
        {"hostIPC: true", CRI__NAMESPACE_MODE__POD, CRI__NAMESPACE_MODE__CONTAINER,
         CRI__NAMESPACE_MODE__NODE},
        {"hostPID: true", CRI__NAMESPACE_MODE__POD, CRI__NAMESPACE_MODE__NODE,
         CRI__NAMESPACE_MODE__POD},
        {"shareProcessNamespace: true", CRI__NAMESPACE_MODE__POD, CRI__NAMESPACE_MODE__POD,
         CRI__NAMESPACE_MODE__POD},
        {"shareProcessNamespace: false", CRI__NAMESPACE_MODE__POD, CRI__NAMESPACE_MODE__CONTAINER,
         CRI__NAMESPACE_MODE__POD},
        {"hostUsers: true", CRI__NAMESPACE_MODE__POD, CRI__NAMESPACE_MODE__CONTAINER,
         CRI__NAMESPACE_MODE__POD},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const Cri__NamespaceOption *both[2];
        struct fixture test;

        fixture_init_in(&test, IN_SPEC, cases[i].spec);
        both[0] = sandbox_of(&test)->linux_config->security_context->namespace_options;
        both[1] = security_of(&test)->namespace_options;
        for (size_t j = 0; j < array_size(both); j++) {
            assert_int_equal(both[j]->network, cases[i].network);
            assert_int_equal(both[j]->pid, cases[i].pid);
            assert_int_equal(both[j]->ipc, cases[i].ipc);
            assert_string_equal(both[j]->target_id, "");
            assert_non_null(both[j]->userns_options);
            assert_int_equal(both[j]->userns_options->mode, CRI__NAMESPACE_MODE__NODE);
            assert_int_equal(both[j]->userns_options->n_uids, 0);
            assert_int_equal(both[j]->userns_options->n_gids, 0);
        }
        fixture_deinit(&test);
    }
}

static void test_check_22_user_namespaces(void **state)
{
    static const struct {
        const char *handler;
        const char *supporting;
        const char *sentence;
    } cases[] = {
        {NULL, "", "can't set `spec.hostUsers: false`, runtime does not support user namespaces"},
        {"", "runc", "can't set `spec.hostUsers: false`, runtime does not support user namespaces"},
        {"kata", "runc", "RuntimeClass handler \"kata\" does not support user namespaces"},
        {"runc", "runc",
         "can't set `spec.hostUsers: false`, user namespaces are not supported yet by this agent"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct fixture test;

        fixture_init_in(&test, IN_SPEC, "hostUsers: false");
        test.translation.handler = cases[i].handler;
        test.node.user_namespace_handlers = words(&test, cases[i].supporting);
        assert_sandbox_fails(&test, cases[i].sentence);
        assert_container_fails(&test, "a", cases[i].sentence);
        fixture_deinit(&test);
    }
}

#define WITH_DEBUGGER                                                                              \
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1}, spec: {%s "        \
    "containers: [{name: b, image: b}], ephemeralContainers: [{name: a, image: a, "                \
    "targetContainerName: b}]}}"

static void test_targets(void **state)
{
    static const struct {
        const char *spec;
        Cri__NamespaceMode pid;
        const char *target;
    } cases[] = {
        {"", CRI__NAMESPACE_MODE__TARGET, "id-of-b"},
        {"shareProcessNamespace: true,", CRI__NAMESPACE_MODE__POD, ""},
        {"hostPID: true,", CRI__NAMESPACE_MODE__NODE, ""},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const Cri__NamespaceOption *options;
        struct container_order order;
        struct fixture test;

        fixture_init_in(&test, WITH_DEBUGGER, cases[i].spec);
        order = order_of(&test, "a");
        assert_order_fails(&test, &order, "unable to find target container b");
        order.target_id = "id-of-b";
        options =
            container_of_order(&test, &order)->linux_config->security_context->namespace_options;
        assert_int_equal(options->pid, cases[i].pid);
        assert_string_equal(options->target_id, cases[i].target);
        fixture_deinit(&test);
    }
}

/* users */

#define WITH_CONTEXTS                                                                              \
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1}, spec: {"           \
    "securityContext: {%s}, containers: [{name: a, image: a, securityContext: {%s}}]}}"

static void init(struct fixture *test, const char *pod, const char *container)
{
    char *yaml = mem_printf(WITH_CONTEXTS, pod, container);

    fixture_init(test, yaml);
    free(yaml);
}

static void test_users(void **state)
{
    static const struct image_user none = {0}, uid = {true, 1000, NULL}, named = {.name = "app"},
                                   both = {true, 7, "app"};
    static const struct {
        const char *pod, *container;
        const struct image_user *image;
        int64_t user; /* negative: a name */
        const char *name;
        int64_t group; /* negative: none */
    } cases[] = {
        {"", "", &none, 0, "", -1}, /* check 40 */
        {"", "", &uid, 1000, "", -1},
        {"", "", &named, -1, "app", -1},
        {"", "", &both, 7, "", -1},
        {"runAsUser: 5", "", &named, 5, "", -1},
        {"runAsUser: 5, runAsGroup: 6", "runAsUser: 8", &named, 8, "", 6},
        {"runAsGroup: 6", "runAsUser: 0, runAsGroup: 0", &uid, 0, "", 0},
        {"", "runAsGroup: 3", &named, -1, "app", 3},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const Cri__LinuxContainerSecurityContext *security;
        struct container_order order;
        struct fixture test;

        init(&test, cases[i].pod, cases[i].container);
        order = order_of(&test, "a");
        order.image_user = *cases[i].image;
        security = container_of_order(&test, &order)->linux_config->security_context;
        assert_int_equal(security->run_as_user ? security->run_as_user->value : -1, cases[i].user);
        assert_string_equal(security->run_as_username, cases[i].name);
        assert_int_equal(security->run_as_group ? security->run_as_group->value : -1,
                         cases[i].group);
        fixture_deinit(&test);
    }
}

static void test_check_40_no_user_is_a_present_zero(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    assert_non_null(security_of(&test)->run_as_user);
    assert_int_equal(security_of(&test)->run_as_user->value, 0);
    fixture_deinit(&test);
}

static void test_check_39_non_root(void **state)
{
    static const struct image_user none = {0}, root = {true, 0, NULL}, uid = {true, 1000, NULL},
                                   named = {.name = "app"}, odd = {true, -5, NULL},
                                   high = {true, 1ll << 31, NULL};
    static const char *const as_root = "container has runAsNonRoot and image will run as root "
                                       "(pod: \"web_ns(u1)\", container: a)";
    static const char *const by_user = "container's runAsUser breaks non-root policy (pod: "
                                       "\"web_ns(u1)\", container: a)";
    static const struct {
        const char *pod, *container;
        const struct image_user *image;
        const char *sentence; /* NULL: it may run */
    } cases[] = {
        {"runAsNonRoot: true", "", &none, as_root},
        {"runAsNonRoot: true", "", &root, as_root},
        {"runAsNonRoot: true", "", &uid, NULL},
        {"runAsNonRoot: true", "", &named,
         "container has runAsNonRoot and image has non-numeric user (app), cannot verify user is "
         "non-root (pod: \"web_ns(u1)\", container: a)"},
        {"runAsNonRoot: true", "", &odd,
         "container has runAsNonRoot and image has an invalid user id (-5) (pod: \"web_ns(u1)\", "
         "container: a)"},
        {"runAsNonRoot: true", "", &high,
         "container has runAsNonRoot and image has an invalid user id (2147483648) (pod: "
         "\"web_ns(u1)\", container: a)"},
        {"runAsNonRoot: true, runAsUser: 0", "", &uid, by_user},
        {"runAsNonRoot: true", "runAsUser: 0", &uid, by_user},
        {"runAsUser: 0", "runAsNonRoot: true", &uid, by_user},
        {"runAsNonRoot: true, runAsUser: 5", "", &named, NULL},
        {"runAsNonRoot: true", "runAsNonRoot: false", &none, NULL},
        {"runAsNonRoot: false", "", &none, NULL},
        {"", "", &none, NULL},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct container_order order;
        struct fixture test;

        init(&test, cases[i].pod, cases[i].container);
        order = order_of(&test, "a");
        order.image_user = *cases[i].image;
        if (cases[i].sentence)
            assert_order_fails(&test, &order, cases[i].sentence);
        else
            container_of_order(&test, &order);
        fixture_deinit(&test);
    }
}

/* the rest */

static void test_groups(void **state)
{
    const Cri__LinuxContainerSecurityContext *security;
    struct fixture test;

    init(&test, "fsGroup: 7, supplementalGroups: [8, 7], supplementalGroupsPolicy: Merge", "");
    security = security_of(&test);
    assert_int_equal(security->n_supplemental_groups, 3);
    assert_int_equal(security->supplemental_groups[0], 7);
    assert_int_equal(security->supplemental_groups[1], 8);
    assert_int_equal(security->supplemental_groups[2], 7);
    assert_int_equal(security->supplemental_groups_policy, CRI__SUPPLEMENTAL_GROUPS_POLICY__Merge);
    fixture_deinit(&test);
    init(&test, "supplementalGroupsPolicy: Strict", "");
    assert_int_equal(security_of(&test)->n_supplemental_groups, 0);
    assert_int_equal(security_of(&test)->supplemental_groups_policy,
                     CRI__SUPPLEMENTAL_GROUPS_POLICY__Strict);
    fixture_deinit(&test);
}

static void test_selinux(void **state)
{
    const Cri__SELinuxOption *options;
    struct fixture test;

    init(&test, "seLinuxOptions: {user: u, role: r, type: t, level: s0}", "");
    options = security_of(&test)->selinux_options;
    assert_string_equal(options->user, "u");
    assert_string_equal(options->role, "r");
    assert_string_equal(options->type, "t");
    assert_string_equal(options->level, "s0");
    fixture_deinit(&test);
    init(&test, "seLinuxOptions: {user: u, level: s0}", "seLinuxOptions: {type: own}");
    options = security_of(&test)->selinux_options;
    assert_string_equal(options->user, "");
    assert_string_equal(options->type, "own");
    fixture_deinit(&test);
    init(&test, "", "");
    assert_null(security_of(&test)->selinux_options);
    fixture_deinit(&test);
}

static void test_privileges(void **state)
{
    const Cri__LinuxContainerSecurityContext *security;
    struct fixture test;

    init(&test, "",
         "privileged: true, readOnlyRootFilesystem: true, capabilities: {add: [NET_ADMIN, "
         "CAP_SYS_TIME, cap_kill], drop: [ALL]}");
    security = security_of(&test);
    assert_true(security->privileged);
    assert_true(security->readonly_rootfs);
    assert_string_equal(text_of(&test, security->capabilities->n_add_capabilities,
                                security->capabilities->add_capabilities),
                        "NET_ADMIN SYS_TIME kill");
    assert_string_equal(text_of(&test, security->capabilities->n_drop_capabilities,
                                security->capabilities->drop_capabilities),
                        "ALL");
    fixture_deinit(&test);
    fixture_init_in(&test, IN_CONTAINER, "");
    security = security_of(&test);
    assert_false(security->privileged || security->readonly_rootfs);
    assert_null(security->capabilities);
    fixture_deinit(&test);
}

static void test_check_43_no_new_privileges(void **state)
{
    static const struct {
        const char *container;
        bool expected;
    } cases[] = {
        {"", false},
        {"allowPrivilegeEscalation: true", false},
        {"allowPrivilegeEscalation: false", true},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct fixture test;

        init(&test, "", cases[i].container);
        assert_int_equal(security_of(&test)->no_new_privs, cases[i].expected);
        fixture_deinit(&test);
    }
}

static void test_check_42_paths(void **state)
{
    static const struct {
        const char *container;
        bool hidden;
    } cases[] = {
        {"", true},
        {"procMount: Default", true},
        {"procMount: Unmasked", false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const Cri__LinuxContainerSecurityContext *security;
        struct fixture test;

        init(&test, "", cases[i].container);
        test.node.thermal_throttles = words(&test, "/sys/devices/system/cpu/cpu0/thermal_throttle");
        security = security_of(&test);
        assert_string_equal(
            text_of(&test, security->n_masked_paths, security->masked_paths),
            cases[i].hidden
                ? "/proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys "
                  "/proc/latency_stats /proc/timer_list /proc/timer_stats /proc/sched_debug "
                  "/proc/scsi /sys/firmware /sys/devices/virtual/powercap "
                  "/sys/devices/system/cpu/cpu0/thermal_throttle"
                : "");
        assert_string_equal(
            text_of(&test, security->n_readonly_paths, security->readonly_paths),
            cases[i].hidden ? "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger" : "");
        fixture_deinit(&test);
    }
}

/* What never was defaulted has no context of its own. */
static void test_no_context(void **state)
{
    const Cri__LinuxContainerSecurityContext *security;
    struct fixture test;

    fixture_init_in(&test, IN_SPEC, "");
    pod_of(test.document.object)->spec.security_context = NULL;
    security = security_of(&test);
    assert_int_equal(security->n_supplemental_groups, 0);
    assert_int_equal(security->seccomp->profile_type,
                     CRI__SECURITY_PROFILE__PROFILE_TYPE__Unconfined);
    assert_int_equal(sandbox_of(&test)->linux_config->security_context->namespace_options->pid,
                     CRI__NAMESPACE_MODE__CONTAINER);
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_check_22_user_namespaces),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_users),
        cmocka_unit_test(test_check_40_no_user_is_a_present_zero),
        cmocka_unit_test(test_check_39_non_root),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_selinux),
        cmocka_unit_test(test_privileges),
        cmocka_unit_test(test_check_43_no_new_privileges),
        cmocka_unit_test(test_check_42_paths),
        cmocka_unit_test(test_no_context),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
