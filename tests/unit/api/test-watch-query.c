/* api/watch-query: what a watch asks for. */
#include "test.h"

#include "watch-query.h"

#include <stdlib.h>

#define assert_path(made, expected)                                                                \
    do {                                                                                           \
        char *made_ = made;                                                                        \
                                                                                                   \
        assert_string_equal(made_, expected);                                                      \
        free(made_);                                                                               \
    } while (0)

static void test_streams(void **state)
{
    struct watch_query query = {.path = "/pods"};

    assert_path(watch_query_stream(&query, true, 300),
                "/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&"
                "sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
    query.version = "5";
    assert_path(watch_query_stream(&query, false, 1),
                "/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=5");
}

static void test_pages(void **state)
{
    struct watch_query query = {.path = "/pods", .selector = "spec.nodeName=a b"};

    assert_path(watch_query_page(&query, NULL),
                "/pods?fieldSelector=spec.nodeName%3Da%20b&limit=100");
    query.version = "5";
    assert_path(watch_query_page(&query, NULL),
                "/pods?fieldSelector=spec.nodeName%3Da%20b&limit=100&resourceVersion=5&"
                "resourceVersionMatch=NotOlderThan");
    /* A place in a list has its own version. */
    assert_path(watch_query_page(&query, "m/="),
                "/pods?fieldSelector=spec.nodeName%3Da%20b&limit=100&continue=m%2F%3D");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
