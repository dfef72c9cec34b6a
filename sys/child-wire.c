/* Messages in frames over a sequenced-packet socket. */
#include "child-wire.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct frame {
    uint64_t id;
    uint32_t kind;
    uint32_t last; /* of its message? */
};

struct wire_out {
    struct list link;
    uint64_t id;
    enum wire_kind kind;
    char *bytes;
    size_t length;
    size_t sent;
    struct wire_sockets sockets; /* they go with the first frame */
};

void wire_sockets_close(struct wire_sockets *sockets)
{
    while (sockets->count)
        close(sockets->fds[--sockets->count]);
}

void wire_init(struct wire *wire, int fd)
{
    *wire = (struct wire){.fd = fd};
    list_init(&wire->out);
}

static void out_free(struct wire_out *out)
{
    list_unlink(&out->link);
    wire_sockets_close(&out->sockets);
    free(out->bytes);
    free(out);
}

void wire_deinit(struct wire *wire)
{
    list_for_each_safe (node, &wire->out)
        out_free(list_entry(node, struct wire_out, link));
    strbuf_deinit(&wire->in);
    wire_sockets_close(&wire->in_sockets);
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
}

static struct wire_out *out_new(struct wire *wire, uint64_t id, enum wire_kind kind)
{
    struct wire_out *out = mem_new(struct wire_out);

    out->id = id;
    out->kind = kind;
    list_push_back(&wire->out, &out->link);
    return out;
}

void wire_queue(struct wire *wire, uint64_t id, enum wire_kind kind, struct strbuf *payload)
{
    struct wire_out *out = out_new(wire, id, kind);

    if (payload) {
        out->length = payload->length;
        out->bytes = strbuf_take(payload);
    }
}

/* One that cannot be copied for want of descriptors is left out. */
void wire_queue_sockets(struct wire *wire, uint64_t id, enum wire_kind kind, const int *sockets,
                        size_t count)
{
    struct wire_out *out = out_new(wire, id, kind);

    for (size_t i = 0; i < count && out->sockets.count < CHILD_KEPT_MAX; i++) {
        int copy = fcntl(sockets[i], F_DUPFD_CLOEXEC, 0);

        if (copy >= 0)
            out->sockets.fds[out->sockets.count++] = copy;
    }
}

bool wire_idle(const struct wire *wire)
{
    return list_empty(&wire->out);
}

union ancillary {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * CHILD_KEPT_MAX)];
};

static void attach(struct msghdr *header, union ancillary *ancillary,
                   const struct wire_sockets *sockets)
{
    size_t size = sockets->count * sizeof(int);

    ancillary->align = (struct cmsghdr){CMSG_LEN(size), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&ancillary->align), sockets->fds, size);
    header->msg_control = ancillary;
    header->msg_controllen = CMSG_SPACE(size);
}

static int send_frame(int fd, struct wire_out *out)
{
    size_t left = out->length - out->sent, size = MIN(left, (size_t)WIRE_FRAME_MAX);
    struct frame frame = {out->id, out->kind, size == left};
    struct iovec parts[] = {{&frame, sizeof(frame)}, {out->bytes + out->sent, size}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = size ? 2 : 1};
    union ancillary ancillary = {0};

    if (out->sockets.count)
        attach(&header, &ancillary, &out->sockets);
    if (sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
    wire_sockets_close(&out->sockets);
    out->sent += size;
    return frame.last ? 1 : 0;
}

int wire_flush(struct wire *wire)
{
    struct wire_out *out;

    while ((out = list_first(&wire->out, struct wire_out, link))) {
        int r = send_frame(wire->fd, out);

        if (r > 0)
            out_free(out);
        else if (r == -EAGAIN || r == -ENOBUFS)
            return 0;
        else if (r < 0 && r != -EINTR)
            return r;
    }
    return 0;
}

static void take_sockets(struct wire *wire, struct msghdr *header)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int fds[CHILD_KEPT_MAX];

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        memcpy(fds, CMSG_DATA(part), count * sizeof(int));
        for (size_t i = 0; i < count; i++)
            if (wire->in_sockets.count < CHILD_KEPT_MAX)
                wire->in_sockets.fds[wire->in_sockets.count++] = fds[i];
            else
                close(fds[i]);
    }
}

/* One frame's payload is added to `in`; 1 when it was its message's last. */
static int receive_frame(struct wire *wire, struct frame *frame)
{
    char bytes[WIRE_FRAME_MAX];
    struct iovec parts[] = {{frame, sizeof(*frame)}, {bytes, sizeof(bytes)}};
    union ancillary ancillary;
    struct msghdr header = {
        .msg_iov = parts,
        .msg_iovlen = 2,
        .msg_control = &ancillary,
        .msg_controllen = sizeof(ancillary),
    };
    ssize_t got = recvmsg(wire->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (got < 0)
        return -errno;
    take_sockets(wire, &header);
    if (got == 0)
        return -EPIPE;
    if ((size_t)got < sizeof(*frame) || header.msg_flags & MSG_TRUNC ||
        wire->in.length + (size_t)got > WIRE_MESSAGE_MAX)
        return -EBADMSG;
    strbuf_add_bytes(&wire->in, bytes, (size_t)got - sizeof(*frame));
    return frame->last ? 1 : 0;
}

int wire_receive(struct wire *wire, struct wire_message *message)
{
    struct frame frame;
    int r;

    do
        r = receive_frame(wire, &frame);
    while (r == 0 || r == -EINTR);
    if (r < 0)
        return r == -EAGAIN ? 0 : r;
    *message = (struct wire_message){frame.id, frame.kind, wire->in, wire->in_sockets};
    wire->in = STRBUF_INIT;
    wire->in_sockets.count = 0;
    return 1;
}
