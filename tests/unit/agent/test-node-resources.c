/* agent/node-resources: capacity, and what of it pods may use. */
#include "node-fixture.h"

#include "node-resources.h"

static const char *map_text(struct node_fixture *fixture, const struct quantity_map *map)
{
    const char *text = "";
    char amount_text[QUANTITY_TEXT_MAX];

    array_for_each (one, *map)
        text = arena_printf(&fixture->arena, "%s%s%s=%s", text, *text ? " " : "", one->name,
                            quantity_format(&one->quantity, amount_text));
    return text;
}

static const char *capacity(struct node_fixture *fixture)
{
    struct quantity_map map = node_capacity(&fixture->config, &fixture->machine, &fixture->arena);

    return map_text(fixture, &map);
}

static const char *allocatable(struct node_fixture *fixture, const char *name)
{
    struct quantity_map map = node_capacity(&fixture->config, &fixture->machine, &fixture->arena);
    char *text = arena_alloc(&fixture->arena, QUANTITY_TEXT_MAX);

    map = node_allocatable(&fixture->config, &map, &fixture->arena);
    return quantity_format(quantity_map_get(&map, name), text);
}

static void use_huge_pages(struct node_fixture *fixture)
{
    static struct huge_pages pages[] = {{1 << 30, 0}, {2 << 20, 2}};

    fixture->machine.huge_pages.items = pages;
    fixture->machine.huge_pages.count = array_size(pages);
}

static void test_capacity(void **state)
{
    struct node_fixture *fixture = *state;

    assert_string_equal(capacity(fixture), "cpu=4 ephemeral-storage=264212084Ki "
                                           "memory=24684084Ki pods=110");
    use_huge_pages(fixture);
    fixture->config.local_storage_isolation = false;
    fixture->config.pods_per_core = 10;
    assert_string_equal(capacity(fixture), "cpu=4 hugepages-1Gi=0 hugepages-2Mi=4Mi "
                                           "memory=24684084Ki pods=40");
    fixture->config.pods_per_core = 100;
    fixture->config.local_storage_isolation = true;
    fixture->machine.storage_bytes = 0;
    assert_string_equal(capacity(fixture), "cpu=4 hugepages-1Gi=0 hugepages-2Mi=4Mi "
                                           "memory=24684084Ki pods=110");
}

/* check 10, and what was observed of the reference */
static void test_allocatable(void **state)
{
    struct node_fixture *fixture = *state;

    fixture->config.memory_threshold.amount = amount("100Mi");
    fixture->config.storage_threshold.ratio = 1.0f / 100;
    assert_string_equal(allocatable(fixture, "memory"), "24581684Ki");
    assert_string_equal(allocatable(fixture, "ephemeral-storage"), "267847642337");

    fixture->config.kube_reserved = reserved(fixture, "memory", "200Mi");
    use_huge_pages(fixture);
    assert_string_equal(allocatable(fixture, "memory"), "24372788Ki"); /* - 300Mi - 4Mi */
    assert_string_equal(allocatable(fixture, "hugepages-2Mi"), "4Mi");

    fixture->config.kube_reserved = reserved(fixture, "cpu", "150m");
    fixture->config.system_reserved = reserved(fixture, "cpu", "50m");
    assert_string_equal(allocatable(fixture, "cpu"), "3800m");
    assert_string_equal(allocatable(fixture, "pods"), "110");
    fixture->config.system_reserved = reserved(fixture, "cpu", "1500u"); /* kept in thousandths */
    assert_string_equal(allocatable(fixture, "cpu"), "3849m");
    fixture->config.system_reserved = reserved(fixture, "pid", "1000"); /* of no capacity */
    assert_string_equal(allocatable(fixture, "cpu"), "3850m");
}

static void test_nothing_is_below_zero(void **state)
{
    struct node_fixture *fixture = *state;
    static struct huge_pages all = {1 << 30, 100};

    fixture->machine.huge_pages.items = &all;
    fixture->machine.huge_pages.count = 1;
    fixture->config.system_reserved = reserved(fixture, "cpu", "10");
    assert_string_equal(allocatable(fixture, "memory"), "0");
    assert_string_equal(allocatable(fixture, "cpu"), "0");
}

static void test_too_much_is_reserved(void **state)
{
    struct node_fixture *fixture = *state;
    struct err err;

    fixture->config.system_reserved = reserved(fixture, "cpu", "4");
    assert_int_equal(node_check_reservations(&fixture->config, &fixture->machine, &err), 0);
    fixture->config.kube_reserved = reserved(fixture, "cpu", "1m");
    assert_true(node_check_reservations(&fixture->config, &fixture->machine, &err) < 0);
    assert_non_null(strstr(err.text, "Resource \"cpu\" has a reservation of 4001m but capacity of "
                                     "4. Expected capacity >= reservation"));
    fixture->config.kube_reserved = (struct quantity_map){0};
    fixture->config.memory_threshold.amount = amount("1Ti");
    assert_true(node_check_reservations(&fixture->config, &fixture->machine, &err) < 0);
}

static void test_check_25_swap(void **state)
{
    struct node_fixture *fixture = *state;
    struct err err;

    fixture->config.fail_swap_on = true;
    fixture->machine.swap_bytes = 0;
    assert_int_equal(node_check_swap(&fixture->config, &fixture->machine, true, &err), 0);
    fixture->machine.swap_bytes = 4096;
    assert_true(node_check_swap(&fixture->config, &fixture->machine, true, &err) < 0);
    assert_non_null(strstr(err.text, "running with swap on is not supported, please disable swap"));
    fixture->config.fail_swap_on = false;
    assert_int_equal(node_check_swap(&fixture->config, &fixture->machine, true, &err), 0);
    fixture->config.limited_swap = true;
    assert_int_equal(node_check_swap(&fixture->config, &fixture->machine, true, &err), 0);
    assert_true(node_check_swap(&fixture->config, &fixture->machine, false, &err) < 0);
    assert_non_null(strstr(err.text, "LimitedSwap needs cgroup v2"));
}

static void test_what_others_wrote(void **state)
{
    struct node_fixture *fixture = *state;
    struct quantity_pair seen_pairs[] = {
        {"cpu", amount("2")},
        {"hugepages-1Gi", amount("1Gi")},
        {"example.com/gpu", amount("3")},
        {"attachable-volumes-x", amount("9")},
    };
    struct quantity_map seen = {seen_pairs, array_size(seen_pairs)};
    struct quantity_map own = reserved(fixture, "cpu", "4"), with;

    with = node_capacity_with(&own, &seen, false, &fixture->arena);
    assert_string_equal(map_text(fixture, &with), "cpu=4 example.com/gpu=3 attachable-volumes-x=9");
    with = node_capacity_with(&own, &seen, true, &fixture->arena);
    assert_string_equal(map_text(fixture, &with), "cpu=4 example.com/gpu=0 attachable-volumes-x=9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_node(test_capacity),
        with_node(test_allocatable),
        with_node(test_nothing_is_below_zero),
        with_node(test_too_much_is_reserved),
        with_node(test_check_25_swap),
        with_node(test_what_others_wrote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
