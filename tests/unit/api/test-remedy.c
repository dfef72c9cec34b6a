/* api/remedy: what an operator is told to do. */
#include "test.h"

#include "remedy.h"

#include <errno.h>
#include <string.h>

static void check(const char *text, bool stranger, const char *remedy)
{
    struct err err;

    err_set(&err, -EIO, "https://a/b: %s", text);
    remedy_add(&err, stranger);
    assert_int_equal(err.code, -EIO);
    if (!strstr(err.text, text) || !strstr(err.text, remedy))
        fail_msg("%s", err.text);
    assert_int_equal(strchr(err.text, ';') != NULL, *remedy != '\0');
}

static void test_who_is_to_do_something(void **state)
{
    check("SSL certificate problem: certificate has expired", false, "must be renewed");
    check("error:0A000415:SSL routines::sslv3 alert certificate expired", false,
          "does not accept the client's certificate");
    check("error:0A00042E:SSL routines::tlsv1 alert protocol version", false, "TLS 1.2");
    check("error:0A00010B:SSL routines::wrong version number", false, "does not speak TLS");
    check("unable to get local issuer certificate", false, "certificate-authority");
}

static void test_one_that_never_answered_may_be_another(void **state)
{
    check("Recv failure: Connection reset by peer", true, "right port");
    check("Recv failure: Connection reset by peer", false, "");
    check("Send failure: Broken pipe", true, "client's certificate");
    check("cannot connect: Connection refused", true, "");
}

static void test_nobody_is_known(void **state)
{
    struct err err;

    err_set(&err, -EACCES, "GET /x: the API server answers 401");
    remedy_add_unauthorized(&err);
    assert_int_equal(err.code, -EACCES);
    assert_non_null(strstr(err.text, "answers 401; it does not know who asks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_to_do_something),
        cmocka_unit_test(test_one_that_never_answered_may_be_another),
        cmocka_unit_test(test_nobody_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
