/* For tests of what ends the program: it happens in a child. */
#pragma once

#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A program that aborts would lose what it counted. */
static inline void on_abort(int number)
{
#ifdef MEASURE_COVERAGE
    void __gcov_dump(void);

    __gcov_dump();
#endif
}

static inline void abort_in_child(void (*act)(void), int output)
{
    const struct rlimit none = {0, 0};

    signal(SIGABRT, on_abort);
    setrlimit(RLIMIT_CORE, &none);
    dup2(output, STDERR_FILENO);
    act();
    _exit(0);
}

/* `act` must end the program with a message that contains `words`. */
static inline void assert_aborts(void (*act)(void), const char *words)
{
    char message[1024];
    int output[2], status;
    size_t length = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(output), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child)
        abort_in_child(act, output[1]);
    close(output[1]);
    while ((got = read(output[0], message + length, sizeof(message) - 1 - length)) > 0)
        length += (size_t)got;
    close(output[0]);
    message[length] = '\0';
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    if (!strstr(message, words))
        fail_msg("\"%s\" does not say \"%s\"", message, words);
}
