/* static/manifest: what a text may hold, where it is used, and what is said about it. */
#include "text.h"

#include <stdio.h>

#define POD(name)                                                                                  \
    "{apiVersion: v1, kind: Pod, metadata: {name: " name "}, spec: {containers: [{"                \
    "name: c, image: a}]}}"

static void assert_file(const char *text, const char *names, const char *problems)
{
    struct manifest_origin origin = origin_of(MANIFEST_FILE);

    assert_reads(&origin, text, names, problems);
}

static void assert_config(const char *text, const char *names, const char *problems)
{
    struct manifest_origin origin = origin_of(MANIFEST_FILE);

    origin.config_objects = true;
    assert_reads(&origin, text, names, problems);
}

static void assert_url(const char *text, const char *names, const char *problems)
{
    struct manifest_origin origin = origin_of(MANIFEST_URL);

    assert_reads(&origin, text, names, problems);
}

static void test_a_file_has_one_pod(void **state)
{
    assert_file(POD("web"), "Pod default/web-node-1", "");
    assert_file("---\n" POD("web") "\n...\n", "Pod default/web-node-1", "");
    assert_file("", "",
                "/m/web.yaml:1:1! has no object in it; remove the file if it is meant to "
                "be none");
    assert_file("# nothing\n---\n", "",
                "/m/web.yaml:1:1! has no object in it; remove the file if it is meant to be none");
    assert_file("{\"kind\": \"Pod\"", "", "/m/web.yaml:1:15! the JSON text ends too early");
    assert_file("a: [", "",
                "/m/web.yaml:1:5! not YAML: while parsing a flow node, did not find expected node "
                "content");
    assert_file("web", "", "/m/web.yaml:1:1! must be an object, not a string");
    assert_file("kind: Pod", "", "/m/web.yaml:1:1! apiVersion: must be set, for example to v1");
    assert_file("{apiVersion: apps/v1, kind: Deployment}", "",
                "/m/web.yaml:1:33! kind: apps/v1 Deployment is not an object that a node agent "
                "reads");
    assert_file("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", "",
                "/m/web.yaml:1:28! kind: ConfigMap cannot be given to a node like this; only a Pod "
                "can");
    assert_file("{apiVersion: v1, kind: PodList, items: []}", "",
                "/m/web.yaml:1:28! kind: v1 PodList is not an object that a node agent reads");
}

static void test_only_the_first_document_counts(void **state)
{
    assert_file(POD("a") "\n---\n" POD("b") "\n", "Pod default/a-node-1",
                "/m/web.yaml:3:1 only the first document is used; put this one into a file of its "
                "own");
    assert_file(POD("a") "\n---\nb: [\n", "Pod default/a-node-1",
                "/m/web.yaml:4:1 only the first document is used; put this one into a file of its "
                "own");
}

static void test_rules(void **state)
{
    assert_file("{apiVersion: v1, kind: Pod, metadata: {}, spec: {containers: [{name: c, image: a}]"
                "}}",
                "",
                "/m/web.yaml:1:43! metadata.name: must be set; a static object has no server that "
                "makes one up");
    assert_file("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  serviceAccountName: x\n"
                "  containers:\n  - {name: c, image: ''}\n",
                "",
                "/m/web.yaml:7:22! spec.containers[0].image: must not be empty\n"
                "/m/web.yaml:5:23! spec.serviceAccountName: a static pod may not reference "
                "serviceaccounts");
    assert_file("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, "
                "image: a}], restartPolice: Never}\n",
                "Pod default/web-node-1",
                "/m/web.yaml:4:43 spec.restartPolice: unknown field; did you mean restartPolicy?");
    assert_file("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nkind: Pod\nspec: {containers: [{"
                "name: c, image: a}]}\n",
                "Pod default/web-node-1",
                "/m/web.yaml:4:1 kind: is set twice, first at line 2 column 1; the last one wins");
}

