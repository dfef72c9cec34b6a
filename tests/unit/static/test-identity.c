/* static/identity: the golden UIDs, what changes one and what does not, and what else is given. */
#include "text.h"

#include "nodeagent/objects/secret.h"

#include <stdio.h>

#define PLAIN                                                                                      \
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: c\n"       \
    "    image: busybox\n"

/* Many kinds of values: maps, quantities, numbers, booleans, optional zeros, nested lists. */
#define RICH                                                                                       \
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: rich\n  namespace: kube-system\n"               \
    "  labels: {b: '2', a: '1'}\n  annotations: {note: \"\\u00e9\\n\"}\n"                          \
    "spec:\n  hostNetwork: true\n  priorityClassName: system-node-critical\n"                      \
    "  terminationGracePeriodSeconds: 0\n  securityContext: {runAsUser: 0, runAsNonRoot: false}\n" \
    "  tolerations: [{key: k, operator: Exists}]\n"                                                \
    "  initContainers: [{name: i, image: 'a:1', args: ['', x]}]\n"                                 \
    "  containers:\n  - name: c\n    image: a:2\n    env: [{name: A, value: b}, {name: E}]\n"      \
    "    resources: {requests: {memory: 64Mi, cpu: 250m}, limits: {cpu: '1.5'}}\n"                 \
    "    livenessProbe: {httpGet: {port: http, path: /z}, periodSeconds: 5}\n"                     \
    "    ports: [{name: http, containerPort: 80, hostPort: 80}]\n"                                 \
    "    volumeMounts: [{name: v, mountPath: /v, readOnly: true}]\n"                               \
    "  volumes: [{name: v, hostPath: {path: /srv, type: Directory}}, {name: e, emptyDir: {}}]\n"

static void assert_uid(const struct manifest_origin *origin, const char *text, const char *uid)
{
    struct manifest *manifest = read_text(origin, text);
    char *problems = problems_of(manifest);

    assert_string_equal(problems, "");
    assert_int_equal(manifest->objects.count, 1);
    assert_string_equal(manifest->objects.items[0].object->metadata.uid, uid);
    manifest_free(manifest);
    free(problems);
}

/*
 * FROZEN. When one of these fails, do not change the figure: every static pod of every node would
 * be restarted by an upgrade. Make the digest what it was (static/identity.c).
 */
static void test_golden(void **state)
{
    struct manifest_origin file = origin_of(MANIFEST_FILE), url = origin_of(MANIFEST_URL),
                           other = file;

    assert_uid(&file, PLAIN, "f498be7eee80641a3422f27037513f57");
    assert_uid(&file, RICH, "5a4aff04b7b0a6286967421679588954");
    assert_uid(&url, PLAIN, "c0e27075982b6736b3f4b39bcf4d0c9c");
    other.node_name = "node-2";
    assert_uid(&other, PLAIN, "a0a62e89606872bf1c7c4e5c78dd8622");
    other = file;
    other.place = "/m/web.yml";
    assert_uid(&other, PLAIN, "d438c4a331fe24bdf72583e18794d987");
    file.config_objects = true;
    assert_uid(&file, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v, a: ''}\n",
               "e6fad3e53d37e38c53209b5dd8354daa");
    assert_uid(&file,
               "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {k: AAEC}\n"
               "stringData: {t: text}\n",
               "e35797b920dbfd72dca4991b7dcd04b4");
}

static char *uid_of(const char *text)
{
    struct manifest *manifest = read_file_text(text);
    char *uid = mem_strdup(manifest->good && manifest->objects.count
                               ? manifest->objects.items[0].object->metadata.uid
                               : "nothing");

    manifest_free(manifest);
    return uid;
}

static void compare(const char *text, bool same)
{
    char *plain = uid_of(PLAIN), *uid = uid_of(text);

    assert_string_not_equal(uid, "nothing");
    if (!strcmp(plain, uid) != same)
        fail_msg("the UID is %s:\n%s", same ? "another" : "the same", text);
    free(plain);
    free(uid);
}

#define POD_WITH(metadata, spec, container)                                                        \
    "{apiVersion: v1, kind: Pod, metadata: {name: web" metadata                                    \
    "}, spec: {containers: [{name: c, "                                                            \
    "image: busybox" container "}]" spec "}}"

