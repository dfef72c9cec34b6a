/* cni/cache: records, written and read. */
#include "cni-fixture.h"

#include "cache.h"

static void write_record(const char *container_id, const char *result)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(cni_network_free_at) struct cni_network *network =
        network_of("{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]}");
    struct cni_attachment attachment = attachment_of(container_id);

    attachment.args = "A=1;B=;C=x y";
    attachment.capabilities = json_of(&arena, "{\"mac\":\"0\"}");
    assert_int_equal(
        cache_write(CACHE, network, &attachment, result ? json_of(&arena, result) : NULL, NULL), 0);
}

static void test_what_is_written_is_read(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(cni_network_free_at) struct cni_network *network = NULL;
    struct cni_entries entries;
    struct cni_entry *entry;
    struct stat status;

    write_record("c1", NULL);
    write_record("c1", RESULT_1_0);
    assert_int_equal(cni_entries_load(CACHE, &arena, &entries, NULL), 0);
    assert_int_equal(entries.items.count, 1);
    entry = &entries.items.items[0];
    assert_string_equal(entry->file, "n-c1-eth0");
    assert_string_equal(entry->network, "n");
    assert_string_equal(entry->container_id, "c1");
    assert_string_equal(entry->ifname, "eth0");
    assert_string_equal(entry->netns, NETNS);
    assert_string_equal(entry->args, "A=1;B=;C=x y");
    assert_true(json_text_is(json_get(entry->capabilities, "mac"), "0"));
    assert_true(json_text_is(json_get(entry->result, "cniVersion"), "1.0.0"));
    assert_true(entry->ours);
    network = network_of(entry->config);
    assert_string_equal(network->plugins.items[0].type, "a");
    assert_int_equal(stat(CACHE "/results/n-c1-eth0", &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
    assert_int_equal(stat(CACHE "/results", &status), 0);
    assert_int_equal(status.st_mode, S_IFDIR | 0700);
}

static void test_a_deletion_that_has_begun(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(cni_network_free_at) struct cni_network *network =
        network_of("{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[{\"type\":\"a\"}]}");
    const struct cni_attachment attachment = attachment_of("c1");
    usec_t began = clock_wall() - USEC_PER_SEC;
    struct cni_entry entry;

    write_record("c1", RESULT_1_0);
    assert_int_equal(cache_read(CACHE, "n-c1-eth0", &arena, &entry, NULL), 1);
    assert_false(entry.deleting);
    assert_true(entry.written >= began && entry.written <= clock_wall());
    assert_int_equal(cache_mark_deleting(CACHE, network, &attachment, entry.result, NULL), 0);
    assert_int_equal(cache_read(CACHE, "n-c1-eth0", &arena, &entry, NULL), 1);
    assert_true(entry.deleting && entry.ours && entry.result);
}

/* The form that libcni reads, to the letter. */
static void test_the_form(void **state)
{
    write_record("c1", "{\"cniVersion\":\"1.0.0\"}");
    assert_string_equal(
        contents(CACHE "/results/n-c1-eth0"),
        "{\"kind\":\"cniCacheV1\",\"containerId\":\"c1\",\"config\":\"eyJjbmlWZXJzaW9uIjoiMS4wLjAi"
        "LCJuYW1lIjoibiIsImxvYWRPbmx5SW5saW5lZFBsdWdpbnMiOnRydWUsInBsdWdpbnMiOlt7InR5cGUiOiJhIn1d"
        "fQ==\",\"ifName\":\"eth0\",\"networkName\":\"n\",\"netns\":\"" NETNS
        "\",\"cniArgs\":[[\"A\",\"1\"],[\"B\",\"\"],[\"C\",\"x y\"]],\"capabilityArgs\":{\"mac\":"
        "\"0\"},\"result\":{\"cniVersion\":\"1.0.0\"},\"nodeagent\":true}");
}

static void test_finding_one(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct cni_attachment attachment = attachment_of("c1");
    struct cni_entries entries;
    struct cni_entry entry;
    size_t of_c1 = 0;

    write_record("c1", NULL);
    write_record("b-c1", NULL); /* its file's name ends like the other's */
    write_record("c2", NULL);
    write_mode(CACHE "/results/x-c1-eth0", "", 0600);
    write_mode(CACHE "/results/y-c1-eth0", "{\"cniVersion\":\"0.4.0\"}", 0600);
    assert_int_equal(cache_find(CACHE, &attachment, &arena, &entries, NULL), 0);
    assert_int_equal(entries.items.count, 2);
    assert_int_equal(entries.unreadable.count, 2);
    array_for_each (found, entries.items)
        of_c1 += entry_is_of(found, "c1", "eth0");
    assert_int_equal(of_c1, 1);
    assert_int_equal(cache_read(CACHE, "n-c1-eth0", &arena, &entry, NULL), 1);
    assert_string_equal(entry.container_id, "c1");
    assert_null(entry.result);
    assert_int_equal(cache_read(CACHE, "x-c1-eth0", &arena, &entry, NULL), 0);
    assert_int_equal(cache_read(CACHE, "missing", &arena, &entry, NULL), 0);
}

static void test_damage(void **state)
{
    static const char *const damaged[] = {
        "[]",
        "{\"kind\":\"cniCacheV2\"}",
        "{\"kind\":\"cniCacheV1\",\"containerId\":\"c\"}",
        "{\"kind\":\"cniCacheV1\",\"containerId\":7,\"ifName\":\"e\",\"networkName\":\"n\"}",
        "{\"kind\":\"cniCacheV1\",",
    };
    static const char harmless[] =
        "{\"kind\":\"cniCacheV1\",\"containerId\":\"c\",\"ifName\":\"e\",\"networkName\":\"n\","
        "\"config\":\"!\",\"cniArgs\":[7,[\"a\"],[\"a\",\"b\"],[\"a\",1]],\"capabilityArgs\":[],"
        "\"result\":{\"cniVersion\":\"1.0.0\",\"ips\":7}}";
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct cni_entries entries;

    mkdir(CACHE "/results", 0700);
    for (size_t i = 0; i < array_size(damaged); i++) {
        _cleanup_(mem_free_at) char *path = mem_printf(CACHE "/results/%zu", i);

        write_mode(path, damaged[i], 0600);
    }
    write_mode(CACHE "/results/fine", harmless, 0600);
    assert_int_equal(symlink("fine", CACHE "/results/link"), 0);
    assert_int_equal(cni_entries_load(CACHE, &arena, &entries, NULL), 0);
    assert_int_equal(entries.unreadable.count, array_size(damaged) + 1);
    assert_int_equal(entries.items.count, 1);
    assert_null(entries.items.items[0].config);
    assert_null(entries.items.items[0].result);
    assert_null(entries.items.items[0].capabilities);
    assert_string_equal(entries.items.items[0].args, "a=b");
    assert_false(entries.items.items[0].ours);
}

static void test_reading_makes_nothing(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct cni_entries entries;
    struct err err;

    assert_int_equal(cni_entries_load("/srv/missing", &arena, &entries, NULL), 0);
    assert_int_equal(entries.items.count, 0);
    assert_false(exists("/srv/missing"));
    write_mode("/srv/file", "", 0600);
    assert_int_equal(cni_entries_load("/srv/file", &arena, &entries, &err), -ENOTDIR);
    assert_string_equal(err.text, "cannot list /srv/file/results: Not a directory");
}

static void test_removing(void **state)
{
    write_record("c1", NULL);
    assert_int_equal(cache_remove(CACHE, "n-c1-eth0", NULL), 0);
    assert_int_equal(cache_remove(CACHE, "n-c1-eth0", NULL), 0);
    assert_int_equal(count_records(), 0);
    write_record("c1", NULL);
    write_mode(CACHE "/results/" FILE_TEMPORARY_PREFIX "x", "", 0600);
    assert_int_equal(cache_tidy(CACHE, NULL), 0);
    assert_false(exists(CACHE "/results/" FILE_TEMPORARY_PREFIX "x"));
    assert_int_equal(count_records(), 1);
    write_mode("/srv/file", "", 0600);
    assert_true(cache_remove("/srv/file", "x", NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_what_is_written_is_read),
        in_place(test_a_deletion_that_has_begun),
        in_place(test_the_form),
        in_place(test_finding_one),
        in_place(test_damage),
        in_place(test_reading_makes_nothing),
        in_place(test_removing),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
