/* agent/log-rotation-files: what becomes of a log's files, and of what else stands there. */
#include "root-fixture.h"

#include "log-rotation-files.h"

#include "nodeagent/base/mem.h"

#include <time.h>
#include <zlib.h>

#define DIRECTORY "/a_b_c/main"
#define LOG "a_b_c/main/0.log"
#define OLD "/a_b_c/main/0.log.20200101-000000"
#define OLDER "/a_b_c/main/0.log.20190101-000000"

enum {
    LARGE_BYTES = 3 * 1024 * 1024,
};

static int open_logs(const struct root *root)
{
    int fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static const char *whole_of(const struct root *root, const char *path)
{
    static char whole[256];

    snprintf(whole, sizeof(whole), "%s%s%s", root->path, *path == '/' ? "" : "/", path);
    return whole;
}

static bool is_there(const struct root *root, const char *path)
{
    struct stat status;

    return lstat(whole_of(root, path), &status) == 0;
}

static void assert_holds(const struct root *root, const char *path, const char *text)
{
    struct strbuf found = STRBUF_INIT;
    struct err err;

    assert_int_equal(file_read(whole_of(root, path), LARGE_BYTES, &found, &err), 0);
    assert_string_equal(found.text, text);
    strbuf_deinit(&found);
}

/* As gzip -d does. */
static void assert_unpacks(const struct root *root, const char *path, const char *bytes,
                           size_t length)
{
    _cleanup_(mem_free_at) char *found = mem_alloc(length + 1);
    gzFile file = gzopen(whole_of(root, path), "rb");

    assert_non_null(file);
    assert_int_equal(gzread(file, found, (unsigned)length + 1), length);
    assert_int_equal(gzclose(file), Z_OK);
    assert_memory_equal(found, bytes, length);
}

static size_t entries(struct root *root)
{
    _cleanup_(fd_close_at) int fd = open_logs(root);
    struct directory_listing listing;

    assert_int_equal(directory_list(fd, &DIRECTORY[1], 100, &root->arena, &listing, &root->err), 0);
    return listing.count;
}

static enum container_log_sight look(const struct root *root, uint64_t size)
{
    _cleanup_(fd_close_at) int fd = open_logs(root);

    return container_log_look(fd, LOG, size);
}

static int rotate(struct root *root, uint32_t files_max, char stamp[CONTAINER_LOG_STAMP_SIZE])
{
    _cleanup_(fd_close_at) int fd = open_logs(root);

    return container_log_rotate(fd, LOG, files_max, stamp, &root->err);
}

static const char *rotated(const char *stamp)
{
    static char path[64];

    snprintf(path, sizeof(path), "/" LOG ".%s", stamp);
    return path;
}

static int restore(struct root *root, const char *stamp)
{
    _cleanup_(fd_close_at) int fd = open_logs(root);

    return container_log_restore(fd, LOG, stamp, &root->err);
}

static int compress_all(struct root *root)
{
    _cleanup_(fd_close_at) int fd = open_logs(root);

    return container_log_compress(fd, LOG, &root->err);
}

static void link_to(struct root *root, const char *target, const char *path)
{
    assert_int_equal(symlink(target, whole_of(root, path)), 0);
}

/* looking */

static void test_sizes(void **state)
{
    struct root *root = *state;

    assert_int_equal(look(root, 5), CONTAINER_LOG_MISSING);
    put(root, "/" LOG, "");
    assert_int_equal(look(root, 0), CONTAINER_LOG_FINE);
    put(root, "/" LOG, "1234");
    assert_int_equal(look(root, 5), CONTAINER_LOG_FINE);
    assert_int_equal(look(root, 4), CONTAINER_LOG_LARGE);
    assert_int_equal(look(root, 0), CONTAINER_LOG_LARGE);
}

static void test_only_regular_files_are_logs(void **state)
{
    struct root *root = *state;

    put(root, "/elsewhere/main/0.log", "large");
    put(root, "/a_b_c/x", "");
    link_to(root, "../elsewhere/main", DIRECTORY);
    assert_int_equal(look(root, 1), CONTAINER_LOG_FINE);
    assert_int_equal(unlink(whole_of(root, DIRECTORY)), 0);
    put(root, DIRECTORY "/x", "");
    link_to(root, "../../elsewhere/main/0.log", LOG);
    assert_int_equal(look(root, 1), CONTAINER_LOG_FINE);
    assert_int_equal(unlink(whole_of(root, LOG)), 0);
    assert_int_equal(mkfifo(whole_of(root, LOG), 0600), 0);
    assert_int_equal(look(root, 1), CONTAINER_LOG_FINE);
}

/* rotating */

static void test_a_log_is_renamed_and_back(void **state)
{
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    put(root, "/" LOG, "text");
    assert_int_equal(rotate(root, 5, stamp), 0);
    assert_int_equal(strlen(stamp), CONTAINER_LOG_STAMP_SIZE - 1);
    assert_false(is_there(root, LOG));
    assert_holds(root, rotated(stamp), "text");
    assert_int_equal(restore(root, stamp), 0);
    assert_holds(root, LOG, "text");
    assert_int_equal(entries(root), 1);
}

static void test_a_log_that_is_there_again_stays(void **state)
{
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    put(root, "/" LOG, "before");
    assert_int_equal(rotate(root, 5, stamp), 0);
    put(root, "/" LOG, "after");
    assert_int_equal(restore(root, stamp), 1);
    assert_holds(root, LOG, "after");
    assert_holds(root, rotated(stamp), "before");
}

static void test_the_stamp_is_local_time(void **state)
{
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE], least[CONTAINER_LOG_STAMP_SIZE];
    time_t now = time(NULL) + (time_t)5 * 3600 + 30 * 60;
    struct tm parts;

    setenv("TZ", "IST-5:30", 1);
    tzset();
    strftime(least, sizeof(least), "%Y%m%d-%H%M%S", gmtime_r(&now, &parts));
    put(root, "/" LOG, "text");
    assert_int_equal(rotate(root, 5, stamp), 0);
    assert_true(strcmp(stamp, least) >= 0);
    now += 600;
    strftime(least, sizeof(least), "%Y%m%d-%H%M%S", gmtime_r(&now, &parts));
    assert_true(strcmp(stamp, least) < 0);
    unsetenv("TZ");
    tzset();
}

