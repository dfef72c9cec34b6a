/* objects/event: the two Event kinds. */
#include "document.h"

#include "nodeagent/objects/event.h"

static void test_round_trip_v1(void **state)
{
    static const char text[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\",\"namespace\":"
        "\"n\"},\"involvedObject\":{\"kind\":\"Pod\",\"namespace\":\"n\",\"name\":\"p\","
        "\"uid\":\"u\",\"apiVersion\":\"v1\",\"resourceVersion\":\"1\",\"fieldPath\":\"f\"},"
        "\"reason\":\"R\",\"message\":\"m\",\"source\":{\"component\":\"c\",\"host\":\"h\"},"
        "\"firstTimestamp\":\"2026-01-02T03:04:05Z\",\"lastTimestamp\":\"2026-01-02T03:04:06Z\","
        "\"count\":2,\"type\":\"Normal\",\"eventTime\":\"2026-01-02T03:04:05.000001Z\","
        "\"series\":{\"count\":2,\"lastObservedTime\":\"2026-01-02T03:04:05.000002Z\"},"
        "\"action\":\"A\",\"related\":{\"name\":\"q\"},\"reportingComponent\":\"rc\","
        "\"reportingInstance\":\"ri\"}";

    assert_encoded(text, text);
}

static void test_round_trip_events(void **state)
{
    static const char text[] =
        "{\"apiVersion\":\"events.k8s.io/v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"e\","
        "\"namespace\":\"n\"},\"eventTime\":\"2026-01-02T03:04:05.000001Z\",\"series\":{"
        "\"count\":2,\"lastObservedTime\":\"2026-01-02T03:04:05.000002Z\"},"
        "\"reportingController\":\"rc\",\"reportingInstance\":\"ri\",\"action\":\"A\","
        "\"reason\":\"R\",\"regarding\":{\"name\":\"p\"},\"related\":{\"name\":\"q\"},"
        "\"note\":\"m\",\"type\":\"Normal\",\"deprecatedSource\":{\"component\":\"c\"},"
        "\"deprecatedFirstTimestamp\":\"2026-01-02T03:04:05Z\","
        "\"deprecatedLastTimestamp\":\"2026-01-02T03:04:06Z\",\"deprecatedCount\":2}";
    struct document document;

    assert_encoded(text, text);
    document_read(&document, text);
    assert_string_equal(event_of(document.object)->message, "m");
    assert_string_equal(event_of(document.object)->involved_object.name, "p");
    document_deinit(&document);
}

static void test_older(void **state)
{
    static const struct finding_case cases[] = {
        {"metadata: {name: E_1}, type: Any", ""},
        {"metadata: {name: e, namespace: kube-system}", "Invalid involvedObject.namespace"},
        {"metadata: {name: e, namespace: a}, involvedObject: {namespace: a}", ""},
        {"metadata: {name: e, namespace: a}, involvedObject: {namespace: b}",
         "Invalid involvedObject.namespace"},
        {"metadata: {name: a/b, namespace: a}, involvedObject: {namespace: b}",
         "Invalid involvedObject.namespace"},
        {"metadata: {name: a/b}", "Invalid metadata.name"},
        {"metadata: {name: e, namespace: A_}, involvedObject: {namespace: A_}",
         "Invalid namespace"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Event, %s}", "", cases);
}

static void test_newer(void **state)
{
    static const struct finding_case cases[] = {
        {"reportingComponent: a/b, reportingInstance: i, action: a, reason: r", ""},
        {"series: {}", "Required reportingComponent, Required reportingInstance, Required action, "
                       "Required reason"},
        {"reportingComponent: a b, reportingInstance: i, action: a, reason: "
         "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"
         "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr",
         "Invalid reportingComponent, Invalid reason"},
        {0},
    };
    char *message = mem_zalloc(1026), *yaml;

    assert_cases("{apiVersion: v1, kind: Event, metadata: {name: e, namespace: kube-system}, "
                 "eventTime: '2026-01-02T03:04:05.000001Z', %s}",
                 "", cases);
    memset(message, 'm', 1025);
    yaml = mem_printf("{apiVersion: v1, kind: Event, metadata: {name: e, namespace: a}, "
                      "eventTime: '2026-01-02T03:04:05.000001Z', reportingComponent: c, "
                      "reportingInstance: i, action: a, reason: r, message: %s}",
                      message);
    assert_findings(yaml, "", "Invalid involvedObject.namespace, Invalid message");
    free(yaml);
    free(message);
}

static void test_events(void **state)
{
    static const struct finding_case cases[] = {
        {"type: Warning", ""},
        {"type: normal, deprecatedCount: 1, deprecatedSource: {host: h}, series: {count: 1}",
         "Invalid type, Invalid series.count, Required series.lastObservedTime, Invalid count, "
         "Invalid source"},
        {"type: Normal, deprecatedSource: {}, deprecatedCount: 0, deprecatedFirstTimestamp: null",
         ""},
        {0},
    };

    assert_cases("{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: e}, eventTime: "
                 "'2026-01-02T03:04:05.000001Z', reportingController: c, reportingInstance: i, "
                 "action: a, reason: r, %s}",
                 "", cases);
    assert_findings("{apiVersion: events.k8s.io/v1, kind: Event, metadata: {name: E}}", "",
                    "Invalid metadata.name, Required eventTime, Invalid type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_v1), cmocka_unit_test(test_round_trip_events),
        cmocka_unit_test(test_older),         cmocka_unit_test(test_newer),
        cmocka_unit_test(test_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
