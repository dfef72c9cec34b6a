/* agent/node-files: the node's own files for its pods. */
#include "test.h"

#include "node-files.h"

#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
    char path[40];
    struct config config;
    struct node_files files;
    struct arena arena;
    struct resolv_conf parsed;
    struct err err;
};

static int set_up(void **state)
{
    struct place *place = mem_new(struct place);
    int fd;

    strcpy(place->path, "/tmp/nodeagent-test-XXXXXX");
    fd = mkstemp(place->path);
    assert_true(dprintf(fd, "nameserver 192.0.2.1\nsearch a.example\n") > 0);
    close(fd);
    place->config.resolv_conf = place->path;
    place->arena = ARENA_INIT_DOCUMENT;
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    node_files_deinit(&place->files);
    arena_deinit(&place->arena);
    free(place);
    return 0;
}

static int read_anew(struct place *place)
{
    struct node_reading *reading = node_reading_new(&place->files, &place->config);
    int r = node_reading_run(reading);

    if (r == 0)
        node_files_take(&place->files, reading);
    else
        place->err = reading->err;
    node_reading_free(reading);
    return r;
}

static void parse(struct place *place)
{
    assert_int_equal(
        node_files_resolv_conf(&place->files, &place->arena, &place->parsed, &place->err), 0);
}

static void test_it_is_read(void **state)
{
    struct place *place = *state;

    assert_int_equal(read_anew(place), 0);
    parse(place);
    assert_int_equal(place->parsed.servers.count, 1);
    assert_string_equal(place->parsed.servers.items[0], "192.0.2.1");
}

static void test_one_that_cannot_be_read_is_named(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    assert_int_equal(read_anew(place), -ENOENT);
    assert_non_null(strstr(place->err.text, place->path));
}

static void test_there_may_be_none(void **state)
{
    struct place *place = *state;

    place->config.resolv_conf = "";
    assert_int_equal(read_anew(place), 0);
    parse(place);
    assert_int_equal(place->parsed.servers.count, 0);
}

static void test_it_counts_for_a_second(void **state)
{
    struct place *place = *state;

    assert_int_equal(read_anew(place), 0);
    assert_null(node_reading_new(&place->files, &place->config));
    assert_int_equal(read_anew(place), 0); /* nothing to do */
    assert_int_equal(truncate(place->path, 0), 0);
    place->files.read -= NODE_FILES_USEC;
    assert_int_equal(read_anew(place), 0);
    parse(place);
    assert_int_equal(place->parsed.servers.count, 0);
}

static void test_what_was_read_before_is_no_news(void **state)
{
    struct place *place = *state;
    struct node_reading *slow = node_reading_new(&place->files, &place->config);

    assert_int_equal(node_reading_run(slow), 0);
    slow->began--;
    assert_int_equal(truncate(place->path, 0), 0);
    assert_int_equal(read_anew(place), 0);
    node_files_take(&place->files, slow);
    node_reading_free(slow);
    parse(place);
    assert_int_equal(place->parsed.servers.count, 0);
}

#define files_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        files_test(test_it_is_read),
        files_test(test_one_that_cannot_be_read_is_named),
        files_test(test_there_may_be_none),
        files_test(test_it_counts_for_a_second),
        files_test(test_what_was_read_before_is_no_news),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
