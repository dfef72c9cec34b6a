/* server/identity.c: certificates that can be served with, and others. */
#include "certificates.h"

#include "identity.h"

#include <errno.h>
#include <string.h>

static void test_certificate_and_key(void **state)
{
    struct made_certificate one, other;
    struct identity *identity;
    struct err err;
    int r;

    make_certificate(&one, "one.test");
    make_certificate(&other, "other.test");
    r = identity_new(&identity, &(struct server_pem){one.chain, strlen(one.chain)},
                     &(struct server_pem){one.key, strlen(one.key)}, &err);
    assert_int_equal(r, 0);
    assert_ptr_equal(identity_ref(identity), identity);
    assert_null(identity_unref(identity));
    assert_null(identity_unref(identity));
    assert_null(identity_unref(NULL));

    r = identity_new(&identity, &(struct server_pem){one.chain, strlen(one.chain)},
                     &(struct server_pem){other.key, strlen(other.key)}, &err);
    assert_int_equal(r, -EINVAL);
    r = identity_new(&identity, &(struct server_pem){"", 0}, &(struct server_pem){"", 0}, &err);
    assert_int_equal(r, -EINVAL);
    assert_non_null(strstr(err.text, "cannot serve with this certificate"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certificate_and_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
