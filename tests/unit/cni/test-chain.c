/* cni/chain: plugins one after the other. */
#include "cni-fixture.h"

#include "chain.h"

#define LIST(version, members)                                                                     \
    "{\"cniVersion\":\"" version "\",\"name\":\"n\"," members                                      \
    "\"plugins\":[{\"type\":\"one\"},{\"type\":\"two\"}]}"

struct play {
    struct arena arena;
    struct cni_network *network;
    struct cni_setup setup;
    struct cni_attachment attachment;
    struct chain chain;
    struct cni_failure failure;
};

static void play_init(struct play *play, const char *text)
{
    *play = (struct play){
        .arena = ARENA_INIT_DOCUMENT,
        .network = network_of(text),
        .setup = setup_of(),
        .attachment = attachment_of("c1"),
    };
    play->chain = (struct chain){&play->setup, play->network, &play->attachment};
}

static void play_deinit(struct play *play)
{
    arena_deinit(&play->arena);
    cni_network_free(play->network);
}

static void test_checks_08_and_09_add_hands_results_on(void **state)
{
    _cleanup_(play_deinit) struct play play;
    const struct json *result;

    play_init(&play, LIST("1.0.0", ""));
    write_plugin("one", ANSWER("{\"cniVersion\":\"0.3.1\",\"ips\":[],\"new\":1.0}"));
    write_plugin("two", ANSWER("{\"dns\":{\"domain\":\"x\"}}"));
    assert_int_equal(chain_add(&play.chain, &play.arena, &result, &play.failure), 0);
    assert_true(json_text_is(json_get(result, "cniVersion"), "1.0.0"));
    assert_string_equal(log_text(), "one ADD\ntwo ADD\n");
    assert_has_not(contents(RUN "/one.ADD.in"), "prevResult");
    assert_has(contents(RUN "/two.ADD.in"),
               "\"prevResult\":{\"cniVersion\":\"0.3.1\",\"ips\":[],\"new\":1.0}");
}

static void add_fails(const char *answer, unsigned code, const char *sentence)
{
    _cleanup_(play_deinit) struct play play;
    const struct json *result;

    play_init(&play, LIST("1.0.0", ""));
    write_plugin("one", answer);
    assert_true(chain_add(&play.chain, &play.arena, &result, &play.failure) < 0);
    assert_int_equal(play.failure.code, code);
    assert_string_equal(play.failure.plugin, "one");
    assert_has(play.failure.err.text, sentence);
    assert_false(exists(RUN "/two.ADD.in"));
}

static void test_checks_27_and_29_add_stops_at_the_first_failure(void **state)
{
    write_plugin("two", ANSWER(RESULT_1_0));
    add_fails("exit 1", 999, "failed (add)");
    add_fails("exit 0", CNI_CODE_DECODE, "it succeeded without a result");
    add_fails("echo garbage", CNI_CODE_DECODE, "result:1:1: not JSON");
    add_fails("echo '{\"cniVersion\":\"7.0.0\"}'", CNI_CODE_DECODE,
              "unsupported CNI result version");
    add_fails("echo '{\"ips\":[{\"address\":\"10.0.0.1/8\",\"interface\":0}]}'", CNI_CODE_DECODE,
              "ips[0].interface must be an index");
}

static void test_del_goes_backwards_through_all(void **state)
{
    _cleanup_(play_deinit) struct play play;

    play_init(&play, LIST("0.4.0", ""));
    write_plugin("one", "exit 0");
    write_plugin("two", "exit 0");
    assert_int_equal(chain_del(&play.chain, json_of(&play.arena, RESULT_1_0), &play.failure), 0);
    assert_string_equal(log_text(), "two DEL\none DEL\n");
    assert_has(contents(RUN "/one.DEL.in"), "\"prevResult\":{\"cniVersion\":\"0.4.0\"");
    assert_has(contents(RUN "/one.DEL.in"), "\"version\":\"4\",\"address\":\"10.1.2.3/24\"");
}

/* The first failure counts, and each plugin has two tries. */
static void test_del_goes_on_after_failures(void **state)
{
    _cleanup_(play_deinit) struct play play;

    play_init(&play, LIST("1.0.0", ""));
    write_plugin("one", "echo '{\"code\":5,\"msg\":\"first\"}'; exit 1");
    write_plugin("two", "echo '{\"code\":7,\"msg\":\"second\"}'; exit 1");
    assert_true(chain_del(&play.chain, NULL, &play.failure) < 0);
    assert_string_equal(log_text(), "two DEL\ntwo DEL\none DEL\none DEL\n");
    assert_int_equal(play.failure.code, 7);
    assert_string_equal(play.failure.message, "second");
    write_plugin("two", "[ -e " RUN "/again ] || { touch " RUN "/again; exit 1; }");
    write_plugin("one", "exit 0");
    assert_int_equal(chain_del(&play.chain, NULL, &play.failure), CHAIN_REPEATED);
}

static void test_del_of_old_versions_has_no_previous_result(void **state)
{
    _cleanup_(play_deinit) struct play play;

    play_init(&play, LIST("0.3.1", ""));
    write_plugin("one", "exit 0");
    write_plugin("two", "exit 0");
    assert_int_equal(chain_del(&play.chain, json_of(&play.arena, RESULT_1_0), &play.failure), 0);
    assert_has_not(contents(RUN "/one.DEL.in"), "prevResult");
}

