/* api/watch-event: what streams and lists say. */
#include "test.h"

#include "watch-event.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN "/api/v1/configmaps"

struct told {
    struct strbuf text; /* "SET ns/name version;" */
    struct api_failure failure;
    char *next;
};

static void tell(void *owner, const struct watch_event *event)
{
    static const char *const types[] = {"SET", "GONE", "MARK"};
    struct told *told = owner;

    strbuf_printf(&told->text, "%s %s %s%s%s;", types[event->type], event->key ? event->key : "-",
                  event->version ? event->version : "-",
                  event->type == WATCH_SET && !event->object ? " not understood" : "",
                  event->ends_set ? " end" : "");
}

/* With single quotes. */
static char *quoted(const char *text)
{
    char *copy = mem_strdup(text);

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

static int read_line(struct told *told, const char *text)
{
    char *line = quoted(text);
    int r;

    strbuf_truncate(&told->text, 0);
    r = watch_event_read(&object_kind_config_map, SHOWN, line, strlen(line), tell, told,
                         &told->failure);
    free(line);
    return r;
}

static int read_list(struct told *told, const char *text)
{
    char *body = quoted(text);
    int r;

    strbuf_truncate(&told->text, 0);
    free(told->next);
    told->next = NULL;
    r = watch_list_read(&object_kind_config_map, SHOWN, body, strlen(body), tell, told, &told->next,
                        &told->failure);
    free(body);
    return r;
}

static void end(struct told *told)
{
    strbuf_deinit(&told->text);
    free(told->next);
}

static void test_events(void **state)
{
    static const struct {
        const char *line, *told;
    } cases[] = {
        {"{'type':'ADDED','object':{'metadata':{'namespace':'a','name':'b','uid':'u',"
         "'resourceVersion':'7'}}}",
         "SET a/b 7;"},
        {"{'type':'MODIFIED','object':{'metadata':{'namespace':'a','name':'b','uid':'u','"
         "resourceVersion':"
         "'8','managedFields':[{}]},'data':{'k':'v'}}}",
         "SET a/b 8;"},
        {"{'type':'ADDED','object':{'metadata':{'name':'b','uid':'u','resourceVersion':'9'}}}",
         "SET /b 9;"},
        {"{'type':'ADDED','object':{'metadata':{'namespace':'a','name':'b','uid':'u',"
         "'resourceVersion':'9'},'data':[]}}",
         "SET a/b 9 not understood;"},
        {"{'type':'DELETED','object':{'metadata':{'namespace':'a','name':'b','uid':'u',"
         "'resourceVersion':'10'},'data':[]}}",
         "GONE a/b 10;"},
        {"{'type':'BOOKMARK','object':{'metadata':{'resourceVersion':'11'}}}", "MARK - 11;"},
        {"{'type':'BOOKMARK','object':{'metadata':{'resourceVersion':'11','annotations':"
         "{'k8s.io/initial-events-end':'true'}}}}",
         "MARK - 11 end;"},
    };
    struct told told = {0};

    for (size_t i = 0; i < array_size(cases); i++) {
        assert_int_equal(read_line(&told, cases[i].line), 0);
        assert_string_equal(told.text.text, cases[i].told);
    }
    end(&told);
}

static void test_errors_are_the_servers(void **state)
{
    struct told told = {0};

    assert_int_equal(read_line(&told, "{'type':'ERROR','object':{'kind':'Status','code':410,"
                                      "'reason':'Expired','message':'too old'}}"),
                     -ESTALE);
    assert_int_equal(told.failure.code, 410);
    assert_string_equal(told.failure.reason, "Expired");
    assert_string_equal(told.failure.err.text, SHOWN ": the API server answers 410: too old");
    assert_true(read_line(&told, "{'type':'ERROR','object':{}}") < 0);
    assert_int_equal(told.failure.code, 500);
    end(&told);
}

static void test_garbage(void **state)
{
    static const char *const lines[] = {
        "",
        "<html>",
        "[]",
        "7",
        "{}",
        "{'type':'ADDED'}",
        "{'type':'ADDED','object':[]}",
        "{'type':'ADDED','object':{}}",
        "{'type':'ADDED','object':{'metadata':[]}}",
        "{'type':'ADDED','object':{'metadata':{'name':7}}}",
        "{'type':'ADDED','object':{'metadata':{'name':'a','uid':'u'}}}",
        "{'type':'ADDED','object':{'metadata':{'name':'a','uid':'','resourceVersion':'1'}}}",
        "{'type':7,'object':{'metadata':{'name':'a'}}}",
        "{'type':'SOLD','object':{'metadata':{'name':'a'}}}",
        "{'type':'ADDED','object':{'metadata':{'name':'a'}}",
    };
    struct told told = {0};

    for (size_t i = 0; i < array_size(lines); i++) {
        assert_int_equal(read_line(&told, lines[i]), -EBADMSG);
        assert_int_equal(told.failure.code, 0);
        assert_non_null(strstr(told.failure.err.text, SHOWN ": the API server's answer is not "
                                                            "understood: "));
        assert_int_equal(read_list(&told, lines[i]), -EBADMSG);
        assert_null(told.next);
    }
    end(&told);
}

static void test_lists(void **state)
{
    struct told told = {0};

    assert_int_equal(
        read_list(
            &told,
            "{'metadata':{'resourceVersion':'5','continue':'more'},"
            "'items':[{'metadata':{'namespace':'a','name':'b','uid':'u','resourceVersion':'1'}},"
            "{'metadata':{'namespace':'a','name':'c','uid':'v','resourceVersion':'1'},'data':7}]}"),
        0);
    assert_string_equal(told.text.text, "SET a/b -;SET a/c - not understood;MARK - 5;");
    assert_string_equal(told.next, "more");
    assert_int_equal(read_list(&told, "{'metadata':{'resourceVersion':'6'},'items':null}"), 0);
    assert_string_equal(told.text.text, "MARK - 6;");
    assert_null(told.next);
    end(&told);
}

/* Else each try to ask for it would fail. */
static void test_the_place_of_a_page_has_a_size(void **state)
{
    struct told told = {0};

    for (int length = 4096; length <= 4097; length++) {
        _cleanup_(mem_free_at) char *list = mem_printf(
            "{'metadata':{'resourceVersion':'5','continue':'%0*d'},'items':[]}", length, 0);

        assert_int_equal(read_list(&told, list), length > 4096 ? -EBADMSG : 0);
    }
    assert_non_null(strstr(told.failure.err.text, "its next page is not where a request can"));
    assert_null(told.next);
    end(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_errors_are_the_servers),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_the_place_of_a_page_has_a_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
