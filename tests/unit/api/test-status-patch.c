/* api/status-patch: what is told of a pod's status. */
#include "test.h"

#include "nodeagent/api/status_patch.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct object *decode(const char *status)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings findings;
    struct json *document;
    struct report report;
    struct object *object;
    struct err err;
    char *text = mem_printf("{'metadata':{'name':'p','namespace':'n'},'spec':{'containers':"
                            "[{'name':'c','image':'i'}]},'status':%s}",
                            status);

    for (char *c = text; *c; c++)
        if (*c == '\'')
            *c = '"';
    assert_int_equal(
        json_parse(&arena, text, strlen(text), &json_limits_manifest, &findings, &document, &err),
        0);
    report_init(&report, document);
    object = object_decode_as(&object_kind_pod, document, OBJECT_DROP_RAW, &report);
    assert_non_null(object);
    report_deinit(&report);
    arena_deinit(&arena);
    free(text);
    return object;
}

/* `expected` is the patch's status; NULL: there is nothing to tell. */
static enum status_change check(const char *server, const char *agent, const char *expected)
{
    struct object *seen = decode(server), *now = decode(agent);
    struct strbuf patch = STRBUF_INIT;
    enum status_change change = status_patch(pod_of(seen), &pod_of(now)->status, "u", NULL, &patch);
    char *whole = mem_printf("{\"metadata\":{\"uid\":\"u\"},\"status\":%s}", expected);

    for (char *c = whole; *c; c++)
        if (*c == '\'')
            *c = '"';
    assert_int_equal(change != STATUS_SAME, expected != NULL);
    if (expected)
        assert_string_equal(patch.text, whole);
    else
        assert_int_equal(patch.length, 0);
    strbuf_deinit(&patch);
    free(whole);
    object_unref(seen);
    object_unref(now);
    return change;
}

static void test_what_the_server_has_is_not_told(void **state)
{
    static const char *const status =
        "{'phase':'Running','podIP':'10.0.0.1','podIPs':[{'ip':'10.0.0.1'}],'conditions':[{'type':"
        "'Ready','status':'True'}],'containerStatuses':[{'name':'c','ready':true}]}";

    check(status, status, NULL);
    check("{}", "{}", NULL);
}

static void test_what_differs_is_told(void **state)
{
    check("{'phase':'Pending','reason':'X','qosClass':'Burstable'}",
          "{'phase':'Running','qosClass':'Burstable','observedGeneration':2}",
          "{'observedGeneration':2,'phase':'Running','reason':null}");
}

static void test_lists_of_containers_are_whole(void **state)
{
    check("{'containerStatuses':[{'name':'a','image':'i','imageID':'','ready':false,"
          "'restartCount':0,'state':{},'lastState':{}}]}",
          "{'phase':'Running'}", "{'phase':'Running','containerStatuses':null}");
}

/* API check 37 */
static void test_an_old_address_is_taken_out(void **state)
{
    check("{'podIP':'10.0.0.1','podIPs':[{'ip':'10.0.0.1'},{'ip':'fd::1'}]}",
          "{'podIP':'10.0.0.2','podIPs':[{'ip':'10.0.0.2'},{'ip':'fd::1'}]}",
          "{'podIP':'10.0.0.2','$setElementOrder/podIPs':[{'ip':'10.0.0.2'},{'ip':'fd::1'}],"
          "'podIPs':[{'ip':'10.0.0.2'},{'ip':'fd::1'},{'$patch':'delete','ip':'10.0.0.1'}]}");
    check("{'podIP':'10.0.0.1','podIPs':[{'ip':'10.0.0.1'}]}", "{}",
          "{'podIP':null,'podIPs':[{'$patch':'delete','ip':'10.0.0.1'}]}");
}

/* API check 36: a foreign condition is not touched, whatever the agent knows of it. */
static void test_conditions_of_others_are_left_alone(void **state)
{
    check("{'conditions':[{'type':'example.com/gate','status':'True'},{'type':'Ready','status':"
          "'False','reason':'R','message':'M'}]}",
          "{'conditions':[{'type':'example.com/gate','status':'False'},{'type':'Ready','status':"
          "'True'}]}",
          "{'conditions':[{'type':'Ready','status':'True','lastProbeTime':null,"
          "'lastTransitionTime':null,'reason':null,'message':null}]}");
    check("{'conditions':[{'type':'example.com/gate','status':'True'}]}", "{}", NULL);
}

static void test_a_condition_that_is_not_said_any_more(void **state)
{
    check("{'conditions':[{'type':'PodScheduled','status':'True'},{'type':'X','status':'True'}]}",
          "{'phase':'Failed'}",
          "{'phase':'Failed','conditions':[{'$patch':'delete','type':'PodScheduled'}]}");
}

static void test_only_conditions_that_differ_are_told(void **state)
{
    check("{'conditions':[{'type':'Initialized','status':'True'},{'type':'Ready','status':"
          "'True'}]}",
          "{'conditions':[{'type':'Initialized','status':'True'},{'type':'Ready','status':"
          "'False','observedGeneration':1}]}",
          "{'conditions':[{'type':'Ready','observedGeneration':1,'status':'False',"
          "'lastProbeTime':null,'lastTransitionTime':null}]}");
}

static void test_what_others_wait_for_is_news(void **state)
{
    static const char *const details =
        "{'phase':'Running','reason':'X','conditions':[{'type':'Ready','status':'False','message':"
        "'one'}]}";

    assert_int_equal(check("{'phase':'Pending'}", "{'phase':'Running'}", "{'phase':'Running'}"),
                     STATUS_NEWS);
    assert_int_equal(check(details,
                           "{'phase':'Running','conditions':[{'type':'Ready','status':'False',"
                           "'message':'two'}]}",
                           "{'reason':null,'conditions':[{'type':'Ready','status':'False',"
                           "'lastProbeTime':null,'lastTransitionTime':null,'message':'two'}]}"),
                     STATUS_DETAIL);
    assert_int_equal(check(details,
                           "{'phase':'Running','reason':'X','conditions':[{'type':'Ready',"
                           "'status':'True','message':'one'}]}",
                           "{'conditions':[{'type':'Ready','status':'True','lastProbeTime':null,"
                           "'lastTransitionTime':null,'message':'one'}]}"),
                     STATUS_NEWS);
}

static void test_a_precondition(void **state)
{
    struct object *seen = decode("{}"), *now = decode("{'phase':'Running'}");
    struct strbuf patch = STRBUF_INIT;

    assert_int_equal(status_patch(pod_of(seen), &pod_of(now)->status, "u", "7", &patch),
                     STATUS_NEWS);
    assert_string_equal(patch.text, "{\"metadata\":{\"uid\":\"u\",\"resourceVersion\":\"7\"},"
                                    "\"status\":{\"phase\":\"Running\"}}");
    strbuf_deinit(&patch);
    object_unref(seen);
    object_unref(now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_server_has_is_not_told),
        cmocka_unit_test(test_what_differs_is_told),
        cmocka_unit_test(test_lists_of_containers_are_whole),
        cmocka_unit_test(test_an_old_address_is_taken_out),
        cmocka_unit_test(test_conditions_of_others_are_left_alone),
        cmocka_unit_test(test_a_condition_that_is_not_said_any_more),
        cmocka_unit_test(test_only_conditions_that_differ_are_told),
        cmocka_unit_test(test_what_others_wait_for_is_news),
        cmocka_unit_test(test_a_precondition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
