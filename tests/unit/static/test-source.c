/* static/source: who gets a name that two claim, and when the owner is told. */
#include "text.h"

#include "source.h"

#include <stdio.h>

struct stage {
    struct static_source source;
    struct source_candidate candidates[4];
    size_t count;
    struct manifest *problem;
    bool incomplete;
    unsigned told;
    char *objects;
    char *problems;
};

static void take(void *owner, const struct static_set *set)
{
    struct stage *stage = owner;
    struct strbuf objects = STRBUF_INIT, problems = STRBUF_INIT;

    stage->told++;
    array_for_each (object, set->objects) {
        assert_true((*object)->references > 1);
        strbuf_printf(&objects, "%s:%s ", (*object)->metadata.name,
                      pod_of(*object)->spec.containers.items[0].image);
    }
    array_for_each (problem, set->problems)
        strbuf_printf(&problems, "%s%s %s\n", problem->place, problem->refused ? "!" : "",
                      problem->sentence);
    free(stage->objects);
    free(stage->problems);
    stage->objects = strbuf_take(&objects);
    stage->problems = strbuf_take(&problems);
    assert_true(set->complete == !stage->incomplete);
}

static void no_free(struct static_source *source)
{
    source_deinit(source);
}

static int set_up(void **state)
{
    static const char *const headers[] = {"A: b", NULL};
    struct stage *stage = mem_new(struct stage);
    struct static_options options = {
        .place = "/m",
        .node_name = "n",
        .headers = headers,
        .changed = take,
        .owner = stage,
    };

    source_init(&stage->source, &options, no_free);
    assert_string_equal(stage->source.options.headers[0], "A: b");
    assert_null(stage->source.options.headers[1]);
    *state = stage;
    return 0;
}

static void clear(struct stage *stage)
{
    for (size_t i = 0; i < array_size(stage->candidates); i++) {
        manifest_free(stage->candidates[i].good);
        manifest_free(stage->candidates[i].bad);
        stage->candidates[i] = (struct source_candidate){0};
    }
    stage->count = 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    clear(stage);
    assert_null(static_source_free(&stage->source));
    assert_null(static_source_free(NULL));
    manifest_free(stage->problem);
    free(stage->objects);
    free(stage->problems);
    free(stage);
    return 0;
}

/* "name:image" or "name:image:uid" */
static struct source_candidate *add(struct stage *stage, const char *path, const char *name,
                                    const char *image, const char *uid)
{
    struct manifest_origin origin = origin_of(MANIFEST_FILE);
    char *text =
        mem_printf("--- {apiVersion: v1, kind: Pod, metadata: {name: %s, uid: '%s'}, spec: "
                   "{containers: [{name: c, image: '%s'}]}}",
                   name, uid, image);
    struct source_candidate *candidate = &stage->candidates[stage->count++];

    origin.place = path;
    *candidate =
        (struct source_candidate){.path = path, .good = manifest_read(&origin, text, strlen(text))};
    assert_true(candidate->good->good);
    free(text);
    return candidate;
}

static void deliver(struct stage *stage)
{
    struct source_view view = {
        .candidates.items = stage->candidates,
        .candidates.count = stage->count,
        .problem = stage->problem,
        .complete = !stage->incomplete,
    };

    source_deliver(&stage->source, &view);
}

static void test_told_once_for_each_change(void **state)
{
    struct stage *stage = *state;

    deliver(stage);
    assert_int_equal(stage->told, 1); /* an empty set is one */
    deliver(stage);
    assert_int_equal(stage->told, 1);
    add(stage, "/m/a", "a", "1", "");
    deliver(stage);
    deliver(stage);
    assert_int_equal(stage->told, 2);
    assert_string_equal(stage->objects, "a-node-1:1 ");
    stage->candidates[0].bad = manifest_problem("/m/a", true, "is odd");
    deliver(stage);
    deliver(stage);
    assert_int_equal(stage->told, 3);
    assert_string_equal(stage->problems, "/m/a! is odd\n");
    manifest_free(stage->candidates[0].bad);
    stage->candidates[0].bad = manifest_problem("/m/a", true, "is even");
    deliver(stage);
    assert_int_equal(stage->told, 4);
    stage->incomplete = true;
    deliver(stage);
    assert_int_equal(stage->told, 5);
    stage->problem = manifest_problem("/m", false, "is slow");
    deliver(stage);
    assert_int_equal(stage->told, 6);
    assert_string_equal(stage->problems, "/m is slow\n/m/a! is even\n");
    clear(stage);
    deliver(stage);
    assert_int_equal(stage->told, 7);
    assert_string_equal(stage->objects, "");
}

static void test_the_first_in_order_gets_a_name(void **state)
{
    struct stage *stage = *state;

    add(stage, "/m/a", "web", "1", "");
    add(stage, "/m/b", "web", "2", "");
    add(stage, "/m/c", "x", "1", "");
    deliver(stage);
    assert_string_equal(stage->objects, "web-node-1:1 x-node-1:1 ");
    assert_string_equal(stage->problems,
                        "/m/b:1:5! Pod default/web-node-1 is already what /m/a makes; that one is "
                        "run, this one is not until either is renamed or removed\n");
    deliver(stage);
    assert_int_equal(stage->told, 1);
}

static void test_who_has_a_name_keeps_it(void **state)
{
    struct stage *stage = *state;
    struct manifest *kept;

    add(stage, "/m/b", "web", "2", "");
    deliver(stage);
    kept = stage->candidates[0].good;
    stage->candidates[0].good = NULL;
    clear(stage);
    add(stage, "/m/a", "web", "1", "");
    stage->candidates[stage->count++] = (struct source_candidate){.path = "/m/b", .good = kept};
    deliver(stage);
    assert_string_equal(stage->objects, "web-node-1:2 ");
    assert_true(str_has_prefix(stage->problems, "/m/a:1:5! Pod default/web-node-1 is already what "
                                                "/m/b makes"));
    deliver(stage);
    assert_int_equal(stage->told, 2);
    /* Its file is gone: the other one is a new name for it. */
    stage->candidates[1].leaving = true;
    deliver(stage);
    assert_string_equal(stage->objects, "web-node-1:1 ");
    assert_string_equal(stage->problems, "");
    assert_int_equal(stage->told, 3);
}

static void test_a_uid_is_claimed_too(void **state)
{
    struct stage *stage = *state;

    add(stage, "/m/a", "a", "1", "same");
    add(stage, "/m/b", "b", "2", "same");
    deliver(stage);
    assert_string_equal(stage->objects, "a-node-1:1 ");
    assert_true(str_has_prefix(stage->problems, "/m/b:1:5! the UID same is already what /m/a"));
    stage->candidates[1].leaving = true;
    deliver(stage);
    assert_string_equal(stage->problems, "");
}

static void test_a_leaving_file_keeps_its_pod(void **state)
{
    struct stage *stage = *state;

    add(stage, "/m/a", "a", "1", "")->leaving = true;
    add(stage, "/m/b", "b", "1", "");
    deliver(stage);
    assert_string_equal(stage->objects, "a-node-1:1 b-node-1:1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_told_once_for_each_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_first_in_order_gets_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_has_a_name_keeps_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_uid_is_claimed_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_leaving_file_keeps_its_pod, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
