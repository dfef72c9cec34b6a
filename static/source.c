/*
 * Of several manifests that claim one name, the one that holds it keeps it: what runs is not
 * disturbed by a copy. Otherwise the first in the order of paths gets it. A manifest whose file is
 * gone holds nothing against one that is there: that is a file which was renamed.
 */
#include "source.h"
#include "nodeagent/base/mem.h"

#include <stdlib.h>
#include <string.h>

void source_init(struct static_source *source, const struct static_options *options,
                 void (*free)(struct static_source *source))
{
    size_t headers = 0;
    const char **copies;

    source->arena = ARENA_INIT(512, 4096);
    source->set_arena = ARENA_INIT_DOCUMENT;
    source->free = free;
    source->options = *options;
    source->options.place = arena_strdup(&source->arena, options->place);
    source->options.node_name = arena_strdup(&source->arena, options->node_name);
    while (options->headers && options->headers[headers])
        headers++;
    copies = arena_array(&source->arena, const char *, headers + 1);
    for (size_t i = 0; i < headers; i++)
        copies[i] = arena_strdup(&source->arena, options->headers[i]);
    source->options.headers = copies;
}

static void set_deinit(struct static_set *set)
{
    array_for_each (object, set->objects)
        object_unref(*object);
    free(set->objects.items);
    free((void *)set->problems.items);
}

void source_deinit(struct static_source *source)
{
    set_deinit(&source->set);
    map_deinit(&source->holders);
    arena_deinit(&source->set_arena);
    arena_deinit(&source->arena);
}

struct static_source *static_source_free(struct static_source *source)
{
    if (source)
        source->free(source);
    return NULL;
}

/* one look at all candidates */

struct claim {
    const char *path;
    const struct manifest_object *item;
};

struct merge {
    struct static_source *source;
    const struct source_view *view;
    struct arena arena;
    struct map names; /* what is taken, to the struct claim that took it */
    struct map uids;
    struct map holders;
    struct static_set set;
    struct static_problem *problems;
    size_t object_space;
    size_t problem_space;
    size_t problem_count;
};

static const char *full_name(struct merge *merge, const struct object *object)
{
    return arena_printf(&merge->arena, "%s %s/%s", object->kind->name, object->metadata.name_space,
                        object->metadata.name);
}

static void add_problem(struct merge *merge, const struct static_problem *problem)
{
    merge->problems = mem_grow(merge->problems, merge->problem_count, &merge->problem_space,
                               sizeof(*merge->problems));
    merge->problems[merge->problem_count++] = (struct static_problem){
        .place = arena_strdup(&merge->arena, problem->place),
        .sentence = arena_strdup(&merge->arena, problem->sentence),
        .refused = problem->refused,
    };
}

static void add_problems(struct merge *merge, const struct manifest *manifest)
{
    if (!manifest)
        return;
    array_for_each (problem, manifest->problems)
        add_problem(merge, problem);
}

static void add_object(struct merge *merge, struct object *object)
{
    merge->set.objects.items = mem_grow(merge->set.objects.items, merge->set.objects.count,
                                        &merge->object_space, sizeof(*merge->set.objects.items));
    merge->set.objects.items[merge->set.objects.count++] = object_ref(object);
}

static void refuse_claim(struct merge *merge, const struct manifest_object *item, const char *what,
                         const char *other)
{
    struct static_problem problem = {
        .place = item->place,
        .sentence = arena_printf(&merge->arena,
                                 "%s is already what %s makes; that one is run, this one is not "
                                 "until either is renamed or removed",
                                 what, other),
        .refused = true,
    };

    add_problem(merge, &problem);
}

