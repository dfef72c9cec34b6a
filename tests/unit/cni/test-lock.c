/* cni/lock: who may be at work beside whom. */
#include "cni-fixture.h"

#include "lock.h"

#include <pthread.h>

#define SHORT (20 * USEC_PER_MSEC)

static int container(const char *id)
{
    return lock_container(CACHE, id, SHORT, NULL);
}

static void test_one_operation_a_container(void **state)
{
    int first = container("c1"), second = container("c2");
    struct err err;

    assert_true(first >= 0 && second >= 0);
    assert_int_equal(lock_container(CACHE, "c1", SHORT, &err), -EBUSY);
    assert_has(err.text, "another operation was at work for 0.0 s");
    assert_int_equal(lock_all(CACHE, SHORT, NULL), -EBUSY);
    close(first);
    first = container("c1");
    assert_true(first >= 0);
    assert_int_equal(container("c2"), -EBUSY);
    close(first);
    close(second);
}

static void test_a_collection_is_alone(void **state)
{
    int all = lock_all(CACHE, SHORT, NULL);

    assert_true(all >= 0);
    assert_int_equal(container("c1"), -EBUSY);
    assert_int_equal(lock_all(CACHE, SHORT, NULL), -EBUSY);
    close(all);
    all = container("c1");
    assert_true(all >= 0);
    close(all);
}

static void *collect(void *data)
{
    int all = lock_all(CACHE, 10 * USEC_PER_SEC, NULL);

    *(usec_t *)data = all < 0 ? 0 : clock_monotonic();
    usleep(50000);
    close(all);
    return NULL;
}

/* It waits for what is at work, and what comes later waits for it. */
static void test_check_23_a_collection_is_not_kept_waiting(void **state)
{
    int first = container("c1"), second;
    usec_t collected = 0;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, collect, &collected), 0);
    while ((second = container("c2")) >= 0)
        close(second);
    assert_int_equal(collected, 0);
    close(first);
    second = lock_container(CACHE, "c2", 10 * USEC_PER_SEC, NULL);
    assert_true(second >= 0);
    assert_true(collected && clock_monotonic() - collected >= 50000);
    pthread_join(thread, NULL);
    close(second);
}

static void test_where_it_cannot_be(void **state)
{
    struct err err;

    write_mode("/srv/file", "", 0600);
    assert_true(lock_container("/srv/file/x", "c1", SHORT, &err) < 0);
    mkdir(CACHE "/nodeagent.lock", 0700);
    assert_int_equal(lock_container(CACHE, "c1", SHORT, &err), -EISDIR);
    assert_has(err.text, CACHE "/nodeagent.lock");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_one_operation_a_container),
        in_place(test_a_collection_is_alone),
        in_place(test_check_23_a_collection_is_not_kept_waiting),
        in_place(test_where_it_cannot_be),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
