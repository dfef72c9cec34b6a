/* api/watch: what is known of objects, whatever becomes of the streams. The test is the server, the
 * clock and chance. */
#include "test.h"

#include "nodeagent/api/watch.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct api_call {
    char *path;
    bool stream;
    http_data_fn *data;
    api_done_fn *done;
    void *owner;
};

struct world {
    usec_t now;
    struct wheel *wheel;
    struct api_watch *watch;
    struct api_call *call; /* one at a time */
    struct api_waiter *waiter;
    int waits_after; /* the code of that failure */
    unsigned calls;
    struct strbuf told; /* "set ns/name@version;" */
    struct strbuf logged;
};

static struct world world;

/* what the room calls */

usec_t clock_boottime(void)
{
    return world.now;
}

usec_t chance_between(usec_t low, usec_t high)
{
    return low;
}

bool log_enabled(enum log_level level)
{
    return true;
}

void log_write(enum log_level level, const struct log_site *site, const struct log_field *fields,
               const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    strbuf_vprintf(&world.logged, format, arguments);
    strbuf_add_char(&world.logged, '\n');
    va_end(arguments);
}

struct api_call *api_begin(struct api *api, const struct api_request *request, api_done_fn *done,
                           void *owner)
{
    struct api_call *call = mem_new(struct api_call);

    assert_null(world.call);
    assert_string_equal(request->method, "GET");
    call->path = mem_strdup(request->path);
    call->data = request->data;
    call->done = done;
    call->owner = owner;
    world.call = call;
    world.calls++;
    return call;
}

static void forget_call(void)
{
    free(world.call->path);
    free(world.call);
    world.call = NULL;
}

void api_wait(struct api *api, struct api_waiter *waiter, const struct api_failure *failure)
{
    world.waiter = waiter;
    world.waits_after = failure->code;
}

void api_cancel(struct api_call *call)
{
    assert_ptr_equal(call, world.call);
    forget_call();
}

/* what the watch tells */

static void tell(const char *what, const struct object *object)
{
    strbuf_printf(&world.told, "%s %s/%s@%s;", what, object->metadata.name_space,
                  object->metadata.name, object->metadata.resource_version);
}

static void on_set(void *owner, struct object *object)
{
    tell("set", object);
}

static void on_gone(void *owner, struct object *object)
{
    tell("gone", object);
}

static void on_complete(void *owner)
{
    strbuf_add(&world.told, "complete;");
}

/* what the server does */

static void send(const char *text)
{
    char *line = mem_printf("%s\n", text);

    for (char *c = line; *c; c++)
        if (*c == '\'')
            *c = '"';
    world.call->data(world.call->owner, line, strlen(line));
    free(line);
}

static char *event(const char *type, const char *name, const char *version)
{
    return mem_printf("{'type':'%s','object':{'metadata':{'namespace':'a','name':'%s','uid':'%s',"
                      "'resourceVersion':'%s'}}}",
                      type, name, name, version);
}

static void send_event(const char *type, const char *name, const char *version)
{
    char *text = event(type, name, version);

    send(text);
    free(text);
}

static void send_end_of_set(const char *version)
{
    char *text = mem_printf("{'type':'BOOKMARK','object':{'metadata':{'resourceVersion':'%s',"
                            "'annotations':{'k8s.io/initial-events-end':'true'}}}}",
                            version);

    send(text);
    free(text);
}

static void end_call(int code, const char *reason, const char *body)
{
    struct api_call *call = world.call;
    struct api_failure failure = {.code = code};
    struct api_reply reply = {.body = body, .length = strlen(body)};

    if (code != 200) {
        err_set(&failure.err, -EIO, "the server says %d", code);
        snprintf(failure.reason, sizeof(failure.reason), "%s", reason);
        reply.failure = &failure;
    }
    world.call = NULL;
    call->done(call->owner, &reply);
    free(call->path);
    free(call);
}

static void pass(usec_t duration)
{
    struct wheel_timer *timer;

    world.now += duration;
    while ((timer = wheel_pop(world.wheel, world.now)))
        timer->fire(timer);
}

#define assert_told(expected)                                                                      \
    do {                                                                                           \
        assert_string_equal(world.told.text ? world.told.text : "", expected);                     \
        strbuf_truncate(&world.told, 0);                                                           \
    } while (0)

