/* static/directory: everything editors and installers do to a file, with real inotify. */
#include "saved.h"

#include <pthread.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
