/*
 * The clients of the local socket. Each is asking (its line comes in), is answered (what it asked
 * for goes out, then it is closed) or follows. After the request nothing more is read, so a client
 * that goes on sending only fills its own buffer; that it has gone shows as a hang-up.
 *
 * A client is closed when the loop or the wheel calls, never in a call that the owner makes:
 * whoever adds a line need not ask whether the client is still there.
 */
#include "control.h"
#include "control-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum client_state { CLIENT_ASKS, CLIENT_IS_ANSWERED, CLIENT_FOLLOWS };

struct control {
    struct loop *loop;
    struct wheel *wheel;
    control_fn *answer;
    control_gone_fn *gone;
    void *owner;

    struct control_socket socket;
    struct loop_source *listener;
    struct wheel_timer accept_again;

    struct loop_set *set;
    struct list clients;
    size_t client_count;
    size_t pending; /* bytes, of all */
};

struct control_client {
    struct list link;
    struct control *control;
    struct loop_socket socket;
    struct wheel_timer patience;
    enum client_state state;
    bool doomed;
    bool refused; /* the answer is a refusal: no lines */

    size_t request_length;
    char request[CONTROL_REQUEST_MAX];

    struct strbuf pending;
    size_t sent;        /* of pending */
    size_t pending_max; /* of one that follows */
};

/* a client's life */

static void client_forget_pending(struct control_client *client)
{
    client->control->pending -= client->pending.length - client->sent;
    strbuf_deinit(&client->pending);
    client->sent = 0;
}

static void client_free(struct control_client *client)
{
    client_forget_pending(client);
    wheel_cancel(&client->patience);
    loop_set_remove(&client->socket);
    close(client->socket.fd);
    list_unlink(&client->link);
    client->control->client_count--;
    free(client);
}

static void client_close(struct control_client *client)
{
    struct control *control = client->control;

    if (client->state == CLIENT_FOLLOWS && control->gone)
        control->gone(control->owner, client);
    client_free(client);
}

static void client_lost_patience(struct wheel_timer *timer)
{
    client_close(container_of(timer, struct control_client, patience));
}

/* It is closed as soon as nobody above has it in hand. */
static void client_doom(struct control_client *client)
{
    client->doomed = true;
    client_forget_pending(client);
    wheel_arm(client->control->wheel, &client->patience, clock_boottime());
}

static void client_be_patient(struct control_client *client)
{
    wheel_arm(client->control->wheel, &client->patience,
              usec_add(clock_boottime(), CONTROL_PATIENCE_USEC));
}

/* What to wait for next. With nothing to do, only for a hang-up: without any event the socket would
 * leave the set. */
static void client_watch(struct control_client *client)
{
    uint32_t events = client->state == CLIENT_ASKS  ? EPOLLIN
                      : client->pending.length != 0 ? EPOLLOUT
                                                    : EPOLLERR;

    if (loop_set_change(&client->socket, events, NULL) < 0)
        client_doom(client);
}

/* answering */

static void client_add_bytes(struct control_client *client, const char *bytes, size_t length)
{
    strbuf_add_bytes(&client->pending, bytes, length);
    client->control->pending += length;
}

static bool client_has_room(const struct control_client *client, size_t length)
{
    size_t left = CONTROL_PENDING_MAX - MIN(client->control->pending, (size_t)CONTROL_PENDING_MAX);

    return length <= left &&
           (client->state != CLIENT_FOLLOWS ||
            client->pending.length - client->sent + length <= client->pending_max);
}

static void client_understood(struct control_client *client)
{
    static const char understood[] = "{\"ok\":true}\n";

    if (client->state == CLIENT_ASKS && !client->pending.length)
        client_add_bytes(client, understood, sizeof(understood) - 1);
}

void control_line(struct control_client *client, const char *json, size_t length)
{
    if (client->doomed || client->refused)
        return;
    if (!client_has_room(client, length + 1)) {
        if (client->state == CLIENT_FOLLOWS)
            client_doom(client);
        else
            control_refuse(client,
                           "too much waits for clients that read slowly, or the answer is "
                           "longer than %d MiB; try again",
                           CONTROL_PENDING_MAX >> 20);
        return;
    }
    client_understood(client);
    client_add_bytes(client, json, length);
    client_add_bytes(client, "\n", 1);
    if (client->state == CLIENT_FOLLOWS) {
        if (!wheel_timer_armed(&client->patience))
            client_be_patient(client);
        client_watch(client);
    }
}

