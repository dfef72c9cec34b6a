/* api/watch-set: the objects of a watch, and what they weigh. */
#include "test.h"

#include "nodeagent/base/mem.h"
#include "watch-set.h"

#include <stdlib.h>
#include <string.h>

static struct object *object_of(const char *name, size_t size)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    char *filler = mem_alloc(size + 1);
    struct json_findings findings;
    struct object *object;
    struct report report;
    struct json *document;
    char *text;

    for (size_t i = 0; i < size; i++)
        filler[i] = 'x';
    filler[size] = '\0';
    text = mem_printf("{\"metadata\":{\"name\":\"%s\"},\"data\":{\"a\":\"%s\"}}", name, filler);
    assert_int_equal(
        json_parse(&arena, text, strlen(text), &json_limits_manifest, &findings, &document, NULL),
        0);
    report_init(&report, document);
    object = object_decode_as(&object_kind_config_map, document, OBJECT_DROP_RAW, &report);
    assert_non_null(object);
    report_deinit(&report);
    arena_deinit(&arena);
    free(filler);
    free(text);
    return object;
}

static void test_keys(void **state)
{
    char *key = watch_set_key("a", "b"), *alone = watch_set_key(NULL, "b");

    assert_string_equal(key, "a/b");
    assert_string_equal(alone, "/b");
    free(key);
    free(alone);
}

static void test_what_is_put_is_found(void **state)
{
    struct watch_set set = WATCH_SET_INIT;
    struct object *one = object_of("one", 10), *other = object_of("other", 100000);
    size_t at = 0;

    assert_null(watch_set_put(&set, "a/one", one));
    assert_ptr_equal(watch_set_find(&set, "a/one"), one);
    assert_null(watch_set_find(&set, "a/other"));
    assert_int_equal(set.bytes, arena_size(&one->arena));
    assert_ptr_equal(watch_set_put(&set, "a/one", other), one);
    assert_int_equal(set.bytes, arena_size(&other->arena));
    assert_ptr_equal(watch_set_next(&set, &at), other);
    assert_null(watch_set_next(&set, &at));
    assert_null(watch_set_remove(&set, "a/none"));
    assert_ptr_equal(watch_set_remove(&set, "a/one"), other);
    assert_int_equal(set.bytes, 0);
    watch_set_put(&set, "a/one", one);
    watch_set_clear(&set);
    assert_int_equal(set.bytes, 0);
    object_unref(other);
}

static void test_it_has_an_end(void **state)
{
    struct watch_set set = WATCH_SET_INIT;
    struct object *object = object_of("one", 1000);

    assert_true(watch_set_has_room(&set, "a/one", object));
    set.bytes = WATCH_SET_BYTES_MAX - arena_size(&object->arena);
    assert_true(watch_set_has_room(&set, "a/one", object));
    set.bytes++;
    assert_false(watch_set_has_room(&set, "a/one", object));
    object_unref(object);
}

/* Else one that changes in a full set would never be seen to. */
static void test_what_takes_anothers_place_takes_its_room(void **state)
{
    struct watch_set set = WATCH_SET_INIT;
    struct object *old = object_of("one", 1000), *same = object_of("one", 1000),
                  *larger = object_of("one", 100000);

    watch_set_put(&set, "a/one", old);
    set.bytes = WATCH_SET_BYTES_MAX;
    assert_true(watch_set_has_room(&set, "a/one", same));
    assert_false(watch_set_has_room(&set, "a/one", larger));
    assert_false(watch_set_has_room(&set, "a/other", same));
    object_unref(same);
    object_unref(larger);
    watch_set_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_what_is_put_is_found),
        cmocka_unit_test(test_it_has_an_end),
        cmocka_unit_test(test_what_takes_anothers_place_takes_its_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
