/* static/watch: what events say about a file, and when it is settled. */
#include "fixture.h"

#include "watch.h"

#include <sys/resource.h>

struct watched {
    struct place *place;
    struct watch watch;
    unsigned called;
};

static void on_event(void *owner)
{
    ((struct watched *)owner)->called++;
}

static void open_watch(struct watched *watched, struct place *place)
{
    int fd;

    watched->place = place;
    make_directory(place, "");
    assert_int_equal(watch_open(&watched->watch, place->loop, on_event, watched, NULL), 0);
    fd = watch_duplicate(&watched->watch);
    assert_true(fd >= 0);
    assert_true(watch_add(fd, place->path) >= 0);
    close(fd);
    assert_int_equal(watched->watch.due, USEC_NEVER);
}

static bool is_held(struct watched *watched, const char *name, usec_t when)
{
    return watch_holds(&watched->watch, name, when) != 0;
}

static void test_a_saved_file_settles_soon(void **state)
{
    struct watched watched = {0};
    usec_t due;

    open_watch(&watched, *state);
    write_file(*state, "a", "text");
    turn_until(watched.place, watched.called);
    due = watched.watch.due;
    assert_true(due <= clock_boottime() + WATCH_CLOSED_USEC);
    assert_true(is_held(&watched, "a", due - 1));
    assert_false(is_held(&watched, "a", due));
    assert_false(is_held(&watched, "b", due - 1));
    watch_begin_look(&watched.watch, due - 1);
    assert_int_equal(watched.watch.due, USEC_NEVER);
    assert_true(is_held(&watched, "a", due - 1));
    watch_begin_look(&watched.watch, due);
    assert_int_equal(map_count(&watched.watch.names), 0);
    watch_close(&watched.watch);
    watch_close(&watched.watch); /* harmless */
}

static void test_an_open_file_is_held(void **state)
{
    struct watched watched = {0};
    char path[PATH_MAX];
    usec_t written;
    int fd;

    open_watch(&watched, *state);
    fd = open(path_of(*state, "a", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(write(fd, "x", 1), 1);
    watch_drain(&watched.watch);
    assert_int_equal(watched.called, 0); /* draining calls nobody */
    written = watched.watch.due - WATCH_SETTLE_USEC;
    assert_true(written <= clock_boottime());
    assert_true(is_held(&watched, "a", written + WATCH_WRITER_QUIET_USEC - 1));
    assert_false(is_held(&watched, "a", written + WATCH_WRITER_QUIET_USEC));
    close(fd);
    watch_drain(&watched.watch);
    assert_true(is_held(&watched, "a", watched.watch.due - 1));
    assert_false(is_held(&watched, "a", watched.watch.due));
    watch_close(&watched.watch);
}

static void test_constant_change_is_not_waited_for(void **state)
{
    struct watched watched = {0};
    usec_t now;

    open_watch(&watched, *state);
    do {
        write_file(*state, "a", "text");
        watch_drain(&watched.watch);
        now = clock_boottime();
        usleep(10 * 1000);
    } while (now < watched.watch.first + WATCH_BUSY_USEC);
    assert_true(watched.watch.due <= now);
    assert_false(is_held(&watched, "a", now));
    watch_close(&watched.watch);
}

static void test_what_does_not_matter(void **state)
{
    struct watched watched = {0};

    open_watch(&watched, *state);
    write_file(*state, ".a.swp", "text");
    write_file(*state, "a~", "text");
    rename_file(*state, "a~", "b.bak");
    watch_drain(&watched.watch);
    assert_int_equal(watched.watch.due, USEC_NEVER);
    make_link(*state, "..data", "x");
    watch_drain(&watched.watch);
    assert_int_not_equal(watched.watch.due, USEC_NEVER);
    watch_begin_look(&watched.watch, USEC_NEVER);
    watch_restrict(&watched.watch, "one");
    write_file(*state, "other", "text");
    watch_drain(&watched.watch);
    assert_int_equal(watched.watch.due, USEC_NEVER);
    write_file(*state, "one", "text");
    watch_drain(&watched.watch);
    assert_int_not_equal(watched.watch.due, USEC_NEVER);
    watch_close(&watched.watch);
}

static void test_a_directory_that_goes(void **state)
{
    struct watched watched = {0};

    open_watch(&watched, *state);
    assert_int_equal(rmdir(watched.place->path), 0);
    watch_drain(&watched.watch);
    assert_int_not_equal(watched.watch.due, USEC_NEVER);
    assert_true(watch_add(watched.watch.fd, watched.place->path) == -ENOENT);
    watch_close(&watched.watch);
}

static void test_removed(void **state)
{
    struct watched watched = {0};
    int descriptor;

    open_watch(&watched, *state);
    descriptor = watch_add(watched.watch.fd, watched.place->path);
    assert_int_equal(watch_add(watched.watch.fd, watched.place->path), descriptor);
    watch_remove(&watched.watch, descriptor);
    write_file(*state, "a", "text");
    watch_drain(&watched.watch);
    assert_int_equal(watched.watch.due, USEC_NEVER);
    watch_close(&watched.watch);
}

static void test_too_many_names(void **state)
{
    struct watched watched = {0};
    char name[16];

    open_watch(&watched, *state);
    for (int i = 0; i <= WATCH_NAMES_MAX; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        make_link(*state, name, "x");
        if (i % 1000 == 0)
            watch_drain(&watched.watch);
    }
    watch_drain(&watched.watch);
    assert_int_equal(map_count(&watched.watch.names), WATCH_NAMES_MAX);
    assert_false(is_held(&watched, name, 1));
    watch_close(&watched.watch);
}

static void set_descriptors_max(rlim_t max)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void test_without_inotify(void **state)
{
    struct place *place = *state;
    struct static_options options = options_of(place, 100 * USEC_PER_MSEC);
    struct watch watch;
    struct err err;

    make_directory(place, "");
    write_file(place, "web.yaml", POD("web", "a:1"));
    set_descriptors_max(1);
    assert_int_equal(watch_open(&watch, place->loop, on_event, NULL, &err), -EMFILE);
    assert_int_equal(static_directory_new(&place->source, &options, NULL), 0);
    set_descriptors_max(1024);
    assert_non_null(strstr(err.text, "fs.inotify.max_user_instances"));
    assert_int_equal(watch_duplicate(&watch), -1);
    watch_drain(&watch);
    watch_begin_look(&watch, 0);
    watch_close(&watch);
    /* The source does without: it looks every period. */
    turn_until(place, place->told);
    assert_string_equal(place->names, "web-n1");
    assert_true(str_has_prefix(place->problems, " changes are only seen by looking now and then"));
    assert_true(place->complete);
    write_file(place, "web.yaml", POD("web2", "a:1"));
    turn_until_names(place, "web2-n1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_a_saved_file_settles_soon),
        in_place(test_an_open_file_is_held),
        in_place(test_constant_change_is_not_waited_for),
        in_place(test_what_does_not_matter),
        in_place(test_a_directory_that_goes),
        in_place(test_removed),
        in_place(test_too_many_names),
        in_place(test_without_inotify),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