void control_line_to_followers(struct control *control, const char *json, size_t length)
{
    list_for_each (node, &control->clients) {
        struct control_client *client = list_entry(node, struct control_client, link);

        if (client->state == CLIENT_FOLLOWS)
            control_line(client, json, length);
    }
}

static void write_refusal(struct strbuf *text, const char *sentence)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    json_write_object(&writer);
    json_write_bool_member(&writer, "ok", false);
    json_write_string_member(&writer, "error", sentence);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    strbuf_add_char(text, '\n');
}

void control_refuse(struct control_client *client, const char *format, ...)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct err err; /* makes what it quotes fit for JSON */
    va_list arguments;

    assert_that(client->state == CLIENT_ASKS);
    va_start(arguments, format);
    err_setv(&err, -EINVAL, format, arguments);
    va_end(arguments);
    write_refusal(&text, err.text);
    client_forget_pending(client);
    client_add_bytes(client, text.text, text.length);
    client->refused = true;
}

/* requests */

/* A string without NUL, or NULL; `*good` is false for anything else that is there. */
static const char *member_string(const struct json *request, const char *name, struct arena *arena,
                                 bool *good)
{
    const struct json *value = json_get(request, name);

    if (!value)
        return NULL;
    if (value->type != JSON_STRING || memchr(value->text, '\0', value->length)) {
        *good = false;
        return NULL;
    }
    return arena_strndup(arena, value->text, value->length);
}

/* Calls the owner; true when the client follows. */
static bool client_answer(struct control_client *client, size_t length)
{
    const struct json_limits limits = {CONTROL_REQUEST_MAX, CONTROL_REQUEST_NODES_MAX, NULL};
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct control *control = client->control;
    struct json_findings findings;
    const struct json *follow;
    struct control_request request;
    struct json *document;
    bool good = true, follows;
    struct err err;

    if (json_parse(&arena, client->request, length, &limits, &findings, &document, &err) < 0) {
        control_refuse(client, "the request is no JSON: %s", err.text);
        return false;
    }
    if (document->type != JSON_OBJECT) {
        control_refuse(client, "the request must be a JSON object, like {\"command\": \"ps\"}");
        return false;
    }
    follow = json_get(document, "follow");
    request.command = member_string(document, "command", &arena, &good);
    request.pod = member_string(document, "pod", &arena, &good);
    request.follow = follow && follow->type == JSON_BOOL && follow->boolean;
    if (!good || !request.command || (follow && follow->type != JSON_BOOL)) {
        control_refuse(client, "the request must have a string \"command\", and may have a string "
                               "\"pod\" and a boolean \"follow\"");
        return false;
    }
    follows = control->answer(control->owner, client, &request);
    client_understood(client);
    return follows && !client->refused;
}

static void client_begin_answer(struct control_client *client, bool follows)
{
    client->state = follows ? CLIENT_FOLLOWS : CLIENT_IS_ANSWERED;
    client->pending_max = client->pending.length + CONTROL_FOLLOWER_PENDING_MAX;
    client_be_patient(client);
}

static void client_read(struct control_client *client)
{
    size_t space = sizeof(client->request) - client->request_length;
    char *place = client->request + client->request_length, *end;
    ssize_t length = recv(client->socket.fd, place, space, MSG_DONTWAIT);

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length < 0) {
        client_doom(client);
        return;
    }
    if (length == 0) {
        if (client->request_length)
            control_refuse(client, "the request must end in a line break");
        client_begin_answer(client, false);
        return;
    }
    client->request_length += (size_t)length;
    end = memchr(place, '\n', (size_t)length);
    if (end) {
        client_begin_answer(client, client_answer(client, (size_t)(end - client->request)));
    } else if ((size_t)length == space) {
        control_refuse(client, "the request is longer than %d bytes", CONTROL_REQUEST_MAX);
        client_begin_answer(client, false);
    }
}

/* sending */

/* What was sent is given back when it is half of what is held: each byte is moved once at most. */
static void client_compact(struct control_client *client)
{
    size_t left = client->pending.length - client->sent;

    if (!left) {
        strbuf_deinit(&client->pending);
    } else if (client->sent >= left) {
        memmove(client->pending.text, client->pending.text + client->sent, left);
        strbuf_truncate(&client->pending, left);
    } else {
        return;
    }
    client->sent = 0;
}

