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
    PROCESSES = 9,
};

struct place {
    char directory[32];
    int proc, group;
    pid_t pids[PROCESSES];
    size_t count;
};

static pid_t begin(struct place *place, bool own_session)
{
    int ready[2];
    pid_t pid;
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (!pid) {
        if (own_session)
            setsid();
        assert_that(write(ready[1], "", 1) == 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
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
        waitpid(place->pids[i], NULL, 0);
    }
    snprintf(path, sizeof(path), "%s/cgroup.procs", place->directory);
    unlink(path);
    rmdir(place->directory);
    close(place->group);
    close(place->proc);
    free(place);
    return 0;
}

static void test_later_sessions_are_what_was_left(void **state)
{
    struct place *place = *state;
    struct arena arena = ARENA_INIT_DOCUMENT;
    usec_t began;
    char *expected;
    pid_t pid;

    begin(place, true); /* the container's own */
    begin(place, true); /* one that a command before left */
    usleep(100000);
    began = clock_boottime();
    assert_null(left(place, began, &arena));
    pid = begin(place, true);
    expected = mem_printf("1 process: %d (test-agent-proc)", (int)pid);
    assert_string_equal(left(place, began, &arena), expected);
    free(expected);
    for (int i = 0; i < 5; i++)
        begin(place, true);
    assert_non_null(strstr(left(place, began, &arena), "6 processes: "));
    assert_non_null(strstr(left(place, began, &arena), ", ..."));
    arena_deinit(&arena);
}

/* What the container's first process starts is in its session. */
static void test_what_the_container_itself_started_is_not(void **state)
{
    struct place *place = *state;
    struct arena arena = ARENA_INIT_DOCUMENT;
    usec_t began;

    begin(place, false);
    usleep(100000);
    began = clock_boottime();
    begin(place, false);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_later_sessions_are_what_was_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_the_container_itself_started_is_not, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read_is_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
