/* Is everything as it was declared to be? */
#include "api-server.h"
#include "checks.h"
#include "manifests.h"
#include "runtime.h"
#include "subject.h"
#include "sys.h"

#include <string.h>

static bool no(struct strbuf *why, const char *uid, const char *what, const char *which)
{
    if (why)
        strbuf_printf(why, "%s: %s%s%s", uid, what, which ? " " : "", which ? which : "");
    return false;
}

/* gone */

static const char *left_on_disk(const char *uid)
{
    static const char *const places[] = {SUBJECT_ROOT, SUBJECT_LOGS, SUBJECT_RUN,
                                         "/var/log/containers"};

    for (size_t i = 0; i < array_size(places); i++) {
        const char *found = tree_find(world->tree, places[i], uid);

        if (found)
            return found;
    }
    return NULL;
}

static bool is_gone(const char *uid, struct strbuf *why)
{
    const char *left;

    list_for_each (node, &world->runtime->containers) {
        const struct container *container = list_entry(node, struct container, link);

        if (!strcmp(container->uid, uid))
            return no(why, uid, "is not wanted, and there is container", container->id);
    }
    list_for_each (node, &world->runtime->sandboxes) {
        const struct sandbox *sandbox = list_entry(node, struct sandbox, link);

        if (!strcmp(sandbox->metadata->uid, uid))
            return no(why, uid, "is not wanted, and there is sandbox", sandbox->id);
    }
    left = left_on_disk(uid);
    return left ? no(why, uid, "is not wanted, and there is", left) : true;
}

/* running, or done */

static const struct sandbox *ready_sandbox(const struct manifest *manifest)
{
    list_for_each (node, &world->runtime->sandboxes) {
        const struct sandbox *sandbox = list_entry(node, struct sandbox, link);

        if (sandbox->ready && !strcmp(sandbox->metadata->uid, manifest->uid))
            return sandbox;
    }
    return NULL;
}

static const struct container *alive_container(const struct pod_container *spec)
{
    list_for_each (node, &world->runtime->containers) {
        const struct container *container = list_entry(node, struct container, link);

        if (container->spec == spec && container->alive)
            return container;
    }
    return NULL;
}

static bool has_ended(const struct manifest *manifest, struct strbuf *why)
{
    const struct sandbox *sandbox = ready_sandbox(manifest);

    for (size_t i = 0; i < manifest->container_count; i++) {
        const struct container *container = alive_container(&manifest->containers[i]);

        if (container)
            return no(why, manifest->uid, "has ended, and there runs", container->id);
    }
    return sandbox ? no(why, manifest->uid, "has ended, and there runs", sandbox->id) : true;
}

static bool has_image(const struct container *container, const char *name)
{
    const struct image *image = runtime_image(container->config->image->image);

    return image && !strcmp(image->name, name);
}

static bool container_is_right(const struct pod_container *spec, const struct sandbox *sandbox,
                               struct strbuf *why)
{
    const struct manifest *manifest = spec->manifest;
    const struct container *container = alive_container(spec);

    if (spec->kind == KIND_INIT)
        return container ? no(why, manifest->uid, "is not initialized yet by", spec->name) : true;
    if (container && container->sandbox != sandbox)
        return no(why, manifest->uid, "there runs in an old sandbox", container->id);
    if (container && container->state != CRI__CONTAINER_STATE__CONTAINER_RUNNING)
        return no(why, manifest->uid, "of which the runtime knows nothing", container->id);
    if (container && !has_image(container, spec->image))
        return no(why, manifest->uid, "has another image in", container->id);
    if (container && container->ends)
        return no(why, manifest->uid, "will end yet", container->id);
    if (container)
        return true;
    if (spec->kind == KIND_REGULAR && manifest->policy != RESTART_ALWAYS && spec->exits &&
        (manifest->policy == RESTART_NEVER || spec->last_code == 0))
        return true;
    return no(why, manifest->uid, "there does not run", spec->name);
}

static bool runs(const struct manifest *manifest, struct strbuf *why)
{
    const struct sandbox *sandbox = ready_sandbox(manifest);

    if (!sandbox)
        return no(why, manifest->uid, "has no sandbox", NULL);
    for (size_t i = 0; i < manifest->container_count; i++)
        if (!container_is_right(&manifest->containers[i], sandbox, why))
            return false;
    return true;
}

static bool is_right(const struct manifest *manifest, struct strbuf *why)
{
    if (!manifest->wanted && manifest->of_cluster && cluster_has(manifest))
        return no(why, manifest->uid, "is not wanted, and the API server has it", NULL);
    if (!manifest->wanted)
        return manifest->ever_delivered ? is_gone(manifest->uid, why) : true;
    if (!manifest->delivered)
        return no(why, manifest->uid, "is wanted, and the agent does not know", NULL);
    if (pod_has_to_go(manifest))
        return no(why, manifest->uid, "has to go before it begins anew", NULL);
    if (!manifest->deadline_seconds && runs(manifest, NULL))
        return true;
    if (pod_ends_by_itself(manifest))
        return has_ended(manifest, why);
    if (manifest->deadline_seconds)
        return no(why, manifest->uid, "has a deadline, which is not over", NULL);
    return runs(manifest, why);
}

/* Does another version of it keep the name? Until all sources are known again it does not end. */
static bool has_the_name(const struct manifest *manifest)
{
    list_for_each (node, &world->manifests->all) {
        const struct manifest *other = list_entry(node, struct manifest, link);

        if (other != manifest && other->index == manifest->index && !is_gone(other->uid, NULL))
            return false;
    }
    return true;
}

bool checks_static_go_on(struct strbuf *why)
{
    list_for_each (node, &world->manifests->all) {
        const struct manifest *manifest = list_entry(node, struct manifest, link);

        if (!manifest->of_cluster && manifest->wanted && has_the_name(manifest) &&
            !pod_has_to_go(manifest) && !is_right(manifest, why))
            return false;
    }
    return true;
}

static bool nothing_under_way(struct strbuf *why)
{
    list_for_each (node, &world->runtime->calls) {
        const struct call *call = list_entry(node, struct call, link);

        if (call->method->kind == METHOD_CHANGE || call->method->kind == METHOD_IMAGE)
            return no(why, call->key, "is under way", NULL);
    }
    return true;
}

bool checks_converged(struct strbuf *why)
{
    if (!world->life.alive)
        return no(why, "the agent", "is dead", NULL);
    if (!nothing_under_way(why))
        return false;
    list_for_each (node, &world->manifests->all)
        if (!is_right(list_entry(node, struct manifest, link), why))
            return false;
    return true;
}
