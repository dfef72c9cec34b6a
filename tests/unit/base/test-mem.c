/* base/mem: memory that never fails. */
#include "abort.h"

#include "nodeagent/base/mem.h"

#include <stdlib.h>
#include <wchar.h>

enum {
    ITEMS = 10000,
};

#define TOO_MUCH ((size_t)1 << 62)

/* The sanitizer would end the program by itself. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_no_bytes_have_an_address(void **state)
{
    _cleanup_(mem_free_at) void *a = mem_alloc(0), *b = mem_zalloc(0);

    assert_non_null(a);
    assert_non_null(b);
    a = mem_resize(a, 0);
    assert_non_null(a);
}

static void test_zalloc_clears(void **state)
{
    _cleanup_(mem_free_at) char *bytes = mem_zalloc(1000), *one = mem_new(char);

    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
    assert_int_equal(*one, 0);
}

static void test_resize_keeps_what_was_there(void **state)
{
    _cleanup_(mem_free_at) char *text = mem_strdup("abc");

    text = mem_resize(text, 100000);
    assert_string_equal(text, "abc");
    text = mem_resize(text, 4);
    assert_string_equal(text, "abc");
}

static void test_copies_are_exact_and_end(void **state)
{
    _cleanup_(mem_free_at) char *whole = mem_strdup("abc"), *empty = mem_strndup("abc", 0),
                                *part = mem_strndup("abc", 2), *nul = mem_strndup("a\0b", 3);

    assert_string_equal(whole, "abc");
    assert_string_equal(empty, "");
    assert_string_equal(part, "ab");
    assert_memory_equal(nul, "a\0b", 4);
}

static void test_printf_is_as_long_as_it_must(void **state)
{
    _cleanup_(mem_free_at) char *empty = mem_printf("%s", ""), *text = mem_printf("%05000d", 1);

    assert_string_equal(empty, "");
    assert_int_equal(strlen(text), 5000);
}

static void test_free_at_forgets_the_pointer(void **state)
{
    char *text = mem_strdup("abc");

    mem_free_at(&text);
    assert_null(text);
    mem_free_at(&text);
}

static void test_grow_doubles_when_full(void **state)
{
    _cleanup_(mem_free_at) int *numbers = NULL;
    size_t space = 0, resizes = 0;

    for (size_t count = 0; count < ITEMS; count++) {
        size_t before = space;

        numbers = mem_grow(numbers, count, &space, sizeof(*numbers));
        assert_true(count < space);
        resizes += space != before;
        numbers[count] = (int)count;
    }
    for (size_t i = 0; i < ITEMS; i++)
        assert_int_equal(numbers[i], i);
    assert_int_equal(resizes, 12); /* 8, 16, ... 16384 */
}

static void alloc_too_much(void)
{
    mem_alloc(TOO_MUCH);
}

static void zalloc_too_much(void)
{
    mem_zalloc(TOO_MUCH);
}

static void resize_too_much(void)
{
    mem_resize(NULL, TOO_MUCH);
}

static void copy_too_much(void)
{
    mem_strndup("x", SIZE_MAX);
}

static void print_unprintable(void)
{
    mem_printf("%ls", L"\x20ac"); /* has no bytes in the C locale */
}

static void grow_too_much(void)
{
    size_t space = SIZE_MAX / 64;

    mem_grow(NULL, space, &space, 64);
}

static void test_running_out_ends_the_program(void **state)
{
    assert_aborts(alloc_too_much, "out of memory (4611686018427387904 bytes wanted)");
    assert_aborts(zalloc_too_much, "out of memory");
    assert_aborts(resize_too_much, "out of memory");
    assert_aborts(print_unprintable, "out of memory");
    assert_aborts(copy_too_much, "length < SIZE_MAX");
    assert_aborts(grow_too_much, "*space < SIZE_MAX / item_size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_bytes_have_an_address),
        cmocka_unit_test(test_zalloc_clears),
        cmocka_unit_test(test_resize_keeps_what_was_there),
        cmocka_unit_test(test_copies_are_exact_and_end),
        cmocka_unit_test(test_printf_is_as_long_as_it_must),
        cmocka_unit_test(test_free_at_forgets_the_pointer),
        cmocka_unit_test(test_grow_doubles_when_full),
        cmocka_unit_test(test_running_out_ends_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
