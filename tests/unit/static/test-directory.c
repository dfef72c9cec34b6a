/* static/directory: real files, real inotify, and everything editors and installers do to them. */
#include "fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>

static void start(struct place *place)
{
    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    watch_place(place, LONG_PERIOD);
    assert_string_equal(place->problems, "");
    assert_string_equal(place->names, "web-n1");
    assert_true(place->complete);
    assert_int_equal(place->told, 1);
}

static const char *image(const struct place *place, size_t at)
{
    return pod_of(place->objects[at])->spec.containers.items[0].image;
}

/* What was done does not disturb: nobody is told anything, also after the longest settling. */
static void assert_undisturbed(struct place *place, unsigned told)
{
    turn_for(place, 700 * USEC_PER_MSEC);
    assert_int_equal(place->told, told);
    assert_string_equal(place->names, "web-n1");
}

/* One change is one set, which has the pod: it is never gone in between. */
static void assert_changed_once(struct place *place, const char *to)
{
    unsigned told = place->told;

    turn_until(place, place->told > told);
    assert_int_equal(place->told, told + 1);
    assert_string_equal(place->names, "web-n1");
    assert_string_equal(place->problems, "");
    assert_string_equal(image(place, 0), to);
    assert_undisturbed(place, told + 1);
}

static void shell(struct place *place, const char *script)
{
    char *command = mem_printf("cd '%s' && { %s\n}", place->path, script);

    assert_int_equal(system(command), 0);
    free(command);
}

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

/* saving, as it is done */

static void test_atomic_replacement_is_a_change(void **state)
{
    struct place *place = *state;

    start(place);
    write_file(place, ".web.yaml.new", POD("web", "a:2"));
    rename_file(place, ".web.yaml.new", "web.yaml");
    assert_changed_once(place, "a:2");
}

static void test_vim_saves(void **state)
{
    struct place *place = *state;

    start(place);
    write_file(place, ".web.yaml.swp", "b0VIM 9.0");
    write_file(place, "4913", "");
    remove_file(place, "4913");
    rename_file(place, "web.yaml", "web.yaml~");
    turn_for(place, 20 * USEC_PER_MSEC);
    write_file(place, "web.yaml", POD("web", "a:2"));
    shell(place, "chmod 644 web.yaml");
    remove_file(place, "web.yaml~");
    remove_file(place, ".web.yaml.swp");
    assert_changed_once(place, "a:2");
}

static void test_vim_keeps_a_backup(void **state)
{
    struct place *place = *state;

    start(place);
    rename_file(place, "web.yaml", "web.yaml~");
    write_file(place, "web.yaml", POD("web", "a:2"));
    assert_changed_once(place, "a:2");
}

static void test_sed_and_friends(void **state)
{
    struct place *place = *state;

    start(place);
    shell(place, "sed -i s/a:1/a:2/ web.yaml");
    assert_changed_once(place, "a:2");
    shell(place, "sed -i.bak s/a:2/a:3/ web.yaml");
    assert_changed_once(place, "a:3");
    shell(place, "cp web.yaml web.yaml.tmp; mv web.yaml.tmp web.yaml");
    assert_undisturbed(place, 3);
    shell(place, "sed s/a:3/a:4/ web.yaml >../new; install -m 644 ../new web.yaml");
    assert_changed_once(place, "a:4");
    shell(place, "cp web.yaml web.yaml.orig; cp web.yaml web.yaml.dpkg-old; cp web.yaml '#web#'; "
                 "cp web.yaml web.yaml.rpmsave; cp web.yaml .web.yaml");
    assert_undisturbed(place, 4);
}

static void test_deleting_and_writing_again(void **state)
{
    struct place *place = *state;

    start(place);
    remove_file(place, "web.yaml");
    turn_for(place, 200 * USEC_PER_MSEC);
    write_file(place, "web.yaml", POD("web", "a:2"));
    assert_changed_once(place, "a:2");
    remove_file(place, "web.yaml");
    turn_for(place, 50 * USEC_PER_MSEC);
    write_file(place, "web.yaml", POD("web", "a:2"));
    assert_undisturbed(place, 2);
}

/* A writer whose every prefix may be a valid manifest. */

struct slow_writer {
    char path[PATH_MAX];
    const char *text;
    unsigned chunk_msec;
};

static void *write_slowly(void *data)
{
    struct slow_writer *writer = data;
    int fd = open(writer->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    for (const char *c = writer->text; *c; c++) {
        if (write(fd, c, 1) != 1)
            break;
        usleep(writer->chunk_msec * 1000);
    }
    close(fd);
    return NULL;
}

static void write_while_turning(struct place *place, const char *name, const char *text)
{
    struct slow_writer writer = {.text = text, .chunk_msec = 15};
    pthread_t thread;

    path_of(place, name, writer.path);
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &writer), 0);
    turn_for(place, 300 * USEC_PER_MSEC);
    /* Others are not held up by it. */
    write_file(place, "x.yaml", POD("x", "a:1"));
    turn_for(place, strlen(text) * 15 * USEC_PER_MSEC);
    pthread_join(thread, NULL);
}

