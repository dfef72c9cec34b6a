/* What tests of kubeconfigs share: a directory with files, a log, and what is said of a text. */
#pragma once

#include "test.h"

#include "kubeconfig-private.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"
#include "pem-fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Line 5 has the cluster, line 6 the user. */
#define CONFIG(cluster, user)                                                                      \
    "apiVersion: v1\nkind: Config\ncurrent-context: c\n"                                           \
    "contexts: [{name: c, context: {cluster: k, user: u}}]\n"                                      \
    "clusters: [{name: k, cluster: {" cluster "}}]\n"                                              \
    "users: [{name: u, user: {" user "}}]\n"
#define SERVER "server: 'https://api:6443'"

struct place {
    char directory[64];
    char path[96]; /* of the kubeconfig */
    struct pair node, other;
    struct log *log;
    int log_fd;
    struct kubeconfig_options options;
};

static inline void write_file(const struct place *place, const char *name, const char *text)
{
    char path[PATH_MAX];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", place->directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline void open_log(struct place *place)
{
    struct log_options options = {.identifier = "test", .threshold = LOG_LEVEL_DEBUG};

    place->log_fd = options.fd = memfd_create("log", MFD_CLOEXEC);
    place->log = log_new(&options);
    log_set(place->log);
}

/* All that was logged. */
static inline char *read_log(const struct place *place)
{
    struct strbuf text = STRBUF_INIT;
    char path[64];

    log_flush(place->log, 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", place->log_fd);
    assert_int_equal(file_read(path, 1 << 20, &text, NULL), 0);
    return strbuf_take(&text);
}

static inline void assert_logged(const struct place *place, const char *part, bool expected)
{
    char *text = read_log(place);

    if (!strstr(text, part) == expected)
        fail_msg("\"%s\" %s in the log: %s", part, expected ? "is not" : "is", text);
    free(text);
}

static inline int set_up(void **state)
{
    struct place *place = mem_new(struct place);

    strcpy(place->directory, "/tmp/nodeagent-kubeconfig-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof(place->path), "%s/kc", place->directory);
    place->node = pair_new("node");
    place->other = pair_new("other");
    write_file(place, "ca.crt", place->other.certificate);
    write_file(place, "node.crt", place->node.certificate);
    write_file(place, "node.key", place->node.key);
    write_file(place, "other.key", place->other.key);
    write_file(place, "token", " \n t0ken\n\n");
    write_file(place, "empty", " \n");
    place->options.path = place->path;
    open_log(place);
    *state = place;
    return 0;
}

/* Not with tree_remove(): valgrind does not know its system calls. */
static inline void remove_directory(const char *path)
{
    DIR *directory = opendir(path);

    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    assert_int_equal(rmdir(path), 0);
}

static inline int tear_down(void **state)
{
    struct place *place = *state;

    log_set(NULL);
    log_free(place->log);
    close(place->log_fd);
    pair_free(&place->node);
    pair_free(&place->other);
    remove_directory(place->directory);
    free(place);
    return 0;
}

static inline struct kubeconfig *read_config(const struct place *place, const char *text)
{
    struct kubeconfig *config;
    struct err err;

    if (kubeconfig_parse(&config, &place->options, text, strlen(text), &err) < 0)
        fail_msg("%s\n%s", err.text, text);
    return config;
}

/* The sentence without the directory, where it stands; everywhere "kc" is the kubeconfig. */
static inline void strip(const struct place *place, char *text)
{
    size_t length = strlen(place->directory) + 1;
    char *at;

    while ((at = strstr(text, place->directory)))
        memmove(at, at + length, strlen(at + length) + 1);
}

static inline void assert_refused(const struct place *place, const char *text, const char *expected)
{
    struct kubeconfig *config = NULL;
    struct err err = {0};
    int r = kubeconfig_parse(&config, &place->options, text, strlen(text), &err);

    kubeconfig_free(config);
    strip(place, err.text);
    if (r == 0 || strcmp(err.text, expected) != 0)
        fail_msg("expected: %s\nsaid:     %s\nof: %s", expected, r ? err.text : "nothing", text);
    assert_int_equal(err.code, r);
}

static inline char *base64_of(const char *text)
{
    struct strbuf out = STRBUF_INIT;

    base64_encode(&out, text, strlen(text));
    return strbuf_take(&out);
}

/* what plugins print */

#define EXEC_V1 "client.authentication.k8s.io/v1"
#define PRINTS(status)                                                                             \
    "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" EXEC_V1 "\",\"status\":{" status "}}"

static inline char *printed_pair(const char *certificate, const char *key)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_object(&writer);
    json_write_name(&writer, "kind");
    json_write_string(&writer, "ExecCredential");
    json_write_name(&writer, "apiVersion");
    json_write_string(&writer, EXEC_V1);
    json_write_name(&writer, "status");
    json_write_object(&writer);
    json_write_name(&writer, "clientCertificateData");
    json_write_string(&writer, certificate);
    json_write_name(&writer, "clientKeyData");
    json_write_string(&writer, key);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    return strbuf_take(&text);
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
