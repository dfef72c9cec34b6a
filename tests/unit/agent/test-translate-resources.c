/* agent/translate-resources: what containers and sandboxes may use. */
#include "translation.h"

static const Cri__LinuxContainerResources *resources_of(struct fixture *test, const char *name)
{
    return container_named(test, name)->linux_config->resources;
}

static const char *resources_text(struct fixture *test,
                                  const Cri__LinuxContainerResources *resources)
{
    return arena_printf(&test->arena, "%lld %lld/%lld %lld", (long long)resources->cpu_shares,
                        (long long)resources->cpu_quota, (long long)resources->cpu_period,
                        (long long)resources->memory_limit_in_bytes);
}

/* shares quota/period memory */
static void test_containers(void **state)
{
    static const struct {
        const char *resources;
        const char *expected;
    } cases[] = {
        {"", "2 0/100000 0"},                                          /* check 35 */
        {"requests: {cpu: 5m}, limits: {cpu: 5m}", "5 1000/100000 0"}, /* check 34 */
        {"requests: {cpu: 1}", "1024 0/100000 0"},
        {"requests: {cpu: 1500m}, limits: {cpu: 2}", "1536 200000/100000 0"},
        {"limits: {cpu: 250m}", "256 25000/100000 0"},
        {"requests: {cpu: 0}, limits: {cpu: 1}", "2 100000/100000 0"},
        {"requests: {cpu: 1m}", "2 0/100000 0"},
        {"requests: {cpu: 256}", "262144 0/100000 0"},
        {"requests: {cpu: 9000P}, limits: {cpu: 9000P}", "262144 9223372036854775807/100000 0"},
        {"limits: {memory: 64Mi}", "2 0/100000 67108864"},
        {"requests: {memory: 64Mi}", "2 0/100000 0"},
        {"limits: {cpu: 5m}", "5 1000/100000 0"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = mem_printf("resources: {%s}", cases[i].resources);
        struct fixture test;

        fixture_init_in(&test, IN_CONTAINER, text);
        assert_string_equal(resources_text(&test, resources_of(&test, "a")), cases[i].expected);
        fixture_deinit(&test);
        free(text);
    }
}

static void test_check_34_smallest_quota(void **state)
{
    const Cri__LinuxContainerResources *resources;
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, "resources: {requests: {cpu: 5m}, limits: {cpu: 5m}}");
    resources = resources_of(&test, "a");
    assert_int_equal(resources->cpu_shares, 5);
    assert_int_equal(resources->cpu_quota, 1000);
    assert_int_equal(resources->cpu_period, 100000);
    fixture_deinit(&test);
}

static void test_check_35_nothing_set(void **state)
{
    const Cri__LinuxContainerResources *resources;
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, "");
    resources = resources_of(&test, "a");
    assert_int_equal(resources->cpu_shares, 2);
    assert_int_equal(resources->cpu_quota, 0);
    assert_int_equal(resources->oom_score_adj, 1000);
    assert_string_equal(pairs_text(&test, resources->n_unified, resources->unified),
                        "memory.oom.group=1 memory.swap.max=0");
    test.node.swap_accounting = false;
    resources = resources_of(&test, "a");
    assert_string_equal(pairs_text(&test, resources->n_unified, resources->unified),
                        "memory.oom.group=1");
    fixture_deinit(&test);
}

static void test_period(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, "resources: {limits: {cpu: 500m}}");
    test.config.cpu_cfs_quota_period = 20000;
    assert_string_equal(resources_text(&test, resources_of(&test, "a")), "512 10000/20000 0");
    test.config.cpu_cfs_quota = false;
    assert_string_equal(resources_text(&test, resources_of(&test, "a")), "512 0/0 0");
    fixture_deinit(&test);
}

