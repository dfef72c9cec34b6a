/* cni/collection: what the parts of a GC share. */
#include "failure.h"
#include "sweep-fixture.h"

#define LIST(name)                                                                                 \
    "{\"cniVersion\":\"1.0.0\",\"name\":\"" name                                                   \
    "\",\"disableGC\":true,\"plugins\":[{\"type\":\"one\"}]}"
#define PLUGIN "{\"type\":\"one\"}"

static void test_who_is_gone(void **state)
{
    _cleanup_(play_deinit) struct play play;
    struct collection *collection = &play.collection;

    play_init(&play, PLUGIN);
    assert_true(collection_is_valid(collection, "lives", "eth0"));
    assert_false(collection_is_valid(collection, "lives", "net1"));
    collection_keep(collection, "c2");
    assert_false(collection_lose(collection, &(struct gone){"n", "lives", "net1", false}));
    assert_false(collection_lose(collection, &(struct gone){"n", "c2", "eth0", false}));
    assert_true(collection_lose(collection, &(struct gone){"n", "c3", "eth0", true}));
    assert_true(collection_lose(collection, &(struct gone){"n", "c3", "eth0", false}));
    assert_int_equal(map_count(&collection->gone), 1);
    collection->narrow = true;
    assert_true(collection_lose(collection, &(struct gone){"n", "c3", "eth0", false}));
    assert_false(collection_lose(collection, &(struct gone){"n", "c4", "eth0", false}));
}

static void test_networks(void **state)
{
    _cleanup_(play_deinit) struct play play;
    struct cni_network *again = network_of(LIST("n")), *shut = network_of(LIST("shut"));

    play_init(&play, PLUGIN);
    collection_own(&play.collection, again, again);
    collection_own(&play.collection, shut, shut);
    assert_ptr_equal(collection_network(&play.collection, "n"), play.network);
    assert_null(collection_network(&play.collection, "shut"));
    assert_null(collection_network(&play.collection, "podman"));
}

static void test_the_first_failure_counts(void **state)
{
    _cleanup_(play_deinit) struct play play;
    struct collection *collection = &play.collection;

    play_init(&play, PLUGIN);
    assert_true(collection_has_time(collection));
    collection_note(collection, 0);
    collection_note(collection, failure_set(collection_failure(collection), -EIO, 1, "one"));
    collection_note(collection, failure_set(collection_failure(collection), -EPERM, 2, "two"));
    assert_int_equal(collection->first, -EIO);
    assert_string_equal(play.failure.message, "one");
    assert_string_equal(collection->later.message, "two");
}

static void test_time_is_up(void **state)
{
    _cleanup_(play_deinit) struct play play;

    play_init(&play, PLUGIN);
    play.collection.deadline = 0;
    assert_false(collection_has_time(&play.collection));
    assert_false(collection_has_time(&play.collection));
    assert_int_equal(play.collection.first, -ETIMEDOUT);
    assert_has(play.failure.message, "leaves the rest to the next");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_gone),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_the_first_failure_counts),
        cmocka_unit_test(test_time_is_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