static void test_names_sort_by_age_though_the_clock_went_back(void **state)
{
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    put(root, "/" LOG, "first");
    put(root, "/" LOG ".29991231-235959", "later");
    assert_int_equal(rotate(root, 5, stamp), 0);
    assert_string_equal(stamp, "30000101-000000");
    put(root, "/" LOG, "second");
    put(root, "/" LOG ".30000228-235959.gz", "");
    assert_int_equal(rotate(root, 5, stamp), 0);
    assert_string_equal(stamp, "30000301-000000");
}

static void test_no_name_is_left(void **state)
{
    static const char *const last[] = {"99991231-235959", "99999999-999999"};
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    for (size_t i = 0; i < array_size(last); i++) {
        put(root, "/" LOG, "text");
        put(root, rotated(last[i]), "");
        assert_int_equal(rotate(root, 5, stamp), -EOVERFLOW);
        assert_non_null(strstr(root->err.text, "rename that file"));
        assert_holds(root, LOG, "text");
        assert_int_equal(unlink(whole_of(root, rotated(last[i]))), 0);
    }
}

static void test_the_oldest_go(void **state)
{
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    put(root, "/" LOG, "text");
    put(root, OLDER ".gz", "");
    put(root, OLD, "");
    put(root, "/a_b_c/main/0.log.20210101-000000", "");
    put(root, "/a_b_c/main/0.log.20220101-000000", "");
    assert_int_equal(rotate(root, 5, stamp), 0);
    assert_int_equal(entries(root), 4);
    assert_false(is_there(root, OLDER ".gz"));
    assert_true(is_there(root, OLD));
    put(root, "/" LOG, "text");
    assert_int_equal(rotate(root, 2, stamp), 0);
    assert_int_equal(entries(root), 1);
    assert_true(is_there(root, rotated(stamp)));
}

static void test_what_was_left_unfinished_goes(void **state)
{
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    put(root, "/" LOG, "text");
    put(root, OLDER, "");
    put(root, OLDER ".tmp", "");
    put(root, OLD, "");
    put(root, OLD ".gz", "");
    assert_int_equal(rotate(root, 5, stamp), 0);
    assert_int_equal(entries(root), 3);
    assert_true(is_there(root, OLDER));
    assert_true(is_there(root, OLD ".gz"));
}

static void test_what_is_not_ours_stays(void **state)
{
    static const char *const others[] = {"/" LOG ".1", "/" LOG ".2020-01-01", OLD ".zip",
                                         "/a_b_c/main/1.log.20200101-000000.tmp",
                                         "/a_b_c/main/other"};
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    put(root, "/" LOG, "text");
    put(root, "/secret", "secret");
    for (size_t i = 0; i < array_size(others); i++)
        put(root, others[i], "");
    link_to(root, "../../secret", OLDER);
    link_to(root, "../../secret", OLDER ".tmp");
    link_to(root, "../../secret", OLD);
    assert_int_equal(rotate(root, 2, stamp), 0);
    assert_int_equal(compress_all(root), 0);
    for (size_t i = 0; i < array_size(others); i++)
        assert_true(is_there(root, others[i]));
    assert_int_equal(entries(root), array_size(others) + 4);
    assert_holds(root, "/secret", "secret");
}