static void test_a_slow_writer_is_waited_for(void **state)
{
    struct place *place = *state;

    start(place);
    write_while_turning(place, "web.yaml",
                        POD("web", "a:2") "    command: [sleep]\n    args: ['1000']\n");
    turn_until(place, !strcmp(image(place, 0), "a:2"));
    assert_string_equal(place->names, "web-n1 x-n1");
    assert_int_equal(place->told, 3); /* the start, x, and the whole text: no half of it */
    assert_int_equal(pod_of(place->objects[0])->spec.containers.items[0].args.count, 1);
    assert_string_equal(place->problems, "");
}

static void test_a_new_file_is_waited_for(void **state)
{
    struct place *place = *state;

    start(place);
    write_while_turning(place, "new.yaml", POD("new", "a:2") "    command: [sleep]\n");
    turn_until_names(place, "new-n1 web-n1 x-n1");
    assert_int_equal(place->told, 3);
    assert_int_equal(pod_of(place->objects[0])->spec.containers.items[0].command.count, 1);
}

static void test_truncated_and_filled(void **state)
{
    struct place *place = *state;
    char path[PATH_MAX];
    int fd;

    start(place);
    fd = open(path_of(place, "web.yaml", path), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_undisturbed(place, 1); /* 700 ms of an empty file that somebody has open */
    assert_true(write(fd, POD("web", "a:2"), strlen(POD("web", "a:2"))) > 0);
    close(fd);
    assert_changed_once(place, "a:2");
}

static void test_an_empty_file_keeps_the_pod(void **state)
{
    struct place *place = *state;
    struct object *before;

    start(place);
    before = place->objects[0];
    write_file(place, "web.yaml", "");
    turn_until(place, *place->problems);
    assert_string_equal(place->problems,
                        "web.yaml:1:1! has no object in it; remove the file if it is meant to be "
                        "none\n");
    assert_ptr_equal(place->objects[0], before);
    assert_true(place->complete);
    write_file(place, "web.yaml", POD("web", "a:1"));
    turn_until(place, !*place->problems);
    assert_ptr_equal(place->objects[0], before);
}

static void test_a_broken_file_keeps_the_pod(void **state)
{
    struct place *place = *state;
    struct object *before;

    start(place);
    before = place->objects[0];
    write_file(place, "web.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web\nspec: [");
    turn_until(place, *place->problems);
    assert_true(str_has_prefix(place->problems, "web.yaml:4:"));
    assert_ptr_equal(place->objects[0], before);
    write_file(place, "web.yaml",
               "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers: []\n");
    turn_until(place, strstr(place->problems, "spec.containers"));
    assert_true(str_has_prefix(place->problems, "web.yaml:6:15! spec.containers: "));
    assert_ptr_equal(place->objects[0], before);
    write_file(place, "web.yaml", POD("web", "a:2"));
    turn_until(place, !*place->problems);
    assert_string_equal(image(place, 0), "a:2");
    assert_string_not_equal(place->objects[0]->metadata.uid, "");
}

static void test_a_file_never_understood_makes_the_set_incomplete(void **state)
{
    struct place *place = *state;

    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", "kind: [");
    write_file(place, "x.yaml", POD("x", "a"));
    watch_place(place, LONG_PERIOD);
    assert_string_equal(place->names, "x-n1");
    assert_false(place->complete);
    write_file(place, "web.yaml", POD("web", "a:1"));
    turn_until_names(place, "web-n1 x-n1");
    assert_true(place->complete);
}

static void test_links_of_a_mounted_volume(void **state)
{
    struct place *place = *state;

    /* As the kubelet's own ConfigMap volumes are written. */
    assert_int_equal(mkdir(place->path, 0755), 0);
    shell(place, "mkdir ..1 && cat >..1/web.yaml <<'X'\n" POD(
                     "web", "a:1") "X\n"
                                   "ln -s ..1 ..data && ln -s ..data/web.yaml web.yaml");
    watch_place(place, LONG_PERIOD);
    assert_string_equal(place->names, "web-n1");
    assert_string_equal(place->problems, "");
    shell(place,
          "mkdir ..2 && sed s/a:1/a:2/ ..1/web.yaml >..2/web.yaml && ln -s ..2 ..data_tmp && "
          "mv -T ..data_tmp ..data && rm -r ..1");
    assert_changed_once(place, "a:2");
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
        in_place(test_atomic_replacement_is_a_change),
        in_place(test_vim_saves),
        in_place(test_vim_keeps_a_backup),
        in_place(test_sed_and_friends),
        in_place(test_deleting_and_writing_again),
        in_place(test_a_slow_writer_is_waited_for),
        in_place(test_a_new_file_is_waited_for),
        in_place(test_truncated_and_filled),
        in_place(test_an_empty_file_keeps_the_pod),
        in_place(test_a_broken_file_keeps_the_pod),
        in_place(test_a_file_never_understood_makes_the_set_incomplete),
        in_place(test_links_of_a_mounted_volume),
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
