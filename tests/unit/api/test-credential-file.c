/* api/credential-file: files are read again at their times, and what is broken changes nothing. */
#include "machine.h"

#include "nodeagent/api/credential_file.h"

#include <pthread.h>

struct watch {
    struct credential_file file;
    char paths[2][PATH_MAX];
    unsigned changes;
};

static void on_change(struct credential_file *file)
{
    container_of(file, struct watch, file)->changes++;
}

/* The second name may be NULL. */
static void watch_begin(struct watch *watch, struct machine *machine, enum credential_kind kind,
                        const char *name, const char *more, const char *text, const char *more_text)
{
    *watch = (struct watch){
        .file = {.kind = kind,
                 .wheel = machine->wheel,
                 .work = machine->work,
                 .changed = on_change},
    };
    snprintf(watch->paths[0], PATH_MAX, "%s/%s", machine->place.directory, name);
    snprintf(watch->paths[1], PATH_MAX, "%s/%s", machine->place.directory, more ? more : "");
    watch->file.paths[0] = watch->paths[0];
    watch->file.paths[1] = more ? watch->paths[1] : NULL;
    credential_file_begin(&watch->file, text, more_text);
}

static void settle(struct machine *machine, struct watch *watch)
{
    turn_until(machine, !watch->file.job);
}

static void test_tokens(void **state)
{
    struct machine *machine = *state;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_TOKEN, "token", NULL, "older", NULL);
    assert_string_equal(watch.file.texts[0], "older");
    settle(machine, &watch);
    assert_int_equal(watch.changes, 1);
    assert_string_equal(watch.file.texts[0], "t0ken");
    write_file(&machine->place, "token", "new");
    pass(machine, CREDENTIAL_TOKEN_PERIOD - 5 * USEC_PER_SEC);
    assert_null(watch.file.job);
    pass(machine, 5 * USEC_PER_SEC);
    settle(machine, &watch);
    assert_string_equal(watch.file.texts[0], "new");
    assert_int_equal(watch.changes, 2);
    pass(machine, CREDENTIAL_TOKEN_PERIOD);
    settle(machine, &watch);
    assert_int_equal(watch.changes, 2);
    credential_file_end(&watch.file);
    assert_false(wheel_timer_armed(&watch.file.timer));
}

static void test_a_broken_file_changes_nothing(void **state)
{
    struct machine *machine = *state;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_TOKEN, "token", NULL, "t0ken", NULL);
    settle(machine, &watch);
    write_file(&machine->place, "token", "");
    for (int i = 0; i < 3; i++) {
        pass(machine, CREDENTIAL_TOKEN_PERIOD);
        settle(machine, &watch);
        assert_string_equal(watch.file.texts[0], "t0ken");
    }
    assert_int_equal(watch.changes, 0);
    assert_logged(&machine->place, "/token: is empty", true);
    write_file(&machine->place, "token", "back");
    pass(machine, CREDENTIAL_RETRY);
    settle(machine, &watch);
    assert_string_equal(watch.file.texts[0], "back");
    assert_logged(&machine->place, "/token: is read again", true);
    assert_logged(&machine->place, "back", false);
    credential_file_end(&watch.file);
}

static void test_certificates(void **state)
{
    struct machine *machine = *state;
    struct pair *node = &machine->place.node, *other = &machine->place.other;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_PAIR, "node.crt", "node.key", node->certificate,
                node->key);
    assert_null(watch.file.job);
    pass(machine, CREDENTIAL_PEM_PERIOD);
    settle(machine, &watch);
    assert_int_equal(watch.changes, 0);
    write_file(&machine->place, "node.crt", other->certificate);
    pass(machine, CREDENTIAL_PEM_PERIOD);
    settle(machine, &watch);
    assert_int_equal(watch.changes, 0);
    assert_string_equal(watch.file.texts[0], node->certificate);
    assert_logged(&machine->place, "/node.crt: its key is another certificate's", true);
    write_file(&machine->place, "node.key", other->key);
    pass(machine, CREDENTIAL_RETRY);
    settle(machine, &watch);
    assert_int_equal(watch.changes, 1);
    assert_string_equal(watch.file.texts[0], other->certificate);
    assert_string_equal(watch.file.texts[1], other->key);
    credential_file_end(&watch.file);
}

