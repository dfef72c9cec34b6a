/*
 * libmicrohttpd has no thread here: its epoll descriptor is one source on the loop, and it is given
 * the sockets that come in by the door. A connection has one deadline at a time, on the wheel: for
 * the head of its request, for its answer, for its next request. One that misses it is shut down,
 * which libmicrohttpd finds out as if the client had done it.
 */
#include "nodeagent/server.h"
#include "door.h"
#include "identity.h"
#include "listener.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "tls.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TROUBLE_MAX = 256 };

struct server {
    struct server_options options;
    int socket;
    struct door *door;
    struct list connections; /* the oldest first */
    struct MHD_Daemon *daemon;
    struct loop_source *work;
    struct wheel_timer more;   /* it has something to do though no socket has */
    struct identity *identity; /* NULL: none yet, or plain */
    char trouble[TROUBLE_MAX]; /* what libmicrohttpd said last */
};

struct connection {
    struct server *server;
    struct list link;
    int fd;
    struct wheel_timer patience;
    struct identity *identity; /* NULL: none */
};

struct server_request {
    struct MHD_Connection *connection;
    const char *path;
};

/* connections */

static void be_patient(struct connection *connection, usec_t usec)
{
    wheel_arm(connection->server->options.wheel, &connection->patience,
              usec_add(clock_boottime(), usec));
}

static void connection_end(struct connection *connection)
{
    shutdown(connection->fd, SHUT_RDWR);
}

static void on_impatience(struct wheel_timer *timer)
{
    connection_end(container_of(timer, struct connection, patience));
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static struct connection *connection_new(struct server *server, struct MHD_Connection *of)
{
    struct connection *connection = mem_new(struct connection);

    connection->server = server;
    connection->fd = MHD_get_connection_info(of, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    wheel_timer_init(&connection->patience, on_impatience);
    be_patient(connection, server->options.brief ? SERVER_BRIEF_USEC : SERVER_HEAD_USEC);
    list_push_back(&server->connections, &connection->link);
    door_entered(server->door);
    if (server->options.brief && door_is_full(server->door))
        connection_end(list_first(&server->connections, struct connection, link));
    if (!server->identity)
        return connection;
    connection->identity = identity_ref(server->identity);
    identity_use(connection->identity,
                 MHD_get_connection_info(of, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session);
    return connection;
}

static void connection_free(struct connection *connection)
{
    struct server *server = connection->server;

    wheel_cancel(&connection->patience);
    list_unlink(&connection->link);
    identity_unref(connection->identity);
    free(connection);
    door_left(server->door);
}

static void on_connection(void *owner, struct MHD_Connection *of, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *context = connection_new(owner, of);
    else
        connection_free(*context);
}

/* Before the first certificate is there. */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *authorities,
                          int authority_count, const gnutls_pk_algorithm_t *algorithms,
                          int algorithm_count, gnutls_pcert_st **chain, unsigned *length,
                          gnutls_privkey_t *key)
{
    return -1;
}

/* requests */

const char *server_request_path(const struct server_request *request)
{
    return request->path;
}

bool server_request_asks(const struct server_request *request, const char *name)
{
    return MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name,
                                         strlen(name), NULL, NULL) == MHD_YES;
}

static enum MHD_Result send_answer(struct server *server, struct MHD_Connection *connection,
                                   struct server_answer *answer)
{
    size_t length = answer->body.length;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, strbuf_take(&answer->body), MHD_RESPMEM_MUST_FREE);
    enum MHD_Result sent;

    assert_that(response && answer->status);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (server->options.brief)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    sent = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    return sent;
}

static bool has_body(struct MHD_Connection *connection)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_CONTENT_LENGTH) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* Called when the head is there, and again until it is answered. An answer at the first call means
 * that a body is not waited for, and so the end of the connection. */
static enum MHD_Result on_request(void *owner, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_length, void **context)
{
    struct server *server = owner;
    struct server_request request = {.connection = connection, .path = path};
    struct server_answer answer = {0};

    if (!*context && !has_body(connection)) {
        *context = server;
        return MHD_YES;
    }
    be_patient(connection_of(connection), SERVER_ANSWER_USEC);
    server->options.answer(server->options.owner, &request, &answer);
    return send_answer(server, connection, &answer);
}

