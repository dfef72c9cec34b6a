/* base/list: the intrusive list. */
#include "test.h"

#include "nodeagent/base/list.h"

struct item {
    int number;
    struct list link;
};

static void assert_numbers(struct list *head, const int *numbers, size_t count)
{
    size_t i = 0;

    list_for_each (node, head) {
        assert_true(i < count);
        assert_int_equal(list_entry(node, struct item, link)->number, numbers[i++]);
    }
    assert_int_equal(i, count);
    assert_int_equal(list_count(head), count);
}

static void test_keeps_order(void **state)
{
    struct list head = LIST_INIT(head);
    struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};

    assert_true(list_empty(&head));
    assert_null(list_first(&head, struct item, link));
    list_push_back(&head, &items[1].link);
    list_push_back(&head, &items[2].link);
    list_push_front(&head, &items[0].link);
    assert_numbers(&head, (int[]){1, 2, 3}, 3);
    assert_ptr_equal(list_first(&head, struct item, link), &items[0]);
}

static void test_unlinking_twice_is_harmless(void **state)
{
    struct list head = LIST_INIT(head);
    struct item items[] = {{.number = 1}, {.number = 2}};

    list_push_back(&head, &items[0].link);
    list_push_back(&head, &items[1].link);
    list_unlink(&items[0].link);
    list_unlink(&items[0].link);
    assert_true(list_empty(&items[0].link));
    assert_numbers(&head, (int[]){2}, 1);
}

static void test_safe_walk_may_unlink(void **state)
{
    struct list head = LIST_INIT(head);
    struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};

    for (size_t i = 0; i < array_size(items); i++)
        list_push_back(&head, &items[i].link);
    list_for_each_safe (node, &head) {
        if (list_entry(node, struct item, link)->number != 2)
            list_unlink(node);
    }
    assert_numbers(&head, (int[]){2}, 1);
}

static void test_splice_moves_everything(void **state)
{
    struct list to = LIST_INIT(to), from = LIST_INIT(from);
    struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};

    list_push_back(&to, &items[0].link);
    list_push_back(&from, &items[1].link);
    list_push_back(&from, &items[2].link);
    list_splice(&to, &from);
    assert_numbers(&to, (int[]){1, 2, 3}, 3);
    assert_true(list_empty(&from));
    list_splice(&to, &from);
    assert_numbers(&to, (int[]){1, 2, 3}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_order),
        cmocka_unit_test(test_unlinking_twice_is_harmless),
        cmocka_unit_test(test_safe_walk_may_unlink),
        cmocka_unit_test(test_splice_moves_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
