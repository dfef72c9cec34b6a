/*
 * The terminal is left as it was found: the texts are drawn on its alternate screen, and only the
 * last one stays. Signals are blocked and waited for, so no handler writes to the terminal while
 * somebody else does.
 */
#include "watch.h"
#include "command.h"
#include "show.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    WATCH_SECONDS = 1,
    SCREEN_ROWS = 24, /* when the terminal does not say */
};

/* alternate screen on, cursor off, long lines are cut instead of wrapped; and back */
#define SCREEN_ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l"
#define SCREEN_LEAVE "\x1b[?7h\x1b[?25h\x1b[?1049l"
#define SCREEN_TOP "\x1b[H"
#define SCREEN_CLEAR_LINE "\x1b[K"
#define SCREEN_CLEAR_REST "\x1b[J"

static size_t screen_rows(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 2)
        return SCREEN_ROWS;
    return size.ws_row;
}

/* As many lines as fit; the last row stays empty, for a line break there would scroll. */
static void paint(const struct strbuf *text)
{
    _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
    const char *line = text->text ? text->text : "", *end;
    size_t rows = screen_rows() - 1;

    strbuf_add(&out, SCREEN_TOP);
    for (; rows && (end = strchr(line, '\n')); line = end + 1, rows--) {
        strbuf_add_bytes(&out, line, (size_t)(end - line));
        strbuf_add(&out, SCREEN_CLEAR_LINE "\n");
    }
    strbuf_add(&out, SCREEN_CLEAR_REST);
    show_buffer(&out);
}

/* Shows what was written; returns true when a signal ends it all. */
static bool wait_a_second(const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = WATCH_SECONDS};

    fflush(stdout);
    return sigtimedwait(signals, NULL, &second) > 0;
}

static void watch_on_screen(const char *command, watch_fn *draw, void *data, struct strbuf *text,
                            const sigset_t *signals)
{
    struct err err;

    fputs(SCREEN_ENTER, stdout);
    do {
        paint(text);
        if (wait_a_second(signals))
            break;
        strbuf_truncate(text, 0);
        if (draw(data, text, &err) < 0) {
            strbuf_truncate(text, 0);
            strbuf_printf(text, "nodeagent %s: %s\n", command, err.text);
        }
    } while (!ferror(stdout));
    fputs(SCREEN_LEAVE, stdout);
    show_buffer(text);
}

static void watch_as_log(const char *command, watch_fn *draw, void *data, struct strbuf *text,
                         const sigset_t *signals)
{
    struct err err;

    show_buffer(text);
    while (!ferror(stdout) && !wait_a_second(signals)) {
        strbuf_truncate(text, 0);
        if (draw(data, text, &err) < 0) {
            show_failure(command, &err);
            continue;
        }
        fputc('\n', stdout);
        show_buffer(text);
    }
}

int watch_run(const char *command, watch_fn *draw, void *data)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    sigset_t signals;
    struct err err;

    if (draw(data, &text, &err) < 0)
        return show_failure(command, &err);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    if (show_on_terminal())
        watch_on_screen(command, draw, data, &text, &signals);
    else
        watch_as_log(command, draw, data, &text, &signals);
    return EXIT_GOOD;
}
