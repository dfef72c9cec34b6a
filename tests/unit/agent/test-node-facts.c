/* agent/node-facts: this machine, as translations of pods need it. */
#include "test.h"

#include "node-facts.h"
#include "node-machine.h"

#include <string.h>

static void test_this_machine(void **state)
{
    const char *preferred = "::", *explicit = "192.0.2.1";
    struct config config = {.max_pods = 50, .root_dir = "/", .local_storage_isolation = true};
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct node_facts facts;
    struct err err;

    if (node_facts_read(&facts, &config, &arena, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(facts.memory_bytes == facts.machine->memory_bytes);
    assert_string_equal(facts.boot_id, facts.machine->boot_id);
    assert_int_equal(facts.hugepage_sizes.count, facts.machine->huge_pages.count);
    assert_int_equal(quantity_value(quantity_map_get(&facts.allocatable, "pods")), 50);
    assert_int_equal(quantity_value(quantity_map_get(&facts.allocatable, "cpu")),
                     facts.machine->cpus);
    assert_int_equal(facts.addresses.count, 1);

    config.node_ip = (struct string_list){&preferred, 1}; /* a family is no address */
    assert_int_equal(node_facts_read(&facts, &config, &arena, &err), 0);
    assert_string_not_equal(facts.addresses.items[0], "::");
    config.node_ip = (struct string_list){&explicit, 1};
    assert_int_equal(node_facts_read(&facts, &config, &arena, &err), 0);
    assert_int_equal(facts.addresses.count, 1);
    assert_string_equal(facts.addresses.items[0], "192.0.2.1");
    arena_deinit(&arena);
}

static void test_more_is_reserved_than_there_is(void **state)
{
    struct quantity_pair pair = {"cpu", quantity_from_int(1 << 20, QUANTITY_DECIMAL)};
    struct config config = {.root_dir = "/", .system_reserved = {&pair, 1}};
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct node_facts facts;
    struct err err;

    assert_true(node_facts_read(&facts, &config, &arena, &err) < 0);
    assert_non_null(strstr(err.text, "Resource \"cpu\" has a reservation of 1048576"));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_more_is_reserved_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
