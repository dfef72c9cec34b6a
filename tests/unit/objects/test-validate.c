/* objects/validate: metadata, labels, selectors, tolerations. */
#include "fixture.h"

#include "pod-rules.h"

static void test_lengths(void **state)
{
    char *most = letters('a', 253), *more = letters('a', 254), *value = letters('v', 262143),
         *too_much = letters('v', 262144);

    assert_made(POD_METADATA, "metadata", mem_printf("name: %s", most), "");
    assert_made(POD_METADATA, "metadata", mem_printf("name: %s", more), "Invalid name");
    assert_made(POD_METADATA, "metadata", mem_printf("generateName: %s", most), "");
    /* The name that the server makes of it is cut. */
    assert_made(POD_METADATA, "metadata", mem_printf("generateName: %s", more),
                "Invalid generateName");
    assert_made(POD_METADATA, "metadata", mem_printf("name: a, annotations: {a: %s}", value), "");
    assert_made(POD_METADATA, "metadata", mem_printf("name: a, annotations: {a: %s}", too_much),
                "TooLong annotations");
    assert_made(POD_METADATA, "metadata", mem_printf("name: a, annotations: {a: %s, b: ''}", value),
                "TooLong annotations");
    free(too_much);
    free(value);
    free(more);
    free(most);
}

static void test_masked_names(void **state)
{
    static const struct {
        const char *prefix, *masked;
    } cases[] = {
        {"app-", "apa"}, {"a-", "a"}, {"-", "-"}, {"", ""}, {"app", "app"}, {"a--", "aa"},
    };
    char masked[8], *tight;

    for (size_t i = 0; i < array_size(cases); i++)
        assert_string_equal(name_masked(cases[i].prefix, masked, sizeof(masked)), cases[i].masked);
    tight = mem_alloc(4); /* the sanitizer and valgrind see a byte more */
    assert_string_equal(name_masked("abcdefgh-", tight, 4), "abc");
    assert_string_equal(name_masked("ab-", tight, 4), "aa");
    free(tight);
}

/* Absent values in each of the helpers: they are empty. */
static void test_helpers(void **state)
{
    static const char *const words[] = {"One", "Two", NULL}, *const single[] = {"Only", NULL};
    struct path path = path_name(NULL, "a");
    struct report report;

    report_init(&report, NULL);
    require(&report, &path, NULL, NULL);
    require_number(&report, &path, 1, NULL);
    assert_true(require_some(&report, &path, "x"));
    assert_true(require_one_of(&report, &path, "Two", words));
    require_in(&report, &path, "b", "x", NULL);
    assert_true(require_some_in(&report, &path, "b", "x"));
    assert_true(require_one_of_in(&report, &path, "b", "One", words));
    assert_int_equal(report.findings.count, 0);

    require(&report, &path, NULL, "must be x");
    require_number(&report, &path, -7, "must be y");
    assert_false(require_some(&report, &path, NULL));
    assert_false(require_one_of(&report, &path, NULL, words));
    assert_false(require_one_of(&report, &path, "only", single));
    require_in(&report, &path, "b", NULL, "must be z");
    assert_false(require_some_in(&report, &path, "b", ""));
    assert_false(require_one_of_in(&report, &path, "b", "Three", words));
    require_named(&report, &path, NULL, name_check_label);
    assert_int_equal(report.findings.count, 9);
    assert_string_equal(report.findings.items[0].message, "\"\" must be x");
    assert_string_equal(report.findings.items[1].message, "-7 must be y");
    assert_string_equal(report.findings.items[2].message, "must not be empty");
    assert_string_equal(report.findings.items[3].message, "\"\" is not supported; use One or Two");
    assert_string_equal(report.findings.items[4].message,
                        "\"only\" is not supported; use Only (did you mean Only?)");
    assert_string_equal(report.findings.items[5].path, "a.b");
    assert_string_equal(report.findings.items[7].path, "a.b");
    assert_int_equal(report.findings.items[8].reason, FINDING_REQUIRED);
    report_deinit(&report);
}

