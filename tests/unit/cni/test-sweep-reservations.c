/* cni/sweep-reservations: addresses of nobody. */
#include "sweep-fixture.h"

#include <sys/file.h>

#define HOST_LOCAL "{\"type\":\"one\",\"IPAM\":{\"type\":\"host-local\",\"dataDir\":\"/srv/run\"}}"
#define DIRECTORY RUN "/n"
#define DEFAULT "/var/lib/cni/networks/n"

static void test_check_25_old_ones_of_nobody_go(void **state)
{
    _cleanup_(play_deinit) struct play play;

    play_init(&play, HOST_LOCAL);
    mkdir(DIRECTORY, 0755);
    write_old(DIRECTORY "/10.1.0.2", "gone\r\neth0", 600);
    write_old(DIRECTORY "/fd01::2", "gone\r\neth0", 600);
    write_old(DIRECTORY "/10.1.0.3", "lives\r\neth0", 600);
    write_old(DIRECTORY "/10.1.0.4", "young\r\neth0", 200);
    write_old(DIRECTORY "/10.1.0.5", "", 600); /* its writer was killed */
    write_old(DIRECTORY "/10.1.0.6", "ancient", 600);
    write_old(DIRECTORY "/last_reserved_ip.0", "10.1.0.6", 600);
    write_old(DIRECTORY "/lock", "", 600);
    play.gc.dry_run = true;
    sweep_reservations(&play.collection, play.network);
    assert_counts(&play.gc.reservations, 4, 0);
    assert_true(exists(DIRECTORY "/10.1.0.2"));
    play.gc.dry_run = false;
    play.gc.reservations = (struct cni_count){0};
    sweep_reservations(&play.collection, play.network);
    assert_counts(&play.gc.reservations, 4, 4);
    assert_int_equal(play.collection.first, 0);
    assert_false(exists(DIRECTORY "/10.1.0.2") || exists(DIRECTORY "/fd01::2") ||
                 exists(DIRECTORY "/10.1.0.5") || exists(DIRECTORY "/10.1.0.6"));
    assert_true(exists(DIRECTORY "/10.1.0.3") && exists(DIRECTORY "/10.1.0.4") &&
                exists(DIRECTORY "/last_reserved_ip.0") && exists(DIRECTORY "/lock"));
    /* The rest of it is swept, too, but for what may be somebody's who is at work. */
    assert_non_null(map_get(&play.collection.gone, "n/gone"));
    assert_int_equal(map_count(&play.collection.gone), 1);
    assert_non_null(map_get(&play.collection.known, "young"));
}

static void test_links_and_other_files_stay(void **state)
{
    _cleanup_(play_deinit) struct play play;

    play_init(&play, HOST_LOCAL);
    mkdir(DIRECTORY, 0755);
    write_old(RUN "/elsewhere", "gone\r\neth0", 600);
    assert_int_equal(symlink(RUN "/elsewhere", DIRECTORY "/10.1.0.2"), 0);
    assert_int_equal(mkdir(DIRECTORY "/10.1.0.3", 0755), 0);
    sweep_reservations(&play.collection, play.network);
    assert_counts(&play.gc.reservations, 0, 0);
    assert_int_equal(play.collection.first, 0);
}

/* flannel and its like make up host-local's configuration themselves. */
static void test_where_they_are_by_default(void **state)
{
    static const char *const plugins[] = {
        "{\"type\":\"flannel\",\"delegate\":{\"hairpinMode\":true}}",
        "{\"type\":\"x\",\"deep\":[{\"ipam\":{\"type\":\"host-local\"}}]}",
    };

    mkdir("/var/lib/cni", 0755);
    mkdir("/var/lib/cni/networks", 0755);
    mkdir(DEFAULT, 0755);
    for (size_t i = 0; i < array_size(plugins); i++) {
        _cleanup_(play_deinit) struct play play;

        play_init(&play, plugins[i]);
        write_old(DEFAULT "/10.1.0.2", "gone\r\neth0", 600);
        sweep_reservations(&play.collection, play.network);
        assert_counts(&play.gc.reservations, 1, 1);
    }
    _cleanup_(play_deinit) struct play other;

    play_init(&other, HOST_LOCAL);
    write_old(DEFAULT "/10.1.0.2", "gone\r\neth0", 600);
    sweep_reservations(&other.collection, other.network);
    assert_counts(&other.gc.reservations, 0, 0);
}

static void test_nothing_is_there(void **state)
{
    _cleanup_(play_deinit) struct play play;

    play_init(&play, HOST_LOCAL);
    sweep_reservations(&play.collection, play.network);
    assert_int_equal(play.collection.first, 0);
    write_mode(DIRECTORY, "", 0600);
    sweep_reservations(&play.collection, play.network);
    assert_int_equal(play.collection.first, -ENOTDIR);
    assert_string_equal(play.failure.message, "cannot open /srv/run/n: Not a directory");
}

/* host-local holds its lock for milliseconds. */
static void test_a_lock_that_is_held(void **state)
{
    _cleanup_(play_deinit) struct play play;
    int lock;

    play_init(&play, HOST_LOCAL);
    mkdir(DIRECTORY, 0755);
    write_old(DIRECTORY "/10.1.0.2", "gone\r\neth0", 600);
    lock = open(DIRECTORY "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    if (fork() == 0) {
        usleep(200000);
        _exit(0); /* and with it the lock */
    }
    close(lock);
    sweep_reservations(&play.collection, play.network);
    assert_counts(&play.gc.reservations, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_check_25_old_ones_of_nobody_go),
        in_place(test_links_and_other_files_stay),
        in_place(test_where_they_are_by_default),
        in_place(test_nothing_is_there),
        in_place(test_a_lock_that_is_held),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
