/* cni/gc: what is recorded and not wanted any more. */
#include "cni-fixture.h"

#define LIST(name, members)                                                                        \
    "{\"cniVersion\":\"1.1.0\",\"name\":\"" name "\"," members "\"plugins\":[{\"type\":\"one\"}]}"

static struct cni_failure failure;

static void add(const char *list, const char *container_id)
{
    _cleanup_(cni_network_free_at) struct cni_network *network = network_of(list);
    _cleanup_(strbuf_deinit) struct strbuf result = STRBUF_INIT;
    const struct cni_attachment attachment = attachment_of(container_id);
    const struct cni_setup setup = setup_of();

    if (cni_add(&setup, network, &attachment, &result, &failure) < 0)
        fail_msg("%s", failure.err.text);
}

static int gc(const char *list, const char *valid, struct cni_gc *gc)
{
    _cleanup_(cni_network_free_at) struct cni_network *network = list ? network_of(list) : NULL;
    const struct cni_valid one = {valid, "eth0"};
    const struct cni_setup setup = setup_of();

    gc->valid.items = &one;
    gc->valid.count = valid ? 1 : 0;
    unlink(RUN "/log");
    return cni_gc(&setup, network, gc, &failure);
}

static void test_what_is_not_valid_goes(void **state)
{
    struct cni_gc what = {0};

    write_plugin("one", ANSWER(RESULT_1_0));
    add(LIST("n", ""), "c1");
    add(LIST("n", ""), "c2");
    add(LIST("old", ""), "c3"); /* a network that was replaced */
    what.dry_run = true;
    assert_int_equal(gc(LIST("n", ""), "c1", &what), 0);
    assert_int_equal(what.stale, 2);
    assert_int_equal(what.deleted, 0);
    assert_false(exists(RUN "/log"));
    what.dry_run = false;
    assert_int_equal(gc(LIST("n", ""), "c1", &what), 0);
    assert_int_equal(what.deleted, 2);
    assert_string_equal(log_text(), "one DEL\none DEL\none GC\n");
    assert_has(contents(RUN "/one.GC.in"), "[{\"containerID\":\"c1\",\"ifname\":\"eth0\"}]");
    assert_int_equal(count_records(), 1);
    assert_int_equal(gc(NULL, NULL, &what), 0);
    assert_string_equal(log_text(), "one DEL\n");
    assert_int_equal(count_records(), 0);
}

/* Who is told of stale ones, for a line of text. */
static void note(void *userdata, const struct cni_entry *entry, const struct cni_failure *fault)
{
    strbuf_printf(userdata, "%s%s ", entry->container_id, fault ? "!" : "");
}

static void test_what_has_lost_its_namespace_goes(void **state)
{
    _cleanup_(strbuf_deinit) struct strbuf told = STRBUF_INIT;
    struct cni_gc what = {.by_netns = true, .tell = note, .userdata = &told};

    write_plugin("one", ANSWER(RESULT_1_0));
    add(LIST("n", ""), "c1");
    assert_int_equal(gc(LIST("n", ""), NULL, &what), 0);
    assert_int_equal(what.stale, 0);
    assert_false(exists(RUN "/log"));
    assert_int_equal(umount2(NETNS, MNT_DETACH), 0);
    what.dry_run = true;
    assert_int_equal(gc(LIST("n", ""), NULL, &what), 0);
    assert_string_equal(told.text, "c1 ");
    assert_int_equal(count_records(), 1);
    what.dry_run = false;
    write_plugin("one", "exit 1");
    assert_true(gc(LIST("n", ""), NULL, &what) < 0);
    assert_string_equal(told.text, "c1 c1! ");
    write_plugin("one", "");
    assert_int_equal(gc(LIST("n", ""), NULL, &what), 0);
    assert_string_equal(told.text, "c1 c1! c1 ");
    assert_string_equal(log_text(), "one DEL\n"); /* and no GC */
    assert_int_equal(count_records(), 0);
}

static void test_networks_that_forbid_it(void **state)
{
    struct cni_gc what = {0};

    write_plugin("one", ANSWER(RESULT_1_0));
    add(LIST("n", "\"disableGC\":true,"), "c1");
    assert_int_equal(gc(LIST("n", "\"disableGC\":true,"), NULL, &what), 0);
    assert_int_equal(what.stale, 0);
    assert_false(exists(RUN "/log"));
    assert_int_equal(count_records(), 1);
}

