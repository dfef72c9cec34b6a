/* Listening to nodeagent-cni. */
#include "network-socket.h"

#include "network-calls.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "cni.sock"

struct network_socket {
    int fd;
    int directory;
    struct loop_source *source;
    network_heard_fn *heard;
    void *owner;
};

static void on_readable(void *data, int fd, uint32_t events)
{
    struct network_socket *network = data;
    char bytes[NETWORK_CALL_MAX];

    for (int i = 0; i < NETWORK_CALLS_PER_TURN; i++) {
        ssize_t length = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);

        if (length < 0)
            return;
        if ((size_t)length <= sizeof(bytes))
            network->heard(network->owner, bytes, (size_t)length);
    }
}

/* Root alone may write to it: the mode is set before it has a name. */
static int take_place(struct network_socket *network, const char *run_dir, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    /* A path may be longer than an address. */
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NAME,
             network->directory);
    if (unlinkat(network->directory, NAME, 0) < 0 && errno != ENOENT)
        return err_set(err, -errno, "%s/" NAME ": a stale one cannot be removed: %m", run_dir);
    if (fchmod(network->fd, 0600) < 0 ||
        bind(network->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return err_set(err, -errno, "%s/" NAME ": cannot be made: %m", run_dir);
    return 0;
}

int network_socket_new(struct network_socket **result, const char *run_dir, struct loop *loop,
                       network_heard_fn *heard, void *owner, struct err *err)
{
    struct network_socket *network = mem_new(struct network_socket);
    int r;

    network->heard = heard;
    network->owner = owner;
    network->directory = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    network->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (network->directory < 0 || network->fd < 0)
        r = err_set(err, -errno, "%s/" NAME ": cannot be made: %m", run_dir);
    else
        r = take_place(network, run_dir, err);
    if (r == 0)
        r = loop_watch_fd(loop, &network->source, LOOP_CLIENTS, network->fd, EPOLLIN, on_readable,
                          network, err);
    if (r < 0) {
        network_socket_free(network);
        return r;
    }
    *result = network;
    return 0;
}

struct network_socket *network_socket_free(struct network_socket *network)
{
    if (!network)
        return NULL;
    if (network->source) {
        loop_source_free(network->source);
        unlinkat(network->directory, NAME, 0);
    }
    fd_close_at(&network->fd);
    fd_close_at(&network->directory);
    free(network);
    return NULL;
}
