/* agent/node-news: what of a Node is told in events. */
#include "node-fixture.h"

#include "node-news.h"

#define BIT(news) (1U << (news))
#define FIRST                                                                                      \
    (BIT(NODE_HAS_SUFFICIENT_MEMORY) | BIT(NODE_HAS_NO_DISK_PRESSURE) |                            \
     BIT(NODE_HAS_SUFFICIENT_PID))

static struct node *computed(struct node_fixture *fixture, const struct node *seen)
{
    fixture->inputs.seen = seen;
    return seen ? node_object_refresh(&fixture->inputs, &fixture->trouble)
                : node_object_new(&fixture->inputs, &fixture->trouble);
}

/* What is news when the inputs are others than those that `seen` was computed from. */
static unsigned news_after(struct node_fixture *fixture, const struct node *seen)
{
    struct node *told = computed(fixture, seen);
    unsigned news = node_news(seen, told);

    node_free(told);
    return news;
}

static void test_of_a_new_node(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *made = computed(fixture, NULL);

    assert_int_equal(node_news(NULL, made), FIRST);
    assert_int_equal(node_news(made, made), 0);
    node_free(made);
    fixture->inputs.memory_pressure = true;
    made = computed(fixture, NULL);
    assert_true(node_news(NULL, made) & BIT(NODE_HAS_INSUFFICIENT_MEMORY));
    node_free(made);
}

static void test_of_what_changes(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *seen = computed(fixture, NULL);

    assert_int_equal(news_after(fixture, seen), 0);
    fixture->inputs.disk_pressure = true;
    assert_int_equal(news_after(fixture, seen), BIT(NODE_HAS_DISK_PRESSURE));
    fixture->inputs.disk_pressure = false;
    fixture->inputs.pid_pressure = true;
    assert_int_equal(news_after(fixture, seen), BIT(NODE_HAS_INSUFFICIENT_PID));
    fixture->inputs.pid_pressure = false;
    fixture->runtime.ready.good = false;
    assert_int_equal(news_after(fixture, seen), BIT(NODE_NOT_READY));
    node_free(seen);

    seen = computed(fixture, NULL); /* not ready */
    fixture->runtime.ready.good = true;
    assert_int_equal(news_after(fixture, seen), BIT(NODE_READY));
    node_free(seen);
}

/* The node controller says so of a node that was not heard of. */
static void test_of_an_unknown_node(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *seen = node_read(fixture, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{"
                                           "\"name\":\"n\"},\"status\":{\"conditions\":[{"
                                           "\"type\":\"Ready\",\"status\":\"Unknown\"}]}}");

    assert_int_equal(news_after(fixture, seen), FIRST | BIT(NODE_READY));
    node_free(seen);
}

static void test_of_another_boot(void **state)
{
    struct node_fixture *fixture = *state;
    struct node *seen = computed(fixture, NULL);

    fixture->machine.boot_id = "bid-2";
    assert_int_equal(news_after(fixture, seen), BIT(NODE_REBOOTED));
    node_free(seen);
}

static void test_reasons(void **state)
{
    for (enum node_news news = 0; news < NODE_NEWS; news++)
        assert_non_null(node_news_reason(news));
    assert_string_equal(node_news_reason(NODE_REBOOTED), "Rebooted");
    assert_string_equal(node_news_reason(NODE_HAS_NO_DISK_PRESSURE), "NodeHasNoDiskPressure");
    assert_string_equal(node_news_reason(NODE_NOT_READY), "NodeNotReady");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_node(test_of_a_new_node),
        with_node(test_of_what_changes),
        with_node(test_of_an_unknown_node),
        with_node(test_of_another_boot),
        with_node(test_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