static void test_a_rotated_certificate(void **state)
{
    struct machine *machine = *state;
    char *node = mem_printf("%s%s", machine->place.node.certificate, machine->place.node.key);
    char *other = mem_printf("%s%s", machine->place.other.certificate, machine->place.other.key);
    const char *name = CREDENTIAL_ROTATED_NAME;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_PAIR, name, name, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        pass(machine, CREDENTIAL_AWAITED_PERIOD);
        settle(machine, &watch);
        assert_null(watch.file.texts[0]);
    }
    assert_int_equal(watch.changes, 0);
    write_file(&machine->place, name, node);
    pass(machine, CREDENTIAL_AWAITED_PERIOD);
    settle(machine, &watch);
    assert_int_equal(watch.changes, 1);
    assert_string_equal(watch.file.texts[0], node);
    assert_string_equal(watch.file.texts[1], node);
    write_file(&machine->place, name, other);
    pass(machine, CREDENTIAL_AWAITED_PERIOD);
    assert_null(watch.file.job);
    pass(machine, CREDENTIAL_ROTATED_PERIOD - CREDENTIAL_AWAITED_PERIOD);
    settle(machine, &watch);
    assert_int_equal(watch.changes, 2);
    assert_string_equal(watch.file.texts[1], other);
    credential_file_end(&watch.file);
    free(node);
    free(other);
}

static void test_authorities(void **state)
{
    struct machine *machine = *state;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_AUTHORITY, "ca.crt", NULL,
                machine->place.other.certificate, NULL);
    write_file(&machine->place, "ca.crt", "nothing");
    pass(machine, CREDENTIAL_PEM_PERIOD);
    settle(machine, &watch);
    assert_logged(&machine->place, "/ca.crt: has no certificate in it that is PEM", true);
    write_file(&machine->place, "ca.crt", machine->place.node.certificate);
    pass(machine, CREDENTIAL_RETRY);
    settle(machine, &watch);
    assert_int_equal(watch.changes, 1);
    assert_string_equal(watch.file.texts[0], machine->place.node.certificate);
    credential_file_end(&watch.file);
}

/* refusals */

static void test_a_refusal_reads_at_once(void **state)
{
    struct machine *machine = *state;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_TOKEN, "token", NULL, "t0ken", NULL);
    settle(machine, &watch);
    credential_file_refuse(&watch.file, watch.file.read); /* began when it was read, or before */
    assert_null(watch.file.job);
    assert_false(watch.file.fetching);
    credential_file_refuse(&watch.file, clock_boottime());
    assert_true(watch.file.fetching);
    credential_file_refuse(&watch.file, watch.file.began);
    settle(machine, &watch);
    assert_false(watch.file.fetching);
    assert_int_equal(watch.changes, 1); /* the same again: who waits is told */
    write_file(&machine->place, "token", "new");
    credential_file_refuse(&watch.file, clock_boottime());
    settle(machine, &watch);
    assert_int_equal(watch.changes, 2);
    assert_string_equal(watch.file.texts[0], "new");
    credential_file_end(&watch.file);
}

static void test_a_reading_that_began_too_early(void **state)
{
    struct machine *machine = *state;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_TOKEN, "token", NULL, "t0ken", NULL);
    assert_non_null(watch.file.job);
    usleep(1000);
    credential_file_refuse(&watch.file, clock_boottime());
    assert_true(watch.file.fetching && watch.file.again);
    write_file(&machine->place, "token", "new");
    turn_until(machine, !watch.file.fetching);
    assert_string_equal(watch.file.texts[0], "new");
    assert_int_equal(watch.changes, 1);
    credential_file_end(&watch.file);
}