static void test_what_does_not_change_it(void **state)
{
    static const char *const texts[] = {
        "# why\n" PLAIN "\n\n# more\n",
        "kind: Pod\napiVersion: v1\nspec:\n  containers: [{image: 'busybox', name: \"c\"}]\n"
        "metadata: {name: web}\n",
        "{\"spec\":{\"containers\":[{\"image\":\"busybox\",\"name\":\"c\"}]},\"metadata\":{"
        "\"name\":"
        "\"web\"},\"kind\":\"Pod\",\"apiVersion\":\"v1\"}",
        POD_WITH("", "", ""),
        POD_WITH(", namespace: default", "", ""),
        /* What an API server added when the manifest was read from there */
        POD_WITH(", resourceVersion: '12', generation: 3, creationTimestamp: "
                 "'2026-01-01T00:00:00Z', deletionTimestamp: '2026-01-01T00:00:00Z', "
                 "deletionGracePeriodSeconds: 3, selfLink: /x, managedFields: [{}]",
                 ", nodeName: elsewhere", ""),
        "{apiVersion: v1, kind: Pod, metadata: {name: web}, status: {phase: Failed, podIP: "
        "10.0.0.1}"
        ", spec: {containers: [{name: c, image: busybox}]}}",
        POD_WITH(", annotations: {kubernetes.io/config.hash: a, kubernetes.io/config.seen: b, "
                 "kubernetes.io/config.source: api, kubernetes.io/config.mirror: c}",
                 "", ""),
        /* What nobody understands */
        POD_WITH("", ", unheardOf: 1", ""),
        POD_WITH("", ", hostPID: false, hostname: '', tolerations: []", ", command: []"),
    };

    for (size_t i = 0; i < array_size(texts); i++)
        compare(texts[i], true);
}

static void test_what_changes_it(void **state)
{
    static const char *const texts[] = {
        POD_WITH("2", "", ""),
        POD_WITH(", namespace: other", "", ""),
        POD_WITH(", labels: {a: b}", "", ""),
        POD_WITH(", annotations: {a: b}", "", ""),
        POD_WITH("", "", ":2"),
        POD_WITH("", "", ", command: ['']"),
        POD_WITH("", ", hostPID: true", ""),
        POD_WITH("", ", terminationGracePeriodSeconds: 0", ""),
        POD_WITH("", ", securityContext: {runAsUser: 0}", ""),
        POD_WITH("", ", volumes: [{name: a, emptyDir: {}}]", ""),
        POD_WITH("", ", tolerations: [{operator: Exists}]", ""),
        POD_WITH("", "", ", env: [{name: A}]"),
        POD_WITH("", "", "}, {name: d, image: busybox"),
        /* Also a default, written out: the digest must not depend on what the defaults are. */
        POD_WITH("", ", restartPolicy: Always", ""),
    };

    for (size_t i = 0; i < array_size(texts); i++)
        compare(texts[i], false);
}

