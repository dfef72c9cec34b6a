/* base/json-build: documents from a parser's events, limits, duplicate names. */
#include "abort.h"
#include "document.h"

#include "json-build.h"

#include <errno.h>

struct fixture {
    struct arena arena;
    struct json_limits limits;
    struct json_findings findings;
    struct err err;
    struct json_build build;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.arena = ARENA_INIT_DOCUMENT, .limits = {1000, 1000, NULL}};
    json_build_init(&fixture.build, &fixture.arena, &fixture.limits, &fixture.findings,
                    &fixture.err);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    json_build_deinit(&fixture->build);
    arena_deinit(&fixture->arena);
    return 0;
}

static int number(struct json_build *build, const char *text)
{
    return json_build_value(
        build, (struct json){.type = JSON_NUMBER, .text = text, .length = (uint32_t)strlen(text)});
}

static void name(struct json_build *build, const char *text, size_t offset)
{
    assert_int_equal(json_build_name(build, text, strlen(text), offset), 0);
}

static void test_a_scalar_is_a_document(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(number(&fixture->build, "5"), 0);
    assert_document(json_build_root(&fixture->build), "5");
}

static void test_containers_nest_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct json_build *build = &fixture->build;

    assert_int_equal(json_build_open(build, JSON_OBJECT, 0), 0);
    name(build, "a", 1);
    assert_int_equal(json_build_open(build, JSON_ARRAY, 2), 0);
    number(build, "1");
    assert_int_equal(json_build_open(build, JSON_OBJECT, 3), 0);
    assert_null(json_build_close(build)->members);
    assert_int_equal(json_build_open(build, JSON_ARRAY, 4), 0);
    assert_null(json_build_close(build)->items);
    number(build, "2");
    assert_int_equal(json_build_close(build)->length, 4);
    name(build, "b", 5);
    number(build, "3");
    assert_int_equal(json_build_close(build)->length, 2);
    assert_document(json_build_root(build), "{\"a\":[1,{},[],2],\"b\":3}");
}

static void test_values_are_limited(void **state)
{
    struct fixture *fixture = *state;
    struct json_build *build = &fixture->build;

    fixture->limits.nodes_max = 3;
    assert_int_equal(json_build_open(build, JSON_ARRAY, 0), 0);
    assert_int_equal(number(build, "1"), 0);
    assert_int_equal(number(build, "2"), 0);
    assert_int_equal(number(build, "3"), -E2BIG);
    assert_string_equal(fixture->err.text, "more than 3 values in one document");
    assert_int_equal(json_build_count(build, 0, 0), -E2BIG);
}

static void test_expanded_values_count(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(json_build_count(&fixture->build, 1000, 0), 0);
    assert_int_equal(json_build_count(&fixture->build, 1, 0), -E2BIG);
}

static void test_depth_is_limited(void **state)
{
    struct fixture *fixture = *state;
    struct json_build *build = &fixture->build;

    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        assert_int_equal(json_build_open(build, JSON_ARRAY, 0), 0);
    assert_int_equal(json_build_open(build, JSON_OBJECT, 0), -E2BIG);
    assert_string_equal(fixture->err.text, "nested deeper than 100 levels");
    fixture->limits.nodes_max = 0;
    json_build_close(build);
    assert_int_equal(json_build_open(build, JSON_ARRAY, 0), -E2BIG);
}

/* An object of `count` members k0, k1 ..., of which the last is called `last`. */
static void object(struct json_build *build, size_t count, const char *last)
{
    static char names[100][32];

    json_build_open(build, JSON_OBJECT, 0);
    for (size_t i = 0; i + 1 < count; i++) {
        snprintf(names[i], sizeof(names[i]), "k%zu", i);
        name(build, names[i], i * 10);
        number(build, "1");
    }
    name(build, last, count * 10);
    number(build, "2");
}

