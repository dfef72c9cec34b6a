/*
 * The model API server: does it do what a server does, as far as an agent can tell? It is asked
 * here without any network between.
 */
#include "test.h"

#include "api-server.h"
#include "nodeagent/base/mem.h"
#include "scenario.h"
#include "subject.h"

#include <stdlib.h>
#include <string.h>

void subject_start(void *unused)
{
}

void subject_stop(void *unused)
{
}

void subject_tell(void *strbuf)
{
}

bool subject_is_settled(void)
{
    return false;
}

static struct choices_taken taken;

static int begin(void **state)
{
    struct order order = {.seed = 1};

    world_begin(&order, &taken);
    api_server_free(world->api);
    world->api = api_server_new();
    world->api->knows_streams = true;
    world->choices.calm = true;
    return 0;
}

static int end(void **state)
{
    world_end();
    return 0;
}

/* asking */

static int ask(const char *method, const char *path, const char *body, char **answer)
{
    struct api_call call = {.body = body ? mem_strdup(body) : NULL};
    struct api_answer given = {0};

    assert_true(api_call_parse(&call, method, path));
    api_serve(&call, &given);
    free(*answer);
    *answer = strbuf_take(&given.body);
    strbuf_deinit(&call.pending);
    free(call.query);
    free(call.body);
    return given.status;
}

#define assert_ask(method, path, body, status)                                                     \
    do {                                                                                           \
        _cleanup_(mem_free_at) char *answer_ = NULL;                                               \
                                                                                                   \
        assert_int_equal(ask(method, path, body, &answer_), status);                               \
    } while (0)

static void assert_merged(const char *text, const char *patch, const char *wanted)
{
    _cleanup_(mem_free_at) char *merged = api_merge(text, patch);

    assert_string_equal(merged, wanted);
}

#define MAPS "/api/v1/namespaces/a/configmaps"
#define MAP(name) "{\"metadata\":{\"name\":\"" name "\"},\"data\":{\"x\":\"1\"}}"

/* tests */

static void test_strategic_merge(void **state)
{
    assert_merged("{\"a\":1,\"b\":{\"c\":2}}", "{\"a\":null,\"b\":{\"d\":3}}",
                  "{\"b\":{\"c\":2,\"d\":3}}");
    assert_merged("{\"list\":[1,2]}", "{\"list\":[3]}", "{\"list\":[3]}");
    assert_merged("{\"conditions\":[{\"type\":\"A\",\"status\":\"True\"},{\"type\":\"B\"}]}",
                  "{\"conditions\":[{\"type\":\"A\",\"status\":\"False\"},"
                  "{\"$patch\":\"delete\",\"type\":\"B\"},{\"type\":\"C\"}]}",
                  "{\"conditions\":[{\"type\":\"A\",\"status\":\"False\"},{\"type\":\"C\"}]}");
    assert_merged("{\"podIPs\":[{\"ip\":\"1\"},{\"ip\":\"2\"}]}",
                  "{\"$setElementOrder/podIPs\":[{\"ip\":\"2\"},{\"ip\":\"1\"}],\"podIPs\":[]}",
                  "{\"podIPs\":[{\"ip\":\"2\"},{\"ip\":\"1\"}]}");
}

static void test_objects_have_versions_and_preconditions(void **state)
{
    const struct api_object *map;
    uint64_t version;

    assert_ask("POST", MAPS, MAP("m"), 201);
    assert_ask("POST", MAPS, MAP("m"), 409);
    map = api_find(KIND_CONFIG_MAP, "a", "m");
    version = api_version_of(map);
    assert_ask("PATCH", MAPS "/m", "{\"metadata\":{\"uid\":\"another\"}}", 409);
    assert_ask("PATCH", MAPS "/m", "{\"metadata\":{\"resourceVersion\":\"1\"}}", 409);
    assert_int_equal(api_version_of(map), version);
    assert_ask("PATCH", MAPS "/m", "{\"data\":{\"x\":\"2\"}}", 200);
    assert_int_equal(api_version_of(map), version + 1);
    assert_ask("DELETE", MAPS "/m", "{\"preconditions\":{\"uid\":\"another\"}}", 409);
    assert_ask("DELETE", MAPS "/m", NULL, 200);
    assert_ask("GET", MAPS "/m", NULL, 404);
}

static bool watch_begins(struct api_call *call, const char *path)
{
    struct api_answer answer = {0};

    assert_true(api_call_parse(call, "GET", path));
    api_serve(call, &answer);
    strbuf_deinit(&answer.body);
    return answer.status == 200;
}

static void watch_ends(struct api_call *call)
{
    strbuf_deinit(&call->pending);
    free(call->query);
}

