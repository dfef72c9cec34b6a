/* static/directory: the set, what is no file, the place itself (saving is a file of its own). */
#include "saved.h"

/* the set */

static void test_pods_come_and_go_with_their_files(void **state)
{
    struct place *place = *state;
    struct object *first;

    start(place);
    first = place->objects[0];
    write_file(place, "db.yml", POD("db", "a:1"));
    turn_until_names(place, "db-n1 web-n1");
    assert_ptr_equal(place->objects[1], first);
    write_file(place, "api",
               "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": "
               "\"api\"}, \"spec\": {\"containers\": [{\"name\": \"c\", \"image\": "
               "\"a\"}]}}");
    turn_until_names(place, "api-n1 db-n1 web-n1");
    remove_file(place, "db.yml");
    turn_until_names(place, "api-n1 web-n1");
    remove_file(place, "api");
    remove_file(place, "web.yaml");
    turn_until_names(place, "");
    assert_string_equal(place->problems, "");
}

static void test_an_empty_directory_is_told_once(void **state)
{
    struct place *place = *state;

    assert_int_equal(mkdir(place->path, 0755), 0);
    watch_place(place, 50 * USEC_PER_MSEC);
    turn_for(place, 300 * USEC_PER_MSEC);
    assert_int_equal(place->told, 1);
    assert_string_equal(place->names, "");
    assert_true(place->complete);
}

static void test_the_same_text_again_is_no_news(void **state)
{
    struct place *place = *state;

    start(place);
    write_file(place, "web.yaml", POD("web", "a:1"));
    assert_undisturbed(place, 1);
    write_file(place, "web.yaml", "# a comment\n\n" POD("web", "a:1"));
    assert_undisturbed(place, 1);
    shell(place, "touch web.yaml; chmod 600 web.yaml; cat web.yaml >/dev/null");
    assert_undisturbed(place, 1);
}

static void test_changes_are_seen_without_events(void **state)
{
    struct place *place = *state;
    char target[PATH_MAX];

    /* Behind a link, no event tells. */
    assert_int_equal(mkdir(place->path, 0755), 0);
    snprintf(target, sizeof(target), "%s/elsewhere.yaml", place->root);
    write_file(place, "../elsewhere.yaml", POD("web", "a:1"));
    make_link(place, "web.yaml", target);
    watch_place(place, 200 * USEC_PER_MSEC);
    assert_string_equal(place->names, "web-n1");
    write_file(place, "../elsewhere.yaml", POD("web", "a:2"));
    turn_until(place, !strcmp(image(place, 0), "a:2"));
}

/* claims */

static void test_a_copy_does_not_take_over(void **state)
{
    struct place *place = *state;
    struct object *before;

    start(place);
    before = place->objects[0];
    write_file(place, "a-copy.yaml", POD("web", "a:2"));
    turn_until(place, *place->problems);
    assert_string_equal(place->names, "web-n1");
    assert_ptr_equal(place->objects[0], before);
    assert_non_null(
        strstr(place->problems, "a-copy.yaml:1:1! Pod default/web-n1 is already what "));
    assert_non_null(strstr(place->problems, "/manifests/web.yaml makes"));
    remove_file(place, "web.yaml");
    turn_until(place, !*place->problems);
    assert_string_equal(place->names, "web-n1");
    assert_string_equal(image(place, 0), "a:2");
}

static void test_a_renamed_file_is_no_conflict(void **state)
{
    struct place *place = *state;

    start(place);
    rename_file(place, "web.yaml", "a.yaml");
    turn_until(place, place->told > 1);
    assert_undisturbed(place, 2);
    assert_string_equal(place->problems, "");
}

/* what is no file */

