/* agent/pod-cgroup: the groups of a pod that is gone, and what still lives in them. */
#include "test.h"

#include "pod-cgroup.h"

#include "nodeagent/base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void make(const char *path)
{
    char *copy = mem_strdup(path);

    for (char *c = copy + 1; *c; c++)
        if (*c == '/') {
            *c = '\0';
            mkdir(copy, 0755);
            *c = '/';
        }
    assert_int_equal(mkdir(copy, 0755), 0);
    free(copy);
}

/* A hierarchy of the machine's that can be written to. */
static const char *hierarchy(void)
{
    return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "/sys/fs/cgroup"
                                                                  : "/sys/fs/cgroup/pids";
}

static void test_groups_go_and_what_lives_in_them(void **state)
{
    char *root = mem_printf("/nodeagent-test-%d", (int)getpid());
    char *group = mem_printf("%s%s/kubepods/besteffort/podu-1/c", hierarchy(), root);
    char *processes = mem_printf("%s/cgroup.procs", group), *top;
    struct err err = {0};
    pid_t child;
    FILE *file;
    int r;

    make(group);
    child = fork();
    if (!child) {
        pause();
        _exit(0);
    }
    file = fopen(processes, "we");
    fprintf(file, "%d", (int)child);
    assert_int_equal(fclose(file), 0);

    assert_int_equal(pod_cgroup_remove(root, NULL, "another", &err), 0);
    assert_int_equal(pod_cgroup_remove(root, "Burstable", "u-1", &err), 0);
    assert_int_equal(access(group, F_OK), 0);
    assert_int_equal(pod_cgroup_remove(root, NULL, "u-1", &err), -EBUSY);
    assert_int_equal(waitpid(child, &r, 0), child);
    assert_true(WIFSIGNALED(r) && WTERMSIG(r) == SIGKILL);
    for (int i = 0; i < 100 && (r = pod_cgroup_remove(root, "BestEffort", "u-1", &err)) == -EBUSY;
         i++)
        usleep(10000);
    assert_int_equal(r, 0);
    assert_int_equal(access(group, F_OK), -1);
    assert_int_equal(pod_cgroup_remove(root, NULL, "u-1", &err), 0);

    top = mem_printf("%s%s/kubepods/besteffort", hierarchy(), root);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rmdir(top), 0);
        *strrchr(top, '/') = '\0';
    }
    free(top);
    free(processes);
    free(group);
    free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_go_and_what_lives_in_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