static void test_a_watch_is_told_what_it_asked_for(void **state)
{
    struct api_call all = {0}, one = {0};

    api_put(KIND_CONFIG_MAP, "a", "m", MAP("m"));
    assert_true(watch_begins(&all, "/api/v1/configmaps?watch=true&sendInitialEvents=true"));
    assert_non_null(strstr(all.pending.text, "\"ADDED\""));
    assert_non_null(strstr(all.pending.text, "initial-events-end"));
    strbuf_truncate(&all.pending, 0);
    assert_true(watch_begins(&one, MAPS "?watch=true&fieldSelector=metadata.name%3Dother"));
    all.streams = one.streams = false; /* nobody delivers here */
    api_patch(api_find(KIND_CONFIG_MAP, "a", "m"), "{\"data\":{\"x\":\"2\"}}");
    api_remove(api_find(KIND_CONFIG_MAP, "a", "m"));
    assert_true(api_watch_gather(&all));
    assert_non_null(strstr(all.pending.text, "\"MODIFIED\""));
    assert_non_null(strstr(all.pending.text, "\"DELETED\""));
    assert_false(api_watch_gather(&one));
    watch_ends(&all);
    watch_ends(&one);
}

static void test_what_is_too_old_is_refused(void **state)
{
    struct api_call call = {0};

    api_put(KIND_CONFIG_MAP, "a", "m", MAP("m"));
    world->api->oldest = world->api->version;
    assert_false(watch_begins(&call, "/api/v1/configmaps?watch=true&resourceVersion=10000"));
    watch_ends(&call);
    world->api->knows_streams = false;
    call = (struct api_call){0};
    assert_false(watch_begins(&call, "/api/v1/configmaps?watch=true&sendInitialEvents=true"));
    watch_ends(&call);
}

static void test_a_list_may_be_old(void **state)
{
    _cleanup_(mem_free_at) char *answer = NULL;
    struct strbuf old = STRBUF_INIT;
    uint64_t version;

    api_put(KIND_CONFIG_MAP, "a", "m", MAP("m"));
    version = world->api->version;
    api_remove(api_find(KIND_CONFIG_MAP, "a", "m"));
    assert_int_equal(ask("GET", "/api/v1/configmaps", NULL, &answer), 200);
    assert_non_null(strstr(answer, "\"items\":[]"));
    world->choices.calm = false;
    world->choices.intensity = 200; /* of those that may be old, all are */
    for (int i = 0; i < 100 && !old.length; i++) {
        assert_int_equal(ask("GET", "/api/v1/configmaps?resourceVersion=0", NULL, &answer), 200);
        if (strstr(answer, "\"name\":\"m\""))
            strbuf_add(&old, answer);
    }
    assert_true(old.length > 0 && world->api->version > version);
    strbuf_deinit(&old);
}

static void test_a_list_in_pages_is_of_the_version_that_it_names(void **state)
{
    static const char path[] = "/api/v1/configmaps?resourceVersion=%llu&limit=500%s";
    _cleanup_(mem_free_at) char *answer = NULL, *exact = NULL, *newer = NULL;

    api_put(KIND_CONFIG_MAP, "a", "m", MAP("m"));
    exact = mem_printf(path, (unsigned long long)world->api->version, "");
    newer = mem_printf(path, (unsigned long long)world->api->version,
                       "&resourceVersionMatch=NotOlderThan");
    api_remove(api_find(KIND_CONFIG_MAP, "a", "m"));
    world->api->oldest = world->api->version;
    assert_int_equal(ask("GET", exact, NULL, &answer), 200);
    assert_non_null(strstr(answer, "\"name\":\"m\""));
    assert_int_equal(ask("GET", newer, NULL, &answer), 200);
    assert_non_null(strstr(answer, "\"items\":[]"));
}

static void test_differences_are_told(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf where = STRBUF_INIT;
    const struct json *a = api_parse(&arena, "{\"a\":[{\"b\":1}],\"c\":null,\"d\":[]}");

    assert_true(api_same(a, api_parse(&arena, "{\"a\":[{\"b\":1}]}"), &where));
    assert_false(api_same(a, api_parse(&arena, "{\"a\":[{\"b\":2}]}"), &where));
    assert_string_equal(where.text, "b differs");
}

#define test_in_world(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_world(test_strategic_merge),
        test_in_world(test_objects_have_versions_and_preconditions),
        test_in_world(test_a_watch_is_told_what_it_asked_for),
        test_in_world(test_what_is_too_old_is_refused),
        test_in_world(test_a_list_may_be_old),
        test_in_world(test_a_list_in_pages_is_of_the_version_that_it_names),
        test_in_world(test_differences_are_told),
    };

    return cmocka_run_group_tests_name("sim/api", tests, NULL, NULL);
}