/* A container without limits has those of its pod. */
static void test_pod_limits(void **state)
{
    struct fixture test;

    fixture_init(&test,
                 "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1}, "
                 "spec: {resources: {limits: {cpu: 2, memory: 1Gi}}, containers: ["
                 "{name: a, image: a}, {name: b, image: b, resources: {limits: {cpu: 1, "
                 "memory: 1Mi}}}]}}");
    assert_string_equal(resources_text(&test, resources_of(&test, "a")),
                        "2048 200000/100000 1073741824");
    assert_string_equal(resources_text(&test, resources_of(&test, "b")),
                        "1024 100000/100000 1048576");
    fixture_deinit(&test);
}

static void test_unified(void **state)
{
    static const struct {
        bool v2;
        uint8_t single_process;
        const char *expected;
    } cases[] = {
        {true, OPT_UNSET, "memory.oom.group=1"},
        {true, OPT_FALSE, "memory.oom.group=1"},
        {true, OPT_TRUE, ""},
        {false, OPT_UNSET, ""},
        {false, OPT_FALSE, ""},
    };
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, "");
    test.node.swap_accounting = false;
    for (size_t i = 0; i < array_size(cases); i++) {
        const Cri__LinuxContainerResources *resources;

        test.node.cgroup_v2 = cases[i].v2;
        test.config.single_process_oom_kill = cases[i].single_process;
        resources = resources_of(&test, "a");
        assert_string_equal(pairs_text(&test, resources->n_unified, resources->unified),
                            cases[i].expected);
        resources = sandbox_of(&test)->linux_config->resources;
        assert_string_equal(pairs_text(&test, resources->n_unified, resources->unified),
                            cases[i].expected);
    }
    fixture_deinit(&test);
}

/* sandboxes */

static void test_sandbox_resources(void **state)
{
    static const struct {
        const char *spec;
        const char *expected;
    } cases[] = {
        {"containers: [{name: a, image: a}]", "2 0/100000 0"},
        {"containers: [{name: a, image: a, resources: {requests: {cpu: 1}, limits: {cpu: 2, "
         "memory: 1Mi}}}, {name: b, image: b, resources: {requests: {cpu: 500m}}}]",
         "1536 200000/100000 1048576"},
        {"containers: [{name: a, image: a, resources: {requests: {cpu: 1}}}], initContainers: "
         "[{name: i, image: i, resources: {requests: {cpu: 3}}}]",
         "3072 0/100000 0"},
        {"resources: {requests: {cpu: 4}, limits: {memory: 2Mi}}, containers: [{name: a, image: "
         "a, resources: {requests: {cpu: 1}, limits: {cpu: 2, memory: 1Mi}}}]",
         "4096 200000/100000 2097152"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct fixture test;

        fixture_init_in(&test,
                        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: "
                        "u1}, spec: {%s}}",
                        cases[i].spec);
        assert_string_equal(resources_text(&test, sandbox_of(&test)->linux_config->resources),
                            cases[i].expected);
        fixture_deinit(&test);
    }
}

static void test_overhead(void **state)
{
    static const struct {
        const char *overhead;
        const char *expected;
        bool unified;
    } cases[] = {
        {"", "0 0/0 0", false},
        {"overhead: {cpu: 250m, memory: 1Mi}", "256 25000/100000 1048576", true},
        {"overhead: {memory: 1Mi}", "2 0/100000 1048576", true},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const Cri__LinuxContainerResources *overhead;
        struct fixture test;

        fixture_init_in(&test, IN_SPEC, cases[i].overhead);
        overhead = sandbox_of(&test)->linux_config->overhead;
        assert_non_null(overhead);
        assert_string_equal(resources_text(&test, overhead), cases[i].expected);
        assert_int_equal(overhead->n_unified, cases[i].unified);
        fixture_deinit(&test);
    }
}

/* out of memory */

struct oom_case {
    const char *spec;
    int64_t expected;
};

static void assert_adjustments(const struct oom_case *cases, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        struct fixture test;

        fixture_init_in(&test,
                        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: "
                        "u1}, spec: {%s}}",
                        cases[i].spec);
        assert_int_equal(resources_of(&test, name)->oom_score_adj, cases[i].expected);
        fixture_deinit(&test);
    }
}

#define A(resources) "containers: [{name: a, image: a, resources: {" resources "}}]"

