/* Messages in frames over a sequenced-packet socket. */
#include "child-wire.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
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
};

void wire_init(struct wire *wire, int fd)
{
    *wire = (struct wire){.fd = fd};
    list_init(&wire->out);
}

static void out_free(struct wire_out *out)
{
    list_unlink(&out->link);
    free(out->bytes);
    free(out);
}

void wire_deinit(struct wire *wire)
{
    list_for_each_safe (node, &wire->out)
        out_free(list_entry(node, struct wire_out, link));
    strbuf_deinit(&wire->in);
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
}

void wire_queue(struct wire *wire, uint64_t id, enum wire_kind kind, struct strbuf *payload)
{
    struct wire_out *out = mem_new(struct wire_out);

    out->id = id;
    out->kind = kind;
    if (payload) {
        out->length = payload->length;
        out->bytes = strbuf_take(payload);
    }
    list_push_back(&wire->out, &out->link);
}

bool wire_idle(const struct wire *wire)
{
    return list_empty(&wire->out);
}

static int send_frame(int fd, struct wire_out *out)
{
    size_t left = out->length - out->sent, size = MIN(left, (size_t)WIRE_FRAME_MAX);
    struct frame frame = {out->id, out->kind, size == left};
    struct iovec parts[] = {{&frame, sizeof(frame)}, {out->bytes + out->sent, size}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = size ? 2 : 1};

    if (sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return -errno;
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

/* One frame's payload is added to `in`; 1 when it was its message's last. */
static int receive_frame(struct wire *wire, struct frame *frame)
{
    char bytes[WIRE_FRAME_MAX];
    struct iovec parts[] = {{frame, sizeof(*frame)}, {bytes, sizeof(bytes)}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t got = recvmsg(wire->fd, &header, MSG_DONTWAIT);

    if (got < 0)
        return -errno;
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
    *message = (struct wire_message){frame.id, frame.kind, wire->in};
    wire->in = STRBUF_INIT;
    return 1;
}
