/* Choices: hashes of where they are made. */
#include "choice.h"
#include "nodeagent/base/mem.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counter {
    uint64_t place; /* 0: free */
    unsigned count;
};

static const struct {
    const char *name;
    bool fault;
} sites[] = {
#define X(name, fault) {#name, fault},
    SITES(X)
#undef X
};

const char *site_name(enum site site)
{
    return sites[site].name;
}

void choices_init(struct choices *choices, uint64_t seed, struct choices_taken *taken)
{
    *choices = (struct choices){
        .seed = seed,
        .intensity = 100,
        .taken = taken,
        .counter_space = 1024,
    };
    choices->counters = mem_zalloc(sizeof(*choices->counters) * choices->counter_space);
    taken->count = 0;
}

void choices_deinit(struct choices *choices)
{
    free(choices->counters);
}

/* splitmix64's last step: every bit depends on every bit. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9;
    x ^= x >> 27;
    x *= 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static uint64_t place_of(enum site site, const char *key)
{
    uint64_t hash = 0xcbf29ce484222325 + site;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3;
    return mix(hash) | 1;
}

static struct counter *counter_find(struct counter *counters, size_t space, uint64_t place)
{
    size_t i = place >> 1 & (space - 1);

    while (counters[i].place && counters[i].place != place)
        i = (i + 1) & (space - 1);
    return &counters[i];
}

static void counters_grow(struct choices *choices)
{
    size_t space = choices->counter_space * 2;
    struct counter *counters = mem_zalloc(sizeof(*counters) * space);

    for (size_t i = 0; i < choices->counter_space; i++)
        if (choices->counters[i].place)
            *counter_find(counters, space, choices->counters[i].place) = choices->counters[i];
    free(choices->counters);
    choices->counters = counters;
    choices->counter_space = space;
}

static uint64_t choice_id(struct choices *choices, enum site site, const char *key, unsigned *nth)
{
    uint64_t place = place_of(site, key);
    struct counter *counter = counter_find(choices->counters, choices->counter_space, place);

    if (!counter->place) {
        counter->place = place;
        choices->counter_count++;
    }
    *nth = counter->count++;
    if (choices->counter_count * 2 > choices->counter_space)
        counters_grow(choices);
    return mix(mix(choices->seed * 0x9e3779b97f4a7c15 + place) + *nth * 0x9e3779b97f4a7c15);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

static bool is_left_out(const struct choices *choices, uint64_t id)
{
    return choices->left_out_count &&
           bsearch(&id, choices->left_out, choices->left_out_count, sizeof(id), compare_ids);
}

bool choose(enum site site, const char *key, unsigned rate)
{
    struct choices *choices = &world->choices;
    bool fault = sites[site].fault;
    struct choice *choice;
    unsigned nth;
    uint64_t id;

    if (fault && choices->calm)
        return false;
    if (fault)
        rate = rate * choices->intensity / 100;
    id = choice_id(choices, site, key, &nth);
    if (id % 10000 >= rate || is_left_out(choices, id) || choices->taken->count == CHOICES_MAX)
        return false;
    choice = &choices->taken->items[choices->taken->count++];
    *choice = (struct choice){.id = id, .site = site, .nth = nth};
    snprintf(choice->key, sizeof(choice->key), "%s", key);
    choices->faults += fault;
    if (fault)
        trace("! %s %s", sites[site].name, key);
    return true;
}

uint64_t draw(enum site site, const char *key, uint64_t limit)
{
    unsigned nth;

    return choice_id(&world->choices, site, key, &nth) % limit;
}

usec_t draw_usec(enum site site, const char *key, usec_t least, usec_t most)
{
    return least + draw(site, key, most - least + 1);
}

usec_t draw_usec_wide(enum site site, const char *key, usec_t least, usec_t most)
{
    unsigned doublings = 0;
    usec_t low;

    while (least << (doublings + 1) <= most)
        doublings++;
    low = least << draw(site, key, doublings + 1);
    return draw_usec(site, key, low, MIN(most, low * 2));
}
