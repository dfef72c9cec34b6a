/*
 * An arena: many small allocations that die at once. Blocks double from the first size to the
 * last, so a big document costs few calls; an object that stays keeps small blocks (first equals
 * last) and wastes little.
 */
#pragma once

#include "nodeagent/base/macros.h"

#include <stdarg.h>
#include <stdbool.h>

struct arena {
    struct arena_block *blocks; /* newest first */
    char *next;                 /* free bytes of the newest block */
    char *end;
    size_t block_size; /* of the next block */
    size_t block_max;
};

#define ARENA_INIT(first_block_size, last_block_size)                                              \
    (struct arena)                                                                                 \
    {                                                                                              \
        .block_size = (first_block_size), .block_max = (last_block_size)                           \
    }

enum {
    ARENA_DOCUMENT_FIRST = 4 << 10, /* for what is parsed, used and thrown away */
    ARENA_DOCUMENT_LAST = 256 << 10,
};
#define ARENA_INIT_DOCUMENT ARENA_INIT(ARENA_DOCUMENT_FIRST, ARENA_DOCUMENT_LAST)

/* Frees everything; the arena can be used again. */
void arena_deinit(struct arena *arena);

/* Bytes taken from the system, headers included. */
size_t arena_size(const struct arena *arena);

/* Eight-byte aligned; never NULL. zalloc clears. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);

/* Strings need no alignment and are packed; the results end in NUL. */
char *arena_strndup(struct arena *arena, const char *bytes, size_t length);
char *arena_strdup(struct arena *arena, const char *string);
char *arena_printf(struct arena *arena, const char *format, ...) _printf_(2, 3);
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments) _printf_(2, 0);

#define arena_new(arena, type) ((type *)arena_zalloc(arena, sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_zalloc(arena, sizeof(type) * (count)))