static void test_what_is_no_file_is_told(void **state)
{
    struct place *place = *state;
    char path[PATH_MAX];

    start(place);
    make_directory(place, "sub");
    assert_int_equal(mkfifo(path_of(place, "pipe", path), 0644), 0);
    make_link(place, "nowhere", "missing");
    turn_until(place, place->told > 1 && strstr(place->problems, "sub "));
    assert_string_equal(place->problems, "nowhere is a link to nothing\n"
                                         "pipe is a fifo, not a file; it is not looked into\n"
                                         "sub is a directory, not a file; it is not looked into\n");
    assert_string_equal(place->names, "web-n1");
    assert_true(place->complete);
    remove_file(place, "pipe");
    remove_file(place, "nowhere");
    shell(place, "rmdir sub");
    turn_until(place, !*place->problems);
}

static void test_a_file_that_became_a_directory(void **state)
{
    struct place *place = *state;

    start(place);
    remove_file(place, "web.yaml");
    make_directory(place, "web.yaml");
    turn_until_names(place, "");
    turn_until(place, *place->problems);
    shell(place, "rmdir web.yaml");
    write_file(place, "web.yaml", POD("web", "a:1"));
    turn_until_names(place, "web-n1");
    turn_until(place, !*place->problems);
}

static void test_a_large_file_keeps_the_pod(void **state)
{
    struct place *place = *state;

    start(place);
    shell(place, "truncate -s 10485761 web.yaml");
    turn_until(place, *place->problems);
    assert_string_equal(place->problems, "web.yaml! has more than the 10 MiB allowed\n");
    assert_string_equal(place->names, "web-n1");
}

static void test_too_many_files(void **state)
{
    struct place *place = *state;

    start(place);
    shell(place, "for i in $(seq 4096); do : >p$i; done");
    turn_until(place, strstr(place->problems, "! has 4097 files, more than the 4096 allowed"));
    assert_string_equal(place->names, "web-n1");
    shell(place, "rm p*");
    turn_until(place, !*place->problems);
    assert_string_equal(place->names, "web-n1");
}

static void test_a_thousand_files(void **state)
{
    struct place *place = *state;

    start(place);
    for (int i = 0; i < 1000; i++) {
        char name[32], *text = mem_printf("apiVersion: v1\nkind: Pod\nmetadata: {name: p%d}\nspec: "
                                          "{containers: [{name: c, image: a}]}\n",
                                          i);

        snprintf(name, sizeof(name), "p%d.yaml", i);
        write_file(place, name, text);
        free(text);
    }
    turn_until(place, place->count == 1001);
    assert_string_equal(place->problems, "");
    shell(place, "rm p*");
    turn_until(place, place->count == 1);
}