/* Kinds whose names follow another format. */
static void test_name_formats(void **state)
{
    static const struct {
        enum name_format format;
        const char *name;
        bool right;
    } cases[] = {
        {NAME_LABEL, "a-b", true},        {NAME_LABEL, "a.b", false},
        {NAME_SUBDOMAIN, "a.b", true},    {NAME_SUBDOMAIN, "A", false},
        {NAME_PATH_SEGMENT, "A b", true}, {NAME_PATH_SEGMENT, "a/b", false},
        {NAME_PATH_SEGMENT, ".", false},  {NAME_PATH_SEGMENT, "..", false},
        {NAME_PATH_SEGMENT, "a%", false}, {NAME_PATH_SEGMENT, "...", true},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct object object = {.kind = &object_kind_node, .metadata.name = cases[i].name};
        struct report report;

        report_init(&report, NULL);
        validate_meta(&object, cases[i].format, FINALIZERS_ANY, &report);
        assert_int_equal(report.errors, !cases[i].right);
        report_deinit(&report);
    }
}

static void test_names(void **state)
{
    static const struct finding_case cases[] = {
        {"name: web", ""},
        {"name: a.b-c.1", ""},
        {"", "Required name"},
        {"name: ''", "Required name"},
        {"name: Web", "Invalid name"},
        {"name: -a", "Invalid name"},
        {"name: a_b", "Invalid name"},
        {"name: \"a/../b\"", "Invalid name"},
        {"generateName: web-", ""},
        {"generateName: web", ""},
        {"generateName: Web-", "Invalid generateName, Invalid name"},
        {"name: a, generateName: web-", ""},
        {"name: a, generateName: W", "Invalid generateName"},
        {"generateName: a--", ""},
        {"generateName: \"-\"", "Invalid generateName, Invalid name"},
        {"generateName: a.-", "Invalid name"},
        {"generateName: a-b.", "Invalid generateName"},
        {"name: a, namespace: shop", ""},
        {"name: a, namespace: ''", ""},
        {"name: a, namespace: a.b", "Invalid namespace"},
        {"name: a, namespace: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""},
        {"name: a, namespace: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "Invalid namespace"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"", "name or generateName must be set"},
        {"name: Web", "\"Web\" must be a DNS subdomain: at most 253 lower-case letters, digits, "
                      "\"-\" and \".\", each part beginning and ending with a letter or digit"},
        {"name: a, namespace: A", "\"A\" must be a DNS label: at most 63 lower-case letters, "
                                  "digits and \"-\", beginning and ending with a letter or digit"},
        {0},
    };

    assert_cases(POD_METADATA, "metadata", cases);
    assert_sentences(POD_METADATA, sentences);
}

static void test_labels(void **state)
{
    static const struct finding_case cases[] = {
        {"name: a, labels: {app: web, example.com/app: web}", ""},
        {"name: a, labels: {a: \"\"}", ""},
        {"name: a, labels: {a b: c}", "Invalid labels"},
        {"name: a, labels: {a: b c}", "Invalid labels"},
        {"name: a, labels: {A.com/b: c}", "Invalid labels"},
        {"name: a, labels: {\"\": c}", "Invalid labels"},
        {"name: a, labels: {\"/\": \"/\"}", "Invalid labels, Invalid labels"},
        {"name: a, labels: {a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
         ""},
        {"name: a, labels: {a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
         "Invalid labels"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"name: a, labels: {a: b c}",
         "\"b c\" must be a label value: empty, or at most 63 letters, digits, \"-\", \"_\" and "
         "\".\", beginning and ending with a letter or digit"},
        {"name: a, labels: {a b: c}",
         "\"a b\" must be a qualified name: at most 63 letters, digits, \"-\", \"_\" and \".\", "
         "beginning and ending with a letter or digit, with an optional DNS subdomain and \"/\" "
         "before it"},
        {0},
    };

    assert_cases(POD_METADATA, "metadata", cases);
    assert_sentences(POD_METADATA, sentences);
}

static void test_annotations(void **state)
{
    static const struct finding_case cases[] = {
        {"name: a, annotations: {Example.com/a: \"any thing \\n at all\"}", ""},
        {"name: a, annotations: {a b: c}", "Invalid annotations"},
        {"name: a, annotations: {a/b/c: c}", "Invalid annotations"},
        {0},
    };

    assert_cases(POD_METADATA, "metadata", cases);
}

static void test_owners(void **state)
{
    static const struct finding_case cases[] = {
        {"name: a, ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: a, uid: b, "
         "controller: true}]",
         ""},
        {"name: a, ownerReferences: [{}]",
         "Invalid ownerReferences.apiVersion, Invalid ownerReferences.kind, Invalid "
         "ownerReferences.name, Invalid ownerReferences.uid"},
        {"name: a, ownerReferences: [{apiVersion: a/b/c, kind: a, name: a, uid: a}]",
         "Invalid ownerReferences.apiVersion"},
        {"name: a, ownerReferences: [{apiVersion: v1, kind: Event, name: a, uid: a}]",
         "Invalid ownerReferences"},
        {"name: a, ownerReferences: [{apiVersion: v2, kind: Event, name: a, uid: a}]", ""},
        {"name: a, ownerReferences: [{apiVersion: v1, kind: a, name: a, uid: a, controller: true}, "
         "{apiVersion: v1, kind: a, name: b, uid: a, controller: false}, {apiVersion: v1, kind: a, "
         "name: c, uid: a}]",
         ""},
        {"name: a, ownerReferences: [{apiVersion: v1, kind: a, name: a, uid: a, controller: true}, "
         "{apiVersion: v1, kind: a, name: b, uid: a, controller: true}]",
         "Invalid ownerReferences"},
        {"name: a, ownerReferences: [{apiVersion: v1, kind: a, uid: a, controller: true}, "
         "{apiVersion: v1, kind: a, uid: a, controller: true}]",
         "Invalid ownerReferences.name, Invalid ownerReferences.name, Invalid ownerReferences"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"name: a, ownerReferences: [{apiVersion: v1, kind: a, name: a, uid: a, controller: true}, "
         "{apiVersion: v1, kind: a, name: b, uid: a, controller: true}]",
         "only one owner may be the controller; both a and b are"},
        {"name: a, ownerReferences: [{kind: a, name: a, uid: a}]",
         "must be a version such as v1 or apps/v1"},
        {0},
    };

    assert_cases(POD_METADATA, "metadata", cases);
    assert_sentences(POD_METADATA, sentences);
}

static void test_finalizers(void **state)
{
    static const struct finding_case cases[] = {
        {"name: a, finalizers: [example.com/a, kubernetes, orphan]", ""},
        {"name: a, finalizers: [foregroundDeletion]", ""},
        {"name: a, finalizers: [mine]", "Invalid finalizers[0]"},
        {"name: a, finalizers: [kubernetes, \"\"]", "Invalid finalizers, Invalid finalizers[1]"},
        {"name: a, finalizers: [a b/c]", "Invalid finalizers"},
        {"name: a, finalizers: [null]", "Invalid finalizers, Invalid finalizers[0]"},
        {"name: a, finalizers: [orphan, foregroundDeletion]", "Invalid finalizers"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"name: a, finalizers: [mine]", "\"mine\" must have a domain, as in example.com/mine"},
        {"name: a, finalizers: [orphan, foregroundDeletion]",
         "must not hold both orphan and foregroundDeletion"},
        {0},
    };

    assert_cases(POD_METADATA, "metadata", cases);
    assert_sentences(POD_METADATA, sentences);
}

/* The server overwrites these. */
static void test_what_is_never_refused(void **state)
{
    static const struct finding_case cases[] = {
        {"name: a, generation: -1, uid: \"?\", resourceVersion: \"x y\", "
         "deletionGracePeriodSeconds: -9, selfLink: /a",
         ""},
        {0},
    };

    assert_cases(POD_METADATA, "metadata", cases);
}

static void test_selectors(void **state)
{
    static const struct finding_case cases[] = {
        {"", ""},
        {"matchLabels: {a: b}", ""},
        {"matchLabels: {a b: c d}", "Invalid matchLabels, Invalid matchLabels"},
        {"matchExpressions: [{key: a, operator: In, values: [b, \"\"]}, {key: a, operator: NotIn, "
         "values: [b]}, {key: a, operator: Exists}, {key: a, operator: DoesNotExist, values: []}]",
         ""},
        {"matchExpressions: [{key: a, operator: In}]", "Required matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: NotIn, values: []}]",
         "Required matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: Exists, values: [b]}]",
         "Forbidden matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: DoesNotExist, values: [b]}]",
         "Forbidden matchExpressions[0].values"},
        {"matchExpressions: [{key: a, operator: Gt, values: [\"1\"]}]",
         "Invalid matchExpressions[0].operator"},
        {"matchExpressions: [{}]",
         "Invalid matchExpressions[0].operator, Invalid matchExpressions[0].key"},
        {"matchExpressions: [{key: a b, operator: In, values: [ok, b c, \"-\"]}]",
         "Invalid matchExpressions[0].key, Invalid matchExpressions[0].values[1], Invalid "
         "matchExpressions[0].values[2]"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"matchExpressions: [{key: a, operator: Near}]",
         "\"Near\" must be In, NotIn, Exists or DoesNotExist"},
        {"matchExpressions: [{key: a, operator: In}]", "must be set with operator In"},
        {"matchExpressions: [{key: a, operator: Exists, values: [b]}]",
         "must not be set with operator Exists"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, "
                 "image: a}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: t, "
                 "whenUnsatisfiable: DoNotSchedule, labelSelector: {%s}}]}}",
                 "spec.topologySpreadConstraints[0].labelSelector", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: "
                     "[{name: a, image: a}], topologySpreadConstraints: [{maxSkew: 1, topologyKey: "
                     "t, whenUnsatisfiable: DoNotSchedule, labelSelector: {%s}}]}}",
                     sentences);
}

static void test_tolerations(void **state)
{
    static const struct finding_case cases[] = {
        {"operator: Exists", ""},
        {"key: a", ""},
        {"key: a, value: b", ""},
        {"key: a, operator: Equal, value: b, effect: NoSchedule", ""},
        {"key: example.com/a, operator: Exists, effect: PreferNoSchedule", ""},
        {"key: a, operator: Exists, effect: NoExecute, tolerationSeconds: -5", ""},
        {"", "Invalid operator"},
        {"operator: Equal, value: b", "Invalid operator"},
        {"key: a b", "Invalid key"},
        {"key: a, value: b c", "Invalid operator"},
        {"key: a, operator: Exists, value: b", "Invalid operator"},
        {"key: a, operator: Lt, value: \"1\"", "NotSupported operator"},
        {"operator: Gt", "Invalid operator, NotSupported operator"},
        {"key: a, tolerationSeconds: 1", "Invalid effect"},
        {"key: a, effect: NoSchedule, tolerationSeconds: 1", "Invalid effect"},
        {"key: a, effect: noExecute", "NotSupported effect"},
        {"key: a, effect: noExecute, tolerationSeconds: 1", "Invalid effect, NotSupported effect"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"key: a, effect: NoExecut", "\"NoExecut\" is not supported; use NoSchedule, "
                                     "PreferNoSchedule or NoExecute (did you mean NoExecute?)"},
        {"key: a, operator: zzz", "\"zzz\" is not supported; use Equal or Exists"},
        {"effect: NoSchedule", "must be Exists when key is empty (all taints are tolerated)"},
        {"key: a, tolerationSeconds: 1", "must be NoExecute when tolerationSeconds is set"},
        {"key: a, operator: Exists, value: b", "value must be empty when operator is Exists"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: a, "
                 "image: a}], tolerations: [{operator: Exists}, {%s}]}}",
                 "spec.tolerations[1]", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: "
                     "[{name: a, image: a}], tolerations: [{operator: Exists}, {%s}]}}",
                     sentences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),       cmocka_unit_test(test_labels),
        cmocka_unit_test(test_annotations), cmocka_unit_test(test_owners),
        cmocka_unit_test(test_finalizers),  cmocka_unit_test(test_what_is_never_refused),
        cmocka_unit_test(test_selectors),   cmocka_unit_test(test_tolerations),
        cmocka_unit_test(test_lengths),     cmocka_unit_test(test_masked_names),
        cmocka_unit_test(test_helpers),     cmocka_unit_test(test_name_formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
