/*
 * An arena hands out memory from blocks. Aligned data grows up from the front of a block and
 * strings grow down from its end, so neither pads the other.
 */
#include "nodeagent/base/arena.h"
#include "nodeagent/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *older;
    size_t size;
    char bytes[];
};

static struct arena_block *block_new(size_t size)
{
    struct arena_block *block = mem_alloc(sizeof(*block) + size);

    block->size = size;
    return block;
}

static void arena_refill(struct arena *arena, size_t size)
{
    size_t block_size = arena->block_size ? arena->block_size : 1024;
    struct arena_block *block = block_new(MAX(block_size, size));

    block->older = arena->blocks;
    arena->blocks = block;
    arena->next = block->bytes;
    arena->end = block->bytes + block->size;
    arena->block_size = MIN(block_size * 2, MAX(arena->block_max, block_size));
}

/* Something too big to share a block gets its own, behind the current one. */
static char *arena_alloc_big(struct arena *arena, size_t size)
{
    struct arena_block *block = block_new(size);

    block->older = arena->blocks->older;
    arena->blocks->older = block;
    return block->bytes;
}

static bool arena_wants_own_block(const struct arena *arena, size_t size)
{
    return arena->blocks && size > arena->block_size / 4;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory;

    assert_that(size < SIZE_MAX / 2);
    size = (MAX(size, (size_t)1) + 7) & ~(size_t)7;
    if ((size_t)(arena->end - arena->next) < size) {
        if (arena_wants_own_block(arena, size))
            return arena_alloc_big(arena, size);
        arena_refill(arena, size);
    }
    memory = arena->next;
    arena->next += size;
    return memory;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

static char *arena_bytes(struct arena *arena, size_t size)
{
    if ((size_t)(arena->end - arena->next) < size) {
        if (arena_wants_own_block(arena, size))
            return arena_alloc_big(arena, size);
        arena_refill(arena, size);
    }
    arena->end -= size;
    return arena->end;
}

char *arena_strndup(struct arena *arena, const char *bytes, size_t length)
{
    char *copy;

    assert_that(length < SIZE_MAX / 2);
    copy = arena_bytes(arena, length + 1);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *arena_strdup(struct arena *arena, const char *string)
{
    return arena_strndup(arena, string, strlen(string));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
    va_list again;
    int length;
    char *text;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert_that(length >= 0);
    text = arena_bytes(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

size_t arena_size(const struct arena *arena)
{
    size_t size = 0;

    for (const struct arena_block *block = arena->blocks; block; block = block->older)
        size += sizeof(*block) + block->size;
    return size;
}

void arena_deinit(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block) {
        struct arena_block *older = block->older;

        free(block);
        block = older;
    }
    *arena = ARENA_INIT(arena->block_size, arena->block_max);
}
