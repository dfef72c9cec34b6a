/* gRPC's health service: messages and status. */
#include "health.h"
#include "health.pb-c.h"
#include "text.h"

#include "nodeagent/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    FRAME_HEAD = 5, /* a flag, and the length, the most significant byte first */
};

const void *health_request(struct arena *arena, const char *service, size_t *length)
{
    Grpc__Health__V1__HealthCheckRequest message = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    uint32_t size;
    uint8_t *frame;

    message.service = (char *)(service ? service : "");
    size = (uint32_t)grpc__health__v1__health_check_request__get_packed_size(&message);
    frame = arena_zalloc(arena, FRAME_HEAD + size);
    grpc__health__v1__health_check_request__pack(&message, frame + FRAME_HEAD);
    *length = FRAME_HEAD + size;
    size = htonl(size);
    memcpy(frame + 1, &size, sizeof(size));
    return frame;
}

/* heads */

/* What is behind "name:" in the last line that begins with it; NULL: none does. */
static const char *find_line(const char *head, const char *name, size_t *length)
{
    const char *found = NULL;
    size_t name_length = strlen(name);

    for (const char *line = head; *line;) {
        size_t size = strcspn(line, "\r\n");

        if (size > name_length && !strncasecmp(line, name, name_length) &&
            line[name_length] == ':') {
            found = line + name_length + 1;
            *length = size - name_length - 1;
        }
        line += size;
        line += strspn(line, "\r\n");
    }
    if (found) {
        size_t blanks = strspn(found, " \t");

        found += MIN(blanks, *length);
        *length -= MIN(blanks, *length);
    }
    return found;
}

/* gRPC writes what is not plain ASCII as %XX; anything else stays. */
static const char *decode(struct arena *arena, const char *text, size_t length)
{
    char *from = arena_strndup(arena, text, length);
    char *result = from, *to = from;

    while (*from) {
        char byte = *from;

        from += text_escape_read(from, &byte) ? 3 : 1;
        *to++ = byte;
    }
    return text_repaired(arena, result, (size_t)(to - result));
}

struct health_status health_status_read(struct arena *arena, const char *head)
{
    struct health_status status = {.message = ""};
    int64_t number;
    size_t length;
    const char *text = find_line(head, "grpc-status", &length);

    if (!text || str_to_i64(arena_strndup(arena, text, length), &number) < 0 || number < 0 ||
        number > INT32_MAX)
        return status;
    status.set = true;
    status.code = (int)number;
    text = find_line(head, "grpc-message", &length);
    if (text)
        status.message = decode(arena, text, length);
    return status;
}

/* answers */

int health_answer_read(const char *bytes, size_t length, int32_t *status)
{
    Grpc__Health__V1__HealthCheckResponse *message;
    uint32_t size;

    if (length < FRAME_HEAD || bytes[0])
        return -EBADMSG;
    memcpy(&size, bytes + 1, sizeof(size));
    if (ntohl(size) != length - FRAME_HEAD)
        return -EBADMSG;
    message = grpc__health__v1__health_check_response__unpack(NULL, length - FRAME_HEAD,
                                                              (const uint8_t *)bytes + FRAME_HEAD);
    if (!message)
        return -EBADMSG;
    *status = message->status;
    grpc__health__v1__health_check_response__free_unpacked(message, NULL);
    return 0;
}

const char *health_name(struct arena *arena, int32_t status)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &grpc__health__v1__health_check_response__serving_status__descriptor, status);

    return value ? value->name : arena_printf(arena, "%" PRId32, status);
}
