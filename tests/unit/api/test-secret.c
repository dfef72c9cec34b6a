/* api/secret: buffers for keys. */
#include "test.h"

#include "nodeagent/api/secret.h"

#include <stdlib.h>
#include <string.h>

static void test_a_secret_stays_where_it_is(void **state)
{
    _cleanup_(secret_deinit) struct strbuf secret = STRBUF_INIT;
    const char *place;

    secret_init(&secret, 1000);
    place = secret.text;
    assert_string_equal(secret.text, "");
    for (size_t i = 0; i < 1000; i++)
        strbuf_add_char(&secret, 'x');
    assert_ptr_equal(secret.text, place);
    assert_int_equal(secret.length, 1000);
}

static void test_a_copy_is_one(void **state)
{
    _cleanup_(secret_deinit) struct strbuf secret = STRBUF_INIT;

    secret_init_copy(&secret, "key", 3);
    assert_string_equal(secret.text, "key");
    secret_deinit(&secret);
    assert_null(secret.text);
    assert_int_equal(secret.length, 0);
    secret_init_copy(&secret, NULL, 0);
    assert_string_equal(secret.text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_secret_stays_where_it_is),
        cmocka_unit_test(test_a_copy_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
