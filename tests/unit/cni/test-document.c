/* cni/document: places, and looking into objects. */
#include "cni-fixture.h"

#include "document.h"

static void test_places(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    static const char text[] = "{\n  \"a\": 1\n}", bad[] = "{\n  x";
    struct document document;
    struct err err;

    assert_int_equal(document_parse(&document, &arena, "/x", text, strlen(text), &err), 0);
    assert_int_equal(document_failed(&document, json_get(document.root, "a"), &err, "a is %d", 1),
                     -EINVAL);
    assert_string_equal(err.text, "/x:2:8: a is 1");
    assert_true(document_parse(&document, &arena, "/x", bad, strlen(bad), &err) < 0);
    assert_has(err.text, "/x:2:3: not JSON");
    assert_true(document_parse(&document, &arena, "/x", NULL, 0, &err) < 0);
}

static void test_members(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    const struct json *object = json_of(&arena, "{\"a\":1,\"A\":2,\"b\":3,\"b\":4}");
    struct json_writer writer;

    assert_true(json_text_is(json_get_any_case(object, "a"), "2"));
    assert_null(json_get_any_case(object, "c"));
    assert_null(json_get_any_case(&object->members[0].value, "c"));
    assert_false(member_is_overridden(object, &object->members[0]));
    assert_true(member_is_overridden(object, &object->members[2]));
    assert_false(member_is_overridden(object, &object->members[3]));
    assert_true(member_is_any_case(&object->members[1], "a"));
    assert_false(member_is_any_case(&object->members[1], "ab"));
    assert_false(bytes_are("a", 1, "ab", 2));
    json_writer_init(&writer, &out, false);
    json_write_object(&writer);
    json_for_each_member (member, object)
        json_write_member(&writer, member);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    assert_string_equal(out.text, "{\"a\":1,\"A\":2,\"b\":3,\"b\":4}");
}

static void test_strings(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *list = json_of(&arena, "[\"x\",\"\",\"a\\u0000b\",7]");

    assert_string_equal(json_take_string(&list->items[0], &arena), "x");
    assert_string_equal(json_take_string(&list->items[1], &arena), "");
    assert_null(json_take_string(&list->items[2], &arena));
    assert_null(json_take_string(&list->items[3], &arena));
    assert_null(json_take_string(NULL, &arena));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