static void test_check_36_burstable(void **state)
{
    static const struct oom_case cases[] = {
        {A("requests: {memory: 4Gi}"), 750},   {A("requests: {memory: 1}"), 999},
        {A("requests: {memory: 16Gi}"), 3},    {A("requests: {memory: 8Ei}"), 3},
        {A("requests: {memory: 16369Mi}"), 3}, /* 1000 - 999 */
    };

    assert_adjustments(cases, array_size(cases), "a");
}

static void test_check_37_others(void **state)
{
    static const struct oom_case cases[] = {
        {A("requests: {cpu: 1}"), 999},
        {A(""), 1000},
        {A("limits: {cpu: 1, memory: 1Gi}"), -997},
        {A("") ", priority: 2000000000, priorityClassName: system-node-critical", -997},
        {A("") ", priority: 1999999999, priorityClassName: system-node-critical", 1000},
        {A("") ", priority: 2000000000, priorityClassName: system-cluster-critical", 1000},
        {A("") ", priorityClassName: system-node-critical", 1000},
    };
    struct fixture test;

    assert_adjustments(cases, array_size(cases), "a");
    fixture_init_in(&test, IN_SPEC, "priorityClassName: system-node-critical");
    test.translation.static_pod = true;
    assert_int_equal(resources_of(&test, "a")->oom_score_adj, -997);
    fixture_deinit(&test);
    fixture_init(&test, "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: u1, "
                        "annotations: {kubernetes.io/config.mirror: x}}, spec: {priorityClassName: "
                        "system-node-critical, containers: [{name: a, image: a}]}}");
    assert_int_equal(resources_of(&test, "a")->oom_score_adj, -997);
    fixture_deinit(&test);
}

static void test_sidecars_outlive_containers(void **state)
{
    static const struct oom_case cases[] = {
        {A("requests: {memory: 4Gi}") ", initContainers: [{name: s, image: s, restartPolicy: "
                                      "Always}]",
         750},
        {A("requests: {memory: 4Gi}") ", initContainers: [{name: s, image: s, restartPolicy: "
                                      "Always, resources: {requests: {memory: 8Gi}}}]",
         500},
        {"containers: [{name: a, image: a, resources: {requests: {memory: 4Gi}}}, {name: b, image: "
         "b}], initContainers: [{name: s, image: s, restartPolicy: Always}]",
         999},
        {A("requests: {memory: 4Gi}") ", initContainers: [{name: s, image: s}]", 999},
    };

    assert_adjustments(cases, array_size(cases), "s");
}

/* What the pod asks for beyond its containers is shared out. */
static void test_pod_requests(void **state)
{
    static const struct oom_case cases[] = {
        {"resources: {requests: {memory: 8Gi}}, containers: [{name: a, image: a}, {name: b, image: "
         "b}]",
         750},
        {"resources: {requests: {memory: 8Gi}}, " A("requests: {memory: 4Gi}"), 500},
        {"resources: {requests: {memory: 8Gi}}, " A("requests: {memory: 4Gi}") ", initContainers: "
                                                                               "[{name: i, image: "
                                                                               "i}]",
         625},
        {"resources: {requests: {cpu: 1}}, " A("requests: {memory: 4Gi}"), 750},
    };

    assert_adjustments(cases, array_size(cases), "a");
}

static void test_memory_that_is_unknown(void **state)
{
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, "resources: {requests: {memory: 1Gi}}");
    test.node.memory_bytes = 0;
    assert_int_equal(resources_of(&test, "a")->oom_score_adj, 999);
    fixture_deinit(&test);
}

/* huge pages */

static const char *huge_pages(struct fixture *test)
{
    const Cri__LinuxContainerResources *resources = resources_of(test, "a");
    const char *text = "";

    for (size_t i = 0; i < resources->n_hugepage_limits; i++)
        text = arena_printf(&test->arena, "%s%s%s=%llu", text, i ? " " : "",
                            resources->hugepage_limits[i]->page_size,
                            (unsigned long long)resources->hugepage_limits[i]->limit);
    return text;
}

