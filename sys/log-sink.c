/*
 * The journal is spoken to directly: sd_journal_sendv() waits for ever when journald does not
 * read (after 11 records, measured), and its socket cannot be replaced in a test.
 *
 * stderr is shared with whoever started the program, so it must not be made non-blocking; a pipe or
 * a terminal is opened once more through /proc for a description of our own. A line is at most
 * PIPE_BUF long: a pipe takes it whole or not at all.
 */
#include "log-sink.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"

#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    REST_OF_LINE_MSEC = 50, /* for a terminal or socket that took a part of a line */
};

/* opening */

/* systemd tells which descriptor it connected to the journal; a redirected stderr is another. */
static bool is_journal_stream(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;

    return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(fd, &status) == 0 &&
           status.st_dev == device && status.st_ino == inode;
}

static bool wants_colours(int fd)
{
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

    return isatty(fd) && str_empty(none) && !str_empty(terminal) && !str_equal(terminal, "dumb");
}

static void open_lines(struct log_sink *sink, int fd)
{
    struct stat status;
    char link[32];
    int again = -1;

    if (fstat(fd, &status) == 0) {
        sink->stream_socket = S_ISSOCK(status.st_mode);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
            again = open(link, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    sink->fd_open = again >= 0;
    sink->fd = again >= 0 ? again : fd;
}

void sink_init(struct log_sink *sink, const struct log_options *options)
{
    const char *socket = options->journal_socket ? options->journal_socket : LOG_JOURNAL_SOCKET;

    *sink = (struct log_sink){.fd = -1, .journal = is_journal_stream(options->fd)};
    sink->journal_socket = mem_strdup(socket);
    sink->identifier = mem_strdup(options->identifier);
    if (sink->journal)
        return;
    sink->colours = wants_colours(options->fd);
    open_lines(sink, options->fd);
}

void sink_deinit(struct log_sink *sink)
{
    if (sink->fd_open)
        fd_close_at(&sink->fd);
    free(sink->journal_socket);
    free(sink->identifier);
    *sink = (struct log_sink){.fd = -1};
}

/* the journal */

static int journal_connect(struct log_sink *sink)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(sink->journal_socket) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, sink->journal_socket);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        fd_close_at(&fd);
        return -ENOTCONN;
    }
    sink->fd = fd;
    sink->fd_open = true;
    return 0;
}

/* journalctl shows other texts as "[12B blob data]", so that whoever puts a bad byte into what is
 * quoted would hide the record. */
static bool is_shown(const char *value)
{
    if (utf8_check(value, strlen(value)))
        return false;
    for (const unsigned char *c = (const unsigned char *)value; *c; c++)
        if ((*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0))
            return false;
    return true;
}

/* The journal's format: NAME=value, or with a newline in the value NAME, its length, the value. */
static void journal_add(struct strbuf *datagram, const char *field)
{
    const char *value = strchr(field, '=') + 1;
    uint64_t length = htole64(strlen(value));

    if (!is_shown(value)) {
        strbuf_add_bytes(datagram, field, (size_t)(value - field));
        strbuf_add_quoted(datagram, value, strlen(value), LOG_RECORD_MAX);
    } else if (strchr(value, '\n')) {
        strbuf_add_bytes(datagram, field, (size_t)(value - field - 1));
        strbuf_add_char(datagram, '\n');
        strbuf_add_bytes(datagram, &length, sizeof(length));
        strbuf_add(datagram, value);
    } else {
        strbuf_add(datagram, field);
    }
    strbuf_add_char(datagram, '\n');
}