#define FIRST                                                                                      \
    "/api/v1/configmaps?fieldSelector=a%3Db&watch=true&allowWatchBookmarks=true&"                  \
    "timeoutSeconds=300&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
#define NEXT                                                                                       \
    "/api/v1/configmaps?fieldSelector=a%3Db&watch=true&allowWatchBookmarks=true&"                  \
    "timeoutSeconds=300&resourceVersion="
#define LIST "/api/v1/configmaps?fieldSelector=a%3Db&limit=100"
#define PAGE LIST "&"

static void begin_watch(bool lone)
{
    struct api_watch_options options = {
        .wheel = world.wheel,
        .kind = &object_kind_config_map,
        .path = "/api/v1/configmaps",
        .selector = "a=b",
        .lone = lone,
        .set = on_set,
        .gone = on_gone,
        .complete = on_complete,
    };

    world.watch = api_watch_new(&options);
}

static int begin_world(void **state)
{
    world = (struct world){.now = 1000 * USEC_PER_SEC};
    world.wheel = wheel_new(world.now);
    begin_watch(false);
    assert_string_equal(world.call->path, FIRST);
    return 0;
}

static int end_world(void **state)
{
    api_watch_free(world.watch);
    assert_null(world.call);
    assert_true(wheel_next(world.wheel) == USEC_NEVER);
    wheel_free(world.wheel);
    strbuf_deinit(&world.told);
    strbuf_deinit(&world.logged);
    return 0;
}

static void begin_with(const char *one, const char *two)
{
    if (one)
        send_event("ADDED", one, "1");
    if (two)
        send_event("ADDED", two, "2");
    send_end_of_set("5");
    strbuf_truncate(&world.told, 0);
}

/* API check 20 */
static void test_a_set_is_told_when_it_is_complete(void **state)
{
    send_event("ADDED", "one", "1");
    send_event("ADDED", "two", "2");
    assert_told("");
    assert_false(api_watch_is_complete(world.watch));
    send_end_of_set("5");
    assert_told("set a/one@1;set a/two@2;complete;");
    assert_true(api_watch_is_complete(world.watch));
    assert_string_equal(api_watch_find(world.watch, "a", "two")->metadata.resource_version, "2");
    assert_null(api_watch_find(world.watch, "a", "three"));
    send_event("MODIFIED", "one", "6");
    send_event("DELETED", "two", "7");
    send_event("ADDED", "three", "8");
    assert_told("set a/one@6;gone a/two@2;set a/three@8;");
    assert_int_equal(world.calls, 1);
}

static void test_an_empty_set_is_one(void **state)
{
    send_end_of_set("5");
    assert_told("complete;");
}

/* API check 23 */
static void test_a_stream_that_ends_goes_on_from_its_last_version(void **state)
{
    begin_with("one", NULL);
    send("{'type':'BOOKMARK','object':{'metadata':{'resourceVersion':'9'}}}");
    pass(300 * USEC_PER_SEC);
    end_call(200, "", "");
    assert_string_equal(world.call->path, NEXT "9");
    send_event("MODIFIED", "one", "12");
    assert_told("set a/one@12;");
    pass(300 * USEC_PER_SEC);
    end_call(0, "", "");
    assert_string_equal(world.call->path, NEXT "12");
    assert_told("");
}

/* API check 24 */
static void test_a_torn_event_is_read_again(void **state)
{
    char *text = event("ADDED", "two", "7");

    begin_with("one", NULL);
    world.call->data(world.call->owner, text, strlen(text) / 2);
    free(text);
    pass(2 * USEC_PER_SEC);
    end_call(0, "", "");
    assert_string_equal(world.call->path, NEXT "5");
    send_event("ADDED", "two", "7");
    assert_told("set a/two@7;");
}

static void test_pieces_of_any_size(void **state)
{
    char *text = event("ADDED", "two", "7");

    begin_with(NULL, NULL);
    for (char *c = text; *c; c++) {
        char byte = *c == '\'' ? '"' : *c;

        world.call->data(world.call->owner, &byte, 1);
    }
    assert_told("");
    world.call->data(world.call->owner, "\n\n", 2);
    assert_told("set a/two@7;");
    free(text);
}