static void test_lost_events(void **state)
{
    struct place *place = *state;
    char path[PATH_MAX];
    int first, second;

    start(place);
    write_file(place, "x.yaml", POD("x", "a:1"));
    turn_until_names(place, "web-n1 x-n1");
    /* Events of two files in turn are not folded: the queue of 16384 overflows. */
    first = open(path_of(place, "noise1", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    second = open(path_of(place, "noise2", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(pwrite(first, "#", 1, 0), 1);
        assert_int_equal(pwrite(second, "#", 1, 0), 1);
    }
    close(first);
    close(second);
    remove_file(place, "noise1");
    remove_file(place, "noise2");
    write_file(place, "web.yaml", POD("web", "a:2"));
    remove_file(place, "x.yaml");
    turn_until_names(place, "web-n1");
    assert_string_equal(image(place, 0), "a:2");
}

/* the place itself */

static void test_a_directory_that_comes_later(void **state)
{
    struct place *place = *state;

    watch_place(place, LONG_PERIOD);
    assert_string_equal(place->names, "");
    assert_string_equal(place->problems, "");
    assert_true(place->complete);
    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    turn_until_names(place, "web-n1");
    write_file(place, "web.yaml", POD("web", "a:2"));
    assert_changed_once(place, "a:2");
}

static void test_a_directory_that_vanishes(void **state)
{
    struct place *place = *state;
    char away[PATH_MAX];
    struct object *before;

    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    watch_place(place, 3 * USEC_PER_SEC);
    before = place->objects[0];
    snprintf(away, sizeof(away), "%s/away", place->root);
    assert_int_equal(rename(place->path, away), 0);
    turn_until(place, *place->problems);
    assert_non_null(strstr(place->problems, "! does not exist any more (unmounted?)"));
    assert_string_equal(place->names, "web-n1");
    assert_int_equal(rename(away, place->path), 0);
    turn_until(place, !*place->problems);
    assert_ptr_equal(place->objects[0], before);
    assert_int_equal(rename(place->path, away), 0);
    turn_until_names(place, "");
    assert_string_equal(place->problems, "");
    assert_int_equal(place->told, 5); /* start, gone, back, gone, over */
}

static void test_an_emptier_directory_in_its_place(void **state)
{
    struct place *place = *state;
    char away[PATH_MAX];

    /* What an unmount looks like when the mount point is an empty directory. */
    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    watch_place(place, 2 * USEC_PER_SEC);
    snprintf(away, sizeof(away), "%s/away", place->root);
    assert_int_equal(rename(place->path, away), 0);
    assert_int_equal(mkdir(place->path, 0755), 0);
    turn_until(place, *place->problems);
    assert_string_equal(place->names, "web-n1");
    turn_for(place, 500 * USEC_PER_MSEC);
    assert_non_null(strstr(place->problems, "web.yaml! is gone, and the directory is not the one"));
    write_file(place, "x.yaml", POD("x", "a:1"));
    turn_until_names(place, "web-n1 x-n1");
    write_file(place, "web.yaml", POD("web", "a:1"));
    turn_until(place, !*place->problems);
    assert_string_equal(place->names, "web-n1 x-n1");
    remove_file(place, "web.yaml");
    turn_until_names(place, "x-n1");
}

static void test_files_that_stay_away_are_dropped(void **state)
{
    struct place *place = *state;
    char away[PATH_MAX];

    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    watch_place(place, 1 * USEC_PER_SEC);
    snprintf(away, sizeof(away), "%s/away", place->root);
    assert_int_equal(rename(place->path, away), 0);
    assert_int_equal(mkdir(place->path, 0755), 0);
    turn_until_names(place, "");
    assert_string_equal(place->problems, "");
}

static void test_a_directory_that_cannot_be_read(void **state)
{
    struct place *place = *state;

    /* A loop of links cannot be looked at, and is not absent either. */
    assert_int_equal(symlink(place->path, place->path), 0);
    watch_place(place, 300 * USEC_PER_MSEC);
    assert_false(place->complete);
    assert_non_null(strstr(place->problems, "! cannot look at it: "));
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(mkdir(place->path, 0755), 0);
    turn_until(place, place->complete);
    assert_string_equal(place->problems, "");
}

static void test_a_single_file(void **state)
{
    struct place *place = *state;

    write_file(place, "../manifests", POD("web", "a:1"));
    watch_place(place, LONG_PERIOD);
    assert_string_equal(place->names, "web-n1");
    write_file(place, "../other", POD("x", "a:1"));
    assert_undisturbed(place, 1);
    write_file(place, "../new", POD("web", "a:2"));
    rename_file(place, "../new", "../manifests");
    assert_changed_once(place, "a:2");
    write_file(place, "../manifests", "kind: Nonsense");
    turn_until(place, *place->problems);
    assert_string_equal(place->names, "web-n1");
    remove_file(place, "../manifests");
    turn_until_names(place, "");
    write_file(place, "../manifests", POD("web", "a:3"));
    turn_until_names(place, "web-n1");
}

static void test_a_trailing_slash_is_no_other_place(void **state)
{
    struct place *place = *state;
    struct static_options options = options_of(place, LONG_PERIOD);
    char slashed[256], uid[64];

    start(place);
    snprintf(uid, sizeof(uid), "%s", place->objects[0]->metadata.uid);
    place->source = static_source_free(place->source);
    snprintf(slashed, sizeof(slashed), "%s//", place->path);
    options.place = slashed;
    assert_int_equal(static_directory_new(&place->source, &options, NULL), 0);
    turn_until(place, place->told == 2);
    assert_string_equal(place->objects[0]->metadata.uid, uid);
}

static void test_a_relative_path_is_refused(void **state)
{
    struct place *place = *state;
    struct static_options options = options_of(place, LONG_PERIOD);
    struct err err;

    options.place = "manifests";
    assert_int_equal(static_directory_new(&place->source, &options, &err), -EINVAL);
    assert_non_null(strstr(err.text, "must be absolute"));
}

/* lifetime */

static void test_freed_from_within_the_callback(void **state)
{
    struct place *place = *state;
    struct static_options options = options_of(place, LONG_PERIOD);

    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    place->free_at_once = true;
    assert_int_equal(static_directory_new(&place->source, &options, NULL), 0);
    turn_until(place, place->told);
    assert_null(place->source);
    assert_string_equal(place->names, "web-n1");
    turn_for(place, 50 * USEC_PER_MSEC);
}

static void test_freed_while_looking(void **state)
{
    struct place *place = *state;
    struct static_options options = options_of(place, LONG_PERIOD);

    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    assert_int_equal(static_directory_new(&place->source, &options, NULL), 0);
    while (!work_stats(place->work)->busy)
        assert_true(loop_turn(place->loop, 10 * USEC_PER_MSEC, NULL) >= 0);
    place->source = static_source_free(place->source);
    turn_for(place, 100 * USEC_PER_MSEC);
    assert_int_equal(place->told, 0);
}

/* A job of the same name that hangs, as a look at a dead mount does. */

static int hang(void *argument)
{
    int byte;

    return read(*(int *)argument, &byte, 1) < 0 ? -errno : 0;
}

static void hung(void *owner, void *argument, int result)
{
}

static void leave(void *argument)
{
}

static void test_a_disk_that_does_not_answer(void **state)
{
    struct place *place = *state;
    int ends[2];
    struct work_order order = {
        .key = place->path,
        .limit_usec = 10 * USEC_PER_MSEC,
        .run = hang,
        .done = hung,
        .free = leave,
        .argument = &ends[0],
    };

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    assert_int_equal(work_submit(place->work, &order, NULL, NULL), 0);
    watch_place(place, 100 * USEC_PER_MSEC);
    assert_non_null(strstr(place->problems, "! cannot be looked at: its disk or mount does not"));
    assert_false(place->complete);
    turn_until(place, work_stats(place->work)->stuck == 1);
    turn_for(place, 300 * USEC_PER_MSEC);
    assert_int_equal(place->told, 1); /* the same problem each time */
    close(ends[1]);
    turn_until_names(place, "web-n1");
    assert_true(place->complete);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_pods_come_and_go_with_their_files),
        in_place(test_an_empty_directory_is_told_once),
        in_place(test_the_same_text_again_is_no_news),
        in_place(test_changes_are_seen_without_events),
        in_place(test_a_copy_does_not_take_over),
        in_place(test_a_renamed_file_is_no_conflict),
        in_place(test_what_is_no_file_is_told),
        in_place(test_a_file_that_became_a_directory),
        in_place(test_a_large_file_keeps_the_pod),
        in_place(test_too_many_files),
        in_place(test_a_thousand_files),
        in_place(test_lost_events),
        in_place(test_a_directory_that_comes_later),
        in_place(test_a_directory_that_vanishes),
        in_place(test_an_emptier_directory_in_its_place),
        in_place(test_files_that_stay_away_are_dropped),
        in_place(test_a_directory_that_cannot_be_read),
        in_place(test_a_single_file),
        in_place(test_a_trailing_slash_is_no_other_place),
        in_place(test_a_relative_path_is_refused),
        in_place(test_freed_from_within_the_callback),
        in_place(test_freed_while_looking),
        in_place(test_a_disk_that_does_not_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
