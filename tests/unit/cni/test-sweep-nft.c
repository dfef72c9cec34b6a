/* cni/sweep-nft: rules of nobody in the tables of bridge and portmap; needs the package nftables.
 */
#include "sweep-fixture.h"
#include "tool.h"

#define PLUGIN "{\"type\":\"one\"}"
#define LONG_NAME "a-network-with-a-name-that-is-rather-long-as-names-of-networks-go"
#define LONG "{\"name\":\"" LONG_NAME "\",\"plugins\":[" PLUGIN "]}"
#define HASHES "0123456789abcdef-0123456789abcdef"

static void nft(const char *rules)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *argv[] = {tool_find("nft", &arena), "-f", "-", NULL}, *output;
    struct err err;

    assert_non_null(argv[0]);
    if (tool_run(argv, rules, &arena, &output, &err) != 0)
        fail_msg("%s", err.text);
}

static const char *ruleset(struct arena *arena)
{
    const char *argv[] = {tool_find("nft", arena), "list", "ruleset", NULL}, *output;
    struct err err;

    assert_int_equal(tool_run(argv, NULL, arena, &output, &err), 0);
    return output;
}

static void begin(void)
{
    nft("add table inet cni_plugins_masquerade { comment \"of plugins\"; }\n"
        "add chain inet cni_plugins_masquerade masq_checks { comment \"gone\"; }\n"
        "add rule inet cni_plugins_masquerade masq_checks ip saddr 10.0.0.1 comment \"" HASHES
        ", net: n, if: eth0, id: gone\"\n"
        "add rule inet cni_plugins_masquerade masq_checks ip saddr 10.0.0.2 comment \"" HASHES
        ", net: n, if: eth0, id: lives\"\n"
        "add rule inet cni_plugins_masquerade masq_checks ip saddr 10.0.0.3 comment \"" HASHES
        ", net: podman, if: eth0, id: gone\"\n"
        "add rule inet cni_plugins_masquerade masq_checks ip saddr 10.0.0.4\n"
        "add table ip cni_hostport\nadd chain ip cni_hostport hostports\n"
        "add rule ip cni_hostport hostports tcp dport 81 comment \"gone\"\n"
        "add rule ip cni_hostport hostports tcp dport 82 comment \"lives\"\n"
        "add rule ip cni_hostport hostports tcp dport 83 comment \"of-podman\"\n"
        "add table ip6 cni_hostport\nadd chain ip6 cni_hostport masquerading\n"
        "add rule ip6 cni_hostport masquerading tcp dport 84 comment \"gone\"\n");
}

static void test_rules_of_nobody_go(void **state)
{
    _cleanup_(play_deinit) struct play play;
    const char *left;

    play_init(&play, PLUGIN);
    sweep_nft(&play.collection);
    assert_counts(&play.gc.rules, 0, 0);
    begin();
    play.gc.dry_run = true;
    sweep_nft(&play.collection);
    assert_counts(&play.gc.rules, 3, 0);
    play.gc = (struct cni_gc){0};
    sweep_nft(&play.collection);
    assert_int_equal(play.collection.first, 0);
    assert_counts(&play.gc.rules, 3, 3);
    assert_non_null(map_get(&play.collection.gone, "n/gone"));
    left = ruleset(&play.arena);
    assert_has_not(left, "10.0.0.1");
    assert_has(left, "10.0.0.2");
    assert_has(left, "10.0.0.3");
    assert_has(left, "10.0.0.4");
    assert_has_not(left, "dport 81");
    assert_has(left, "dport 82");
    assert_has(left, "dport 83");
    assert_has_not(left, "dport 84");
    nft("flush ruleset");
}

static void test_of_one_container_only(void **state)
{
    _cleanup_(play_deinit) struct play play;
    const char *left;

    begin();
    play_init(&play, PLUGIN);
    collection_lose(&play.collection, &(struct gone){"n", "lives-not", "eth0", true});
    play.collection.narrow = true;
    sweep_nft(&play.collection);
    assert_counts(&play.gc.rules, 0, 0);
    play.collection.narrow = false;
    collection_lose(&play.collection, &(struct gone){"n", "gone", "eth0", true});
    play.collection.narrow = true;
    sweep_nft(&play.collection);
    assert_counts(&play.gc.rules, 3, 3);
    left = ruleset(&play.arena);
    assert_has(left, "dport 83");
    nft("flush ruleset");
}

/* nftables' comments have 128 bytes; an id has 64. */
static void test_ids_that_were_cut(void **state)
{
    _cleanup_(play_deinit) struct play play;
    struct cni_network *network = network_of(LONG);
    const char *left;

    nft("add table inet cni_plugins_masquerade\n"
        "add chain inet cni_plugins_masquerade masq_checks\n"
        "add rule inet cni_plugins_masquerade masq_checks ip saddr 10.0.0.1 comment \"" HASHES
        ", net: " LONG_NAME ", if: eth0, id: aaaaaaa\"\n"
        "add rule inet cni_plugins_masquerade masq_checks ip saddr 10.0.0.2 comment \"" HASHES
        ", net: " LONG_NAME ", if: eth0, id: bbbbbbb\"\n");
    assert_int_equal(strlen(HASHES ", net: " LONG_NAME ", if: eth0, id: aaaaaaa"), 128);
    play_init(&play, PLUGIN);
    collection_own(&play.collection, network, network);
    collection_keep(&play.collection, "bbbbbbbbbbbb");
    sweep_nft(&play.collection);
    assert_counts(&play.gc.rules, 1, 1);
    assert_int_equal(map_count(&play.collection.gone), 0);
    left = ruleset(&play.arena);
    assert_has_not(left, "10.0.0.1");
    assert_has(left, "10.0.0.2");
    nft("flush ruleset");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_rules_of_nobody_go),
        in_place(test_of_one_container_only),
        in_place(test_ids_that_were_cut),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
