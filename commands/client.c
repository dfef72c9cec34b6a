/*
 * The operator's end of the local socket. Every wait has an end (SO_RCVTIMEO, SO_SNDTIMEO), and
 * the socket is named through its directory's descriptor, so that paths may have any length.
 */
#include "client.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    READ_CHUNK = 64 * 1024,
};

/* connecting */

static int connect_failed(const char *run_dir, int code, struct err *err)
{
    static const char advice[] =
        "start it with 'nodeagent run', or name its directory with --run-dir";

    if (code == ENOENT || code == ENOTDIR)
        return err_set(err, -code,
                       "no agent is running with run directory %s (no socket %s/" CLIENT_SOCKET
                       "); %s",
                       run_dir, run_dir, advice);
    if (code == ECONNREFUSED)
        return err_set(err, -code,
                       "no agent is running with run directory %s (nobody listens on "
                       "%s/" CLIENT_SOCKET "); %s",
                       run_dir, run_dir, advice);
    if (code == EACCES || code == EPERM)
        return err_set(err, -code, "%s/" CLIENT_SOCKET ": must be root to ask the agent", run_dir);
    if (code == EAGAIN)
        return err_set(err, -ETIMEDOUT,
                       "%s/" CLIENT_SOCKET ": the agent accepted nobody for 5 s; it hangs or is "
                       "overloaded: see its log",
                       run_dir);
    return err_set(err, -code, "%s/" CLIENT_SOCKET ": cannot be connected to: %s", run_dir,
                   strerror(code));
}

static void set_timeout(int fd, int option, usec_t timeout)
{
    struct timeval time = {.tv_sec = (time_t)(timeout / USEC_PER_SEC)};

    assert_that(setsockopt(fd, SOL_SOCKET, option, &time, sizeof(time)) == 0);
}

static int connect_to(struct client *client, struct err *err)
{
    _cleanup_(fd_close_at) int directory = -1, fd = -1;
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    directory = open(client->run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return connect_failed(client->run_dir, errno, err);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(err, -errno, "no socket can be made: %m");
    set_timeout(fd, SO_SNDTIMEO, CLIENT_TIMEOUT_USEC);
    set_timeout(fd, SO_RCVTIMEO, CLIENT_TIMEOUT_USEC);
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" CLIENT_SOCKET,
             directory);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return connect_failed(client->run_dir, errno, err);
    client->fd = fd;
    fd = -1;
    return 0;
}

void client_close(struct client *client)
{
    fd_close_at(&client->fd);
    strbuf_deinit(&client->buffer);
}

void client_wait(struct client *client)
{
    set_timeout(client->fd, SO_RCVTIMEO, 0);
}

/* reading */

static int read_more(struct client *client, struct err *err)
{
    char chunk[READ_CHUNK];
    ssize_t length;

    do
        length = recv(client->fd, chunk, sizeof(chunk), 0);
    while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN)
        return err_set(err, -ETIMEDOUT,
                       "the agent said nothing for 5 s; it hangs or is overloaded: see its log");
    /* It closed without having read all that was sent: the end as well. */
    if (length < 0 && errno != ECONNRESET)
        return err_set(err, -errno, "the agent's answer cannot be read: %m");
    if (length <= 0)
        return 0;
    strbuf_add_bytes(&client->buffer, chunk, (size_t)length);
    return 1;
}

int client_line(struct client *client, const char **line, size_t *length, struct err *err)
{
    struct strbuf *buffer = &client->buffer;
    size_t searched = 0, left = buffer->length - client->next;
    const char *end;

    if (client->next) {
        memmove(buffer->text, buffer->text + client->next, left);
        strbuf_truncate(buffer, left);
        client->next = 0;
    }
    while (!buffer->length ||
           !(end = memchr(buffer->text + searched, '\n', buffer->length - searched))) {
        int r;

        searched = buffer->length;
        if (searched > CLIENT_LINE_MAX)
            return err_set(err, -EPROTO, "the agent's answer is longer than %d MiB",
                           CLIENT_LINE_MAX >> 20);
        r = read_more(client, err);
        if (r == 0 && buffer->length)
            return err_set(err, -EPROTO, "the agent closed the connection within its answer");
        if (r <= 0)
            return r;
    }
    *line = buffer->text;
    *length = (size_t)(end - buffer->text);
    client->next = *length + 1;
    return 1;
}

/* asking */

static void write_request(struct strbuf *text, const struct client_request *request)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "command", request->command);
    if (request->pod)
        json_write_string_member(&writer, "pod", request->pod);
    if (request->follow)
        json_write_bool_member(&writer, "follow", true);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    strbuf_add_char(text, '\n');
}

