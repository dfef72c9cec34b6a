/* base/arena: allocations that die together. */
#include "abort.h"

#include "nodeagent/base/arena.h"

#include <stdlib.h>

static bool is_aligned(const void *memory)
{
    return (uintptr_t)memory % 8 == 0;
}

static void test_nothing_is_taken_before_it_is_wanted(void **state)
{
    struct arena arena = ARENA_INIT(1024, 1024);

    assert_int_equal(arena_size(&arena), 0);
    arena_deinit(&arena);
    arena_deinit(&arena);
}

static void test_no_bytes_have_an_address(void **state)
{
    struct arena arena = ARENA_INIT(64, 64);

    assert_non_null(arena_alloc(&arena, 0));
    assert_non_null(arena_zalloc(&arena, 0));
    assert_string_equal(arena_strndup(&arena, "abc", 0), "");
    arena_deinit(&arena);
}

static void test_memory_is_aligned_between_strings(void **state)
{
    struct arena arena = ARENA_INIT(64, 256);

    for (size_t size = 0; size < 200; size++) {
        assert_true(is_aligned(arena_alloc(&arena, size)));
        arena_strndup(&arena, "seven..", size % 8);
    }
    arena_deinit(&arena);
}

static void test_zalloc_clears(void **state)
{
    struct arena arena = ARENA_INIT(256, 256);

    memset(arena_alloc(&arena, 200), 0xff, 200);
    arena_deinit(&arena);
    const char *bytes = arena_zalloc(&arena, 200);

    for (size_t i = 0; i < 200; i++)
        assert_int_equal(bytes[i], 0);
    const int *numbers = arena_array(&arena, int, 3);

    assert_int_equal(numbers[0] | numbers[1] | numbers[2], 0);
    assert_int_equal(*arena_new(&arena, int), 0);
    arena_deinit(&arena);
}

static void test_blocks_double_up_to_the_last(void **state)
{
    struct arena arena = ARENA_INIT(1024, 4096);
    const size_t sizes[] = {1024, 3072, 7168, 11264};

    for (size_t i = 0; i < array_size(sizes); i++) {
        while (arena_size(&arena) < sizes[i])
            arena_alloc(&arena, 64);
        /* Beside the blocks themselves only their headers count. */
        assert_in_range(arena_size(&arena), sizes[i], sizes[i] + 32 * (i + 1));
    }
    arena_deinit(&arena);
}

static void test_without_sizes_it_works_too(void **state)
{
    struct arena arena = {0};

    assert_string_equal(arena_strdup(&arena, "x"), "x");
    assert_in_range(arena_size(&arena), 1024, 1100);
    arena_deinit(&arena);
}

static void test_something_big_leaves_the_block_in_use(void **state)
{
    struct arena arena = ARENA_INIT(1024, 1024);
    char *before = arena_alloc(&arena, 8), *big = arena_alloc(&arena, 100000);

    memset(big, 1, 100000);
    assert_ptr_equal(arena_alloc(&arena, 8), before + 8);
    char *text = arena_strdup(&arena, "small");
    char *long_text = arena_printf(&arena, "%05000d", 1);

    assert_int_equal(strlen(long_text), 5000);
    assert_ptr_equal(arena_strdup(&arena, "next"), text - sizeof("next"));
    assert_in_range(arena_size(&arena), 106000, 106200);
    arena_deinit(&arena);
}

static void test_it_starts_with_something_big(void **state)
{
    struct arena arena = ARENA_INIT(64, 64);

    memset(arena_alloc(&arena, 1 << 20), 1, 1 << 20);
    assert_string_equal(arena_strdup(&arena, "x"), "x");
    arena_deinit(&arena);
}

static void test_strings_are_copies_that_end(void **state)
{
    struct arena arena = ARENA_INIT(64, 64);
    char text[] = "abc";
    const char *whole = arena_strdup(&arena, text), *part = arena_strndup(&arena, text, 2),
               *with_nul = arena_strndup(&arena, "a\0b", 3);

    text[0] = 'x';
    assert_string_equal(whole, "abc");
    assert_string_equal(part, "ab");
    assert_memory_equal(with_nul, "a\0b", 4);
    assert_string_equal(arena_printf(&arena, "%s-%d", "a", 5), "a-5");
    assert_string_equal(arena_printf(&arena, "%s", ""), "");
    arena_deinit(&arena);
}

/* What was handed out is never handed out again. */
static void test_allocations_do_not_overlap(void **state)
{
    struct arena arena = ARENA_INIT(64, 4096);
    struct {
        unsigned char *bytes;
        size_t size;
    } pieces[2000];

    srand(1);
    for (size_t i = 0; i < array_size(pieces); i++) {
        pieces[i].size = (size_t)rand() % (rand() % 50 ? 60 : 3000);
        if (rand() % 2)
            pieces[i].bytes = arena_alloc(&arena, pieces[i].size);
        else
            pieces[i].bytes = (void *)arena_printf(&arena, "%*s", (int)pieces[i].size, "");
        memset(pieces[i].bytes, (int)(i % 251), pieces[i].size);
    }
    for (size_t i = 0; i < array_size(pieces); i++)
        for (size_t j = 0; j < pieces[i].size; j++)
            assert_int_equal(pieces[i].bytes[j], i % 251);
    arena_deinit(&arena);
    assert_int_equal(arena_size(&arena), 0);
}

static void alloc_absurd_size(void)
{
    struct arena arena = ARENA_INIT(64, 64);

    arena_alloc(&arena, SIZE_MAX - 3);
}

static void copy_absurd_length(void)
{
    struct arena arena = ARENA_INIT(64, 64);

    arena_strndup(&arena, "x", SIZE_MAX);
}

static void test_absurd_sizes_end_the_program(void **state)
{
    assert_aborts(alloc_absurd_size, "size < SIZE_MAX / 2");
    assert_aborts(copy_absurd_length, "length < SIZE_MAX / 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_taken_before_it_is_wanted),
        cmocka_unit_test(test_no_bytes_have_an_address),
        cmocka_unit_test(test_memory_is_aligned_between_strings),
        cmocka_unit_test(test_zalloc_clears),
        cmocka_unit_test(test_blocks_double_up_to_the_last),
        cmocka_unit_test(test_without_sizes_it_works_too),
        cmocka_unit_test(test_something_big_leaves_the_block_in_use),
        cmocka_unit_test(test_it_starts_with_something_big),
        cmocka_unit_test(test_strings_are_copies_that_end),
        cmocka_unit_test(test_allocations_do_not_overlap),
        cmocka_unit_test(test_absurd_sizes_end_the_program),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