static void test_neighbours_do_not_run_together(void **state)
{
    static const char *const pairs[][2] = {
        {POD_WITH("", "", ", args: [ab, c]"), POD_WITH("", "", ", args: [a, bc]")},
        {POD_WITH("", "", ", args: [a], command: []"), POD_WITH("", "", ", command: [a]")},
        {POD_WITH(", labels: {a: bc}", "", ""), POD_WITH(", labels: {ab: c}", "", "")},
        {POD_WITH(", labels: {a: '1', b: '2'}", "", ""),
         POD_WITH(", labels: {a: '2', b: '1'}", "", "")},
        {POD_WITH("", "", ", args: ['1:a']"), POD_WITH("", "", ", args: [a]")},
    };

    for (size_t i = 0; i < array_size(pairs); i++) {
        char *a = uid_of(pairs[i][0]), *b = uid_of(pairs[i][1]);

        assert_string_not_equal(a, b);
        free(a);
        free(b);
    }
    /* but the order in a map does */
    compare(POD_WITH(", labels: {b: '2', a: '1'}", "", ""), false);
    char *a = uid_of(POD_WITH(", labels: {b: '2', a: '1'}", "", "")),
         *b = uid_of(POD_WITH(", labels: {a: '1', b: '2'}", "", ""));

    assert_string_equal(a, b);
    free(a);
    free(b);
    a = uid_of(POD_WITH("", "", ", resources: {limits: {cpu: 0.5}}"));
    b = uid_of(POD_WITH("", "", ", resources: {limits: {cpu: 500m}}"));
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static const char *annotation(const struct object *object, const char *name)
{
    return string_map_get(&object->metadata.annotations, name);
}

static void test_what_a_pod_is_given(void **state)
{
    struct manifest *manifest =
        read_file_text(POD_WITH(", annotations: {z: w, kubernetes.io/config.mirror: x}",
                                ", tolerations: [{key: k}], nodeName: elsewhere", ""));
    struct object *object = manifest->objects.items[0].object;
    struct pod *pod = pod_of(object);

    assert_string_equal(object->metadata.name, "web-node-1");
    assert_string_equal(object->metadata.name_space, "default");
    assert_int_equal(strlen(object->metadata.uid), 32);
    assert_int_equal(strspn(object->metadata.uid, "0123456789abcdef"), 32);
    assert_string_equal(manifest->objects.items[0].digest, object->metadata.uid);
    assert_int_equal(object->metadata.annotations.count, 5);
    assert_string_equal(annotation(object, "z"), "w");
    assert_string_equal(annotation(object, "kubernetes.io/config.hash"), object->metadata.uid);
    assert_string_equal(annotation(object, "kubernetes.io/config.source"), "file");
    assert_string_equal(annotation(object, "nodeagent.dev/static-uid"), "v1");
    assert_string_equal(annotation(object, "kubernetes.io/config.seen"),
                        "2026-01-02T03:04:05.000001Z");
    assert_string_equal(pod->spec.node_name, "node-1");
    assert_string_equal(pod->spec.restart_policy, "Always");
    assert_string_equal(pod->status.phase, "Pending");
    assert_int_equal(pod->spec.tolerations.count, 2);
    assert_string_equal(pod->spec.tolerations.items[0].key, "k");
    assert_string_equal(pod->spec.tolerations.items[1].operator_, "Exists");
    assert_string_equal(pod->spec.tolerations.items[1].effect, "NoExecute");
    /* The document stays what was written. */
    assert_non_null(strstr(object->raw, "\"name\":\"web\""));
    assert_non_null(strstr(object->raw, "elsewhere"));
    manifest_free(manifest);
}

static void test_what_a_pod_of_a_url_is_given(void **state)
{
    struct manifest_origin origin = origin_of(MANIFEST_URL);
    struct manifest *manifest = read_text(&origin, PLAIN);
    struct object *object = manifest->objects.items[0].object;

    assert_string_equal(object->metadata.name, "web-node-1");
    assert_string_equal(annotation(object, "kubernetes.io/config.source"), "http");
    assert_int_equal(pod_of(object)->spec.tolerations.count, 0);
    manifest_free(manifest);
}

static void test_configuration_keeps_its_name(void **state)
{
    struct manifest_origin origin = origin_of(MANIFEST_FILE);
    struct manifest *manifest;
    struct object *object;

    origin.config_objects = true;
    manifest = read_text(&origin, "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n");
    object = manifest->objects.items[0].object;
    assert_string_equal(object->metadata.name, "s");
    assert_string_equal(object->metadata.name_space, "default");
    assert_int_equal(object->metadata.annotations.count, 0);
    assert_string_equal(secret_of(object)->type, "Opaque");
    manifest_free(manifest);
}

static void test_given_uids(void **state)
{
    static const char *const good[] = {"a", "0cf8-4a.b_c", "12345678-1234-1234-1234-123456789012"},
                             *const bad[] = {"../../etc", "a/b", ".",   "..",
                                             ".a",        "-a",  "a b", "\\u00e9"};
    char text[512];

    for (size_t i = 0; i < array_size(good); i++) {
        struct manifest *manifest;

        snprintf(text, sizeof(text), POD_WITH(", uid: '%s'", "", ""), good[i]);
        manifest = read_file_text(text);
        assert_true(manifest->good);
        assert_string_equal(manifest->objects.items[0].object->metadata.uid, good[i]);
        assert_string_equal(
            annotation(manifest->objects.items[0].object, "kubernetes.io/config.hash"), good[i]);
        assert_int_equal(strlen(manifest->objects.items[0].digest), 32);
        manifest_free(manifest);
    }
    for (size_t i = 0; i < array_size(bad); i++) {
        struct manifest *manifest;

        snprintf(text, sizeof(text), POD_WITH(", uid: \"%s\"", "", ""), bad[i]);
        manifest = read_file_text(text);
        assert_false(manifest->good);
        assert_non_null(strstr(manifest->problems.items[0].sentence, "metadata.uid: must be"));
        manifest_free(manifest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_what_does_not_change_it),
        cmocka_unit_test(test_what_changes_it),
        cmocka_unit_test(test_neighbours_do_not_run_together),
        cmocka_unit_test(test_what_a_pod_is_given),
        cmocka_unit_test(test_what_a_pod_of_a_url_is_given),
        cmocka_unit_test(test_configuration_keeps_its_name),
        cmocka_unit_test(test_given_uids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