static int journal_write(struct log_sink *sink, const struct log_record *record)
{
    _cleanup_(strbuf_deinit) struct strbuf datagram = STRBUF_INIT;
    const char *field = record->bytes, *end = field + record->length;
    int r = sink->fd < 0 ? journal_connect(sink) : 0;

    if (r < 0)
        return r;
    strbuf_printf(&datagram, "PRIORITY=%u\nSYSLOG_IDENTIFIER=%s\n", record->level,
                  sink->identifier);
    for (; field < end; field += strlen(field) + 1)
        journal_add(&datagram, field);
    if (send(sink->fd, datagram.text, datagram.length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return 0;
    if (errno == EAGAIN || errno == ENOBUFS)
        return -EAGAIN;
    if (errno == EMSGSIZE)
        return -EMSGSIZE;
    /* journald was restarted. */
    fd_close_at(&sink->fd);
    return -ENOTCONN;
}

/* lines */

static const char *level_name(uint32_t level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_NOTICE:
        return "notice";
    case LOG_LEVEL_INFO:
        return "info";
    default:
        return "debug";
    }
}

static const char *level_colour(uint32_t level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "\033[31m";
    case LOG_LEVEL_WARNING:
        return "\033[33m";
    case LOG_LEVEL_DEBUG:
        return "\033[2m";
    default:
        return "";
    }
}

/* key=value, or key="a value" with its quotes and backslashes escaped. */
static void line_add_field(struct strbuf *line, const char *field)
{
    const char *value = strchr(field, '=') + 1;
    bool quoted = !*value || strpbrk(value, " \"=\\");

    strbuf_add_char(line, ' ');
    for (const char *c = field; c < value; c++)
        strbuf_add_char(line, (char)tolower((unsigned char)*c));
    if (!quoted) {
        strbuf_add_quoted(line, value, strlen(value), LOG_RECORD_MAX);
        return;
    }
    strbuf_add_char(line, '"');
    while (*value) {
        size_t plain = strcspn(value, "\"\\");

        strbuf_add_quoted(line, value, plain, LOG_RECORD_MAX);
        value += plain;
        if (*value) {
            strbuf_add_char(line, '\\');
            strbuf_add_char(line, *value++);
        }
    }
    strbuf_add_char(line, '"');
}

static void line_format(const struct log_sink *sink, const struct log_record *record,
                        struct strbuf *line)
{
    const char *message = strchr(record->bytes, '=') + 1;
    const char *field = message + strlen(message) + 1, *end = record->bytes + record->length;
    char time[TIME_TEXT_MAX];

    strbuf_printf(line, "%s %s%s%s ", time_format_rfc3339_micro(record->time_usec, time),
                  sink->colours ? level_colour(record->level) : "", level_name(record->level),
                  sink->colours ? "\033[0m" : "");
    strbuf_add_quoted(line, message, strlen(message), LOG_RECORD_MAX);
    /* Where in the source it was said is for the journal. */
    for (; field < end; field += strlen(field) + 1)
        if (!str_has_prefix(field, "CODE_"))
            line_add_field(line, field);
    if (line->length >= LOG_LINE_MAX) {
        strbuf_truncate(line, utf8_cut(line->text, LOG_LINE_MAX - 4));
        strbuf_add(line, "...");
    }
    strbuf_add_char(line, '\n');
}

static ssize_t write_some(const struct log_sink *sink, const char *bytes, size_t length)
{
    if (sink->stream_socket)
        return send(sink->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return write(sink->fd, bytes, length);
}

/* A descriptor that could not be opened again may block: it is asked first. */
static bool has_room(const struct log_sink *sink, int timeout_msec)
{
    struct pollfd polled = {.fd = sink->fd, .events = POLLOUT};

    return poll(&polled, 1, timeout_msec) > 0;
}

static int line_write(struct log_sink *sink, const struct log_record *record)
{
    _cleanup_(strbuf_deinit) struct strbuf line = STRBUF_INIT;
    size_t written = 0;

    line_format(sink, record, &line);
    while (written < line.length && has_room(sink, written ? REST_OF_LINE_MSEC : 0)) {
        ssize_t some = write_some(sink, line.text + written, line.length - written);

        if (some > 0)
            written += (size_t)some;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return -errno;
    }
    return written ? 0 : -EAGAIN;
}

int sink_write(struct log_sink *sink, const struct log_record *record)
{
    return sink->journal ? journal_write(sink, record) : line_write(sink, record);
}
