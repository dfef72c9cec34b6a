/* cni/failure: what is kept of a failure, and how it is printed. */
#include "cni-fixture.h"

#include "failure.h"

static struct cni_failure failure;

static void test_our_own(void **state)
{
    struct err err;

    memset(&failure, 'x', sizeof(failure));
    assert_int_equal(failure_set(&failure, -EINVAL, CNI_CODE_CONFIG, "no %s", "bridge"), -EINVAL);
    assert_string_equal(failure.err.text, "no bridge");
    assert_string_equal(failure.message, "no bridge");
    assert_string_equal(failure.plugin, "");
    assert_int_equal(failure.code, 7);
    err_set(&err, -EBUSY, "locked");
    assert_int_equal(failure_from(&failure, CNI_CODE_LATER, &err), -EBUSY);
    assert_string_equal(failure.err.text, "locked");
}

static void fault_with(const char *message, const char *errors, size_t length)
{
    _cleanup_(cni_network_free_at) struct cni_network *network =
        network_of("{\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]}");
    const struct plugin_fault fault = {
        .network = network,
        .type = "a",
        .command = "CHECK",
        .code = 100,
        .errno_code = -EIO,
        .errors = errors,
        .errors_length = length,
    };

    assert_int_equal(failure_of_plugin(&failure, &fault, message, ""), -EIO);
}

static void test_the_end_of_stderr_is_kept(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf errors = STRBUF_INIT;

    fault_with("m", "one\ntwo\x1b[0m\xff\n\n", strlen("one\ntwo\x1b[0m\xff\n\n"));
    assert_string_equal(failure.errors, "one\ntwo?[0m?");
    for (int i = 0; i < 1000; i++)
        strbuf_printf(&errors, "line %d\n", i);
    fault_with("m", errors.text, errors.length);
    assert_true(str_has_prefix(failure.errors, "line "));
    assert_true(str_has_suffix(failure.errors, "\nline 999"));
    strbuf_truncate(&errors, 0);
    for (int i = 0; i < CNI_ERRORS_MAX; i++)
        strbuf_add(&errors, "abc");
    fault_with("m", errors.text, errors.length);
    assert_int_equal(strlen(failure.errors), CNI_ERRORS_MAX - 1);
    fault_with(errors.text, "", 0);
    assert_int_equal(strlen(failure.message), sizeof(failure.message) - 1);
}

static void test_the_object(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;

    fault_with("m", "said", 4);
    failure_write(&failure, "1.0.0", &out);
    assert_string_equal(out.text,
                        "{\"cniVersion\":\"1.0.0\",\"code\":100,\"msg\":\"plugin type=\\\"a\\\" "
                        "name=\\\"n\\\" failed (check): m\",\"details\":\"said\"}");
    strbuf_truncate(&out, 0);
    failure_set(&failure, -EINVAL, 7, "m");
    failure_write(&failure, "0.4.0", &out);
    assert_string_equal(out.text, "{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"m\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_own),
        cmocka_unit_test(test_the_end_of_stderr_is_kept),
        cmocka_unit_test(test_the_object),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
