/* base/map: a hash map that remembers the order of insertion. */
#include "abort.h"

#include "nodeagent/base/map.h"

#include <stdlib.h>
#include <time.h>

enum {
    KEYS = 5000,
    STEPS = 50000,
    MODEL_KEYS = 300,
};

static int values[KEYS];

static const char *key_name(char text[32], size_t i)
{
    snprintf(text, 32, "key-%zu", i);
    return text;
}

static void test_empty_map_has_nothing(void **state)
{
    struct map map = MAP_INIT;
    size_t at = 0;

    assert_int_equal(map_count(&map), 0);
    assert_null(map_get(&map, "a"));
    assert_null(map_remove(&map, "a"));
    assert_null(map_next(&map, &at));
    map_deinit(&map);
    map_deinit(&map);
}

static void test_put_returns_what_was_there(void **state)
{
    struct map map = MAP_INIT;

    assert_null(map_put(&map, "a", &values[0]));
    assert_ptr_equal(map_put(&map, "a", &values[1]), &values[0]);
    assert_ptr_equal(map_get(&map, "a"), &values[1]);
    assert_int_equal(map_count(&map), 1);
    assert_ptr_equal(map_remove(&map, "a"), &values[1]);
    assert_null(map_remove(&map, "a"));
    assert_null(map_get(&map, "a"));
    assert_int_equal(map_count(&map), 0);
    map_deinit(&map);
}

static void test_keys_are_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } keys[] = {{"", 0},        {"\0", 1},       {"\0\0", 2},      {"a", 1},
                {"a\0", 2},     {"a\0b", 3},     {"a\0c", 3},      {"\xff", 1},
                {"1234567", 7}, {"12345678", 8}, {"123456789", 9}, {"12345678\0", 9}};
    struct map map = MAP_INIT;

    for (size_t i = 0; i < array_size(keys); i++)
        assert_null(map_put_bytes(&map, keys[i].bytes, keys[i].length, &values[i]));
    for (size_t i = 0; i < array_size(keys); i++)
        assert_ptr_equal(map_get_bytes(&map, keys[i].bytes, keys[i].length), &values[i]);
    assert_ptr_equal(map_get(&map, ""), &values[0]);
    assert_ptr_equal(map_remove_bytes(&map, "a\0b", 3), &values[5]);
    assert_ptr_equal(map_get_bytes(&map, "a\0c", 3), &values[6]);
    map_deinit(&map);
}

static void test_the_map_owns_its_keys(void **state)
{
    struct map map = MAP_INIT;
    char key[] = "abc";
    size_t at = 0;

    map_put_bytes(&map, key, 2, &values[0]);
    key[0] = 'x';
    const struct map_entry *entry = map_next(&map, &at);

    assert_string_equal(entry->key, "ab");
    assert_int_equal(entry->key_length, 2);
    map_deinit(&map);
}

static void assert_order(const struct map *map, const char *order)
{
    struct map_entry *entry;
    size_t at = 0;

    while ((entry = map_next(map, &at)))
        assert_int_equal(entry->key[0], *order++);
    assert_int_equal(*order, '\0');
    assert_null(map_next(map, &at));
}

static void test_order_is_that_of_insertion(void **state)
{
    struct map map = MAP_INIT;

    for (const char *c = "zebra"; *c; c++)
        map_put_bytes(&map, c, 1, &values[0]);
    assert_order(&map, "zebra");
    map_put(&map, "e", &values[1]);
    assert_order(&map, "zebra");
    map_remove(&map, "e");
    assert_order(&map, "zbra");
    map_put(&map, "e", &values[1]);
    assert_order(&map, "zbrae");
    map_deinit(&map);
}

static void test_order_survives_growing(void **state)
{
    struct map map = MAP_INIT;
    struct map_entry *entry;
    char name[32];
    size_t at = 0, expected = 1;

    for (size_t i = 0; i < KEYS; i++)
        map_put(&map, key_name(name, i), &values[i]);
    for (size_t i = 0; i < KEYS; i += 2)
        assert_ptr_equal(map_remove(&map, key_name(name, i)), &values[i]);
    assert_int_equal(map_count(&map), KEYS / 2);
    while ((entry = map_next(&map, &at))) {
        assert_ptr_equal(entry->value, &values[expected]);
        expected += 2;
    }
    assert_int_equal(expected, KEYS + 1);
    map_deinit(&map);
}

static void test_a_walk_may_remove_what_it_sees(void **state)
{
    struct map map = MAP_INIT;
    struct map_entry *entry;
    char name[32];
    size_t at = 0, seen = 0;

    for (size_t i = 0; i < 100; i++)
        map_put(&map, key_name(name, i), &values[i]);
    while ((entry = map_next(&map, &at))) {
        assert_ptr_equal(entry->value, &values[seen++]);
        map_remove_bytes(&map, entry->key, entry->key_length);
    }
    assert_int_equal(seen, 100);
    assert_int_equal(map_count(&map), 0);
    map_deinit(&map);
}

