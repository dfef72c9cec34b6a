/* nodeagent-cni: the plugin that runtimes call (thick.h). */
#include "thick.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Pipes to plugins must not get the numbers of missing ones. */
static void fill_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    close(fd);
}

/* What is beyond the bound is an error when it is read as JSON. */
static void read_input(struct strbuf *input)
{
    char chunk[16 * 1024];
    ssize_t got;

    while (input->length <= CNI_STDIN_BYTES_MAX &&
           ((got = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0 || (got < 0 && errno == EINTR)))
        if (got > 0)
            strbuf_add_bytes(input, chunk, (size_t)got);
}

int main(void)
{
    struct strbuf input = STRBUF_INIT, out = STRBUF_INIT, errors = STRBUF_INIT;
    struct thick_call call = {
        .command = getenv("CNI_COMMAND"),
        .container_id = getenv("CNI_CONTAINERID"),
        .netns = getenv("CNI_NETNS"),
        .ifname = getenv("CNI_IFNAME"),
        .args = getenv("CNI_ARGS"),
        .path = getenv("CNI_PATH"),
    };
    int status;

    signal(SIGPIPE, SIG_IGN);
    fill_descriptors();
    read_input(&input);
    call.input = input.text;
    call.input_length = input.length;
    status = thick_run(&call, &out, &errors);
    if (errors.length)
        fwrite(errors.text, 1, errors.length, stderr);
    if (out.length)
        fwrite(out.text, 1, out.length, stdout);
    strbuf_deinit(&input);
    strbuf_deinit(&out);
    strbuf_deinit(&errors);
    return fflush(stdout) ? EXIT_FAILURE : status;
}
