/* cni/recorded: the network of a record. What DEL makes of it is in test-attachment.c. */
#include "cni-fixture.h"

#include "recorded.h"

static void test_the_network_of_a_record(void **state)
{
    static const char list[] = "{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]}",
                      wrapper[] = "{\"name\":\"w\",\"plugins\":[{\"type\":\"nodeagent-cni\"}]}";
    _cleanup_(cni_network_free_at) struct cni_network *network = network_of(list), *own = NULL;
    struct cni_entry entry = {.file = "f", .network = "n", .config = list};

    assert_non_null(recorded_network(&entry, network, &own));
    assert_non_null(own);
    own = cni_network_free(own);
    entry.config = "{";
    assert_ptr_equal(recorded_network(&entry, network, &own), network);
    assert_null(own);
    entry.network = "m";
    assert_null(recorded_network(&entry, network, &own));
    assert_null(recorded_network(&entry, NULL, &own));
    assert_false(recorded_is_wrapper(&entry));
    entry.config = wrapper;
    assert_true(recorded_is_wrapper(&entry));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_network_of_a_record)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