/* API check 22 */
static void test_after_a_gap_all_is_compared(void **state)
{
    begin_with("one", "two");
    send("{'type':'ERROR','object':{'kind':'Status','code':410,'reason':'Expired'}}");
    assert_null(world.call);
    pass(USEC_PER_MSEC);
    assert_string_equal(world.call->path, FIRST "&resourceVersion=5");
    send_event("ADDED", "two", "2");
    send_event("ADDED", "three", "8");
    assert_told("");
    assert_non_null(api_watch_find(world.watch, "a", "one"));
    send_end_of_set("9");
    assert_told("gone a/one@1;set a/three@8;complete;");
}

static void test_what_came_back_under_its_name_is_another(void **state)
{
    begin_with("one", NULL);
    end_call(410, "Expired", "");
    pass(USEC_PER_MSEC);
    send("{'type':'ADDED','object':{'metadata':{'namespace':'a','name':'one','uid':'other',"
         "'resourceVersion':'8'}}}");
    send_end_of_set("9");
    assert_told("gone a/one@1;set a/one@8;complete;");
}

static void test_a_version_that_is_of_no_use_is_dropped(void **state)
{
    begin_with("one", NULL);
    end_call(410, "Expired", "");
    pass(USEC_PER_MSEC);
    end_call(410, "Expired", "");
    pass(USEC_PER_MSEC);
    assert_null(world.call); /* the second time in a row it is waited */
    pass(USEC_PER_SEC);
    assert_string_equal(world.call->path, FIRST);
}

/* API check 21 */
static void test_a_server_without_sets_as_streams(void **state)
{
    end_call(422, "Invalid", "");
    pass(USEC_PER_MSEC);
    assert_string_equal(world.call->path, LIST);
    end_call(200, "",
             "{\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"m/=\"},\"items\":[{"
             "\"metadata\":{\"namespace\":\"a\",\"name\":\"one\",\"uid\":\"one\","
             "\"resourceVersion\":\"1\"}}]}");
    assert_string_equal(world.call->path, PAGE "continue=m%2F%3D");
    assert_told("");
    end_call(200, "",
             "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[{\"metadata\":{\"namespace\":"
             "\"a\",\"name\":\"two\",\"uid\":\"two\",\"resourceVersion\":\"2\"}}]}");
    assert_told("set a/one@1;set a/two@2;complete;");
    assert_string_equal(world.call->path, NEXT "5");
    pass(60 * USEC_PER_SEC);
    end_call(410, "Gone", "");
    pass(USEC_PER_MSEC);
    /* Without the second it would be exactly that one, from which no watch goes on. */
    assert_string_equal(world.call->path,
                        PAGE "resourceVersion=5&resourceVersionMatch=NotOlderThan");
    end_call(410, "Expired", "");
    pass(USEC_PER_SEC);
    assert_string_equal(world.call->path, LIST);
}

static void test_trouble_is_told_once_and_waited_out(void **state)
{
    static const usec_t waits[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};

    begin_with("one", NULL);
    for (size_t i = 0; i < array_size(waits); i++) {
        end_call(500, "", "");
        assert_string_equal(api_watch_trouble(world.watch), "the server says 500");
        pass((waits[i] - 1) * USEC_PER_MSEC);
        assert_null(world.call);
        pass(USEC_PER_MSEC);
        assert_string_equal(world.call->path, NEXT "5");
    }
    assert_string_equal(world.logged.text, "the server says 500\n");
    send_event("MODIFIED", "one", "6");
    assert_null(api_watch_trouble(world.watch));
    pass(120 * USEC_PER_SEC);
    end_call(500, "", "");
    pass(800 * USEC_PER_MSEC);
    assert_non_null(world.call);
}

static void test_what_will_not_change_is_not_watched(void **state)
{
    begin_with("one", NULL);
    api_watch_rest(world.watch);
    pass(USEC_PER_MSEC);
    assert_null(world.call);
    pass(3600 * USEC_PER_SEC);
    assert_null(world.call);
    assert_non_null(api_watch_find(world.watch, "a", "one"));
    assert_true(api_watch_is_complete(world.watch));
}

static void test_a_server_that_is_back_is_asked_at_once(void **state)
{
    begin_with("one", NULL);
    pass(60 * USEC_PER_SEC);
    for (int i = 0; i < 6; i++) { /* the last time it waits for 25 s */
        end_call(0, "", "");
        if (i == 0)
            continue; /* what was told before shows that it was there: it is begun at once */
        assert_null(world.call);
        assert_non_null(world.waiter);
        if (i < 5)
            pass(60 * USEC_PER_SEC);
    }
    world.waiter->passed(world.waiter);
    pass(USEC_PER_MSEC);
    assert_string_equal(world.call->path, NEXT "5");
}

