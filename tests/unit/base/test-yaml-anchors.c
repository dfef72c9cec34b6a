/* base/yaml: anchors, aliases and merge keys, names that repeat, limits of what expands. */
#include "yaml-reader.h"

static void test_later_members_win_over_merged_ones(void **state)
{
    static const struct same cases[] = {
        {"a: &a {x: 1, z: 2}\nb: {<<: *a, z: 3}",
         "{\"a\":{\"x\":1,\"z\":2},\"b\":{\"x\":1,\"z\":3}}"},
        {"{z: 3, <<: {x: 1, z: 2}}", "{\"z\":2,\"x\":1}"},
        {"{<<: {x: 1}, <<: {x: 2}}", "{\"x\":2}"},
        {"{<<: [{x: 1}, {x: 2, z: 3}]}", "{\"x\":1,\"z\":3}"},
        {"{<<: [{x: 1}, {x: 2, z: 3}], x: 4}", "{\"x\":4,\"z\":3}"},
        {"{<<: [], a: 1}", "{\"a\":1}"},
        {"{<<: {}, a: 1}", "{\"a\":1}"},
        {"a: &a {x: 1}\nb: &b {<<: *a, z: 2}\nc: {<<: *b, x: 3}",
         "{\"a\":{\"x\":1},\"b\":{\"x\":1,\"z\":2},\"c\":{\"x\":3,\"z\":2}}"},
        {"<<: &a {x: [1]}\nz: *a", "{\"x\":[1],\"z\":{\"x\":[1]}}"},
        {"a: &a {x: {z: 1}}\nb: {<<: *a, z: 1}",
         "{\"a\":{\"x\":{\"z\":1}},\"b\":{\"x\":{\"z\":1},\"z\":1}}"},
        {"!!merge <<: {a: 1}", "{\"a\":1}"},
        {"'<<': {a: 1}", "{\"<<\":{\"a\":1}}"},
        {"!!str <<: {a: 1}", "{\"<<\":{\"a\":1}}"},
        {"a: <<", "{\"a\":\"<<\"}"},
        {"[<<]", "[\"<<\"]"},
    };
    static const struct wrong wrong[] = {
        {"<<: 5", 1, 5, "\"<<\" wants a mapping or a list of mappings"},
        {"<<: ~", 1, 5, "\"<<\" wants a mapping"},
        {"<<: [{a: 1}, 2]", 1, 14, "\"<<\" wants a mapping"},
        {"a: &a 1\nb: {<<: *a}", 1, 4, "\"<<\" wants a mapping"},
    };

    assert_all(cases, array_size(cases));
    assert_all_fail(wrong, array_size(wrong));
}

static void test_duplicate_names_are_reported_once_merged_ones_not(void **state)
{
    const char *text = "a: 1\nb: {<<: {x: 1}, x: 2}\nspec:\n  l:\n  - {k: 1, m: 2, k: 3}\na: 4\n"
                       "yes: 1\ntrue: 2\n";
    _cleanup_(reader_free) struct reader *reader = reader_new(text, strlen(text));

    assert_next(reader,
                "{\"a\":4,\"b\":{\"x\":2},\"spec\":{\"l\":[{\"k\":3,\"m\":2}]},\"true\":2}");
    assert_int_equal(reader->findings.duplicate_count, 3);
    assert_string_equal(reader->findings.duplicates[0].path, "spec.l[0].k");
    assert_place(text, strlen(text), reader->findings.duplicates[0].earlier, 5, 6);
    assert_place(text, strlen(text), reader->findings.duplicates[0].offset, 5, 18);
    assert_string_equal(reader->findings.duplicates[1].path, "a");
    assert_place(text, strlen(text), reader->findings.duplicates[1].offset, 6, 1);
    assert_string_equal(reader->findings.duplicates[2].path, "true");
}

static void test_duplicates_are_found_in_big_mappings(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    for (int i = 0; i < 40; i++)
        strbuf_printf(&text, "k%d: %d\n", i, i);
    strbuf_add(&text, "k7: again\n<<: {k8: merged}\n");
    _cleanup_(reader_free) struct reader *reader = reader_new(text.text, text.length);

    assert_int_equal(next(reader), 1);
    assert_int_equal(reader->findings.duplicate_count, 1);
    assert_int_equal(reader->root->length, 40);
    assert_true(json_text_is(&reader->root->members[7].value, "again"));
    assert_true(json_text_is(&reader->root->members[8].value, "merged"));
}

static void test_aliases_stand_for_their_anchor(void **state)
{
    static const struct same cases[] = {
        {"- &a x\n- *a\n- [*a , *a ]", "[\"x\",\"x\",[\"x\",\"x\"]]"},
        {"a: &a {b: [1]}\nc: *a", "{\"a\":{\"b\":[1]},\"c\":{\"b\":[1]}}"},
        {"- &a 1\n- *a\n- &a 2\n- *a", "[1,1,2,2]"},
        {"- &a [&a x]\n- *a", "[[\"x\"],\"x\"]"}, /* the later of the two begins inside */
        {"- &a\n- *a", "[null,null]"},
        {"- &a !!str 5\n- !!int &b '6'\n- [*a , *b ]", "[\"5\",6,[\"5\",6]]"},
    };
    static const struct wrong wrong[] = {
        {"a: *b", 1, 4, "alias *b names no value before it"},
        {"- *a\n- &a x", 1, 3, "alias *a names no value before it"},
        {"- &a [1, *a ]", 1, 10, "alias *a names no value before it"},
        {"a: &a {b: *a }", 1, 11, "alias *a names no value before it"},
    };

    assert_all(cases, array_size(cases));
    assert_all_fail(wrong, array_size(wrong));
}