/* Removed entries leave marks in the index; they must neither fill it up nor make it grow. */
static void test_coming_and_going_needs_no_space(void **state)
{
    struct map map = MAP_INIT;
    char name[32];

    map_put(&map, "stays", &values[1]);
    for (size_t i = 0; i < 100000; i++) {
        assert_null(map_put(&map, key_name(name, i), &values[0]));
        assert_non_null(map_remove(&map, name));
    }
    assert_true(map.slot_count <= 16);
    assert_ptr_equal(map_get(&map, "stays"), &values[1]);
    assert_null(map_get(&map, "never there"));
    map_deinit(&map);
}

/* Twelve keys whose search begins at the last slot, so that it also wraps around. */
static void test_colliding_keys_are_told_apart(void **state)
{
    struct map map = MAP_INIT;
    char names[12][32];
    size_t count = 0;

    for (size_t i = 0; count < 12; i++) {
        const char *name = key_name(names[count], i);

        count += (map_hash(name, strlen(name)) & 63) == 63;
    }
    for (size_t i = 0; i < 7; i++)
        map_put(&map, names[i], &values[i]);
    for (size_t i = 0; i < 7; i += 2)
        assert_ptr_equal(map_remove(&map, names[i]), &values[i]);
    for (size_t i = 0; i < 7; i++)
        assert_ptr_equal(map_get(&map, names[i]), i % 2 ? &values[i] : NULL);
    for (size_t i = 0; i < 12; i++)
        map_put(&map, names[i], &values[i]);
    for (size_t i = 0; i < 12; i++)
        assert_ptr_equal(map_get(&map, names[i]), &values[i]);
    assert_int_equal(map_count(&map), 12);
    map_deinit(&map);
}

/* The naive map: a list of the live keys in order. */
struct model {
    size_t keys[MODEL_KEYS];
    int *values[MODEL_KEYS];
    size_t count;
};

static size_t model_find(const struct model *model, size_t key)
{
    size_t i = 0;

    while (i < model->count && model->keys[i] != key)
        i++;
    return i;
}

static int *model_put(struct model *model, size_t key, int *value)
{
    size_t i = model_find(model, key);
    int *before = i < model->count ? model->values[i] : NULL;

    model->keys[i] = key;
    model->values[i] = value;
    model->count += !before;
    return before;
}

static int *model_remove(struct model *model, size_t key)
{
    size_t i = model_find(model, key);
    int *before = i < model->count ? model->values[i] : NULL;

    if (!before)
        return NULL;
    for (model->count--; i < model->count; i++) {
        model->keys[i] = model->keys[i + 1];
        model->values[i] = model->values[i + 1];
    }
    return before;
}

static void assert_same(const struct map *map, const struct model *model)
{
    struct map_entry *entry;
    size_t at = 0, i = 0;

    assert_int_equal(map_count(map), model->count);
    while ((entry = map_next(map, &at)))
        assert_ptr_equal(entry->value, model->values[i++]);
    assert_int_equal(i, model->count);
}

static void test_it_does_what_a_naive_map_does(void **state)
{
    struct map map = MAP_INIT;
    struct model model = {0};
    unsigned seed = (unsigned)time(NULL);
    char name[32];

    print_message("seed %u\n", seed);
    srand(seed);
    for (size_t step = 0; step < STEPS; step++) {
        /* Phases of mostly putting and mostly removing make it grow, shrink and rebuild. */
        bool put = rand() % 10 < (step / 1000 % 2 ? 3 : 7);
        size_t key = (size_t)rand() % MODEL_KEYS, i;
        int *value = &values[rand() % KEYS];

        key_name(name, key);
        i = model_find(&model, key);
        assert_ptr_equal(map_get(&map, name), i < model.count ? model.values[i] : NULL);
        if (put)
            assert_ptr_equal(map_put(&map, name, value), model_put(&model, key, value));
        else
            assert_ptr_equal(map_remove(&map, name), model_remove(&model, key));
        if (step % 97 == 0)
            assert_same(&map, &model);
    }
    assert_same(&map, &model);
    map_deinit(&map);
}

static void test_hashes_depend_on_every_byte(void **state)
{
    unsigned char bytes[24] = {0};
    uint64_t seen[2 * sizeof(bytes) + 1];
    size_t count = 0;

    for (size_t length = 0; length <= sizeof(bytes); length++)
        seen[count++] = map_hash(bytes, length);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = 1;
        seen[count++] = map_hash(bytes, sizeof(bytes));
        bytes[i] = 0;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(seen[i] != seen[j]);
    assert_true(map_hash(bytes, 8) == seen[8]);
}

static void put_null(void)
{
    struct map map = MAP_INIT;

    map_put(&map, "a", NULL);
}

static void test_null_is_no_value(void **state)
{
    assert_aborts(put_null, "value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_map_has_nothing),
        cmocka_unit_test(test_put_returns_what_was_there),
        cmocka_unit_test(test_keys_are_bytes),
        cmocka_unit_test(test_the_map_owns_its_keys),
        cmocka_unit_test(test_order_is_that_of_insertion),
        cmocka_unit_test(test_order_survives_growing),
        cmocka_unit_test(test_a_walk_may_remove_what_it_sees),
        cmocka_unit_test(test_coming_and_going_needs_no_space),
        cmocka_unit_test(test_colliding_keys_are_told_apart),
        cmocka_unit_test(test_it_does_what_a_naive_map_does),
        cmocka_unit_test(test_hashes_depend_on_every_byte),
        cmocka_unit_test(test_null_is_no_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