/* As somebody else: the first certificate comes a while after the first try. */
static void test_who_is_refused_asks_again_as_somebody_else(void **state)
{
    static const int codes[] = {401, 403};

    for (size_t i = 0; i < array_size(codes); i++) {
        end_call(codes[i], "", "");
        assert_null(world.call);
        assert_int_equal(world.waits_after, codes[i]);
        world.waiter->passed(world.waiter);
        pass(USEC_PER_MSEC);
        assert_string_equal(world.call->path, FIRST);
    }
}

/* The server has told the node of a pod before it heard that the node may see what that names. */
static void test_who_asks_for_an_object_early(void **state)
{
    usec_t since = world.now;

    api_watch_free(world.watch);
    begin_watch(true);
    while (world.now - since < 4 * USEC_PER_SEC) {
        end_call(403, "", "");
        assert_null(world.call);
        assert_null(api_watch_trouble(world.watch));
        pass(MAX(world.now - since, 50 * USEC_PER_MSEC));
        assert_non_null(world.call);
    }
    pass(USEC_PER_SEC);
    end_call(403, "", "");
    assert_non_null(api_watch_trouble(world.watch));
}

/* The stream goes on from a version, and nothing happens for a long time. */
static void test_a_stream_that_lasts_is_well(void **state)
{
    begin_with("one", NULL);
    end_call(503, "", "");
    assert_non_null(api_watch_trouble(world.watch));
    pass(10 * USEC_PER_SEC);
    assert_non_null(world.call);
    assert_non_null(api_watch_trouble(world.watch));
    pass(40 * USEC_PER_SEC);
    assert_null(api_watch_trouble(world.watch));
    assert_string_equal(world.call->path, NEXT "5");
}

static void test_a_server_that_hangs_up_at_once_is_not_asked_all_the_time(void **state)
{
    begin_with(NULL, NULL);
    for (int i = 0; i < 3; i++) {
        end_call(200, "", "");
        assert_null(world.call);
        pass(60 * USEC_PER_SEC);
        assert_non_null(world.call);
    }
}

static void test_garbage_ends_the_stream(void **state)
{
    begin_with("one", NULL);
    send("<html>");
    assert_null(world.call);
    assert_non_null(strstr(api_watch_trouble(world.watch), "is not understood"));
    pass(60 * USEC_PER_SEC);
    assert_string_equal(world.call->path, NEXT "5");
    assert_told("");
}

static void test_an_object_that_is_not_understood_stays_as_it_was(void **state)
{
    static const char *const wrong = "{'type':'MODIFIED','object':{'metadata':{'namespace':'a',"
                                     "'name':'one','uid':'one','resourceVersion':'8'},'data':7}}";

    begin_with("one", NULL);
    send(wrong);
    assert_told("");
    assert_non_null(strstr(world.logged.text, "ConfigMap a/one: data: "));
    end_call(410, "Expired", "");
    pass(USEC_PER_MSEC);
    send(wrong);
    send_end_of_set("9");
    assert_told("complete;");
    assert_non_null(api_watch_find(world.watch, "a", "one"));
}

static void test_events_have_a_size(void **state)
{
    size_t size = 1 << 20;
    char *much = mem_alloc(size);

    memset(much, 'x', size);
    begin_with("one", NULL);
    for (int i = 0; world.call; i++) {
        assert_in_range(i, 0, 16);
        world.call->data(world.call->owner, much, size);
    }
    assert_non_null(strstr(api_watch_trouble(world.watch), "an event of more than 16 MiB"));
    free(much);
}