static void test_references_to_configuration(void **state)
{
    static const char *const text = "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: "
                                    "{containers: [{name: c, image: a, "
                                    "envFrom: [{secretRef: {name: s}}]}]}}";

    assert_file(text, "",
                "/m/web.yaml:1:118! spec.containers[0].envFrom[0].secretRef: a static pod may not "
                "reference secrets");
    assert_config(text, "Pod default/web-node-1", "");
}

static void test_several_objects_with_configuration(void **state)
{
    assert_config(POD("a") "\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}\n---\n"
                           "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: ns}}\n"
                           "---\n" POD("b"),
                  "Pod default/a-node-1, ConfigMap default/c, Secret ns/s, Pod default/b-node-1",
                  "");
    /* All or nothing */
    assert_config(POD("a") "\n---\n{apiVersion: v1, kind: Service, metadata: {name: c}, spec: "
                           "{ports: [{port: 1}]}}\n",
                  "",
                  "/m/web.yaml:3:24! kind: Service cannot be given to a node like this; Pod, "
                  "ConfigMap and Secret can");
    assert_config(
        POD("a") "\n---\na: [\n---\n" POD("b"), "",
        "/m/web.yaml:4:1! not YAML: while parsing a flow node, did not find expected node "
        "content");
    assert_config("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {serviceAccountName: a,"
                  " containers: [{name: c, image: a}]}}",
                  "",
                  "/m/web.yaml:1:83! spec.serviceAccountName: a static pod may not reference "
                  "serviceaccounts");
}

static void test_a_url_has_pods(void **state)
{
    assert_url(POD("a"), "Pod default/a-node-1", "");
    assert_url("{apiVersion: v1, kind: PodList, items: [" POD("a") ", {metadata: {name: b}, spec: "
                                                                   "{containers: [{name: c, image: "
                                                                   "a}]}}]}",
               "Pod default/a-node-1, Pod default/b-node-1", "");
    assert_url("{apiVersion: v1, kind: PodList, items: []}", "", "");
    assert_url("", "", "");
    assert_url("\n", "",
               "http://h/m! line 1 column 1: has no object in it; an empty answer would mean no "
               "pods");
    assert_url("{apiVersion: v1, kind: PodList}", "", "");
    assert_url("{apiVersion: v1, kind: PodList, items: {}}", "",
               "http://h/m! line 1 column 44: items: must be a list, not an object");
    /* Any member rejects the whole. */
    assert_url("{apiVersion: v1, kind: PodList, items: [" POD("a") ", {metadata: {name: b}}]}", "",
               "http://h/m! line 1 column 138: items[1].spec.containers: must hold at least one "
               "container");
    assert_url("{apiVersion: v1, kind: PodList, items: [7]}", "",
               "http://h/m! line 1 column 45: items[0]: must be an object, not a number");
    assert_url("{apiVersion: v1, kind: PodList, items: [{kind: ConfigMap, apiVersion: v1, "
               "metadata: {name: "
               "a}}]}",
               "",
               "http://h/m! line 1 column 52: items[0].kind: ConfigMap cannot be given to a node "
               "like this; only a Pod can");
    assert_url("{apiVersion: v1, kind: List, items: []}", "",
               "http://h/m! line 1 column 28: kind: v1 List is not an object that a node agent "
               "reads");
    assert_url("<html>", "", "http://h/m! line 1 column 1: must be an object, not a string");
}

static void test_configuration_does_not_come_from_urls(void **state)
{
    struct manifest_origin origin = origin_of(MANIFEST_URL);

    origin.config_objects = true;
    assert_reads(&origin, "{apiVersion: v1, kind: Secret, metadata: {name: a}}", "",
                 "http://h/m! line 1 column 28: kind: Secret cannot be given to a node like this; "
                 "only a Pod can");
}

