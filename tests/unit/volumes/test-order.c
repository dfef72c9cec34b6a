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
    assert_int_equal(order_volumes(&place, "{name: a, nfs: {server: s, path: /p}}", "a", &orders),
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

static void test_payloads(void **state)
{
    static const struct {
        const char *source;
        const char *folder;
        bool in_memory;
    } cases[] = {
        {"configMap: {name: c}", "configmap", false},
        {"secret: {secretName: s}", "secret", true},
        {"downwardAPI: {}", "downward-api", true},
        {"projected: {sources: []}", "projected", true},
    };
    struct volume_orders orders;
    struct place place;

    place_init(&place);
    for (size_t i = 0; i < array_size(cases); i++) {
        char *volume = mem_printf("{name: a, %s}", cases[i].source);
        const struct volume_order *order;

        assert_int_equal(order_volumes(&place, volume, "a", &orders), 0);
        order = &orders.items.items[0];
        assert_string_equal(
            order->directory,
            arena_printf(&place.arena, "pods/u/volumes/kubernetes.io~%s/a", cases[i].folder));
        assert_int_equal(order->in_memory, cases[i].in_memory);
        assert_int_equal(order->size_bytes, cases[i].in_memory ? 32 << 20 : 0);
        assert_true(order->read_only);
        free(volume);
    }
    place_deinit(&place);
}

static void test_mount_points(void **state)
{
    static const char *const mounts =
        "a, mountPath: /x}, {name: b, mountPath: /x/b}, {name: b, mountPath: /x/b-c/./d/}, {name: "
        "b, mountPath: /x/b/e}, {name: b, mountPath: /xy/f}, {name: b, mountPath: /x/../g}, {name: "
        "a, mountPath: other}, {name: b, mountPath: other/h";
    struct string_list points;
    struct volume_orders orders;
    struct place place;

    place_init(&place);
    assert_int_equal(order_volumes(&place, "{name: a, configMap: {name: c}}", mounts, &orders), 0);
    points = orders.items.items[0].mount_points;
    assert_int_equal(points.count, 3);
    assert_string_equal(points.items[0], "b");
    assert_string_equal(points.items[1], "b-c/d");
    assert_string_equal(points.items[2], "h");
    place_deinit(&place);
}

static void test_too_many_mount_points(void **state)
{
    struct volume_orders orders;
    struct place place;
    struct strbuf text = STRBUF_INIT;

    strbuf_add(&text, "a, mountPath: /x");
    for (int i = 0; i < 1001; i++)
        strbuf_printf(&text, "}, {name: b, mountPath: /x/p%d", i);
    place_init(&place);
    assert_int_equal(order_volumes(&place, "{name: a, configMap: {name: c}}", text.text, &orders),
                     -E2BIG);
    place_deinit(&place);
    strbuf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_mount_points),
        cmocka_unit_test(test_too_many_mount_points),
    };

    return cmocka_run_group_tests(tests, own_mounts, NULL);
}