static int send_request(struct client *client, const struct client_request *request,
                        struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    write_request(&text, request);
    /* A new socket has room for all of it. One that was turned away already is closed, and says
     * why to who reads. */
    if (send(client->fd, text.text, text.length, MSG_NOSIGNAL) < 0 && errno != EPIPE &&
        errno != ECONNRESET)
        return err_set(err, -errno, "the agent cannot be asked: %m");
    return 0;
}

static int no_answer(struct err *err)
{
    return err_set(err, -EPROTO, "the agent closed the connection without an answer");
}

static int read_verdict(struct client *client, struct err *err)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    const struct json *ok, *error;
    int r;

    r = client_answer(client, &answer, err);
    if (r < 0)
        return r;
    ok = json_get(answer.document, "ok");
    if (ok && ok->type == JSON_BOOL && ok->boolean)
        return 0;
    error = ok && ok->type == JSON_BOOL ? json_get_string(answer.document, "error") : NULL;
    if (!error)
        return err_set(err, -EPROTO,
                       "the agent's answer does not begin with {\"ok\": ...}; "
                       "is it of another version?");
    return err_set(err, -EREMOTEIO, "%.*s", (int)error->length, error->text);
}

int client_open(struct client *client, const char *run_dir, const struct client_request *request,
                struct err *err)
{
    int r;

    *client = (struct client){.run_dir = run_dir, .fd = -1};
    r = connect_to(client, err);
    if (r >= 0)
        r = send_request(client, request, err);
    if (r >= 0)
        r = read_verdict(client, err);
    if (r < 0)
        client_close(client);
    return r;
}

/* answers */

int answer_parse(struct answer *answer, const char *line, size_t length, struct err *err)
{
    const struct json_limits limits = {CLIENT_LINE_MAX, CLIENT_NODES_MAX, NULL};
    struct json_findings *findings = mem_new(struct json_findings);
    int r;

    *answer = (struct answer){.arena = ARENA_INIT_DOCUMENT, .text = mem_strndup(line, length)};
    r = json_parse(&answer->arena, answer->text, length, &limits, findings, &answer->document, err);
    free(findings);
    if (r < 0) {
        answer_deinit(answer);
        return err_prefix(err, "the agent's answer cannot be read");
    }
    return 0;
}

void answer_deinit(struct answer *answer)
{
    arena_deinit(&answer->arena);
    free(answer->text);
    answer->text = NULL;
    answer->document = NULL;
}

int client_answer(struct client *client, struct answer *answer, struct err *err)
{
    const char *line;
    size_t length;
    int r;

    r = client_line(client, &line, &length, err);
    if (r == 0)
        return no_answer(err);
    return r < 0 ? r : answer_parse(answer, line, length, err);
}

int client_fetch(struct answer *answer, const char *run_dir, const struct client_request *request,
                 struct err *err)
{
    _cleanup_(client_close) struct client client;
    int r;

    r = client_open(&client, run_dir, request, err);
    return r < 0 ? r : client_answer(&client, answer, err);
}

struct json *answer_items(const struct answer *answer, const char *kind, struct err *err)
{
    const struct json *said = json_get_string(answer->document, "kind");
    /* The document is the caller's, who may change it. */
    struct json *items = (struct json *)json_get(answer->document, "items");

    if (!said || !json_text_is(said, kind))
        items = NULL;
    if (!items || items->type != JSON_ARRAY) {
        err_set(err, -EPROTO, "the agent's answer is no %s; is it of another version?", kind);
        return NULL;
    }
    return items;
}

int answer_unreadable(const struct report *report, size_t index, struct err *err)
{
    const struct finding *finding = report->findings.items;

    while (finding->level != FINDING_ERROR)
        finding++;
    return err_set(err, -EPROTO, "the agent's answer cannot be read: items[%zu].%s: %s", index,
                   finding->path, finding->message);
}

/* reading a document */

struct json_items answer_array(const struct json *object, const char *name)
{
    const struct json *value = object ? json_get(object, name) : NULL;

    if (!value || value->type != JSON_ARRAY)
        return (struct json_items){0};
    return (struct json_items){value->items, value->length};
}

const char *answer_string(const struct json *object, const char *name, struct arena *arena)
{
    return json_get_text(object, name, "", arena);
}

int64_t answer_number(const struct json *object, const char *name, struct arena *arena)
{
    const struct json *value = json_get(object, name);
    int64_t number = 0;

    if (value && value->type == JSON_NUMBER)
        str_to_i64(arena_strndup(arena, value->text, value->length), &number);
    return number;
}