/* Whatever is told: each as large as it may be, and as many as come. */
static void test_all_objects_together_have_a_size(void **state)
{
    enum { SIZE = 15 << 20, COUNT = 256 / 15 };
    char *filler = mem_alloc(SIZE + 1), name[24];

    memset(filler, 'x', SIZE);
    filler[SIZE] = '\0';
    begin_with("one", NULL);
    for (int i = 0; world.call; i++) {
        char *text;

        assert_in_range(i, 0, COUNT);
        snprintf(name, sizeof(name), "huge-%d", i);
        text = mem_printf("{'type':'ADDED','object':{'metadata':{'namespace':'a','name':'%s',"
                          "'uid':'%s','resourceVersion':'%d'},'data':{'a':'%s'}}}",
                          name, name, i + 10, filler);
        send(text);
        free(text);
    }
    assert_non_null(strstr(api_watch_trouble(world.watch), "more objects than the 256 MiB"));
    assert_non_null(api_watch_find(world.watch, "a", "one"));
    assert_null(api_watch_find(world.watch, "a", name));
    strbuf_truncate(&world.told, 0);
    strbuf_truncate(&world.logged, 0);
    pass(USEC_PER_SEC);
    /* From where it was, the same would come first. */
    assert_string_equal(world.call->path, FIRST "&resourceVersion=26");
    send_event("ADDED", "one", "1");
    assert_non_null(api_watch_trouble(world.watch)); /* there may be too many still */
    send_event("ADDED", "small", "91");
    send_end_of_set("91");
    assert_null(api_watch_trouble(world.watch));
    assert_non_null(strstr(world.told.text, "gone a/huge-0@10;"));
    assert_non_null(strstr(world.told.text, "set a/small@91;complete;"));
    assert_string_equal(world.logged.text, "/api/v1/configmaps: all is well again\n");
    free(filler);
}

/* The server's list, page by page. `next`: where it goes on; "": it ends. */
static void end_page(const char *name, const char *filler, const char *next)
{
    char *body = mem_printf("{\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"%s\"},"
                            "\"items\":[{\"metadata\":{\"namespace\":\"a\",\"name\":\"%s\","
                            "\"uid\":\"%s\",\"resourceVersion\":\"1\"},\"data\":{\"a\":\"%s\"}}]}",
                            next, name, name, filler);

    end_call(200, "", body);
    free(body);
}

static void begin_list(void)
{
    end_call(422, "Invalid", "");
    pass(USEC_PER_MSEC);
    assert_string_equal(world.call->path, LIST);
}

static void test_who_lists_waits_for_the_same(void **state)
{
    static const int codes[] = {0, 401};

    begin_list();
    for (size_t i = 0; i < array_size(codes); i++) {
        world.waiter = NULL;
        end_call(codes[i], "", "");
        assert_non_null(world.waiter);
        assert_int_equal(world.waits_after, codes[i]);
        world.waiter->passed(world.waiter);
        pass(USEC_PER_MSEC);
        assert_string_equal(world.call->path, LIST);
    }
}

/* Other troubles pass: it goes on where it was. */
static void test_a_place_in_a_list_that_is_refused_is_forgotten(void **state)
{
    static const int passing[] = {0, 429, 503}, lasting[] = {400, 403, 414};

    begin_list();
    end_page("one", "", "more");
    for (size_t i = 0; i < array_size(passing); i++) {
        assert_string_equal(world.call->path, PAGE "continue=more");
        end_call(passing[i], "", "");
        pass(60 * USEC_PER_SEC);
    }
    for (size_t i = 0; i < array_size(lasting); i++) {
        assert_string_equal(world.call->path, PAGE "continue=more");
        end_call(lasting[i], "", "");
        pass(60 * USEC_PER_SEC);
        assert_string_equal(world.call->path,
                            PAGE "resourceVersion=9&resourceVersionMatch=NotOlderThan");
        end_page("one", "", "more");
    }
    end_page("two", "", "");
    assert_told("set a/one@1;set a/two@1;complete;");
}

/* What found no room on a page is not gone, though what comes after it may find some. */
static void test_a_list_that_is_too_large_is_read_from_its_beginning(void **state)
{
    enum { SIZE = 60 << 20 };
    char *filler = mem_alloc(SIZE + 1), name[24];

    memset(filler, 'x', SIZE);
    filler[SIZE] = '\0';
    begin_list();
    for (int i = 0; world.call; i++) {
        assert_in_range(i, 0, 5);
        snprintf(name, sizeof(name), "huge-%d", i);
        end_page(name, filler, "more");
    }
    free(filler);
    assert_non_null(strstr(api_watch_trouble(world.watch), "more objects than the 256 MiB"));
    pass(USEC_PER_SEC);
    assert_string_equal(world.call->path,
                        PAGE "resourceVersion=9&resourceVersionMatch=NotOlderThan");
    end_page("one", "", "");
    assert_told("set a/one@1;complete;");
}

/* what was known before */

