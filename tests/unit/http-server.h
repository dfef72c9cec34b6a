/* An HTTP server in the test's own process: a thread for each connection, misbehaving on demand. */
#pragma once

#include "test.h"

#include "nodeagent/base/str.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HTTP_SERVER_CONNECTIONS_MAX = 256,
};

struct http_server;

/* Answers one request; `request` is its head. False: the connection ends. */
typedef bool http_answer_fn(struct http_server *server, int fd, const char *path,
                            const char *request);

struct http_server {
    http_answer_fn *answer;
    void *data;
    int fd;
    unsigned port;
    pthread_t thread;
    pthread_t threads[HTTP_SERVER_CONNECTIONS_MAX];
    int connections[HTTP_SERVER_CONNECTIONS_MAX];
    atomic_uint count;
    atomic_uint requests;
};

struct http_connection {
    struct http_server *server;
    int fd;
};

static inline bool http_send(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static inline bool http_reply_with(int fd, const char *status, const char *headers,
                                   const char *body)
{
    char head[1024];

    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers,
             strlen(body));
    return http_send(fd, head) && http_send(fd, body);
}

static inline void *http_connection_run(void *data)
{
    struct http_connection connection = *(struct http_connection *)data;
    char request[4096];
    size_t length = 0;
    ssize_t got;

    free(data);
    while ((got = recv(connection.fd, request + length, sizeof(request) - 1 - length, 0)) > 0) {
        char path[1024];

        length += (size_t)got;
        request[length] = '\0';
        if (!strstr(request, "\r\n\r\n"))
            continue;
        length = 0;
        connection.server->requests++;
        if (sscanf(request, "%*s %1023s ", path) != 1 ||
            !connection.server->answer(connection.server, connection.fd, path, request))
            break;
    }
    shutdown(connection.fd, SHUT_RDWR);
    return NULL;
}

static inline void *http_server_run(void *data)
{
    struct http_server *server = data;
    int fd;

    while ((fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct http_connection *connection = malloc(sizeof(*connection));
        unsigned place = server->count;

        if (!connection || place == HTTP_SERVER_CONNECTIONS_MAX)
            abort();
        *connection = (struct http_connection){server, fd};
        server->connections[place] = fd;
        if (pthread_create(&server->threads[place], NULL, http_connection_run, connection))
            abort();
        server->count = place + 1;
    }
    return NULL;
}

static inline void http_server_start(struct http_server *server, http_answer_fn *answer, void *data)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);

    server->answer = answer;
    server->data = data;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(server->fd, 64), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, http_server_run, server), 0);
}

static inline void http_server_stop(struct http_server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    for (unsigned i = 0; i < server->count; i++) {
        shutdown(server->connections[i], SHUT_RDWR);
        pthread_join(server->threads[i], NULL);
        close(server->connections[i]);
    }
}
