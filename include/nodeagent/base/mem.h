/*
 * Memory that never fails: running out aborts with a message (a service manager restarts the
 * program; what matters is on disk).
 */
#pragma once

#include "nodeagent/base/macros.h"

void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_resize(void *memory, size_t size);
char *mem_strdup(const char *string);
char *mem_strndup(const char *bytes, size_t length);
char *mem_printf(const char *format, ...) _printf_(1, 2);

#define mem_new(type) ((type *)mem_zalloc(sizeof(type)))

/* For `_cleanup_(mem_free_at) char *name = ...;` */
void mem_free_at(void *address_of_pointer);

/*
 * Room for one more in an array that doubles: `array` of `count` items with space for `*space`.
 */
void *mem_grow(void *array, size_t count, size_t *space, size_t item_size);
