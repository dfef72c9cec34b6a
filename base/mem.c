/* Allocation that aborts with a message when there is no memory. */
#include "nodeagent/base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory, size_t size)
{
    if (__builtin_expect(!memory, 0)) {
        fprintf(stderr, "nodeagent: out of memory (%zu bytes wanted)\n", size);
        abort();
    }
    return memory;
}

void *mem_alloc(size_t size)
{
    return must(malloc(size ? size : 1), size);
}

void *mem_zalloc(size_t size)
{
    return must(calloc(1, size ? size : 1), size);
}

void *mem_resize(void *memory, size_t size)
{
    return must(realloc(memory, size ? size : 1), size);
}

char *mem_strdup(const char *string)
{
    return mem_strndup(string, strlen(string));
}

char *mem_strndup(const char *bytes, size_t length)
{
    char *copy;

    assert_that(length < SIZE_MAX);
    copy = mem_alloc(length + 1);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

char *mem_printf(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        must(NULL, 0);
    va_end(arguments);
    return text;
}

void mem_free_at(void *address_of_pointer)
{
    void **pointer = address_of_pointer;

    free(*pointer);
    *pointer = NULL;
}

void *mem_grow(void *array, size_t count, size_t *space, size_t item_size)
{
    if (count < *space)
        return array;
    *space = *space ? *space * 2 : 8;
    assert_that(*space < SIZE_MAX / item_size);
    return mem_resize(array, *space * item_size);
}
