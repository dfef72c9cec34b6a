/* cni/result, cni/result-convert: which results can be worked with, and in other versions' words.
 */
#include "cni-fixture.h"

#include "result.h"

static const struct json *parse(struct arena *arena, const char *text, const char *version)
{
    const struct json *result;
    struct err err;

    if (cni_result_parse(arena, text, strlen(text), version, &result, &err) < 0)
        fail_msg("%s", err.text);
    return result;
}

static void refused(const char *text, const char *sentence)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *result;
    struct err err;

    assert_int_not_equal(cni_result_parse(&arena, text, strlen(text), "1.0.0", &result, &err), 0);
    if (!strstr(err.text, sentence))
        fail_msg("\"%s\" is not in: %s", sentence, err.text);
}

static void converts(const char *text, const char *version, const char *expected)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;

    assert_int_equal(cni_result_convert(parse(&arena, text, "1.0.0"), version, &out, NULL), 0);
    assert_string_equal(out.text, expected);
    parse(&arena, out.text, version);
}

/* reading */

static void test_liberties(void **state)
{
    static const char *const good[] = {
        "{}",
        "{\"cniVersion\":\"\"}",
        "{\"dns\":{}}",
        "{\"ips\":null,\"interfaces\":null,\"routes\":null}",
        "{\"cniVersion\":\"0.3.1\",\"ips\":[{\"address\":\"127.0.0.1/8\"}]}",
        "{\"interfaces\":[{\"name\":\"dummy\",\"mac\":\"0\",\"sandbox\":\"12\"}]}",
        "{\"ips\":[{\"address\":\"0.0.0.0/32\",\"interface\":null}]}",
        ("{\"interfaces\":[{\"name\":\"a\"},{\"name\":\"a\"}],"
         "\"ips\":[{\"address\":\"fd00::1/64\",\"interface\":1}]}"),
        "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\"},\"ip6\":null}",
    };
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;

    for (size_t i = 0; i < array_size(good); i++)
        parse(&arena, good[i], "1.0.0");
}

static void test_the_version_of_the_request_is_put_in(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;

    assert_string_equal(result_version(parse(&arena, "{\"x\":1}", "0.4.0"), &arena), "0.4.0");
    assert_string_equal(result_version(parse(&arena, "{}", "0.4.0"), &arena), "0.4.0");
    assert_string_equal(result_version(parse(&arena, "{\"cniVersion\":\"\"}", "0.4.0"), &arena),
                        "0.4.0");
    /* "ip4" means nothing in the newer one, and is not looked at. */
    converts("{\"cniVersion\":\"\",\"ip4\":{\"ip\":\"x\"}}", "1.0.0",
             "{\"cniVersion\":\"1.0.0\",\"ip4\":{\"ip\":\"x\"}}");
    assert_string_equal(
        result_version(parse(&arena, "{\"cniVersion\":\"0.3.1\"}", "1.0.0"), &arena), "0.3.1");
}

static void test_check_29_what_is_refused(void **state)
{
    refused("", "result:1:1: the JSON text ends too early");
    refused("hello", "result:1:1: not JSON");
    refused("[]", "a result must be an object");
    refused("{\"cniVersion\":\"2.0.0\"}", "unsupported CNI result version \"2.0.0\"");
    refused("{\"cniVersion\":7}", "unsupported CNI result version \"\"");
    refused("{\"ips\":{}}", "ips must be a list, but is an object");
    refused("{\"interfaces\":[1]}", "interfaces[0] must be an object, but is a number");
    refused("{\"ips\":[{}]}", "ips[0].address must be an address with a prefix");
    refused("{\"ips\":[{\"address\":\"10.0.0.1\"}]}", "ips[0].address must be");
    refused("{\"interfaces\":[{},{}],\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":2}]}",
            "ips[0].interface must be an index into the 2 interfaces");
    refused("{\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":-1}]}", "must be an index");
    refused("{\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":\"0\"}]}", "must be an index");
    refused("{\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":0}]}", "the 0 interfaces");
    refused("{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"x\"}}", "ip4.ip must be an address");
    refused("{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\",\"routes\":[1]}}",
            "routes[0] must be an object");
}

static void test_addresses_with_a_prefix(void **state)
{
    static const char *const bad[] = {
        "",         "/",           "10.0.0.1/",   "10.0.0.1/33", "x/8",         "::1/129",
        "10.0.0/8", "10.0.0.1/-1", "10.0.0.1/+8", "fd00::1",     "1.2.3.4/8888"};

    assert_int_equal(cidr_family("10.0.0.1/8", 10), '4');
    assert_int_equal(cidr_family("10.0.0.1/0", 10), '4');
    assert_int_equal(cidr_family("fd00::1/128", 11), '6');
    for (size_t i = 0; i < array_size(bad); i++)
        assert_int_equal(cidr_family(bad[i], strlen(bad[i])), 0);
}

/* addresses */

static void addresses_are(const char *text, const char *expected)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf found = STRBUF_INIT;
    struct cni_addresses addresses;

    strbuf_add(&found, "");
    cni_result_addresses(parse(&arena, text, "1.0.0"), "eth0", &arena, &addresses);
    array_for_each (address, addresses.items)
        strbuf_printf(&found, "%s ", *address);
    assert_string_equal(found.text, expected);
}

