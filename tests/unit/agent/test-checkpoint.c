/* agent/checkpoint: what is in a file, and which pods may be run by one. */
#include "test.h"

#include "checkpoint.h"
#include "nodeagent/base/json.h"

#include <string.h>

#define POD                                                                                        \
    "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'web','namespace':'a','uid':'u1'},"        \
    "'spec':{'nodeName':'n','containers':[{'name':'c','image':'i'}]},"                             \
    "'status':{'phase':'Running'}}"
#define SECRET                                                                                     \
    "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'keys','namespace':'a','uid':'u2',"     \
    "'resourceVersion':'7'},'data':{'key':'aHVzaA=='}}"

static char *quoted(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return copy;
}

static int read_text(struct arena *arena, const char *text, struct checkpoint_file *file,
                     struct err *err)
{
    char *copy = quoted(arena, text);

    return checkpoint_read(copy, strlen(copy), arena, file, err);
}

static struct checkpoint_file read_good(struct arena *arena, const char *text)
{
    struct checkpoint_file file;
    struct err err = {0};

    if (read_text(arena, text, &file, &err) < 0)
        fail_msg("%s", err.text);
    return file;
}

static void test_a_file_is_read_as_it_was_written(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT, again = STRBUF_INIT;
    struct checkpoint_file from = read_good(
        &arena, "{'version':1,'heard':'2026-01-02T03:04:05Z','objects':[" POD "," SECRET
                "],'absent':['ConfigMap/x'],'tokens':[{'audience':'','token':'t',"
                "'expirationSeconds':3607,'expirationTimestamp':'2026-01-02T04:00:00Z'}]}");
    struct checkpoint_file file;

    checkpoint_write(&from, &text);
    file = read_good(&arena, text.text);
    checkpoint_write(&file, &again);
    assert_string_equal(text.text, again.text);
    assert_int_equal(file.heard, 1767323045 * INT64_C(1000000));
    assert_int_equal(file.objects.count, 2);
    assert_string_equal(pod_of(file.objects.items[0])->status.phase, "Running");
    assert_ptr_equal(file.objects.items[1]->kind, &object_kind_secret);
    assert_string_equal(file.objects.items[1]->metadata.resource_version, "7");
    assert_string_equal(file.absent.items[0], "ConfigMap/x");
    assert_string_equal(file.tokens.items[0].token, "t");
    assert_int_equal(file.tokens.items[0].seconds, 3607);
    assert_int_equal(file.tokens.items[0].expires, 1767326400 * INT64_C(1000000));
    checkpoint_file_deinit(&from);
    checkpoint_file_deinit(&file);
}

static void test_what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"{'version':1,", "the JSON text ends too early"},
        {"[]", "is not of version 1"},
        {"{'version':2}", "is not of version 1"},
        {"{'version':1,'heard':'yesterday'}", "heard: must be a time"},
        {"{'version':1,'objects':[{'kind':'Pod'}]}", "apiVersion"},
        {"{'version':1,'objects':[7]}", "must be an object"},
        {"{'version':1,'objects':[" POD ",{'apiVersion':'v1','kind':'Secret','metadata':"
         "{'name':'keys','namespace':'a','uid':'u2'}}]}",
         "resourceVersion"},
        {"{'version':1,'tokens':[7]}", "a token is not understood"},
        {"{'version':1,'tokens':[{'token':'t','expirationSeconds':1,"
         "'expirationTimestamp':'soon'}]}",
         "a token is not understood"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        struct checkpoint_file file;
        struct err err = {0};

        assert_true(read_text(&arena, cases[i].text, &file, &err) < 0);
        if (!strstr(err.text, cases[i].sentence))
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(file.objects.count, 0);
    }
}

#define WITH(metadata, spec, status)                                                               \
    "{'version':1,'objects':[{'apiVersion':'v1','kind':'Pod','metadata':{'name':'web',"            \
    "'namespace':'a','uid':'u1'" metadata "},'spec':{'nodeName':'n','containers':[{'name':'c',"    \
    "'image':'i'}]" spec "},'status':{'phase':'" status "'}}]}"
#define STATEFUL                                                                                   \
    ",'ownerReferences':[{'apiVersion':'apps/v1','kind':'StatefulSet','name':'db','uid':'u'}]"
#define CLAIM ",'volumes':[{'name':'data','persistentVolumeClaim':{'claimName':'c'}}]"
#define EPHEMERAL ",'volumes':[{'name':'data','ephemeral':{'volumeClaimTemplate':{'spec':{}}}}]"
#define ANNOTATED(value) ",'annotations':{'" CHECKPOINT_ANNOTATION "':'" value "'}"

static void test_what_may_run_elsewhere_is_not_run(void **state)
{
    static const struct {
        const char *text;
        bool goes_on;
        const char *why;
    } cases[] = {
        {WITH("", "", "Running"), false, NULL},
        {WITH(STATEFUL, "", "Running"), false, "it is of StatefulSet db"},
        {WITH(STATEFUL, "", "Running"), true, NULL},
        {WITH(STATEFUL ANNOTATED("true"), "", "Running"), false, NULL},
        {WITH(STATEFUL ANNOTATED("no"), "", "Running"), false, CHECKPOINT_ANNOTATION},
        {WITH(STATEFUL ",'deletionTimestamp':'2026-01-02T03:04:05Z'", "", "Running"), false, NULL},
        {WITH(STATEFUL, "", "Failed"), false, NULL},
        {WITH("", CLAIM, "Running"), false, "its volume data is a claim"},
        {WITH("", CLAIM, "Succeeded"), false, NULL},
        {WITH("", EPHEMERAL, "Pending"), false, "its volume data is a claim"},
        {WITH(ANNOTATED("true"), CLAIM, "Running"), false, NULL},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        struct checkpoint_file file = read_good(&arena, cases[i].text);
        const char *why =
            checkpoint_refusal(pod_of(file.objects.items[0]), "n", cases[i].goes_on, &arena);

        if (!why != !cases[i].why || (why && !strstr(why, cases[i].why)))
            fail_msg("case %zu: %s", i, why);
        assert_string_equal(checkpoint_refusal(pod_of(file.objects.items[0]), "m", true, &arena),
                            "it is of node n, and this is m");
        checkpoint_file_deinit(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_read_as_it_was_written),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_what_may_run_elsewhere_is_not_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