static void client_send(struct control_client *client)
{
    size_t left = client->pending.length - client->sent;
    ssize_t length = send(client->socket.fd, client->pending.text + client->sent, left,
                          MSG_DONTWAIT | MSG_NOSIGNAL);

    if (length < 0) {
        if (errno != EAGAIN && errno != EINTR)
            client_doom(client);
        return;
    }
    client->sent += (size_t)length;
    client->control->pending -= (size_t)length;
    client_compact(client);
    if (client->pending.length)
        client_be_patient(client);
    else
        wheel_cancel(&client->patience);
}

/* One read and one write at most: many clients share a turn. */
static void client_serve(struct loop_socket *socket, uint32_t events)
{
    struct control_client *client = container_of(socket, struct control_client, socket);

    if (client->state == CLIENT_ASKS)
        client_read(client);
    else if (events & (EPOLLHUP | EPOLLERR))
        client_doom(client);
    if (!client->doomed && client->state != CLIENT_ASKS && client->pending.length)
        client_send(client);
    if (!client->doomed)
        client_watch(client);
    if (client->doomed || (client->state == CLIENT_IS_ANSWERED && !client->pending.length))
        client_close(client);
}

/* accepting */

static bool may_ask(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

/* Takes over the descriptor. */
static void turn_away(int fd, const char *sentence)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    write_refusal(&text, sentence);
    /* A new socket has room for it. */
    send(fd, text.text, text.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    close(fd);
}

static void client_new(struct control *control, int fd)
{
    struct control_client *client;

    if (!may_ask(fd)) {
        turn_away(fd, "only root may ask the agent");
        return;
    }
    if (control->client_count == CONTROL_CLIENTS_MAX) {
        turn_away(fd, "too many clients ask the agent at once; try again");
        return;
    }
    client = mem_new(struct control_client);
    if (loop_set_add(control->set, &client->socket, fd, EPOLLIN, client_serve, NULL) < 0) {
        turn_away(fd, "the agent cannot watch one more socket; try again");
        free(client);
        return;
    }
    client->control = control;
    list_push_back(&control->clients, &client->link);
    control->client_count++;
    wheel_timer_init(&client->patience, client_lost_patience);
    client_be_patient(client);
}

static void accept_again(struct wheel_timer *timer)
{
    struct control *control = container_of(timer, struct control, accept_again);

    loop_change_fd(control->listener, EPOLLIN, NULL);
}

/* A listener that nobody can be accepted from stays ready: without a pause the loop would spin. */
static void accept_later(struct control *control)
{
    log_warning("local socket: nobody can be accepted for now: %m");
    loop_change_fd(control->listener, 0, NULL);
    wheel_arm(control->wheel, &control->accept_again,
              usec_add(clock_boottime(), CONTROL_ACCEPT_PAUSE_USEC));
}

static void accept_clients(void *data, int fd, uint32_t events)
{
    struct loop_budget budget = loop_budget_begin();
    struct control *control = data;

    do {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (client >= 0)
            client_new(control, client);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR && errno != ECONNABORTED) {
            accept_later(control);
            return;
        }
    } while (loop_budget_spend(&budget));
}

/* the whole */

int control_new(struct control **result, const char *run_dir, struct loop *loop,
                struct wheel *wheel, control_fn *answer, control_gone_fn *gone, void *owner,
                struct err *err)
{
    struct control *control = mem_new(struct control);
    int r;

    *control = (struct control){
        .loop = loop,
        .wheel = wheel,
        .answer = answer,
        .gone = gone,
        .owner = owner,
        .socket = {.fd = -1, .directory = -1},
    };
    list_init(&control->clients);
    wheel_timer_init(&control->accept_again, accept_again);
    r = control_socket_open(&control->socket, run_dir, err);
    if (r >= 0)
        r = loop_set_new(&control->set, loop, LOOP_CLIENTS, err);
    if (r >= 0)
        r = loop_watch_fd(loop, &control->listener, LOOP_CLIENTS, control->socket.fd, EPOLLIN,
                          accept_clients, control, err);
    if (r < 0) {
        control_free(control);
        return r;
    }
    *result = control;
    return 0;
}

struct control *control_free(struct control *control)
{
    if (!control)
        return NULL;
    list_for_each_safe (node, &control->clients)
        client_free(list_entry(node, struct control_client, link));
    wheel_cancel(&control->accept_again);
    loop_source_free(control->listener);
    loop_set_free(control->set);
    control_socket_close(&control->socket);
    free(control);
    return NULL;
}