static void test_which_addresses_are_the_containers(void **state)
{
    addresses_are("{}", "");
    addresses_are("{\"interfaces\":[{\"name\":\"br0\"},{\"name\":\"eth0\",\"sandbox\":\"/n\"},"
                  "{\"name\":\"eth0\",\"sandbox\":\"\"},{\"name\":\"eth1\",\"sandbox\":\"/n\"}],"
                  "\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":0},"
                  "{\"address\":\"10.0.0.2/8\",\"interface\":1},"
                  "{\"address\":\"10.0.0.3/8\",\"interface\":2},"
                  "{\"address\":\"10.0.0.4/8\",\"interface\":3},"
                  "{\"address\":\"fd00::5/64\"}]}",
                  "10.0.0.2 fd00::5 ");
    addresses_are("{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\"},"
                  "\"ip6\":{\"ip\":\"fd00::1/64\"}}",
                  "10.0.0.1 fd00::1 ");
}

/* other versions */

#define NEWEST                                                                                     \
    "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"0\",\"mtu\":1400,"     \
    "\"socketPath\":\"/s\",\"pciID\":\"1\",\"sandbox\":\"/n\"}],"                                  \
    "\"ips\":[{\"address\":\"10.0.0.2/8\",\"gateway\":\"10.0.0.1\",\"interface\":0},"              \
    "{\"address\":\"fd00::2/64\"},{\"address\":\"10.0.0.3/8\"}],"                                  \
    "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"mtu\":1400},{\"dst\":\"::/0\",\"gw\":\"fd00::1\"}],"     \
    "\"dns\":{}}"

static void test_relabelled(void **state)
{
    converts("{\"cniVersion\":\"1.1.0\",\"x\":12345678901234567890}", "1.0.0",
             "{\"cniVersion\":\"1.0.0\",\"x\":12345678901234567890}");
    converts("{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.1/8\"}]}",
             "0.4.0",
             "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.1/8\"}]}");
    converts("{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\"}}", "0.2.0",
             "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.1/8\"}}");
}

static void test_new_to_versioned(void **state)
{
    converts(NEWEST, "0.4.0",
             "{\"cniVersion\":\"0.4.0\","
             "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"mtu\":1400},"
             "{\"dst\":\"::/0\",\"gw\":\"fd00::1\"}],\"dns\":{},"
             "\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.2/8\",\"gateway\":\"10.0.0.1\","
             "\"interface\":0},{\"version\":\"6\",\"address\":\"fd00::2/64\"},"
             "{\"version\":\"4\",\"address\":\"10.0.0.3/8\"}],"
             "\"interfaces\":[{\"name\":\"eth0\",\"mac\":\"0\",\"sandbox\":\"/n\"}]}");
}

static void test_versioned_to_new(void **state)
{
    converts("{\"cniVersion\":\"0.3.1\",\"interfaces\":[{\"name\":\"d\",\"mac\":\"0\"}],"
             "\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.1/8\"}]}",
             "1.0.0",
             "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"d\",\"mac\":\"0\"}],"
             "\"ips\":[{\"address\":\"10.0.0.1/8\"}]}");
}

static void test_lists_to_families(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    struct err err;

    converts(NEWEST, "0.2.0",
             "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.2/8\",\"gateway\":\"10.0.0.1\","
             "\"routes\":[{\"dst\":\"0.0.0.0/0\"}]},\"ip6\":{\"ip\":\"fd00::2/64\","
             "\"routes\":[{\"dst\":\"::/0\",\"gw\":\"fd00::1\"}]},\"dns\":{}}");
    assert_int_equal(cni_result_convert(parse(&arena, "{}", "1.0.0"), "0.1.0", &out, &err),
                     -EINVAL);
    assert_string_equal(err.text, "a result without addresses cannot be said in CNI 0.1.0");
    assert_int_equal(out.length, 0);
}

static void test_families_to_lists(void **state)
{
    static const char text[] =
        "{\"cniVersion\":\"0.2.0\",\"ip6\":{\"ip\":\"fd00::2/64\",\"routes\":[{\"dst\":\"::/0\"}]},"
        "\"ip4\":{\"ip\":\"10.0.0.2/8\",\"gateway\":\"10.0.0.1\","
        "\"routes\":[{\"dst\":\"0.0.0.0/0\"}]},\"dns\":{\"domain\":\"x\"}}";

    converts(text, "1.0.0",
             "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/8\","
             "\"gateway\":\"10.0.0.1\"},{\"address\":\"fd00::2/64\"}],"
             "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}],\"dns\":{\"domain\":\"x\"}}");
    converts(text, "0.3.0",
             "{\"cniVersion\":\"0.3.0\",\"ips\":[{\"version\":\"4\",\"address\":\"10.0.0.2/8\","
             "\"gateway\":\"10.0.0.1\"},{\"version\":\"6\",\"address\":\"fd00::2/64\"}],"
             "\"routes\":[{\"dst\":\"0.0.0.0/0\"},{\"dst\":\"::/0\"}],\"dns\":{\"domain\":\"x\"}}");
    /* What had no meaning there gets none here. */
    converts("{\"cniVersion\":\"0.1.0\",\"interfaces\":[\"routes\"],\"dns\":{}}", "1.0.0",
             "{\"cniVersion\":\"1.0.0\",\"ips\":[],\"routes\":[],\"dns\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_liberties),
        cmocka_unit_test(test_the_version_of_the_request_is_put_in),
        cmocka_unit_test(test_check_29_what_is_refused),
        cmocka_unit_test(test_addresses_with_a_prefix),
        cmocka_unit_test(test_which_addresses_are_the_containers),
        cmocka_unit_test(test_relabelled),
        cmocka_unit_test(test_new_to_versioned),
        cmocka_unit_test(test_versioned_to_new),
        cmocka_unit_test(test_lists_to_families),
        cmocka_unit_test(test_families_to_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
