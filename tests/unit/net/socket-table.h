/* What the kernel and this process know of sockets. */
#pragma once

#include "test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKET_TABLE_ESTABLISHED = 1,
    SOCKET_TABLE_TIME_WAIT = 6,
};

/* How many IPv4 sockets of this machine have the remote port and are in the state? Others may have
 * used the port before: compare with how many there were. */
static inline unsigned sockets_to(unsigned port, unsigned wanted)
{
    FILE *table = fopen("/proc/net/tcp", "re");
    unsigned remote, state, count = 0;
    char line[512];

    assert_non_null(table);
    while (fgets(line, sizeof(line), table))
        if (sscanf(line, " %*d: %*8x:%*4x %*8x:%4x %2x", &remote, &state) == 2)
            count += remote == port && state == wanted;
    fclose(table);
    return count;
}

static inline unsigned descriptors_now(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Bound to a free port of loopback, listening if there is a backlog (0 is one, too). */
static inline int socket_bound(int family, int backlog, unsigned *port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *address =
        family == AF_INET ? (struct sockaddr *)&four : (struct sockaddr *)&six;
    socklen_t length = family == AF_INET ? sizeof(four) : sizeof(six);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, address, length), 0);
    if (backlog >= 0)
        assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, address, &length), 0);
    *port = ntohs(family == AF_INET ? four.sin_port : six.sin6_port);
    return fd;
}
