/* volumes/order: what has to be made for a pod. */
#include "volumes.h"

static void test_kinds(void **state)
{
    struct volume_orders orders;
    struct place place;

    place_init(&place);
    assert_int_equal(
        order_volumes(&place, "{name: a, emptyDir: {}}, {name: b, emptyDir: {}}", "a", &orders), 0);
    assert_int_equal(orders.items.count, 1); /* what nobody mounts is not made */
    assert_string_equal(orders.items.items[0].directory,
                        "pods/u/volumes/kubernetes.io~empty-dir/a");
    assert_null(orders.items.items[0].host_type);
    assert_int_equal(orders.items.items[0].group, 4711);
    assert_int_equal(order_volumes(&place, "{name: a}", "a", &orders), 0);
    assert_null(orders.items.items[0].host_type); /* without a source: an emptyDir */
    assert_int_equal(
        order_volumes(&place, "{name: a, hostPath: {path: /etc, type: Directory}}", "a", &orders),
        0);
    assert_string_equal(orders.items.items[0].path, "/etc");
    assert_string_equal(orders.items.items[0].host_type, "Directory");
    assert_int_equal(order_volumes(&place, "{name: a, configMap: {name: c}}", "a", &orders),
                     -ENOTSUP);
    assert_non_null(strstr(place.err.text, "volume a"));
    place_deinit(&place);
}

static void test_memory(void **state)
{
    struct volume_orders orders;
    struct place place;

    place_init(&place);
    assert_int_equal(order_volumes(&place, "{name: a, emptyDir: {medium: Memory}}", "a", &orders),
                     0);
    assert_true(orders.items.items[0].in_memory);
    assert_int_equal(orders.items.items[0].size_bytes, 32 << 20); /* the pod's limit */
    assert_int_equal(order_volumes(&place, "{name: a, emptyDir: {medium: Memory, sizeLimit: 1Mi}}",
                                   "a", &orders),
                     0);
    assert_int_equal(orders.items.items[0].size_bytes, 1 << 20);
    place_deinit(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, own_mounts, NULL);
}