static void test_check_38_huge_pages(void **state)
{
    static const struct {
        const char *spec;
        const char *expected;
    } cases[] = {
        {A("limits: {hugepages-2Mi: 4Mi, cpu: 1}"), "1GB=0 2MB=4194304"},
        {A("limits: {hugepages-2048Ki: 4Mi, cpu: 1}"), "1GB=0 2MB=4194304"},
        {A("limits: {hugepages-1Gi: 2Gi, cpu: 1}"), "1GB=2147483648 2MB=0"},
        {A("limits: {hugepages-64Ki: 2Gi, hugepages-odd: 1}"), "1GB=0 2MB=0"},
        {A(""), "1GB=0 2MB=0"},
        {"resources: {limits: {hugepages-2Mi: 8Mi, cpu: 1}}, " A(""), "1GB=0 2MB=8388608"},
        {"resources: {limits: {hugepages-2Mi: 8Mi, cpu: 1}}, " A("limits: {hugepages-2Mi: 2Mi}"),
         "1GB=0 2MB=2097152"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct fixture test;

        fixture_init_in(&test,
                        "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: "
                        "u1}, spec: {%s}}",
                        cases[i].spec);
        assert_string_equal(huge_pages(&test), cases[i].expected);
        test.node.hugepage_sizes = (struct string_list){0};
        assert_string_equal(huge_pages(&test), "");
        fixture_deinit(&test);
    }
}

/* swap */

static void test_swap(void **state)
{
    static const struct {
        const char *resources;
        bool limited;
        bool critical;
        const char *expected;
    } cases[] = {
        {"requests: {memory: 4Gi}", false, false, "0"},
        {"requests: {memory: 4Gi}", true, false, "2147483648"},
        {"requests: {memory: 4Gi}, limits: {memory: 5Gi}", true, false, "2147483648"},
        {"requests: {memory: 4Gi}", true, true, "0"},
        {"limits: {memory: 4Gi}", true, false, "0"},
        {"limits: {memory: 4Gi, cpu: 1}", true, false, "0"}, /* guaranteed */
        {"requests: {cpu: 1}", true, false, "0"},
        {"", true, false, "0"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = mem_printf("resources: {%s}", cases[i].resources);
        const Cri__LinuxContainerResources *resources;
        struct fixture test;

        fixture_init_in(&test, IN_CONTAINER, text);
        test.config.limited_swap = cases[i].limited;
        test.translation.static_pod = cases[i].critical;
        resources = resources_of(&test, "a");
        assert_string_equal(pair_of(resources->n_unified, resources->unified, "memory.swap.max"),
                            cases[i].expected);
        assert_int_equal(resources->memory_swap_limit_in_bytes, 0);
        fixture_deinit(&test);
        free(text);
    }
}

static void test_swap_of_the_old_cgroups(void **state)
{
    const Cri__LinuxContainerResources *resources;
    struct fixture test;

    fixture_init_in(&test, IN_CONTAINER, "resources: {limits: {memory: 1Mi}}");
    test.node.cgroup_v2 = false;
    resources = resources_of(&test, "a");
    assert_int_equal(resources->memory_swap_limit_in_bytes, 1 << 20);
    assert_int_equal(resources->n_unified, 0);
    test.node.swap_accounting = false;
    assert_int_equal(resources_of(&test, "a")->memory_swap_limit_in_bytes, 0);
    fixture_deinit(&test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_check_34_smallest_quota),
        cmocka_unit_test(test_check_35_nothing_set),
        cmocka_unit_test(test_period),
        cmocka_unit_test(test_pod_limits),
        cmocka_unit_test(test_unified),
        cmocka_unit_test(test_sandbox_resources),
        cmocka_unit_test(test_overhead),
        cmocka_unit_test(test_check_36_burstable),
        cmocka_unit_test(test_check_37_others),
        cmocka_unit_test(test_sidecars_outlive_containers),
        cmocka_unit_test(test_pod_requests),
        cmocka_unit_test(test_memory_that_is_unknown),
        cmocka_unit_test(test_check_38_huge_pages),
        cmocka_unit_test(test_swap),
        cmocka_unit_test(test_swap_of_the_old_cgroups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
