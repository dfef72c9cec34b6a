/* agent/processes-left: which processes of a group a command left. */
#include "test.h"

#include "processes-left.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PROCESSES = 12,
};

struct place {
    char directory[32];
    int proc, group;
    pid_t pids[PROCESSES];
    size_t count;
};

enum kind {
    OWN_SESSION = 1, /* as a command that the runtime starts */
    ORPHAN = 2,      /* its parent ends at once */
    DAEMON = 4,      /* and it makes a session of its own */
};

static void stay(int ready)
{
    pid_t pid = getpid();

    assert_that(write(ready, &pid, sizeof(pid)) == sizeof(pid));
    pause();
    _exit(0);
}

static pid_t begin(struct place *place, unsigned kind)
{
    int ready[2];
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (!pid) {
        if (kind & OWN_SESSION)
            setsid();
        if (kind & ORPHAN && fork())
            _exit(0);
        if (kind & DAEMON)
            setsid();
        stay(ready[1]);
    }
    if (kind & ORPHAN)
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(read(ready[0], &pid, sizeof(pid)), sizeof(pid));
    close(ready[0]);
    close(ready[1]);
    place->pids[place->count++] = pid;
    return pid;
}

static const char *left(struct place *place, usec_t began, struct arena *arena)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "%s/cgroup.procs", place->directory);
    file = fopen(path, "we");
    for (size_t i = 0; i < place->count; i++)
        fprintf(file, "%d\n", (int)place->pids[i]);
    fclose(file);
    return processes_left(place->proc, place->group, began, arena);
}

static int set_up(void **state)
{
    struct place *place = mem_new(struct place);

    strcpy(place->directory, "/tmp/nodeagent-test-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    place->group = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    place->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char path[64];

    for (size_t i = 0; i < place->count; i++) {
        kill(place->pids[i], SIGKILL);
        waitpid(place->pids[i], NULL, 0); /* orphans are waited for by others */
    }
    snprintf(path, sizeof(path), "%s/cgroup.procs", place->directory);
    unlink(path);
    rmdir(place->directory);
    close(place->group);
    close(place->proc);
    free(place);
    return 0;
}

static void test_what_lost_its_command_was_left(void **state)
{
    static const unsigned kinds[] = {OWN_SESSION | ORPHAN, OWN_SESSION | ORPHAN | DAEMON};
    struct place *place = *state;
    struct arena arena = ARENA_INIT_DOCUMENT;

    begin(place, OWN_SESSION);          /* the container's first */
    begin(place, OWN_SESSION | ORPHAN); /* what a command before left */
    for (size_t i = 0; i < array_size(kinds); i++) {
        usec_t began;
        char *expected;

        usleep(100000);
        began = clock_boottime();
        assert_null(left(place, began, &arena));
        expected = mem_printf("1 process: %d (test-agent-proc)", (int)begin(place, kinds[i]));
        assert_string_equal(left(place, began, &arena), expected);
        free(expected);
    }
    for (int i = 0; i < 5; i++)
        begin(place, OWN_SESSION | ORPHAN);
    assert_non_null(strstr(left(place, 1, &arena), "8 processes: "));
    assert_non_null(strstr(left(place, 1, &arena), ", ..."));
    arena_deinit(&arena);
}

/* What the container's first process starts is in its session, and commands that go on have the
 * runtime as their parent, as it has. */
static void test_others_were_not(void **state)
{
    struct place *place = *state;
    struct arena arena = ARENA_INIT_DOCUMENT;
    usec_t began;

    begin(place, 0);
    usleep(100000);
    began = clock_boottime();
    begin(place, 0);
    begin(place, OWN_SESSION);
    assert_null(left(place, began, &arena));
    arena_deinit(&arena);
}

static void test_what_cannot_be_read_is_nothing(void **state)
{
    struct place *place = *state;
    struct arena arena = ARENA_INIT_DOCUMENT;

    assert_null(processes_left(place->proc, place->group, 0, &arena));
    assert_null(left(place, 0, &arena));
    place->pids[place->count++] = 0x3fffffff;
    assert_null(left(place, 0, &arena));
    place->count = 0;
    arena_deinit(&arena);
}

/* Zeroes stand for processes of another namespace. */
static void pad(const struct place *place, int count)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "%s/cgroup.procs", place->directory);
    file = fopen(path, "ae");
    for (int i = 0; i < count; i++)
        fprintf(file, "0\n");
    fclose(file);
}

static void test_a_group_of_too_many_is_not_looked_through(void **state)
{
    struct place *place = *state;
    struct arena arena = ARENA_INIT_DOCUMENT;
    usec_t began;

    begin(place, OWN_SESSION);
    usleep(100000);
    began = clock_boottime();
    begin(place, OWN_SESSION | ORPHAN);
    assert_non_null(left(place, began, &arena));
    pad(place, 4094);
    assert_non_null(processes_left(place->proc, place->group, began, &arena));
    pad(place, 1);
    assert_null(processes_left(place->proc, place->group, began, &arena));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_lost_its_command_was_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_others_were_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read_is_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_group_of_too_many_is_not_looked_through, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