static void write_foreign(const char *network, const char *config)
{
    _cleanup_(mem_free_at) char *path = mem_printf(CACHE "/results/%s-c9-eth0", network);
    _cleanup_(mem_free_at) char *text =
        mem_printf("{\"kind\":\"cniCacheV1\",\"containerId\":\"c9\",\"ifName\":\"eth0\","
                   "\"networkName\":\"%s\",\"config\":\"%s\"}",
                   network, config);

    mkdir(CACHE "/results", 0700);
    write_mode(path, text, 0600);
}

/* Of other writers' records only those of this network are its business, and those of its calls. */
static void test_other_writers_records(void **state)
{
    struct cni_gc what = {0};

    write_plugin("one", ANSWER(RESULT_1_0));
    write_foreign("n", "");
    write_foreign("podman", "");
    /* {"name":"w","plugins":[{"type":"nodeagent-cni"}]} */
    write_foreign("w", "eyJuYW1lIjoidyIsInBsdWdpbnMiOlt7InR5cGUiOiJub2RlYWdlbnQtY25pIn1dfQ==");
    assert_int_equal(gc(LIST("n", ""), NULL, &what), 0);
    assert_int_equal(what.deleted, 2);
    assert_string_equal(log_text(), "one DEL\none GC\n");
    assert_true(exists(CACHE "/results/podman-c9-eth0"));
    assert_int_equal(count_records(), 1);
}

static void test_what_is_young_is_spared(void **state)
{
    struct cni_gc what = {.spare = 300 * USEC_PER_SEC};

    write_plugin("one", ANSWER(RESULT_1_0));
    add(LIST("n", ""), "c1");
    assert_int_equal(gc(NULL, NULL, &what), 0);
    assert_int_equal(what.stale, 0);
    assert_int_equal(count_records(), 1);
    what.spare = 1;
    assert_int_equal(gc(NULL, NULL, &what), 0);
    assert_int_equal(what.deleted, 1);
}

/* Namespaces that are called as runtimes call theirs. */
static void add_in_runtimes_netns(const char *container_id, const char *path)
{
    _cleanup_(cni_network_free_at) struct cni_network *network = network_of(LIST("n", ""));
    _cleanup_(strbuf_deinit) struct strbuf result = STRBUF_INIT;
    struct cni_attachment attachment = attachment_of(container_id);
    const struct cni_setup setup = setup_of();

    write_mode(path, "", 0600);
    assert_int_equal(mount(NETNS, path, NULL, MS_BIND, NULL), 0);
    attachment.netns = path;
    assert_int_equal(cni_add(&setup, network, &attachment, &result, &failure), 0);
}

static void test_namespaces_of_what_was_deleted(void **state)
{
    struct cni_gc what = {.dry_run = true};

    assert_int_equal(mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), 0);
    mkdir("/run/netns", 0755);
    write_plugin("one", ANSWER(RESULT_1_0));
    add_in_runtimes_netns("c1", "/run/netns/cni-1");
    add_in_runtimes_netns("c2", "/run/netns/cni-2");
    assert_int_equal(gc(NULL, "c2", &what), 0);
    assert_int_equal(what.namespaces.stale, 1);
    assert_int_equal(what.namespaces.deleted, 0);
    what.dry_run = false;
    assert_int_equal(gc(NULL, "c2", &what), 0);
    assert_int_equal(what.namespaces.deleted, 1);
    assert_false(exists("/run/netns/cni-1"));
    assert_true(exists("/run/netns/cni-2"));
    /* What could not be deleted needs its namespace for another try. */
    write_plugin("one", "exit 1");
    assert_true(gc(NULL, NULL, &what) < 0);
    assert_int_equal(what.namespaces.stale, 0);
    assert_true(exists("/run/netns/cni-2"));
    umount2("/run", MNT_DETACH);
}

static void test_it_goes_on_after_failures(void **state)
{
    struct cni_gc what = {0};

    write_plugin("one", ANSWER(RESULT_1_0));
    add(LIST("n", ""), "c1");
    add(LIST("n", ""), "c2");
    write_plugin("one", "[ $CNI_COMMAND != DEL -o $CNI_CONTAINERID != c1 ] || exit 1");
    assert_true(gc(LIST("n", ""), NULL, &what) < 0);
    assert_string_equal(failure.plugin, "one");
    assert_int_equal(what.stale, 2);
    assert_int_equal(what.deleted, 1);
    assert_string_equal(log_text(), "one DEL\none DEL\none DEL\none GC\n");
    assert_int_equal(count_records(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_what_is_not_valid_goes),    in_place(test_what_has_lost_its_namespace_goes),
        in_place(test_networks_that_forbid_it),   in_place(test_other_writers_records),
        in_place(test_what_is_young_is_spared),   in_place(test_namespaces_of_what_was_deleted),
        in_place(test_it_goes_on_after_failures),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