static void test_anchors_are_limited(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    for (int i = 0; i < 1000; i++)
        strbuf_printf(&text, "- &a%d x\n", i);
    strbuf_add(&text, "- &a5 z\n- *a5\n");
    _cleanup_(reader_free) struct reader *fits = reader_new(text.text, text.length);

    assert_int_equal(next(fits), 1);
    assert_true(json_text_is(&fits->root->items[1001], "z"));
    strbuf_add(&text, "- &more x\n");
    _cleanup_(reader_free) struct reader *more = reader_new(text.text, text.length);

    assert_fails(more, -E2BIG, 1003, 3, "more than 1000 anchors");
}

/* Nine levels of nine aliases are 3.5 thousand million values. */
static void test_alias_bombs_fail_fast(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf lists = STRBUF_INIT, merges = STRBUF_INIT;

    strbuf_add(&lists, "a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    strbuf_add(&merges, "a0: &a0 {a: 1, b: 2, c: 3}\n");
    for (int i = 1; i < 10; i++) {
        strbuf_printf(&lists, "a%d: &a%d [", i, i);
        strbuf_printf(&merges, "a%d: &a%d {", i, i);
        for (int j = 0; j < 9; j++) {
            strbuf_printf(&lists, "*a%d ,", i - 1);
            strbuf_printf(&merges, "<<: *a%d , k%d: *a%d ,", i - 1, j, i - 1);
        }
        strbuf_add(&lists, "]\n");
        strbuf_add(&merges, "}\n");
    }
    _cleanup_(reader_free) struct reader *list = reader_new(lists.text, lists.length);
    _cleanup_(reader_free) struct reader *merge = reader_new(merges.text, merges.length);

    assert_int_equal(next(list), -E2BIG);
    assert_non_null(strstr(list->err.text, "expands the document beyond 1000000 values"));
    assert_true(arena_size(&list->arena) < 1 << 20);
    assert_int_equal(next(merge), -E2BIG);
    assert_true(arena_size(&merge->arena) < 1 << 20);
}

static void test_merged_members_count(void **state)
{
    static const struct {
        const char *text;
        size_t nodes; /* of the document */
    } cases[] = {
        {"[1, [2, 3], {a: 4}]", 7},
        {"- &a {b: 1, c: 2, d: 3}\n- *a\n", 9},
        {"- &a {b: 1, c: 2, d: 3}\n- {<<: *a }\n", 13},
        {"- &a {b: 1, c: 2, d: 3}\n- {<<: [*a , *a ]}\n", 21},
        {"- {<<: [{b: 1, c: 2}]}\n", 8},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        for (size_t less = 0; less < 2; less++) {
            _cleanup_(reader_free) struct reader *reader =
                reader_new(cases[i].text, strlen(cases[i].text));

            reader->limits.nodes_max = cases[i].nodes - less;
            assert_int_equal(next(reader), less ? -E2BIG : 1);
        }
    }
}

static void test_depth_is_limited_through_aliases_too(void **state)
{
    static const struct {
        const char *inner; /* what the anchored nest holds */
        int nest, around;
        int result;
    } cases[] = {
        {"", 98, 2, 1}, {"", 98, 3, -E2BIG},  {"1", 98, 2, 1}, {"1", 98, 3, -E2BIG},
        {"", 1, 99, 1}, {"", 1, 100, -E2BIG}, {"1", 1, 99, 1},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

        strbuf_add(&text, "[&a ");
        add_many(&text, "[", cases[i].nest);
        strbuf_add(&text, cases[i].inner);
        add_many(&text, "]", cases[i].nest);
        strbuf_add(&text, ",");
        add_many(&text, "[", cases[i].around - 1);
        strbuf_add(&text, "*a ");
        add_many(&text, "]", cases[i].around - 1);
        strbuf_add(&text, "]");
        _cleanup_(reader_free) struct reader *reader = reader_new(text.text, text.length);

        assert_int_equal(next(reader), cases[i].result);
        if (cases[i].result < 1)
            assert_string_equal(reader->err.text, "nested deeper than 100 levels");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_later_members_win_over_merged_ones),
        cmocka_unit_test(test_duplicate_names_are_reported_once_merged_ones_not),
        cmocka_unit_test(test_duplicates_are_found_in_big_mappings),
        cmocka_unit_test(test_aliases_stand_for_their_anchor),
        cmocka_unit_test(test_anchors_are_limited),
        cmocka_unit_test(test_alias_bombs_fail_fast),
        cmocka_unit_test(test_merged_members_count),
        cmocka_unit_test(test_depth_is_limited_through_aliases_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
