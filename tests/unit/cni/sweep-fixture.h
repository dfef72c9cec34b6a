/* What tests of sweeping share: a collection with one network, and a container that is valid. */
#pragma once

#include "cni-fixture.h"
#include "sweep.h"

struct play {
    struct arena arena;
    struct cni_setup setup;
    struct cni_network *network;
    struct cni_gc gc;
    struct cni_failure failure;
    struct collection collection;
};

static const struct cni_valid valid[] = {{"lives", "eth0"}};

/* The plugins of the network "n". */
static inline void play_init(struct play *play, const char *plugins)
{
    _cleanup_(mem_free_at) char *text =
        mem_printf("{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"plugins\":[%s]}", plugins);

    *play = (struct play){.arena = ARENA_INIT(1024, 1024), .setup = setup_of()};
    play->network = network_of(text);
    play->gc.valid.items = valid;
    play->gc.valid.count = 1;
    play->collection = (struct collection){.setup = &play->setup,
                                           .network = play->network,
                                           .gc = &play->gc,
                                           .arena = &play->arena,
                                           .failure = &play->failure};
    collection_init(&play->collection);
}

static inline void play_deinit(struct play *play)
{
    collection_deinit(&play->collection);
    cni_network_free(play->network);
    arena_deinit(&play->arena);
}

static inline void assert_counts(const struct cni_count *count, size_t stale, size_t deleted)
{
    assert_int_equal(count->stale, stale);
    assert_int_equal(count->deleted, deleted);
}

/* A file that was written so many seconds ago. */
static inline void write_old(const char *path, const char *text, long seconds)
{
    const time_t then = (time_t)(clock_wall() / USEC_PER_SEC) - seconds;
    const struct timespec times[] = {{.tv_sec = then}, {.tv_sec = then}};

    write_mode(path, text, 0600);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}