/* The answer to a request from before comes last. */
static void test_an_older_refusal_takes_nothing_back(void **state)
{
    struct machine *machine = *state;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_TOKEN, "token", NULL, NULL, NULL);
    usleep(1000);
    credential_file_refuse(&watch.file, clock_boottime());
    credential_file_refuse(&watch.file, watch.file.began);
    assert_true(watch.file.fetching && watch.file.again);
    write_file(&machine->place, "token", "new");
    turn_until(machine, !watch.file.fetching);
    assert_string_equal(watch.file.texts[0], "new");
    credential_file_end(&watch.file);
}

static void test_what_is_refused_and_cannot_be_read(void **state)
{
    struct machine *machine = *state;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_TOKEN, "token", NULL, "t0ken", NULL);
    settle(machine, &watch);
    write_file(&machine->place, "token", "");
    usleep(1000);
    credential_file_refuse(&watch.file, clock_boottime());
    settle(machine, &watch);
    assert_null(watch.file.texts[0]);
    assert_false(watch.file.fetching);
    assert_int_equal(watch.changes, 1);
    credential_file_end(&watch.file);
}

/* the pool */

static int hold(void *argument)
{
    pthread_mutex_t *gate = argument;

    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return 0;
}

static void ignore_done(void *owner, void *argument, int result)
{
}

static void ignore_free(void *argument)
{
}

/* A disk that hangs: a job of the same key that does not end. */
static void test_a_disk_that_hangs(void **state)
{
    struct machine *machine = *state;
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct watch watch;
    struct work_order order = {
        .limit_usec = CREDENTIAL_READ_LIMIT,
        .run = hold,
        .done = ignore_done,
        .free = ignore_free,
        .argument = &gate,
    };

    watch_begin(&watch, machine, CREDENTIAL_TOKEN, "token", NULL, "t0ken", NULL);
    settle(machine, &watch);
    order.key = watch.paths[0];
    pthread_mutex_lock(&gate);
    assert_int_equal(work_submit(machine->work, &order, NULL, NULL), 0);
    credential_file_refuse(&watch.file, clock_boottime());
    assert_true(watch.file.fetching);
    turn_for(machine, 50 * USEC_PER_MSEC);
    pass(machine, CREDENTIAL_READ_LIMIT + USEC_PER_SEC);
    turn_until(machine, !watch.file.fetching);
    assert_int_equal(watch.changes, 1);
    assert_logged(&machine->place, "/token: cannot be read", true);
    credential_file_refuse(&watch.file, clock_boottime()); /* not even taken by the pool */
    assert_false(watch.file.fetching);
    pthread_mutex_unlock(&gate);
    turn_until(machine, !work_stats(machine->work)->stuck);
    pass(machine, CREDENTIAL_RETRY);
    settle(machine, &watch);
    assert_string_equal(watch.file.texts[0], "t0ken");
    credential_file_end(&watch.file);
}

static void test_ending_while_it_reads(void **state)
{
    struct machine *machine = *state;
    struct watch watch;

    watch_begin(&watch, machine, CREDENTIAL_TOKEN, "token", NULL, "older", NULL);
    assert_non_null(watch.file.job);
    credential_file_end(&watch.file);
    assert_int_equal(watch.changes, 0);
    watch.file = (struct credential_file){0};
    credential_file_end(&watch.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(test_tokens),
        on_machine(test_a_broken_file_changes_nothing),
        on_machine(test_certificates),
        on_machine(test_a_rotated_certificate),
        on_machine(test_authorities),
        on_machine(test_a_refusal_reads_at_once),
        on_machine(test_a_reading_that_began_too_early),
        on_machine(test_an_older_refusal_takes_nothing_back),
        on_machine(test_what_is_refused_and_cannot_be_read),
        on_machine(test_a_disk_that_hangs),
        on_machine(test_ending_while_it_reads),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
