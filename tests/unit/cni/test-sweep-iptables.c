/* cni/sweep-iptables: rules of nobody, by the iptables that is installed. */
#include "sweep-fixture.h"
#include "tool.h"

#define PLUGIN "{\"type\":\"one\"}"

/* As bridge and portmap make them, for the container "gone" and for one that is there. The hashes
 * are of "ngone". */
#define BRIDGE_CHAIN "CNI-38cc0c846a5538cde3898474"
#define PORTS_CHAIN "CNI-DN-38cc0c846a5538cde3898"

static void shell(const char *script)
{
    assert_int_equal(system(script), 0);
}

static const char *rules(const char *program, struct arena *arena)
{
    const char *argv[] = {tool_find(program, arena), "-t", "nat", NULL}, *output;
    struct err err;

    assert_non_null(argv[0]); /* the package iptables */
    if (tool_run(argv, NULL, arena, &output, &err) != 0)
        fail_msg("%s", err.text);
    return output;
}

static void begin(const char *program)
{
    _cleanup_(mem_free_at) char *script = mem_printf(
        "%s-restore <<'END'\n*nat\n:CNI-HOSTPORT-DNAT - [0:0]\n:CNI-5678 - [0:0]\n"
        ":CNI-1234 - [0:0]\n:CNI-DN-1234 - [0:0]\n"
        "-A CNI-1234 -m comment --comment \"name: \\\"n\\\" id: \\\"gone\\\"\" -j ACCEPT\n"
        "-A POSTROUTING -m comment --comment \"name: \\\"n\\\" id: \\\"gone\\\"\" -j CNI-1234\n"
        "-A POSTROUTING -m comment --comment \"name: \\\"n\\\" id: \\\"lives\\\"\" -j CNI-5678\n"
        "-A POSTROUTING -m comment --comment \"name: \\\"podman\\\" id: \\\"gone\\\"\" -j ACCEPT\n"
        "-A POSTROUTING -m comment --comment \"it's \\\"mine\\\"\" -j ACCEPT\n"
        "-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment \"dnat name: \\\"n\\\" id: "
        "\\\"gone\\\"\" -m multiport --dports 8080 -j CNI-DN-1234\n"
        "-A CNI-HOSTPORT-DNAT -p udp -m comment --comment \"dnat name: \\\"n\\\" id: "
        "\\\"gone\\\"\" -m multiport --dports 8080 -j CNI-DN-1234\n"
        "COMMIT\nEND",
        program);

    shell(script);
}

static void test_rules_of_nobody_go(void **state)
{
    _cleanup_(play_deinit) struct play play;
    const char *left;

    begin("iptables");
    begin("ip6tables");
    play_init(&play, PLUGIN);
    play.gc.dry_run = true;
    sweep_iptables(&play.collection);
    assert_counts(&play.gc.rules, 6, 0);
    collection_deinit(&play.collection);
    play.collection.gone = play.collection.known = play.collection.valid =
        play.collection.networks = MAP_INIT;
    collection_init(&play.collection);
    play.gc.dry_run = false;
    play.gc.rules = (struct cni_count){0};
    sweep_iptables(&play.collection);
    assert_int_equal(play.collection.first, 0);
    assert_counts(&play.gc.rules, 6, 6);
    for (size_t i = 0; i < 2; i++) {
        left = rules(i ? "ip6tables-save" : "iptables-save", &play.arena);
        assert_has_not(left, "1234");
        assert_has_not(left, "\\\"n\\\" id: \\\"gone");
        assert_has(left, "\\\"n\\\" id: \\\"lives");
        assert_has(left, "CNI-5678");
        assert_has(left, "\\\"podman\\\" id: \\\"gone");
        assert_has(left, "mine");
        assert_has(left, ":CNI-HOSTPORT-DNAT");
    }
    assert_non_null(map_get(&play.collection.gone, "n/gone"));
    shell("iptables -t nat -F; iptables -t nat -X; ip6tables -t nat -F; ip6tables -t nat -X");
}

/* Of which nothing is left but their names. */
static void test_chains_of_nobody_go(void **state)
{
    _cleanup_(play_deinit) struct play play;
    const char *left;

    shell("iptables -t nat -N " BRIDGE_CHAIN "; iptables -t nat -N " PORTS_CHAIN
          "; iptables -t nat -A " PORTS_CHAIN " -j ACCEPT; iptables -t nat -N CNI-5678");
    play_init(&play, PLUGIN);
    sweep_iptables(&play.collection);
    assert_has(rules("iptables-save", &play.arena), BRIDGE_CHAIN);
    collection_lose(&play.collection, &(struct gone){"n", "gone", "eth0", true});
    sweep_iptables(&play.collection);
    assert_int_equal(play.collection.first, 0);
    left = rules("iptables-save", &play.arena);
    assert_has_not(left, BRIDGE_CHAIN);
    assert_has_not(left, PORTS_CHAIN);
    assert_has(left, "CNI-5678");
    shell("iptables -t nat -F; iptables -t nat -X");
}

/* Nothing of it goes when not all can: another rule leads to a chain. */
static void test_what_cannot_be_deleted(void **state)
{
    _cleanup_(play_deinit) struct play play;

    begin("iptables");
    shell("iptables -t nat -A OUTPUT -j CNI-1234");
    play_init(&play, PLUGIN);
    sweep_iptables(&play.collection);
    assert_true(play.collection.first < 0);
    assert_has(play.failure.message, "iptables-restore exited with status");
    assert_has(rules("iptables-save", &play.arena), "\\\"n\\\" id: \\\"gone");
    shell("iptables -t nat -F; iptables -t nat -X");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_rules_of_nobody_go),
        in_place(test_chains_of_nobody_go),
        in_place(test_what_cannot_be_deleted),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
