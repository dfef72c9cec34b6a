/* agent/log-links: what is put right in the directory of links, on real files. */
#include "test.h"

#include "log-links.h"
#include "shell.h"

#include "nodeagent/sys/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char place[] = "/tmp/nodeagent-test-links-XXXXXX";

/* What only links of pods ask for. */

const struct cri_pod *cri_cache_next(const struct cri_cache *cache, size_t *position)
{
    return NULL;
}

const char *container_log_path(const struct agent *agent, const struct cri_container *container)
{
    return NULL;
}

const char *pod_log_directory(const struct pod *pod, struct arena *arena)
{
    return NULL;
}

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", place, name);
    return path;
}

static void put_link(const char *name, const char *target)
{
    assert_return_code(symlink(target, path_of(name)), 0);
}

/* "": there is none */
static const char *target_of(const char *name)
{
    static char target[256];
    ssize_t length = readlink(path_of(name), target, sizeof(target) - 1);

    target[length < 0 ? 0 : length] = '\0';
    return target;
}

static void repair(const struct log_link *links, size_t count)
{
    struct log_links all = {.items = {.items = (struct log_link *)links, .count = count}};
    struct err err;

    assert_int_equal(log_links_repair(place, &all, &err), 0);
}

static int begin(void **state)
{
    return mkdtemp(place) ? 0 : -1;
}

static int end(void **state)
{
    _cleanup_(fd_close_at) int above = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct err err;

    return tree_remove(above, strrchr(place, '/') + 1, &err);
}

static void test_a_link_that_leads_nowhere_goes(void **state)
{
    put_link("old.log", "/nowhere/0.log");
    put_link("good.log", "/proc/self/status");
    put_link("other", "/nowhere");
    put_link(FILE_TEMPORARY_PREFIX "0123", "/nowhere");
    repair(NULL, 0);
    assert_string_equal(target_of("old.log"), "");
    assert_string_equal(target_of(FILE_TEMPORARY_PREFIX "0123"), "");
    assert_string_equal(target_of("good.log"), "/proc/self/status");
    assert_string_equal(target_of("other"), "/nowhere"); /* it is nobody's of here */
}

/* Its log was just renamed, and is not opened anew yet. */
static void test_that_of_a_container_that_runs_stays(void **state)
{
    static const struct log_link links[] = {{"runs.log", "/nowhere/1.log"}};

    put_link("runs.log", "/nowhere/1.log");
    repair(links, 1);
    assert_string_equal(target_of("runs.log"), "/nowhere/1.log");
}

/* The agent ended between the start of the container and its link. */
static void test_one_that_is_missing_is_made(void **state)
{
    static const struct log_link links[] = {{"new.log", "/nowhere/2.log"}};

    repair(links, 1);
    assert_string_equal(target_of("new.log"), "/nowhere/2.log");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_link_that_leads_nowhere_goes),
        cmocka_unit_test(test_that_of_a_container_that_runs_stays),
        cmocka_unit_test(test_one_that_is_missing_is_made),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
