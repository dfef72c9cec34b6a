/* agent/node-files: the node's own files for its pods. */
#include "test.h"

#include "node-files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_they_are_read(void **state)
{
    char path[] = "/tmp/nodeagent-test-XXXXXX";
    struct config config = {.resolv_conf = path};
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct resolv_conf parsed;
    struct node_files *files;
    struct err err;
    int fd = mkstemp(path);

    assert_true(dprintf(fd, "nameserver 192.0.2.1\nsearch a.example\n") > 0);
    close(fd);
    files = node_files_new(&config);
    assert_int_equal(node_files_read(files), 0);
    assert_int_equal(node_files_resolv_conf(files, &arena, &parsed, &err), 0);
    assert_int_equal(parsed.servers.count, 1);
    assert_string_equal(parsed.servers.items[0], "192.0.2.1");
    node_files_free(files);

    unlink(path);
    files = node_files_new(&config);
    assert_int_equal(node_files_read(files), -ENOENT);
    assert_non_null(strstr(files->err.text, path));
    node_files_free(files);

    config.resolv_conf = ""; /* none */
    files = node_files_new(&config);
    assert_int_equal(node_files_read(files), 0);
    assert_int_equal(node_files_resolv_conf(files, &arena, &parsed, &err), 0);
    assert_int_equal(parsed.servers.count, 0);
    node_files_free(files);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_they_are_read)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
