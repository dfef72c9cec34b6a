/* static/: the source of manifests, fed by the world. Complete sets, sooner or later. */
#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/static.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_MIN (1 * USEC_PER_MSEC)
#define FIRST_MAX (8 * USEC_PER_SEC)
#define NEXT_MIN (1 * USEC_PER_MSEC)
#define NEXT_MAX (2 * USEC_PER_SEC)

struct static_source {
    static_fn *changed;
    void *owner;
    struct object *objects[PODS_MAX + CLEAN_PODS];
    size_t count;
};

/* What is delivered now is what all agents from now on have to go by. */
static void note_delivery(void)
{
    list_for_each (node, &world->manifests->all) {
        struct manifest *manifest = list_entry(node, struct manifest, link);

        if (manifest->of_cluster)
            continue;
        if (!manifest->wanted && manifest->ever_delivered)
            manifest->told_removed = true;
        if (manifest->wanted && !manifest->delivered)
            manifest->delivered_at = world->now;
        if (manifest->wanted && (!manifest->ever_delivered || manifest->begins_anew)) {
            manifest->known_since = world->now;
            manifest->begins_anew = false;
        }
        manifest->delivered = manifest->wanted;
        manifest->ever_delivered |= manifest->wanted;
        checks_may_forget(manifest);
    }
}

static void deliver(void *data)
{
    struct static_source *source = data;
    struct object *before[array_size(source->objects)];
    struct static_set set = {0};
    size_t before_count = source->count;

    world->manifests->delivery = NULL;
    note_delivery();
    for (size_t i = 0; i < before_count; i++)
        before[i] = source->objects[i];
    source->count = 0;
    list_for_each (node, &world->manifests->all) {
        struct manifest *manifest = list_entry(node, struct manifest, link);

        if (manifest->wanted && !manifest->of_cluster)
            source->objects[source->count++] = object_ref(manifest->object);
    }
    set.objects.items = source->objects;
    set.objects.count = source->count;
    set.complete = true;
    source->changed(source->owner, &set);
    for (size_t i = 0; i < before_count; i++)
        object_unref(before[i]);
}

void static_changed(void)
{
    if (!world->life.alive || !world->manifests->source || world->manifests->delivery)
        return;
    world->manifests->delivery =
        event_add_agent(draw_usec_wide(SITE_LATENCY, "manifests", NEXT_MIN, NEXT_MAX),
                        "manifests are read", "", deliver, world->manifests->source);
}

void static_agent_died(void)
{
    world->manifests->source = NULL;
    world->manifests->delivery = NULL; /* the queue drops it */
}

int static_directory_new(struct static_source **result, const struct static_options *options,
                         struct err *err)
{
    struct static_source *source = mem_new(struct static_source);

    source->changed = options->changed;
    source->owner = options->owner;
    world->manifests->source = source;
    world->manifests->delivery =
        event_add_agent(draw_usec_wide(SITE_LATENCY, "first manifests", FIRST_MIN, FIRST_MAX),
                        "manifests are read", "first", deliver, source);
    *result = source;
    return 0;
}

int static_url_new(struct static_source **result, const struct static_options *options,
                   struct err *err)
{
    return err_set(err, -ENOSYS, "simulation: there is no HTTP");
}

struct static_source *static_source_free(struct static_source *source)
{
    if (!source)
        return NULL;
    event_cancel(world->manifests->delivery);
    static_agent_died();
    for (size_t i = 0; i < source->count; i++)
        object_unref(source->objects[i]);
    free(source);
    return NULL;
}
