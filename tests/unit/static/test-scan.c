/* static/scan: one look, without a loop: what is read, what is not, what is said. */
#include "fixture.h"

#include "scan.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct scan *look(struct place *place, struct scan *scan)
{
    struct static_options options = options_of(place, LONG_PERIOD);

    if (!scan)
        scan = scan_new(&options, SCAN_UNKNOWN, 0);
    assert_int_equal(scan_run(scan), 0);
    return scan;
}

/* "a:read b:same! sentence" */
static char *entries_of(struct place *place, const struct scan *scan)
{
    static const char *const outcomes[] = {"same", "read", "held", "none"};
    struct strbuf text = STRBUF_INIT;

    array_for_each (entry, scan->entries) {
        strbuf_printf(&text, "%s%s:%s", text.length ? " " : "", shown(place, entry->path),
                      outcomes[entry->outcome]);
        if (entry->manifest && entry->manifest->problems.count)
            strbuf_printf(&text, "(%s)", entry->manifest->problems.items[0].sentence);
    }
    return strbuf_take(&text);
}

static void assert_entries(struct place *place, const struct scan *scan, const char *expected)
{
    char *found = entries_of(place, scan);

    assert_string_equal(found, expected);
    free(found);
}

static void settle(void)
{
    usleep(40 * 1000);
}

static void test_only_what_changed_is_read(void **state)
{
    struct place *place = *state;
    struct static_options options = options_of(place, LONG_PERIOD);
    struct scan *first, *second;

    make_directory(place, "");
    write_file(place, "b.yaml", POD("b", "a"));
    write_file(place, "a.yaml", POD("a", "a"));
    write_file(place, "c.yaml", POD("c", "a"));
    write_file(place, ".hidden", POD("d", "a"));
    settle();
    first = look(place, NULL);
    assert_int_equal(first->err.code, 0);
    assert_int_equal(first->form, SCAN_DIRECTORY);
    assert_entries(place, first, "a.yaml:read b.yaml:read c.yaml:read");
    assert_int_equal(first->entries.items[0].manifest->objects.count, 1);
    second = scan_new(&options, SCAN_DIRECTORY, 0);
    array_for_each (entry, first->entries)
        scan_know(second, entry->path, &entry->id);
    write_file(place, "b.yaml", POD("b", "b"));
    scan_hold(second, first->entries.items[2].path);
    look(place, second);
    assert_entries(place, second, "a.yaml:same b.yaml:read c.yaml:held");
    assert_memory_equal(&first->directory, &second->directory, sizeof(first->directory));
    scan_free(first);
    scan_free(second);
}

static void test_what_changed_just_now_is_read_again(void **state)
{
    struct place *place = *state;
    static const struct file_id zero;
    struct scan *scan;
    bool again = false;

    make_directory(place, "");
    for (int i = 0; !again; i++) {
        assert_true(i < 100); /* this is not always as quick as it should be */
        write_file(place, "a.yaml", POD("a", "a"));
        scan = look(place, NULL);
        assert_entries(place, scan, "a.yaml:read");
        again = !memcmp(&scan->entries.items[0].id, &zero, sizeof(zero));
        scan_free(scan);
    }
    settle();
    scan = look(place, NULL);
    assert_memory_not_equal(&scan->entries.items[0].id, &zero, sizeof(zero));
    scan_free(scan);
}

static void test_what_is_no_regular_file(void **state)
{
    struct place *place = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char path[PATH_MAX];
    struct scan *scan;

    make_directory(place, "");
    make_directory(place, "directory");
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", place->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(mkfifo(path_of(place, "fifo", path), 0644), 0);
    make_link(place, "device", "/dev/zero");
    make_link(place, "dangling", "nothing");
    make_link(place, "loop", "loop");
    write_file(place, "target.save", POD("a", "a"));
    make_link(place, "link", "target.save");
    scan = look(place, NULL);
    assert_entries(place, scan,
                   "dangling:none(is a link to nothing) "
                   "device:none(is a device, not a file; it is not looked into) "
                   "directory:none(is a directory, not a file; it is not looked into) "
                   "fifo:none(is a fifo, not a file; it is not looked into) "
                   "link:read "
                   "loop:read(Too many levels of symbolic links) "
                   "socket:none(is a socket, not a file; it is not looked into)");
    scan_free(scan);
    close(fd);
}

static void test_sizes(void **state)
{
    struct place *place = *state;
    char path[PATH_MAX];
    struct scan *scan;

    make_directory(place, "");
    write_file(place, "a", POD("a", "a"));
    write_file(place, "b", POD("b", "a"));
    assert_int_equal(truncate(path_of(place, "b", path), SCAN_FILE_BYTES_MAX + 1), 0);
    scan = look(place, NULL);
    assert_entries(place, scan, "a:read b:read(has more than the 10 MiB allowed)");
    assert_false(scan->entries.items[1].manifest->good);
    scan_free(scan);
    /* Together; what was read before does not count as read again. */
    for (int i = 0; i < 26; i++) {
        char name[8];

        snprintf(name, sizeof(name), "c%02d", i);
        write_file(place, name, "");
        assert_int_equal(truncate(path_of(place, name, path), SCAN_FILE_BYTES_MAX), 0);
    }
    scan =
        scan_new(&(struct static_options){.place = place->path, .node_name = "n"}, SCAN_UNKNOWN, 0);
    scan->bytes = SCAN_BYTES_MAX;
    look(place, scan);
    assert_non_null(
        strstr(scan->entries.items[0].manifest->problems.items[0].sentence, "256 MiB allowed"));
    scan_free(scan);
}

static void test_a_single_file(void **state)
{
    struct place *place = *state;
    struct static_options options = options_of(place, LONG_PERIOD);
    struct scan *scan;

    write_file(place, "../manifests", POD("a", "a"));
    scan = look(place, NULL);
    assert_int_equal(scan->form, SCAN_FILE);
    assert_int_equal(scan->entries.count, 1);
    assert_string_equal(scan->entries.items[0].path, place->path);
    scan_free(scan);
    remove_file(place, "../manifests");
    /* What was a file is a file that is missing; else nobody knows what is. */
    scan = look(place, scan_new(&options, SCAN_FILE, 0));
    assert_int_equal(scan->err.code, 0);
    assert_int_equal(scan->entries.count, 0);
    scan_free(scan);
    scan = look(place, NULL);
    assert_int_equal(scan->err.code, -ENOENT);
    scan_free(scan);
}

static void test_places_that_are_not_there(void **state)
{
    struct place *place = *state;
    struct static_options options = options_of(place, LONG_PERIOD);
    struct scan *scan;

    write_file(place, "../file", "");
    options.place = strcat(strcpy(place->path, place->root), "/file/below");
    scan = look(place, scan_new(&options, SCAN_UNKNOWN, 0));
    assert_int_equal(scan->err.code, -ENOENT);
    scan_free(scan);
    scan = look(place, scan_new(&options, SCAN_FILE, 0));
    assert_int_equal(scan->err.code, -ENOENT);
    scan_free(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_only_what_changed_is_read),
        in_place(test_what_changed_just_now_is_read_again),
        in_place(test_what_is_no_regular_file),
        in_place(test_sizes),
        in_place(test_a_single_file),
        in_place(test_places_that_are_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
