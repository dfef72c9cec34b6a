/* agent/node-features: what a node of a version declares. */
#include "test.h"

#include "node-features.h"
#include "nodeagent/base/str.h"

#include <string.h>

static void test_by_version(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct string_list list = node_declared_features("v1.36.2", &arena);

    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0], "RestartAllContainersOnContainerExits");
    assert_int_equal(node_declared_features("v1.35.0", &arena).count, 0);
    assert_int_equal(node_declared_features("v1.34.10", &arena).count, 0);
    arena_deinit(&arena);
}

/* As the API server wants them. */
static void test_they_are_sorted(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct string_list list = node_declared_features("v1.36.0", &arena);

    for (size_t i = 1; i < list.count; i++)
        assert_true(strcmp(list.items[i - 1], list.items[i]) < 0);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_version),
        cmocka_unit_test(test_they_are_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
