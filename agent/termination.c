/*
 * Reading what a container left behind. The paths lead to regular files of bounded interest: only
 * their last bytes are read, and anything else that stands there (a link, a fifo, a device) is
 * refused without waiting on it.
 */
#include "termination.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    UTF8_REST_MAX = 3, /* bytes of a character after its first */
};

struct termination_job {
    char *message_path;
    char *log_path;
    bool fall_back_to_logs;
    struct strbuf text;
};

/* the end of a file */

struct tail {
    char *bytes;
    size_t length;
    bool whole; /* nothing of the file comes before it */
};

static void tail_deinit(struct tail *tail)
{
    free(tail->bytes);
}

static int tail_fill(struct tail *tail, int fd, off_t from, size_t max)
{
    tail->bytes = mem_alloc(max);
    while (tail->length < max) {
        ssize_t got =
            pread(fd, tail->bytes + tail->length, max - tail->length, from + (off_t)tail->length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -errno : 0;
        tail->length += (size_t)got;
    }
    return 0;
}

/* -EINVAL: it is no regular file. */
static int tail_read(struct tail *tail, const char *path, size_t max)
{
    _cleanup_(fd_close_at) int fd =
        open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat status;
    off_t from;

    if (fd < 0 || fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    from = MAX(status.st_size - (off_t)max, 0);
    tail->whole = from == 0;
    return tail_fill(tail, fd, from, max);
}

static const char *why(int code)
{
    switch (code) {
    case -ELOOP:
        return "it is a symbolic link";
    case -EINVAL:
        return "it is not a regular file";
    default:
        return strerror(-code);
    }
}

/* Drops so many bytes at the start, and what is left there of a character. */
static void drop_head(struct strbuf *text, size_t count)
{
    for (int i = 0; i < UTF8_REST_MAX && count < text->length; i++, count++)
        if (((unsigned char)text->text[count] & 0xc0) != 0x80)
            break;
    memmove(text->text, text->text + count, text->length - count);
    strbuf_truncate(text, text->length - count);
}

/* the message */

static void read_message(struct termination_job *job)
{
    _cleanup_(tail_deinit) struct tail tail = {0};
    int r = tail_read(&tail, job->message_path, TERMINATION_MESSAGE_MAX);

    if (r == -ENOENT)
        return;
    if (r < 0) {
        strbuf_printf(&job->text, "Error on reading termination log %s: %s", job->message_path,
                      why(r));
        return;
    }
    strbuf_add_bytes(&job->text, tail.bytes, tail.length);
    if (!tail.whole)
        drop_head(&job->text, 0);
}

/* the log */

/* The word before the next space, or NULL; `line` goes on behind it. */
static const char *next_word(const char **line, const char *end, size_t *length)
{
    const char *word = *line, *space = memchr(word, ' ', (size_t)(end - word));

    if (!space)
        return NULL;
    *length = (size_t)(space - word);
    *line = space + 1;
    return word;
}

static bool is_stream(const char *word, size_t length)
{
    return length == strlen("stdout") && (!memcmp(word, "stdout", 6) || !memcmp(word, "stderr", 6));
}

/* "TIME stdout|stderr P|F[:TAG...] TEXT", without its line end; what is no such line is passed
 * over. P: the text goes on in the next line. */
static void add_line(struct strbuf *text, const char *line, const char *end, bool ends)
{
    size_t length;
    const char *word = next_word(&line, end, &length), *tags;

    word = word ? next_word(&line, end, &length) : NULL;
    if (!word || !is_stream(word, length))
        return;
    tags = next_word(&line, end, &length);
    if (!tags)
        return;
    strbuf_add_bytes(text, line, (size_t)(end - line));
    if (ends && !(tags[0] == 'P' && (length == 1 || tags[1] == ':')))
        strbuf_add_char(text, '\n');
}

/* Where the last lines begin; one without an end comes on top of them. */
static size_t last_lines(const struct tail *tail)
{
    size_t end = tail->length;
    const char *newline;

    for (int i = 0; i <= TERMINATION_LOG_LINES_MAX; i++) {
        newline = memrchr(tail->bytes, '\n', end);
        if (!newline)
            return 0;
        end = (size_t)(newline - tail->bytes);
    }
    return end + 1;
}

/*
 * A line of which the window shows only the rest is text throughout: it is so long that its head
 * is not among the last bytes.
 */
static void add_lines(struct strbuf *text, const struct tail *tail)
{
    const char *end = tail->bytes + tail->length, *line = tail->bytes + last_lines(tail);
    bool cut = line == tail->bytes && !tail->whole;

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line)),
                   *line_end = newline ? newline : end;

        if (cut)
            strbuf_add_bytes(text, line, (size_t)(line_end - line) + (newline != NULL));
        else
            add_line(text, line, line_end, newline != NULL);
        cut = false;
        line = line_end + 1;
    }
}

static void read_log(struct termination_job *job)
{
    _cleanup_(tail_deinit) struct tail tail = {0};
    int r = tail_read(&tail, job->log_path, TERMINATION_LOG_WINDOW);

    if (r < 0) {
        strbuf_printf(&job->text, "Error on reading termination message from logs: %s: %s",
                      job->log_path, why(r));
        return;
    }
    add_lines(&job->text, &tail);
    if (job->text.length > TERMINATION_LOG_MAX)
        drop_head(&job->text, job->text.length - TERMINATION_LOG_MAX);
}

/* the job */

static char *copy_of(const char *path)
{
    return path ? mem_strdup(path) : NULL;
}

void *termination_job_new(const char *message_path, const char *log_path, bool fall_back_to_logs)
{
    struct termination_job *job = mem_new(struct termination_job);

    job->message_path = copy_of(message_path);
    job->log_path = copy_of(log_path);
    job->fall_back_to_logs = fall_back_to_logs;
    return job;
}

static void make_string(struct strbuf *text)
{
    for (size_t i = 0; i < text->length; i++)
        if (!text->text[i])
            text->text[i] = '?';
    if (text->length)
        utf8_repair(text->text, text->length);
}

int termination_job(void *argument)
{
    struct termination_job *job = argument;

    if (job->message_path)
        read_message(job);
    if (!job->text.length && job->fall_back_to_logs && job->log_path)
        read_log(job);
    make_string(&job->text);
    return 0;
}

void termination_job_free(void *argument)
{
    struct termination_job *job = argument;

    free(job->message_path);
    free(job->log_path);
    strbuf_deinit(&job->text);
    free(job);
}

char *termination_take_text(void *argument)
{
    struct termination_job *job = argument;

    return strbuf_take(&job->text);
}