static void test_many_findings(void **state)
{
    struct strbuf text = STRBUF_INIT;
    struct manifest *manifest;
    char sentence[64];

    strbuf_add(&text, "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [");
    for (int i = 0; i < 2000; i++)
        strbuf_add(&text, "{name: 1, image: a}, ");
    strbuf_add(&text, "]}}");
    manifest = read_file_text(text.text);
    assert_false(manifest->good);
    assert_int_equal(manifest->problems.count, MANIFEST_PROBLEMS_MAX + 1);
    snprintf(sentence, sizeof(sentence), "%d more findings", 2000 - MANIFEST_PROBLEMS_MAX);
    assert_string_equal(manifest->problems.items[MANIFEST_PROBLEMS_MAX].sentence, sentence);
    assert_true(manifest->problems.items[MANIFEST_PROBLEMS_MAX].refused);
    manifest_free(manifest);
    strbuf_deinit(&text);
}

static void test_too_many_objects(void **state)
{
    struct manifest_origin origin = origin_of(MANIFEST_FILE);
    struct strbuf text = STRBUF_INIT;

    origin.config_objects = true;
    for (int i = 0; i <= MANIFEST_OBJECTS_MAX; i++)
        strbuf_printf(&text, "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d}}\n", i);
    assert_reads(&origin, text.text, "",
                 "/m/web.yaml:8194:1! is one object more than the 4096 allowed here");
    strbuf_deinit(&text);
}

static void test_what_is_the_same_is_kept(void **state)
{
    struct manifest_origin origin = origin_of(MANIFEST_FILE);
    struct manifest *before, *after;
    struct object *a, *b;

    origin.config_objects = true;
    before = read_text(&origin, POD("a") "\n---\n" POD("b"));
    a = before->objects.items[0].object;
    b = before->objects.items[1].object;
    origin.seen++;
    after = read_text(&origin,
                      "# new\n---\n" POD("c") "\n---\n" POD(
                          "b") "\n---\n{metadata: {name: "
                               "a, labels: {x: z}}, apiVersion: v1, kind: Pod, spec: {containers: "
                               "[{name: c, image: a}]}}");
    manifest_keep_same(after, before);
    assert_int_equal(after->objects.count, 3);
    assert_ptr_equal(after->objects.items[1].object, b);
    assert_ptr_not_equal(after->objects.items[2].object, a);
    manifest_free(before);
    manifest_free(after);
    /* The same text with another UID is another pod. */
    before = read_text(&origin, "{apiVersion: v1, kind: Pod, metadata: {name: a, uid: x}, spec: "
                                "{containers: [{name: c, image: a}]}}");
    after = read_text(&origin, POD("a"));
    assert_string_equal(after->objects.items[0].digest, before->objects.items[0].digest);
    a = before->objects.items[0].object;
    manifest_keep_same(after, before);
    assert_ptr_not_equal(after->objects.items[0].object, a);
    manifest_free(before);
    manifest_free(after);
    assert_null(manifest_free(NULL));
}

static void test_only_a_problem(void **state)
{
    struct manifest *manifest = manifest_problem("/m", true, "is %s\n", "odd");

    assert_false(manifest->good);
    assert_string_equal(manifest->problems.items[0].place, "/m");
    assert_string_equal(manifest->problems.items[0].sentence, "is odd?");
    manifest_free(manifest);
    manifest = manifest_problem("/m", false, "is odd");
    assert_true(manifest->good);
    manifest_free(manifest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_has_one_pod),
        cmocka_unit_test(test_only_the_first_document_counts),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_references_to_configuration),
        cmocka_unit_test(test_several_objects_with_configuration),
        cmocka_unit_test(test_a_url_has_pods),
        cmocka_unit_test(test_configuration_does_not_come_from_urls),
        cmocka_unit_test(test_many_findings),
        cmocka_unit_test(test_too_many_objects),
        cmocka_unit_test(test_what_is_the_same_is_kept),
        cmocka_unit_test(test_only_a_problem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
