/* What tests of a directory share: one pod in it, whose file is about to be changed. */
#pragma once

#include "fixture.h"

static inline void start(struct place *place)
{
    assert_int_equal(mkdir(place->path, 0755), 0);
    write_file(place, "web.yaml", POD("web", "a:1"));
    watch_place(place, LONG_PERIOD);
    assert_string_equal(place->problems, "");
    assert_string_equal(place->names, "web-n1");
    assert_true(place->complete);
    assert_int_equal(place->told, 1);
}

static inline const char *image(const struct place *place, size_t at)
{
    return pod_of(place->objects[at])->spec.containers.items[0].image;
}

/* What was done does not disturb: nobody is told anything, also after the longest settling. */
static inline void assert_undisturbed(struct place *place, unsigned told)
{
    turn_for(place, 700 * USEC_PER_MSEC);
    assert_int_equal(place->told, told);
    assert_string_equal(place->names, "web-n1");
}

/* One change is one set, which has the pod: it is never gone in between. */
static inline void assert_changed_once(struct place *place, const char *to)
{
    unsigned told = place->told;

    turn_until(place, place->told > told);
    assert_int_equal(place->told, told + 1);
    assert_string_equal(place->names, "web-n1");
    assert_string_equal(place->problems, "");
    assert_string_equal(image(place, 0), to);
    assert_undisturbed(place, told + 1);
}

static inline void shell(struct place *place, const char *script)
{
    char *command = mem_printf("cd '%s' && { %s\n}", place->path, script);

    assert_int_equal(system(command), 0);
    free(command);
}
