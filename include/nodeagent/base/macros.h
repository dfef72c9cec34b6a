/*
 * The few macros that every file may use: cleanup of locals, assertions that stay on in
 * production, and small arithmetic.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _printf_(text, first) __attribute__((format(printf, text, first)))

#define array_size(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* A count with its items; the items live in somebody's arena. */
#define list_of(type)                                                                              \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
    }

#define array_for_each(item, list)                                                                 \
    for (__typeof__(*(list).items) *item = (list).items;                                           \
         item && item < (list).items + (list).count; item++)

/* What must hold whatever comes from outside; a failure is a defect here and ends the program. */
#define assert_that(condition)                                                                     \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            assert_that_failed(#condition, __FILE__, __LINE__);                                    \
    } while (0)

_Noreturn void assert_that_failed(const char *condition, const char *file, int line);
