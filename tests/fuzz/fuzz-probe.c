/*
 * Probes. Whatever a path is, what it becomes can stand in the line of a request, and becomes
 * itself again; whatever a gRPC server answers, it is a status and valid UTF-8, or nothing.
 */
#include "fuzz.h"

#include "health.h"
#include "reference.h"

#include <string.h>

static void check_plain(const char *text)
{
    for (; *text; text++)
        assert_that(*text > ' ' && *text <= '~' && *text != '#');
}

static void check_path(struct arena *arena, const char *text)
{
    struct reference reference, again;

    reference_read(&reference, arena, text);
    check_plain(reference.path);
    assert_that(!reference.path[0] || reference.path[0] == '/');
    assert_that(!strchr(reference.path, '?'));
    assert_that(!reference.query[0] || reference.query[0] == '?');
    assert_that(!strpbrk(reference.query, " \r\n#"));
    assert_that(!reference.opaque || !reference.path[0]);
    assert_that(!reference.password || reference.user);
    if (reference.path[0] != '/' || reference.path[1] == '/')
        return; /* that would name a host */
    reference_read(&again, arena, reference.path);
    assert_that(!strcmp(reference.path, again.path));
    reference_host_error(arena, text);
}

static void check_answer(struct arena *arena, const char *text, size_t length)
{
    struct health_status status = health_status_read(arena, text);
    int32_t number;

    assert_that(!utf8_check(status.message, strlen(status.message)));
    assert_that(status.set ? status.code >= 0 : !*status.message);
    if (health_answer_read(text, length, &number) == 0)
        assert_that(*health_name(arena, number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *text = arena_strndup(&arena, (const char *)data, size);

    check_path(&arena, text);
    check_answer(&arena, text, size);
    return 0;
}