static void claim(struct merge *merge, const struct source_candidate *candidate,
                  const struct manifest_object *item)
{
    const char *name = full_name(merge, item->object), *uid = item->object->metadata.uid;
    const struct claim *by_name = map_get(&merge->names, name),
                       *by_uid = map_get(&merge->uids, uid);
    struct claim *claim;

    if (by_name || by_uid) {
        if (candidate->leaving)
            return;
        if (by_name)
            refuse_claim(merge, item, name, by_name->path);
        else
            refuse_claim(merge, item, arena_printf(&merge->arena, "the UID %s", uid), by_uid->path);
        return;
    }
    claim = arena_new(&merge->arena, struct claim);
    claim->path = arena_strdup(&merge->arena, candidate->path);
    claim->item = item;
    map_put(&merge->names, name, claim);
    map_put(&merge->uids, uid, claim);
}

/* Three rounds: those that hold a name, other files, then what is leaving. */
enum round { ROUND_HOLDERS, ROUND_OTHERS, ROUND_LEAVING, ROUND_COUNT };

static enum round round_of(struct merge *merge, const struct source_candidate *candidate,
                           const struct manifest_object *item)
{
    const char *holder;

    if (candidate->leaving)
        return ROUND_LEAVING;
    holder = map_get(&merge->source->holders, full_name(merge, item->object));
    return str_equal(holder, candidate->path) ? ROUND_HOLDERS : ROUND_OTHERS;
}

/* The order of objects is that of the paths, whoever claimed first. */
static void take_winners(struct merge *merge, const struct source_candidate *candidate)
{
    array_for_each (item, candidate->good->objects) {
        const char *name = full_name(merge, item->object);
        struct claim *winner = map_get(&merge->names, name);

        if (!winner || winner->item != item)
            continue;
        add_object(merge, item->object);
        map_put(&merge->holders, name, (void *)winner->path);
    }
}

static void merge_all(struct merge *merge)
{
    add_problems(merge, merge->view->problem);
    array_for_each (candidate, merge->view->candidates)
        add_problems(merge, candidate->bad ? candidate->bad : candidate->good);
    for (int round = 0; round < ROUND_COUNT; round++) {
        array_for_each (candidate, merge->view->candidates) {
            if (!candidate->good)
                continue;
            array_for_each (item, candidate->good->objects) {
                if ((int)round_of(merge, candidate, item) == round)
                    claim(merge, candidate, item);
            }
        }
    }
    array_for_each (candidate, merge->view->candidates) {
        if (candidate->good)
            take_winners(merge, candidate);
    }
}

static bool same_problem(const struct static_problem *a, const struct static_problem *b)
{
    return a->refused == b->refused && !strcmp(a->place, b->place) &&
           !strcmp(a->sentence, b->sentence);
}

static bool is_news(const struct static_source *source, const struct static_set *set)
{
    const struct static_set *last = &source->set;

    if (!source->delivered || last->complete != set->complete ||
        last->objects.count != set->objects.count || last->problems.count != set->problems.count)
        return true;
    for (size_t i = 0; i < set->objects.count; i++)
        if (last->objects.items[i] != set->objects.items[i])
            return true;
    for (size_t i = 0; i < set->problems.count; i++)
        if (!same_problem(&last->problems.items[i], &set->problems.items[i]))
            return true;
    return false;
}

void source_deliver(struct static_source *source, const struct source_view *view)
{
    struct merge merge = {
        .source = source,
        .view = view,
        .arena = ARENA_INIT_DOCUMENT,
        .set.complete = view->complete,
    };
    /* The owner may compare the pointers of both sets: the old one goes last. */
    struct static_set old = source->set;
    struct arena old_arena = source->set_arena;
    bool news;

    merge_all(&merge);
    merge.set.problems.items = merge.problems;
    merge.set.problems.count = merge.problem_count;
    news = is_news(source, &merge.set);
    map_deinit(&merge.names);
    map_deinit(&merge.uids);
    map_deinit(&source->holders);
    source->holders = merge.holders;
    source->set = merge.set;
    source->set_arena = merge.arena;
    source->delivered = true;
    if (news)
        source->options.changed(source->options.owner, &source->set);
    set_deinit(&old);
    arena_deinit(&old_arena);
}
