/* agent/translate-cgroup: where pods are among the cgroups. */
#include "translation.h"

static void assert_parent(enum cgroup_driver driver, const char *root, const char *resources,
                          const char *expected)
{
    char *yaml = mem_printf("{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: ns, uid: "
                            "1-2}, spec: {containers: [{name: a, image: a, resources: {%s}}]}}",
                            resources);
    struct fixture test;

    fixture_init(&test, yaml);
    test.node.cgroup_driver = driver;
    test.config.cgroup_root = root;
    assert_string_equal(translate_cgroup_parent(&test.translation), expected);
    fixture_deinit(&test);
    free(yaml);
}

#define BURSTABLE "requests: {cpu: 1}"
#define GUARANTEED "limits: {cpu: 1, memory: 1Gi}"

static void test_cgroupfs(void **state)
{
    assert_parent(CGROUP_DRIVER_CGROUPFS, "/", "", "/kubepods/besteffort/pod1-2");
    assert_parent(CGROUP_DRIVER_CGROUPFS, "/", BURSTABLE, "/kubepods/burstable/pod1-2");
    assert_parent(CGROUP_DRIVER_CGROUPFS, "/", GUARANTEED, "/kubepods/pod1-2");
    assert_parent(CGROUP_DRIVER_CGROUPFS, NULL, GUARANTEED, "/kubepods/pod1-2");
    assert_parent(CGROUP_DRIVER_CGROUPFS, "/a-b//c/", GUARANTEED, "/a-b/c/kubepods/pod1-2");
}

static void test_check_18_systemd(void **state)
{
    assert_parent(CGROUP_DRIVER_SYSTEMD, "/", BURSTABLE,
                  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice");
    assert_parent(CGROUP_DRIVER_SYSTEMD, "/", "",
                  "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice");
    assert_parent(CGROUP_DRIVER_SYSTEMD, "/", GUARANTEED, "/kubepods.slice/kubepods-pod1_2.slice");
    assert_parent(CGROUP_DRIVER_SYSTEMD, "/a-b", GUARANTEED,
                  "/a_b.slice/a_b-kubepods.slice/a_b-kubepods-pod1_2.slice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cgroupfs),
        cmocka_unit_test(test_check_18_systemd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
