/* What tests of static/ share: a loop, a directory of its own, a source, and what it told. */
#pragma once

#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/objects/pod.h"
#include "nodeagent/static.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE (20 * USEC_PER_SEC)
#define LONG_PERIOD (3600 * USEC_PER_SEC) /* only events make the source look */

#define POD(name, image)                                                                           \
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " name "\nspec:\n  containers:\n  - name: c\n"  \
    "    image: " image "\n"

struct place {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct static_source *source;
    char root[64];
    char path[96]; /* root/manifests */
    unsigned told;
    bool complete;
    bool free_at_once; /* from within the callback */
    char *names;       /* "web-n1 db-n1" */
    char *problems;    /* "web.yaml:1:1! sentence\n", "!" if refused; paths below the root */
    struct object **objects;
    size_t count;
};

static inline void forget_set(struct place *place)
{
    for (size_t i = 0; i < place->count; i++)
        object_unref(place->objects[i]);
    free(place->objects);
    free(place->names);
    free(place->problems);
    place->objects = NULL;
    place->count = 0;
    place->names = place->problems = NULL;
}

static inline const char *shown(const struct place *place, const char *path)
{
    size_t length = strlen(place->path);

    if (strncmp(path, place->path, length))
        return path;
    return path[length] == '/' ? path + length + 1 : path + length;
}

static inline void take_set(void *owner, const struct static_set *set)
{
    struct place *place = owner;
    struct strbuf names = STRBUF_INIT, problems = STRBUF_INIT;

    forget_set(place);
    place->told++;
    place->complete = set->complete;
    place->objects = mem_zalloc(sizeof(*place->objects) * (set->objects.count + 1));
    array_for_each (object, set->objects) {
        place->objects[place->count++] = object_ref(*object);
        strbuf_printf(&names, "%s%s", names.length ? " " : "", (*object)->metadata.name);
    }
    array_for_each (problem, set->problems)
        strbuf_printf(&problems, "%s%s %s\n", shown(place, problem->place),
                      problem->refused ? "!" : "", problem->sentence);
    place->names = strbuf_take(&names);
    place->problems = strbuf_take(&problems);
    if (place->free_at_once)
        place->source = static_source_free(place->source);
}

static inline int set_up(void **state)
{
    struct place *place = mem_new(struct place);

    strcpy(place->root, "/tmp/nodeagent-static-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(place->path, sizeof(place->path), "%s/manifests", place->root);
    place->wheel = wheel_new(clock_boottime());
    assert_int_equal(loop_new(&place->loop, NULL), 0);
    assert_int_equal(wheel_driver_new(&place->driver, place->wheel, place->loop, NULL), 0);
    assert_int_equal(work_new(&place->work, place->loop, place->wheel, NULL), 0);
    *state = place;
    return 0;
}

static inline int tear_down(void **state)
{
    struct place *place = *state;
    int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_null(static_source_free(place->source));
    forget_set(place);
    assert_null(work_free(place->work));
    wheel_driver_free(place->driver);
    wheel_free(place->wheel);
    loop_free(place->loop);
    assert_int_equal(tree_remove(tmp, strrchr(place->root, '/') + 1, NULL), 0);
    close(tmp);
    free(place);
    return 0;
}

/* time */

static inline void turn_for(struct place *place, usec_t duration)
{
    usec_t until = clock_boottime() + duration, now;

    while ((now = clock_boottime()) < until)
        assert_true(loop_turn(place->loop, until - now, NULL) >= 0);
}

#define turn_until(place, condition)                                                               \
    do {                                                                                           \
        usec_t patience_ends = clock_boottime() + PATIENCE;                                        \
                                                                                                   \
        while (!(condition)) {                                                                     \
            assert_true(clock_boottime() < patience_ends);                                         \
            assert_true(loop_turn((place)->loop, 100 * USEC_PER_MSEC, NULL) >= 0);                 \
        }                                                                                          \
    } while (0)

#define turn_until_names(place, expected)                                                          \
    turn_until(place, (place)->told && !strcmp((place)->names, expected))

/* files below root/manifests, or with "../" below the root */

static inline const char *path_of(struct place *place, const char *name, char text[PATH_MAX])
{
    const char *slash = strchr(name, '/');
    bool above = str_has_prefix(name, "..") && slash;

    snprintf(text, PATH_MAX, "%s%s%s", above ? place->root : place->path, above ? "" : "/",
             above ? slash : name);
    return text;
}

static inline void write_file(struct place *place, const char *name, const char *text)
{
    char path[PATH_MAX];
    int fd = open(path_of(place, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline void rename_file(struct place *place, const char *from, const char *to)
{
    char a[PATH_MAX], b[PATH_MAX];

    assert_int_equal(rename(path_of(place, from, a), path_of(place, to, b)), 0);
}

static inline void remove_file(struct place *place, const char *name)
{
    char path[PATH_MAX];

    assert_int_equal(unlink(path_of(place, name, path)), 0);
}

static inline void make_link(struct place *place, const char *name, const char *target)
{
    char path[PATH_MAX];

    assert_int_equal(symlink(target, path_of(place, name, path)), 0);
}

static inline void make_directory(struct place *place, const char *name)
{
    char path[PATH_MAX];

    assert_int_equal(mkdir(path_of(place, name, path), 0755), 0);
}

/* sources */

static inline struct static_options options_of(struct place *place, usec_t period)
{
    return (struct static_options){
        .place = place->path,
        .node_name = "N1",
        .period = period,
        .loop = place->loop,
        .wheel = place->wheel,
        .work = place->work,
        .changed = take_set,
        .owner = place,
    };
}

static inline void watch_place(struct place *place, usec_t period)
{
    struct static_options options = options_of(place, period);

    assert_int_equal(static_directory_new(&place->source, &options, NULL), 0);
    assert_int_equal(place->told, 0); /* never from within */
    turn_until(place, place->told);
}

#define in_place(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