static struct object *remembered(const char *name, const char *version)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *text = arena_printf(&arena,
                                    "{\"metadata\":{\"namespace\":\"a\",\"name\":\"%s\","
                                    "\"uid\":\"%s\",\"resourceVersion\":\"%s\"}}",
                                    name, name, version);
    struct json_findings findings;
    struct json *document;
    struct object *object;
    struct report report;
    struct err err;

    assert_int_equal(
        json_parse(&arena, text, strlen(text), &json_limits_manifest, &findings, &document, &err),
        0);
    report_init(&report, document);
    object = object_decode_as(&object_kind_config_map, document, OBJECT_DROP_RAW, &report);
    report_deinit(&report);
    assert_non_null(object);
    return object;
}

static void prime(const char *one, const char *two)
{
    struct object *objects[] = {remembered(one, "1"), remembered(two, "2")};

    api_watch_prime(world.watch, objects, array_size(objects));
    for (size_t i = 0; i < array_size(objects); i++)
        object_unref(objects[i]);
}

static void test_what_was_known_stands_in_for_the_first_set(void **state)
{
    prime("one", "two");
    assert_told("set a/one@1;set a/two@2;");
    assert_true(api_watch_is_known(world.watch));
    assert_false(api_watch_is_complete(world.watch));
    assert_non_null(api_watch_find(world.watch, "a", "one"));
    send_event("ADDED", "two", "2");
    send_event("ADDED", "three", "3");
    assert_told("");
    send_end_of_set("5");
    assert_told("gone a/one@1;set a/three@3;complete;");
}

static void test_nothing_may_be_known(void **state)
{
    assert_false(api_watch_is_known(world.watch));
    api_watch_prime(world.watch, NULL, 0);
    assert_true(api_watch_is_known(world.watch));
    assert_null(api_watch_find(world.watch, "a", "one"));
    begin_with("one", NULL);
    assert_non_null(api_watch_find(world.watch, "a", "one"));
}

static void test_the_first_set_is_not_overridden(void **state)
{
    begin_with("one", NULL);
    prime("one", "two");
    assert_told("");
    assert_null(api_watch_find(world.watch, "a", "two"));
}

static void test_of_two_of_one_name_the_first_counts(void **state)
{
    prime("one", "one");
    assert_told("set a/one@1;");
}

static void test_a_server_that_refuses_is_known_to_be_there(void **state)
{
    assert_false(api_watch_is_refused(world.watch));
    end_call(401, "Unauthorized", "");
    assert_true(api_watch_is_refused(world.watch));
    pass(2 * USEC_PER_SEC);
    end_call(0, "", "");
    assert_false(api_watch_is_refused(world.watch));
}

#define watch_test(test) cmocka_unit_test_setup_teardown(test, begin_world, end_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        watch_test(test_a_set_is_told_when_it_is_complete),
        watch_test(test_an_empty_set_is_one),
        watch_test(test_a_stream_that_ends_goes_on_from_its_last_version),
        watch_test(test_a_torn_event_is_read_again),
        watch_test(test_pieces_of_any_size),
        watch_test(test_after_a_gap_all_is_compared),
        watch_test(test_what_came_back_under_its_name_is_another),
        watch_test(test_a_version_that_is_of_no_use_is_dropped),
        watch_test(test_a_server_without_sets_as_streams),
        watch_test(test_trouble_is_told_once_and_waited_out),
        watch_test(test_who_is_refused_asks_again_as_somebody_else),
        watch_test(test_who_asks_for_an_object_early),
        watch_test(test_a_stream_that_lasts_is_well),
        watch_test(test_who_lists_waits_for_the_same),
        watch_test(test_a_server_that_hangs_up_at_once_is_not_asked_all_the_time),
        watch_test(test_what_will_not_change_is_not_watched),
        watch_test(test_a_server_that_is_back_is_asked_at_once),
        watch_test(test_garbage_ends_the_stream),
        watch_test(test_an_object_that_is_not_understood_stays_as_it_was),
        watch_test(test_events_have_a_size),
        watch_test(test_all_objects_together_have_a_size),
        watch_test(test_a_place_in_a_list_that_is_refused_is_forgotten),
        watch_test(test_a_list_that_is_too_large_is_read_from_its_beginning),
        watch_test(test_what_was_known_stands_in_for_the_first_set),
        watch_test(test_nothing_may_be_known),
        watch_test(test_the_first_set_is_not_overridden),
        watch_test(test_of_two_of_one_name_the_first_counts),
        watch_test(test_a_server_that_refuses_is_known_to_be_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
