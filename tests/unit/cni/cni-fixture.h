/*
 * What tests of cni share: a tmpfs on /srv with directories of plugins, configuration and records,
 * a network namespace, and plugins that write down what they got.
 */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/cni.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIN "/srv/bin"
#define CONF "/srv/conf"
#define CACHE "/srv/cache"
#define RUN "/srv/run"
#define NETNS "/srv/netns"

#define RESULT_1_0                                                                                 \
    "{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\"}],"           \
    "\"ips\":[{\"address\":\"10.1.2.3/24\",\"interface\":0}]}"

/* Prints a result on ADD, and nothing else. */
#define ANSWER(text) "[ $CNI_COMMAND != ADD ] || cat <<'END'\n" text "\nEND\n"

#define assert_has(text, part) assert_non_null(strstr((text), (part)))
#define assert_has_not(text, part) assert_null(strstr((text), (part)))

static inline void write_mode(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static inline void write_conf(const char *name, const char *text)
{
    _cleanup_(mem_free_at) char *path = mem_printf(CONF "/%s", name);

    write_mode(path, text, 0644);
}

/* What the plugin gets is in RUN/TYPE.COMMAND.in and .env; who was called when in RUN/log. */
static inline void write_plugin(const char *type, const char *body)
{
    _cleanup_(mem_free_at) char *path = mem_printf(BIN "/%s", type);
    _cleanup_(mem_free_at) char *text =
        mem_printf("#!/bin/sh\nstem=" RUN "/%s.$CNI_COMMAND\ncat >$stem.in\nenv >$stem.env\n"
                   "echo \"%s $CNI_COMMAND\" >>" RUN "/log\n%s",
                   type, type, body);

    write_mode(path, text, 0755);
}

/* The whole file; valid until the next call. */
static inline const char *contents(const char *path)
{
    static struct strbuf text;

    strbuf_truncate(&text, 0);
    strbuf_add(&text, "");
    file_read(path, 16 << 20, &text, NULL);
    return text.text;
}

static inline const char *log_text(void)
{
    return contents(RUN "/log");
}

static inline bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static inline size_t count_records(void)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(1024, 1024);
    struct cni_entries entries;

    assert_int_equal(cni_entries_load(CACHE, &arena, &entries, NULL), 0);
    return entries.items.count + entries.unreadable.count;
}

static inline struct cni_network *network_of(const char *text)
{
    struct cni_network *network;
    struct err err;

    if (cni_network_parse(&network, "/c/10-net.conflist", text, strlen(text), &err) < 0)
        fail_msg("%s", err.text);
    return network;
}

static inline struct json *json_of(struct arena *arena, const char *text)
{
    struct json_findings findings;
    struct json *root;

    assert_int_equal(
        json_parse(arena, text, strlen(text), &json_limits_manifest, &findings, &root, NULL), 0);
    return root;
}

static const char *const bin_dirs[] = {BIN, NULL};

static inline struct cni_setup setup_of(void)
{
    return (struct cni_setup){.bin_dirs = bin_dirs, .cache_dir = CACHE};
}

static inline struct cni_attachment attachment_of(const char *container_id)
{
    return (struct cni_attachment){
        .container_id = container_id, .ifname = "eth0", .netns = NETNS, .args = "IgnoreUnknown=1"};
}

static inline void make_netns(void)
{
    int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    write_mode(NETNS, "", 0600);
    assert_int_equal(unshare(CLONE_NEWNET), 0);
    assert_int_equal(mount("/proc/self/ns/net", NETNS, NULL, MS_BIND, NULL), 0);
    assert_int_equal(setns(own, CLONE_NEWNET), 0);
    close(own);
}

static inline int set_up(void **state)
{
    static const char *const directories[] = {BIN, CONF, CACHE, RUN};

    assert_int_equal(mount("tmpfs", "/srv", "tmpfs", 0, "size=64m,mode=755"), 0);
    for (size_t i = 0; i < array_size(directories); i++)
        assert_int_equal(mkdir(directories[i], 0755), 0);
    make_netns();
    return 0;
}

static inline int tear_down(void **state)
{
    umount2(NETNS, MNT_DETACH);
    return umount2("/srv", MNT_DETACH);
}

/* Mounts, interfaces and rules that nobody else sees, and nothing of the machine's. */
static inline void prepare(void)
{
    signal(SIGPIPE, SIG_IGN);
    umask(0022);
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, "") < 0 ||
        mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=755") < 0) {
        perror("namespaces are needed (root)");
        exit(1);
    }
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
