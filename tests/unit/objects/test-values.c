/* objects/values: looking into maps and lists. */
#include "test.h"

#include "nodeagent/base/arena.h"
#include "nodeagent/objects/values.h"

static void test_string_map(void **state)
{
    struct string_pair items[] = {{"a", "1"}, {"", "none"}, {"b", ""}, {"a", "2"}};
    struct string_map map = {items, array_size(items)}, empty = {0};

    assert_string_equal(string_map_get(&map, "a"), "1");
    assert_string_equal(string_map_get(&map, "b"), "");
    assert_string_equal(string_map_get(&map, ""), "none");
    assert_null(string_map_get(&map, "A"));
    assert_null(string_map_get(&map, "ab"));
    assert_null(string_map_get(&empty, "a"));
}

static void test_quantity_map(void **state)
{
    struct quantity_pair items[] = {{.name = "cpu"}, {.name = "memory"}};
    struct quantity_map map = {items, array_size(items)}, empty = {0};

    assert_ptr_equal(quantity_map_get(&map, "cpu"), &items[0].quantity);
    assert_ptr_equal(quantity_map_get(&map, "memory"), &items[1].quantity);
    assert_null(quantity_map_get(&map, "mem"));
    assert_null(quantity_map_get(&empty, "cpu"));
}

static void test_bytes_map(void **state)
{
    struct bytes_pair items[] = {{"key", "a\0b", 3}, {"other", "", 0}};
    struct bytes_map map = {items, array_size(items)}, empty = {0};

    assert_ptr_equal(bytes_map_get(&map, "key"), &items[0]);
    assert_ptr_equal(bytes_map_get(&map, "other"), &items[1]);
    assert_null(bytes_map_get(&map, "x"));
    assert_null(bytes_map_get(&empty, "key"));
}

static void test_string_list(void **state)
{
    const char *items[] = {"a", NULL, "b"};
    struct string_list list = {items, array_size(items)}, empty = {0};

    assert_true(string_list_has(&list, "a"));
    assert_true(string_list_has(&list, "b"));
    assert_true(string_list_has(&list, "")); /* an absent string is an empty one */
    assert_false(string_list_has(&list, "c"));
    assert_false(string_list_has(&empty, "a"));
}

static void test_strings_equal(void **state)
{
    const char *ab[] = {"a", "b"}, *ba[] = {"b", "a"}, *same[] = {"a", "b"};
    const struct string_list list = {ab, 2}, other = {ba, 2}, twin = {same, 2}, none = {0};

    assert_true(strings_equal(&list, &twin) && strings_equal(&none, &none));
    assert_false(strings_equal(&list, &other) || strings_equal(&list, &none));
    assert_false(strings_equal(&(struct string_list){ab, 1}, &list));
}

static void test_strings_add(void **state)
{
    struct arena arena = ARENA_INIT(64, 64);
    struct string_list list = {0};

    strings_add(&arena, &list, "a");
    strings_add(&arena, &list, "b");
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0], "a");
    assert_string_equal(list.items[1], "b");
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_string_map),    cmocka_unit_test(test_quantity_map),
        cmocka_unit_test(test_bytes_map),     cmocka_unit_test(test_string_list),
        cmocka_unit_test(test_strings_equal), cmocka_unit_test(test_strings_add),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
