/* objects/config-data: bytes by key. */
#include "document.h"

#include "config-data.h"

static void test_merge(void **state)
{
    struct bytes_pair first[] = {{"a", "1", 1}, {"b", "22", 2}},
                      second[] = {{"b", "", 0}, {"c", "333", 3}};
    struct bytes_map map = {first, 2}, more = {second, 2}, none = {0};
    struct arena arena = ARENA_INIT_DOCUMENT;

    config_data_merge(&map, &more, &arena);
    assert_int_equal(map.count, 3);
    assert_string_equal(map.items[1].name, "b");
    assert_int_equal(map.items[1].length, 0);
    assert_string_equal(map.items[2].bytes, "333");
    assert_int_equal(config_data_size(&map), 4);
    assert_int_equal(first[1].length, 2); /* what was merged is a copy */
    config_data_merge(&none, &more, &arena);
    assert_int_equal(none.count, 2);
    config_data_merge(&none, &(struct bytes_map){0}, &arena);
    assert_int_equal(config_data_size(&none), 3);
    arena_deinit(&arena);
}

static void test_keys(void **state)
{
    struct bytes_pair first[] = {{"a", "", 0}, {"b/c", "", 0}, {"..d", "", 0}},
                      second[] = {{"d", "", 0}, {"a", "", 0}};
    struct bytes_map map = {first, 3}, other = {second, 2};
    struct path path = path_name(NULL, "data");
    struct document document = {.object = NULL};
    char *findings;

    report_init(&document.report, NULL);
    validate_config_keys(&map, &path, &document.report);
    report_shared_keys(&map, &other, &path, &document.report);
    findings = document_findings(&document, "data");
    assert_string_equal(findings, "Invalid [b/c], Invalid [..d], Invalid [a]");
    free(findings);
    report_deinit(&document.report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
