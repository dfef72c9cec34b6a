/*
 * nodeagent cni add, check, del: one attachment, as a runtime would make it.
 *
 * A network namespace that has the interface already is refused before anything runs: the plugin
 * would fail, its failure be undone by a DEL, and that would take the interface of somebody else.
 */
#include "cni.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>

static int tell(const struct cni_command *command, const struct err *err, int code)
{
    show_failure(command->name, err);
    return code;
}

static int find_network(const struct cni_command *command, struct cni_networks *networks,
                        const struct cni_network **network, struct err *err)
{
    int r = cni_networks_load(networks, command->conf_dir, err);

    *network = r < 0 ? NULL : cni_command_network(command, networks, err);
    return *network ? 0 : err->code;
}

/* add */

static bool is_same(int a, int b)
{
    struct stat one, two;

    return fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

/* What is no namespace, or the host's, is cni_add()'s to refuse. */
static bool has_interface(const struct cni_attachment *attachment)
{
    _cleanup_(fd_close_at) int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    _cleanup_(fd_close_at) int other = open(attachment->netns, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    unsigned index;

    if (own < 0 || other < 0 || is_same(own, other) || setns(other, CLONE_NEWNET) < 0)
        return false;
    index = if_nametoindex(attachment->ifname);
    assert_that(setns(own, CLONE_NEWNET) == 0);
    return index != 0;
}

static void show_result(const struct strbuf *result)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    struct json_findings *findings = mem_new(struct json_findings);
    struct json *document;

    /* cni_add() wrote it from a document within these limits. */
    assert_that(json_parse(&arena, result->text, result->length, &json_limits_manifest, findings,
                           &document, NULL) == 0);
    free(findings);
    show_json(&out, document, true);
    show_buffer(&out);
}

int cni_command_add(struct cni_command *command)
{
    _cleanup_(strbuf_deinit) struct strbuf result = STRBUF_INIT;
    _cleanup_(cni_networks_deinit) struct cni_networks networks = {0};
    const struct cni_network *network;
    struct cni_failure failure;
    struct err err;

    if (find_network(command, &networks, &network, &err) < 0)
        return tell(command, &err, EXIT_UNABLE);
    cni_tell_problems(command, &networks);
    if (has_interface(&command->attachment)) {
        err_set(&err, -EEXIST,
                "the network namespace %s has an interface %s already; nodeagent cni list tells "
                "whose it is, and nodeagent cni del detaches it",
                command->attachment.netns, command->attachment.ifname);
        return tell(command, &err, EXIT_BAD);
    }
    if (cni_add(&command->setup, network, &command->attachment, &result, &failure) < 0)
        return cni_tell_failure(command, &failure);
    show_result(&result);
    return EXIT_GOOD;
}

/* check and del: the record tells how, and a network is wanted only when it is asked for */

int cni_command_check(struct cni_command *command)
{
    _cleanup_(cni_networks_deinit) struct cni_networks networks = {0};
    const struct cni_network *network;
    struct cni_failure failure;
    struct err err;
    int r;

    if (find_network(command, &networks, &network, &err) < 0 && command->network)
        return tell(command, &err, EXIT_UNABLE);
    r = cni_check(&command->setup, network, &command->attachment, &failure);
    if (r == -EOPNOTSUPP)
        return tell(command, &failure.err, EXIT_UNABLE);
    return r < 0 ? cni_tell_failure(command, &failure) : EXIT_GOOD;
}

int cni_command_del(struct cni_command *command)
{
    _cleanup_(cni_networks_deinit) struct cni_networks networks = {0};
    const struct cni_network *network;
    struct cni_failure failure;
    struct err err;

    if (find_network(command, &networks, &network, &err) < 0 &&
        (command->network || command->unrecorded))
        return tell(command, &err, EXIT_UNABLE);
    if (cni_del(&command->setup, network, &command->attachment, command->unrecorded, &failure) < 0)
        return cni_tell_failure(command, &failure);
    if (command->runs)
        return EXIT_GOOD;
    err_set(&err, -ENOENT, "no plugin was run: nothing to undo is recorded of container %s as %s",
            command->attachment.container_id, command->attachment.ifname);
    return tell(command, &err, EXIT_GOOD);
}