static void test_links_are_refused(void **state)
{
    struct root *root = *state;
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    put(root, "/elsewhere/main/0.log", "text");
    put(root, "/a_b_c/x", "");
    link_to(root, "../elsewhere/main", DIRECTORY);
    assert_int_equal(rotate(root, 5, stamp), -ELOOP);
    assert_int_equal(compress_all(root), -ELOOP);
    assert_int_equal(restore(root, "20200101-000000"), -ELOOP);
    assert_int_equal(unlink(whole_of(root, DIRECTORY)), 0);
    put(root, DIRECTORY "/x", "");
    link_to(root, "../../elsewhere/main/0.log", LOG);
    assert_int_equal(rotate(root, 5, stamp), -EINVAL);
    assert_holds(root, "/elsewhere/main/0.log", "text");
    assert_true(is_there(root, LOG));
}

static void test_bad_places(void **state)
{
    struct root *root = *state;
    _cleanup_(fd_close_at) int fd = open_logs(root);
    char stamp[CONTAINER_LOG_STAMP_SIZE];

    assert_int_equal(container_log_rotate(fd, "0.log", 5, stamp, &root->err), -EINVAL);
    assert_int_equal(container_log_rotate(fd, "../x/0.log", 5, stamp, &root->err), -EXDEV);
    assert_int_equal(rotate(root, 5, stamp), -ENOENT);
    assert_int_equal(restore(root, "20200101-000000"), -ENOENT);
    put(root, DIRECTORY "/x", "");
    assert_int_equal(rotate(root, 5, stamp), -EINVAL);
    assert_int_equal(restore(root, "20200101-000000"), -ENOENT);
    assert_non_null(strstr(root->err.text, LOG ": cannot take back its name from 0.log.2020"));
}

/* compressing */

static void test_all_but_the_newest_are_compressed(void **state)
{
    struct root *root = *state;
    _cleanup_(mem_free_at) char *large = mem_alloc(LARGE_BYTES);
    struct stat status;

    for (size_t i = 0; i < LARGE_BYTES; i++)
        large[i] = (char)(i * i >> 7);
    put_bytes(root, OLDER, large, LARGE_BYTES);
    assert_int_equal(chmod(whole_of(root, OLDER), 0640), 0);
    put(root, OLD, "");
    put(root, "/a_b_c/main/0.log.20210101-000000", "newest");
    put(root, "/" LOG, "text");
    assert_int_equal(compress_all(root), 0);
    assert_unpacks(root, OLDER ".gz", large, LARGE_BYTES);
    assert_int_equal(stat(whole_of(root, OLDER ".gz"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_unpacks(root, OLD ".gz", "", 0);
    assert_holds(root, "/a_b_c/main/0.log.20210101-000000", "newest");
    assert_int_equal(entries(root), 4);
    assert_int_equal(compress_all(root), 0);
    assert_int_equal(entries(root), 4);
}

static void test_nothing_is_compressed_over_a_name_that_is_taken(void **state)
{
    struct root *root = *state;

    put(root, "/secret", "secret");
    put(root, OLDER, "text");
    put(root, OLD, "newest");
    link_to(root, "../../secret", OLDER ".tmp");
    assert_int_equal(compress_all(root), -EEXIST);
    assert_holds(root, "/secret", "secret");
    assert_holds(root, OLDER, "text");
}

static void test_a_disk_that_refuses(void **state)
{
    struct root *root = *state;

    put(root, OLDER, "text");
    put(root, OLD, "newest");
    assert_int_equal(mkdir(whole_of(root, OLDER ".gz"), 0700), 0);
    assert_int_equal(compress_all(root), -EISDIR);
    assert_non_null(strstr(root->err.text, "cannot compress 0.log.20190101-000000"));
    assert_holds(root, OLDER, "text");
    assert_int_equal(entries(root), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_root(test_sizes),
        with_root(test_only_regular_files_are_logs),
        with_root(test_a_log_is_renamed_and_back),
        with_root(test_a_log_that_is_there_again_stays),
        with_root(test_the_stamp_is_local_time),
        with_root(test_names_sort_by_age_though_the_clock_went_back),
        with_root(test_no_name_is_left),
        with_root(test_the_oldest_go),
        with_root(test_what_was_left_unfinished_goes),
        with_root(test_what_is_not_ours_stays),
        with_root(test_links_are_refused),
        with_root(test_bad_places),
        with_root(test_all_but_the_newest_are_compressed),
        with_root(test_nothing_is_compressed_over_a_name_that_is_taken),
        with_root(test_a_disk_that_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
