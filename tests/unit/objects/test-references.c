/* objects/references: every place where a pod may name a ConfigMap or a Secret. */
#include "test.h"

#include "nodeagent/base/str.h"
#include "nodeagent/objects/references.h"

#include <string.h>

static const char pod[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"},"
    "\"spec\":{\"imagePullSecrets\":[{\"name\":\"pull\"},{}],"
    "\"initContainers\":[{\"name\":\"i\",\"image\":\"i\",\"envFrom\":[{\"configMapRef\":{\"name\":"
    "\"init\"}}]}],"
    "\"containers\":[{\"name\":\"c\",\"image\":\"i\",\"envFrom\":[{\"secretRef\":{\"name\":"
    "\"from\"}}],\"env\":[{\"name\":\"a\",\"value\":\"v\"},{\"name\":\"b\",\"valueFrom\":"
    "{\"configMapKeyRef\":{\"name\":\"key\",\"key\":\"k\"}}},{\"name\":\"c\",\"valueFrom\":"
    "{\"secretKeyRef\":{\"name\":\"skey\",\"key\":\"k\"}}},{\"name\":\"d\",\"valueFrom\":"
    "{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}}]}],"
    "\"ephemeralContainers\":[{\"name\":\"e\",\"image\":\"i\",\"envFrom\":[{\"secretRef\":"
    "{\"name\":\"debug\"}}]}],"
    "\"volumes\":[{\"name\":\"v1\",\"secret\":{\"secretName\":\"vs\"}},{\"name\":\"v2\","
    "\"configMap\":{\"name\":\"vc\"}},{\"name\":\"v3\",\"emptyDir\":{}},{\"name\":\"v4\","
    "\"projected\":{\"sources\":[{\"secret\":{\"name\":\"ps\"}},{\"configMap\":{\"name\":\"pc\"}},"
    "{\"downwardAPI\":{}}]}}]}}";

static void take(void *owner, const struct object_kind *kind, const char *name)
{
    strbuf_printf(owner, "%c:%s ", *kind->name, name);
}

static void test_all_places(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct strbuf told = STRBUF_INIT;
    struct json_findings findings;
    struct json *document;
    struct report report;
    struct object *object;
    struct err err;

    assert_int_equal(
        json_parse(&arena, pod, strlen(pod), &json_limits_manifest, &findings, &document, &err), 0);
    report_init(&report, document);
    object = object_decode(document, OBJECT_DROP_RAW, &report);
    assert_non_null(object);
    pod_references(pod_of(object), take, &told);
    assert_string_equal(told.text,
                        "S:pull C:init S:from C:key S:skey S:debug S:vs C:vc S:ps C:pc ");
    object_unref(object);
    report_deinit(&report);
    arena_deinit(&arena);
    strbuf_deinit(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