static void on_answered(void *owner, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode how)
{
    be_patient(connection_of(connection), SERVER_IDLE_USEC);
}

/* turns */

static void run(struct server *server)
{
    MHD_UNSIGNED_LONG_LONG milliseconds;

    MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &milliseconds) == MHD_YES)
        wheel_arm(server->options.wheel, &server->more,
                  usec_add(clock_boottime(), milliseconds * USEC_PER_MSEC));
}

static void on_work(void *data, int fd, uint32_t events)
{
    run(data);
}

static void on_more(struct wheel_timer *timer)
{
    run(container_of(timer, struct server, more));
}

static bool take_client(void *owner, int fd, const struct sockaddr *address, socklen_t length)
{
    struct server *server = owner;
    int yes = 1;

    /* Or the pieces of a handshake wait 40 ms for one another. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    /* It closes what it does not take: there are too many of this client. */
    return MHD_add_connection(server->daemon, fd, address, length) == MHD_YES;
}

/* the whole */

_printf_(2, 0) static void on_trouble(void *owner, const char *format, va_list arguments)
{
    struct server *server = owner;

    vsnprintf(server->trouble, sizeof(server->trouble), format, arguments);
    server->trouble[strcspn(server->trouble, "\n")] = '\0';
    log_debug("port %u: %s", (unsigned)server_port(server), server->trouble);
}

/* What it is told first, it knows when the others go wrong. */
static int start(struct server *server, struct err *err)
{
    const struct server_options *options = &server->options;
    _cleanup_(strbuf_deinit) struct strbuf priority = STRBUF_INIT;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, NULL},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)no_certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;

    if (options->tls) {
        tls_priority(options->tls, &priority);
        tls[0].ptr_value = priority.text;
        flags |= MHD_USE_TLS;
    }
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_trouble, server,
        MHD_OPTION_CONNECTION_LIMIT, options->connections_max, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        options->connections_per_client_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)options->head_max, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_answered, server, MHD_OPTION_ARRAY,
        options->tls ? tls : &tls[array_size(tls) - 1], MHD_OPTION_END);
    if (server->daemon)
        return 0;
    return err_set(err, -EIO, "cannot serve on port %u: %s", (unsigned)server_port(server),
                   *server->trouble ? server->trouble : "libmicrohttpd does not start");
}

static int open_all(struct server *server, struct err *err)
{
    const struct server_options *options = &server->options;
    struct door_options door = {
        .loop = options->loop,
        .wheel = options->wheel,
        .inside_max = options->connections_max,
        .handshakes = options->tls,
        .take = take_client,
        .owner = server,
    };
    int r = server->socket = door.socket = listener_open(options->address, options->port, err);

    if (r >= 0)
        r = start(server, err);
    if (r == 0)
        r = loop_watch_fd(options->loop, &server->work, LOOP_CLIENTS,
                          MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
                          EPOLLIN, on_work, server, err);
    if (r == 0)
        r = door_new(&server->door, &door, err);
    return r;
}

int server_new(struct server **result, const struct server_options *options, struct err *err)
{
    struct server *server = mem_new(struct server);
    int r;

    server->options = *options;
    list_init(&server->connections);
    wheel_timer_init(&server->more, on_more);
    r = open_all(server, err);
    if (r < 0) {
        server_free(server);
        return r;
    }
    server->options.tls = NULL;
    *result = server;
    return 0;
}

struct server *server_free(struct server *server)
{
    if (!server)
        return NULL;
    if (server->work)
        loop_source_free(server->work);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    door_free(server->door);
    wheel_cancel(&server->more);
    identity_unref(server->identity);
    if (server->socket >= 0)
        close(server->socket);
    free(server);
    return NULL;
}

uint16_t server_port(const struct server *server)
{
    return listener_port(server->socket);
}

int server_use_certificate(struct server *server, const struct server_pem *chain,
                           const struct server_pem *key, struct err *err)
{
    struct identity *identity;
    int r = identity_new(&identity, chain, key, err);

    if (r < 0)
        return r;
    identity_unref(server->identity);
    server->identity = identity;
    return 0;
}
