/* The two halves of the local socket: its file (control-socket.c) and its clients (control.c). */
#pragma once

#include "nodeagent/base/err.h"

#include <sys/stat.h>

/* The file in the run directory, while the agent listens on it. */
struct control_socket {
    int fd;            /* listens, does not block */
    int directory;     /* the run directory */
    struct stat inode; /* of the file: another agent's is never removed */
};

int control_socket_open(struct control_socket *socket, const char *run_dir, struct err *err);
void control_socket_close(struct control_socket *socket);
