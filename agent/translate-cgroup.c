/* Where a pod's cgroup is, in the words of the driver. */
#include "translate-internal.h"

#include <string.h>

/* The parts of the pod's place among the cgroups, the configured root first. */
static struct string_list parts_of(const struct translation *translation)
{
    const char *class = pod_qos_class(translation->pod);
    const char *root = translation->node->config->cgroup_root;
    struct arena *arena = translation->arena;
    struct string_list parts = {0};

    for (const char *at = wire_text(root); *at;) {
        size_t length = strcspn(at, "/");

        if (length)
            strings_add(arena, &parts, arena_strndup(arena, at, length));
        at += length + (at[length] == '/');
    }
    strings_add(arena, &parts, "kubepods");
    if (str_equal(class, "Burstable"))
        strings_add(arena, &parts, "burstable");
    else if (str_equal(class, "BestEffort"))
        strings_add(arena, &parts, "besteffort");
    strings_add(arena, &parts, arena_printf(arena, "pod%s", translation->pod->object.metadata.uid));
    return parts;
}

/* A slice's name holds those of all slices above it, so "-" may only stand between them. */
static void add_slice(struct strbuf *name, const char *part)
{
    if (name->length)
        strbuf_add_char(name, '-');
    for (; *part; part++)
        strbuf_add_char(name, *part == '-' ? '_' : *part);
}

const char *translate_cgroup_parent(const struct translation *translation)
{
    struct string_list parts = parts_of(translation);
    struct strbuf path = STRBUF_INIT, slice = STRBUF_INIT;
    const char *result;

    for (size_t i = 0; i < parts.count; i++) {
        if (translation->node->cgroup_driver == CGROUP_DRIVER_SYSTEMD) {
            add_slice(&slice, parts.items[i]);
            strbuf_printf(&path, "/%s.slice", slice.text);
        } else {
            strbuf_printf(&path, "/%s", parts.items[i]);
        }
    }
    result = arena_strndup(translation->arena, path.text, path.length);
    strbuf_deinit(&slice);
    strbuf_deinit(&path);
    return result;
}
