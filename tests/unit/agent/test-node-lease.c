/* agent/node-lease: the bodies of Leases and of CSINodes. */
#include "test.h"

#include "node-lease.h"

#include <string.h>

#define NOW (INT64_C(1767323045) * 1000000 + 678901)

struct fixture {
    struct arena arena;
    struct object *lease;
};

static struct json *parse(struct fixture *fixture, const char *text)
{
    struct json_findings *findings = arena_new(&fixture->arena, struct json_findings);
    struct json *root;
    struct err err;

    if (json_parse(&fixture->arena, text, strlen(text), &json_limits_manifest, findings, &root,
                   &err) < 0)
        fail_msg("%s: %s", err.text, text);
    return root;
}

static struct lease *seen(struct fixture *fixture, const char *text)
{
    struct json *root = parse(fixture, text);
    struct report report;

    object_unref(fixture->lease);
    report_init(&report, root);
    fixture->lease = object_decode_as(&object_kind_lease, root, OBJECT_KEEP_RAW, &report);
    report_deinit(&report);
    assert_non_null(fixture->lease);
    return lease_of(fixture->lease);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.arena = ARENA_INIT_DOCUMENT};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    fixture->lease = object_unref(fixture->lease);
    arena_deinit(&fixture->arena);
    return 0;
}

static const struct node_owner owner = {"n", "U"};

#define OWNERS                                                                                     \
    "\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"n\",\"uid\":\"U\"}]"
#define HEAD "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","

static void test_a_new_lease(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT;

    node_lease_write(&owner, 40, NOW, &body);
    assert_string_equal(
        body.text,
        HEAD "\"metadata\":{\"name\":\"n\",\"namespace\":\"kube-node-lease\"," OWNERS
             "},\"spec\":{\"holderIdentity\":\"n\",\"leaseDurationSeconds\":40,\"renewTime\":"
             "\"2026-01-02T03:04:05.678901Z\"}}");
}

static const struct renewal_case {
    const char *seen, *uid, *body;
} renewals[] = {
    /* what this agent does not know of is written back */
    {HEAD
     "\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"7\"," OWNERS
     ",\"managedFields\":[{\"x\":1}]},\"spec\":{\"renewTime\":\"2025-01-01T00:00:00.000000Z\","
     "\"holderIdentity\":\"n\",\"leaseDurationSeconds\":20,\"new\":{\"a\":[1.50]}},\"more\":5}",
     "U",
     HEAD "\"more\":5,\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"7\"," OWNERS
          ",\"managedFields\":[{\"x\":1}]},\"spec\":{\"holderIdentity\":\"n\","
          "\"leaseDurationSeconds\":20,\"new\":{\"a\":[1.50]},"
          "\"renewTime\":\"2026-01-02T03:04:05.678901Z\"}}"},
    /* an owner is added where there is none */
    {HEAD "\"metadata\":{\"ownerReferences\":[],\"name\":\"n\"}}", "U",
     HEAD "\"metadata\":{\"name\":\"n\"," OWNERS
          "},\"spec\":{\"renewTime\":\"2026-01-02T03:04:05.678901Z\"}}"},
    {HEAD "\"metadata\":{\"name\":\"n\"},\"spec\":{}}", NULL,
     HEAD "\"metadata\":{\"name\":\"n\"},"
          "\"spec\":{\"renewTime\":\"2026-01-02T03:04:05.678901Z\"}}"},
    {HEAD "\"metadata\":{" OWNERS "}}", "V",
     HEAD "\"metadata\":{" OWNERS "},\"spec\":{\"renewTime\":\"2026-01-02T03:04:05.678901Z\"}}"},
    /* an item of a list says no kind */
    {"{\"metadata\":{" OWNERS "}}", "U",
     HEAD "\"metadata\":{" OWNERS "},\"spec\":{\"renewTime\":\"2026-01-02T03:04:05.678901Z\"}}"},
};

static void test_renewals(void **state)
{
    struct fixture *fixture = *state;
    struct err err;

    for (size_t i = 0; i < array_size(renewals); i++) {
        struct node_owner of = {"n", renewals[i].uid};
        _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT;

        assert_int_equal(
            node_lease_write_renewed(seen(fixture, renewals[i].seen), &of, NOW, &body, &err), 0);
        assert_string_equal(body.text, renewals[i].body);
    }
}

/* CSINodes */

static void test_a_new_csi_node(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT;

    csi_node_write(&owner, &body);
    assert_string_equal(
        body.text,
        "{\"apiVersion\":\"storage.k8s.io/v1\",\"kind\":\"CSINode\",\"metadata\":{\"name\":\"n\","
        "\"annotations\":{\"storage.alpha.kubernetes.io/migrated-plugins\":"
        "\"kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,"
        "kubernetes.io/cinder,kubernetes.io/gce-pd,kubernetes.io/portworx-volume,"
        "kubernetes.io/vsphere-volume\"}," OWNERS "},\"spec\":{\"drivers\":[]}}");
}

static void test_stale_csi_nodes(void **state)
{
    static const struct {
        const char *text;
        bool stale;
    } cases[] = {
        {"{\"metadata\":{" OWNERS "}}", false},
        {"{\"metadata\":{\"ownerReferences\":[{\"kind\":\"Node\",\"uid\":\"V\"}]}}", true},
        {"{\"metadata\":{\"ownerReferences\":[{\"kind\":\"Driver\",\"uid\":\"V\"}]}}", false},
        {"{\"metadata\":{\"ownerReferences\":[{}, 5]}}", false},
        {"{\"metadata\":{}}", false},
        {"{}", false},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < array_size(cases); i++)
        assert_int_equal(csi_node_is_stale(parse(fixture, cases[i].text), &owner), cases[i].stale);
}

#define with_fixture(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_lease),
        with_fixture(test_renewals),
        cmocka_unit_test(test_a_new_csi_node),
        with_fixture(test_stale_csi_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
