/* What tests of the configuration share: a directory, a log that can be read, command lines. */
#pragma once

#include "test.h"

#include "config.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ARGUMENTS_MAX = 32,
    SEEN_MAX = 64 << 10,
};

/* How kubeadm's file begins, and all others. */
#define HEAD "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
#define OUR_HEAD "apiVersion: nodeagent.dev/v1alpha1\nkind: NodeAgentConfiguration\n"

struct fixture {
    char directory[64];
    char file[128]; /* directory/config.yaml, which config_text() writes */
    char option[160];
    struct log *log;
    int seen_fd;
    char seen[SEEN_MAX];
    struct config config;
    struct err err;
    bool open; /* the config is to be deinitialised */
};

static inline int set_up(void **state)
{
    static struct fixture fixture;
    struct log_options options = {.identifier = "test", .threshold = LOG_LEVEL_WARNING};

    fixture = (struct fixture){.directory = "/tmp/config-XXXXXX"};
    assert_non_null(mkdtemp(fixture.directory));
    snprintf(fixture.file, sizeof(fixture.file), "%s/config.yaml", fixture.directory);
    snprintf(fixture.option, sizeof(fixture.option), "--config=%s", fixture.file);
    fixture.seen_fd = options.fd = memfd_create("log", MFD_CLOEXEC);
    assert_true(options.fd >= 0);
    options.fold_usec = USEC_PER_SEC * 60;
    fixture.log = log_new(&options);
    log_set(fixture.log);
    *state = &fixture;
    return 0;
}

static inline int remove_one(const char *path, const struct stat *status, int kind,
                             struct FTW *place)
{
    return remove(path);
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;

    if (fixture->open)
        config_deinit(&fixture->config);
    log_free(fixture->log);
    close(fixture->seen_fd);
    return nftw(fixture->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What was logged since the last config_read(). */
static inline const char *seen(struct fixture *fixture)
{
    ssize_t length;

    log_flush(fixture->log, 0);
    length = pread(fixture->seen_fd, fixture->seen, SEEN_MAX - 1, 0);
    fixture->seen[length > 0 ? length : 0] = '\0';
    return fixture->seen;
}

static inline size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static inline void write_bytes(const char *path, const void *bytes, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

static inline void write_at(struct fixture *fixture, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
    write_bytes(path, text, strlen(text));
}

static inline int read_arguments(struct fixture *fixture, char **argv)
{
    int argc = 0, r;

    if (fixture->open)
        config_deinit(&fixture->config);
    log_flush(fixture->log, 0);
    assert_int_equal(ftruncate(fixture->seen_fd, 0), 0);
    lseek(fixture->seen_fd, 0, SEEK_SET);
    while (argv[argc])
        argc++;
    fixture->err = (struct err){0};
    r = config_read(&fixture->config, argc, argv, &fixture->err);
    fixture->open = r == 0;
    assert_int_equal(r, fixture->err.code);
    return r;
}

/* read_flags(fixture, "--a", "b"): the program's name and the NULL are added. */
#define read_flags(fixture, ...)                                                                   \
    read_arguments((fixture), (char **)(const char *[ARGUMENTS_MAX]){                              \
                                  "kubelet", "--hostname-override=n", ##__VA_ARGS__})

/* The same with a file, which gets the head. */
#define read_file(fixture, text, ...)                                                              \
    (write_at((fixture), "config.yaml", HEAD text),                                                \
     read_flags((fixture), (fixture)->option, ##__VA_ARGS__))

#define assert_reads(fixture, call)                                                                \
    do {                                                                                           \
        if ((call) < 0)                                                                            \
            fail_msg("%s", (fixture)->err.text);                                                   \
    } while (0)

#define assert_sentence(fixture, part)                                                             \
    do {                                                                                           \
        if (!strstr((fixture)->err.text, (part)))                                                  \
            fail_msg("\"%s\" does not contain \"%s\"", (fixture)->err.text, (part));               \
    } while (0)

#define assert_fails(fixture, call, part)                                                          \
    do {                                                                                           \
        assert_true((call) < 0);                                                                   \
        assert_sentence((fixture), (part));                                                        \
    } while (0)

#define assert_seen(fixture, part)                                                                 \
    do {                                                                                           \
        if (!strstr(seen(fixture), (part)))                                                        \
            fail_msg("\"%s\" does not contain \"%s\"", (fixture)->seen, (part));                   \
    } while (0)

#define assert_silent(fixture) assert_string_equal(seen(fixture), "")

#define with_directory(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