static void test_checks_19_and_20_check(void **state)
{
    _cleanup_(play_deinit) struct play play, old;
    const struct json *result;

    play_init(&play, LIST("0.4.0", ""));
    play_init(&old, LIST("0.3.1", ""));
    result = json_of(&play.arena, RESULT_1_0);
    write_plugin("one", "exit 0");
    write_plugin("two", "exit 0");
    assert_int_equal(chain_check(&old.chain, result, &play.failure), -EOPNOTSUPP);
    assert_has(play.failure.err.text, "CNI 0.3.1 does not support the CHECK command");
    assert_false(exists(RUN "/log"));
    assert_int_equal(chain_check(&play.chain, result, &play.failure), 0);
    assert_string_equal(log_text(), "one CHECK\ntwo CHECK\n");
    assert_has(contents(RUN "/one.CHECK.in"), "\"prevResult\":{\"cniVersion\":\"0.4.0\"");
    write_plugin("one", "exit 1");
    assert_true(chain_check(&play.chain, result, &play.failure) < 0);
    assert_string_equal(log_text(), "one CHECK\ntwo CHECK\none CHECK\n");
}

static void test_checks_21_and_22_status(void **state)
{
    _cleanup_(play_deinit) struct play play, old;

    play_init(&play, LIST("1.1.0", ""));
    play_init(&old, LIST("1.0.0", ""));
    write_plugin("one", "exit 0");
    write_plugin("two", "echo '{\"code\":50,\"msg\":\"no subnet\"}'; exit 1");
    assert_int_equal(cni_status(&old.setup, old.network, &play.failure), 0);
    assert_false(exists(RUN "/log"));
    assert_true(cni_status(&play.setup, play.network, &play.failure) < 0);
    assert_int_equal(play.failure.code, CNI_CODE_UNAVAILABLE);
    assert_string_equal(log_text(), "one STATUS\ntwo STATUS\n");
    assert_string_equal(contents(RUN "/one.STATUS.in"),
                        "{\"cniVersion\":\"1.1.0\",\"name\":\"n\",\"type\":\"one\"}");
    assert_has(contents(RUN "/one.STATUS.env"), "CNI_CONTAINERID=\n");
}

static void test_gc_asks_all(void **state)
{
    _cleanup_(play_deinit) struct play play, old;
    const struct valid_list valid = {0};

    play_init(&play, LIST("1.1.0", ""));
    play_init(&old, LIST("1.0.0", ""));
    write_plugin("one", "exit 1");
    write_plugin("two", "exit 0");
    assert_int_equal(chain_gc(&old.chain, &valid, &play.failure), 0);
    assert_false(exists(RUN "/log"));
    assert_true(chain_gc(&play.chain, &valid, &play.failure) < 0);
    assert_string_equal(play.failure.plugin, "one");
    assert_string_equal(log_text(), "one GC\ntwo GC\n");
    assert_has(contents(RUN "/two.GC.in"), "\"cni.dev/valid-attachments\":[]");
}

static void versions_are_for(const char *list, const char *answer, int expected)
{
    _cleanup_(play_deinit) struct play play;
    int r;

    play_init(&play, list);
    write_plugin("one", answer);
    r = cni_check_versions(&play.setup, play.network, &play.failure);
    assert_int_equal(r < 0, expected < 0);
}

static void versions_are(const char *answer, int expected)
{
    versions_are_for(LIST("0.4.0", ""), answer, expected);
}

static void test_versions(void **state)
{
    write_plugin("two", "echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.4.0\"]}'");
    versions_are("echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"0.3.1\",\"0.4.0\"]}'",
                 0);
    assert_has(contents(RUN "/one.VERSION.env"), "CNI_COMMAND=VERSION\n");
    assert_has(contents(RUN "/one.VERSION.env"), "CNI_NETNS=dummy\n");
    versions_are("echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"1.0.0\"]}'", -1);
    versions_are("echo '{\"cniVersion\":\"0.2.0\"}'", -1);
    versions_are("echo '{\"cniVersion\":\"0.4.0\"}'", 0);
    versions_are("echo hello", -1);
    versions_are("exit 1", -1);
}

/* From before there was a VERSION. */
static void test_plugins_of_the_first_version(void **state)
{
    const char *answer = "echo '{\"code\":4,\"msg\":\"unknown CNI_COMMAND: VERSION\"}'; exit 1";

    write_plugin("two", answer);
    versions_are_for(LIST("0.1.0", ""), answer, 0);
    versions_are_for(LIST("0.2.0", ""), answer, -1);
    versions_are_for(LIST("0.1.0", ""), "echo 'unknown CNI_COMMAND: VERSION' >&2; exit 1", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_checks_08_and_09_add_hands_results_on),
        in_place(test_checks_27_and_29_add_stops_at_the_first_failure),
        in_place(test_del_goes_backwards_through_all),
        in_place(test_del_goes_on_after_failures),
        in_place(test_del_of_old_versions_has_no_previous_result),
        in_place(test_checks_19_and_20_check),
        in_place(test_checks_21_and_22_status),
        in_place(test_gc_asks_all),
        in_place(test_versions),
        in_place(test_plugins_of_the_first_version),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