static void test_duplicates_are_found_in_small_and_big_objects(void **state)
{
    static const size_t counts[] = {2, 3, 31, 32, 33, 34, 90};

    for (size_t i = 0; i < array_size(counts); i++) {
        for (int keep_last = 0; keep_last < 2; keep_last++) {
            setup(state);
            struct fixture *fixture = *state;

            object(&fixture->build, counts[i], "k0");
            json_build_duplicates(&fixture->build, keep_last);
            assert_int_equal(fixture->findings.duplicate_count, 1);
            assert_string_equal(fixture->findings.duplicates[0].path, "k0");
            assert_int_equal(fixture->findings.duplicates[0].earlier, 0);
            assert_int_equal(fixture->findings.duplicates[0].offset, counts[i] * 10);
            const struct json *closed = json_build_close(&fixture->build);

            assert_int_equal(closed->repeats, !keep_last);
            assert_int_equal(closed->length, keep_last ? counts[i] - 1 : counts[i]);
            assert_true(json_text_is(json_get(closed, "k0"), "2"));
            assert_memory_equal(closed->members[0].name, "k0", 2);
            teardown(state);
        }
    }
    setup(state);
}

static void test_different_names_are_no_duplicates(void **state)
{
    static const size_t counts[] = {1, 2, 32, 33, 90};

    for (size_t i = 0; i < array_size(counts); i++) {
        setup(state);
        struct fixture *fixture = *state;

        object(&fixture->build, counts[i], "last");
        json_build_duplicates(&fixture->build, true);
        assert_int_equal(fixture->findings.duplicate_count, 0);
        assert_int_equal(json_build_close(&fixture->build)->length, counts[i]);
        teardown(state);
    }
    setup(state);
}

static void test_of_three_the_last_stays_in_the_first_place(void **state)
{
    struct fixture *fixture = *state;
    struct json_build *build = &fixture->build;
    static const char *const members[][2] = {
        {"a", "1"}, {"b", "2"}, {"a", "3"}, {"c", "4"}, {"a", "5"}, {"b", "6"},
    };

    json_build_open(build, JSON_OBJECT, 0);
    for (size_t i = 0; i < array_size(members); i++) {
        name(build, members[i][0], 10 + i);
        number(build, members[i][1]);
    }
    json_build_duplicates(build, true);
    json_build_close(build);
    assert_document(json_build_root(build), "{\"a\":5,\"b\":6,\"c\":4}");
    assert_int_equal(fixture->findings.duplicate_count, 3);
    assert_int_equal(fixture->findings.duplicates[1].earlier, 12);
    assert_int_equal(fixture->findings.duplicates[1].offset, 14);
}

static void test_what_was_inherited_may_be_repeated(void **state)
{
    struct fixture *fixture = *state;
    struct json_build *build = &fixture->build;

    json_build_open(build, JSON_OBJECT, 0);
    name(build, "a", 1);
    json_build_value(build, (struct json){.type = JSON_NULL, .inherited = true});
    name(build, "a", 2);
    number(build, "1");
    json_build_duplicates(build, true);
    json_build_close(build);
    assert_int_equal(fixture->findings.duplicate_count, 0);
    assert_document(json_build_root(build), "{\"a\":1}");
}

static void test_reports_are_limited_but_counted(void **state)
{
    struct fixture *fixture = *state;
    struct json_build *build = &fixture->build;

    json_build_open(build, JSON_OBJECT, 0);
    for (size_t i = 0; i < JSON_DUPLICATES_MAX + 51; i++) {
        name(build, "a", i);
        number(build, "1");
    }
    json_build_duplicates(build, false);
    assert_int_equal(fixture->findings.duplicate_count, JSON_DUPLICATES_MAX + 50);
    assert_int_equal(fixture->findings.duplicates[JSON_DUPLICATES_MAX - 1].offset,
                     JSON_DUPLICATES_MAX);
}

static void half_a_document(void)
{
    struct fixture *fixture;

    setup((void **)&fixture);
    json_build_open(&fixture->build, JSON_ARRAY, 0);
    json_build_root(&fixture->build);
}

static void test_half_a_document_ends_the_program(void **state)
{
    assert_aborts(half_a_document, "!build->depth");
}

int main(void)
{
#define with_build(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        with_build(test_a_scalar_is_a_document),
        with_build(test_containers_nest_in_order),
        with_build(test_values_are_limited),
        with_build(test_expanded_values_count),
        with_build(test_depth_is_limited),
        with_build(test_duplicates_are_found_in_small_and_big_objects),
        with_build(test_different_names_are_no_duplicates),
        with_build(test_of_three_the_last_stays_in_the_first_place),
        with_build(test_what_was_inherited_may_be_repeated),
        with_build(test_reports_are_limited_but_counted),
        with_build(test_half_a_document_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
