/* Fields of the pod and of its containers' resources as texts, for variables. */
#include "nodeagent/objects/names.h"
#include "translate-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* a whole map: one line for each name, `name="quoted value"`, sorted */

/* What Go does not take for printable, of the characters that exist. */
struct range {
    uint32_t first;
    uint32_t last;
};

static const struct range unprintable[] = {
    {0x00, 0x1f},        {0x7f, 0xa0},       {0xad, 0xad},       {0x600, 0x605},
    {0x61c, 0x61c},      {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x1680, 0x1680},
    {0x180e, 0x180e},    {0x2000, 0x200f},   {0x2028, 0x202f},   {0x205f, 0x206f},
    {0x3000, 0x3000},    {0xe000, 0xf8ff},   {0xfeff, 0xfeff},   {0xfff9, 0xfffb},
    {0xfffe, 0xffff},    {0x110bd, 0x110bd}, {0x1d173, 0x1d17a}, {0xe0001, 0xe007f},
    {0xf0000, 0x10ffff},
};

static bool is_printable(uint32_t character)
{
    for (size_t i = 0; i < array_size(unprintable); i++)
        if (character >= unprintable[i].first && character <= unprintable[i].last)
            return false;
    return true;
}

/* The first character of valid UTF-8. */
static uint32_t character_at(const char *text, size_t *length)
{
    const unsigned char *bytes = (const unsigned char *)text;

    *length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
    switch (*length) {
    case 1:
        return bytes[0];
    case 2:
        return (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
    case 3:
        return (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
    default:
        return (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3fu) << 12 | (bytes[2] & 0x3fu) << 6 |
               (bytes[3] & 0x3fu);
    }
}

static void add_character(struct strbuf *text, const char *bytes, size_t length, uint32_t character)
{
    static const char named[] = "\a\b\f\n\r\t\v", letters[] = "abfnrtv";
    const char *name = character < 0x80 && character ? strchr(named, (int)character) : NULL;

    if (character == '"' || character == '\\')
        strbuf_printf(text, "\\%c", (char)character);
    else if (name)
        strbuf_printf(text, "\\%c", letters[name - named]);
    else if (is_printable(character))
        strbuf_add_bytes(text, bytes, length);
    else if (character < 0x80)
        strbuf_printf(text, "\\x%02x", character);
    else
        strbuf_printf(text, character < 0x10000 ? "\\u%04x" : "\\U%08x", character);
}

static void add_quoted(struct strbuf *text, const char *value)
{
    size_t length;

    strbuf_add_char(text, '"');
    for (; *value; value += length) {
        uint32_t character = character_at(value, &length);

        add_character(text, value, length, character);
    }
    strbuf_add_char(text, '"');
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct string_pair *)a)->name, ((const struct string_pair *)b)->name);
}

static const char *map_text(struct arena *arena, const struct string_map *map)
{
    struct string_pair *sorted = arena_array(arena, struct string_pair, map->count);
    struct strbuf text = STRBUF_INIT;
    const char *result;

    if (!map->count)
        return "";
    memcpy(sorted, map->items, map->count * sizeof(*sorted));
    qsort(sorted, map->count, sizeof(*sorted), compare_names);
    for (size_t i = 0; i < map->count; i++) {
        strbuf_printf(&text, "%s%s=", i ? "\n" : "", sorted[i].name);
        add_quoted(&text, sorted[i].value);
    }
    result = arena_strndup(arena, text.text, text.length);
    strbuf_deinit(&text);
    return result;
}

/* fields */

static const char *joined(struct arena *arena, const struct string_list *list)
{
    const char *text = "";

    for (size_t i = 0; i < list->count; i++)
        text = i ? arena_printf(arena, "%s,%s", text, list->items[i]) : list->items[0];
    return text;
}

/* One address of each family, that of the node's primary address first. */
static struct string_list pod_addresses(const struct translation *translation)
{
    const struct string_list *node = &translation->node->addresses;
    bool v6_first = node->count && ip_is_v6(node->items[0]);
    struct string_list result = {0};

    for (int turn = 0; turn < 2; turn++) {
        bool wanted = turn ? !v6_first : v6_first;

        for (size_t i = 0; i < translation->pod_ips.count; i++)
            if (ip_is_v6(translation->pod_ips.items[i]) == wanted) {
                strings_add(translation->arena, &result, translation->pod_ips.items[i]);
                break;
            }
    }
    return result;
}

static int host_field(const struct translation *translation, bool all, const char **value,
                      struct err *err)
{
    const struct string_list *addresses = &translation->node->addresses;

    if (!addresses->count)
        return err_set(err, -EADDRNOTAVAIL, "the node has no address yet");
    *value = all ? joined(translation->arena, addresses) : addresses->items[0];
    return 0;
}

static const char *pod_ip(const struct translation *translation, bool all)
{
    struct string_list addresses = pod_addresses(translation);

    if (!addresses.count)
        return "";
    return all ? joined(translation->arena, &addresses) : addresses.items[0];
}

/* metadata.labels['name'] */
static const char *subscript(struct arena *arena, const char *path, const char *map)
{
    size_t length = strlen(path), start = strlen(map) + strlen("['");

    if (!str_has_prefix(path, map) || !str_has_prefix(path + strlen(map), "['") ||
        length < start + strlen("']") || !str_has_suffix(path, "']"))
        return NULL;
    return arena_strndup(arena, path + start, length - start - strlen("']"));
}

static const char *metadata_field(const struct translation *translation, const char *path)
{
    const struct object_meta *meta = &translation->pod->object.metadata;
    struct arena *arena = translation->arena;
    const char *name;

    if (str_equal(path, "metadata.name"))
        return meta->name;
    if (str_equal(path, "metadata.namespace"))
        return wire_text(meta->name_space);
    if (str_equal(path, "metadata.uid"))
        return wire_text(meta->uid);
    if (str_equal(path, "metadata.labels"))
        return map_text(arena, &meta->labels);
    if (str_equal(path, "metadata.annotations"))
        return map_text(arena, &meta->annotations);
    name = subscript(arena, path, "metadata.labels");
    if (name)
        return wire_text(string_map_get(&meta->labels, name));
    name = subscript(arena, path, "metadata.annotations");
    return name ? wire_text(string_map_get(&meta->annotations, name)) : NULL;
}

int translate_field(const struct translation *translation, const struct field_reference *reference,
                    const char **value, struct err *err)
{
    const struct pod_spec *spec = &translation->pod->spec;
    const char *path = reference->field_path ? reference->field_path : "";

    *value = NULL;
    if (str_equal(path, "status.hostIP") || str_equal(path, "status.hostIPs"))
        return host_field(translation, str_has_suffix(path, "s"), value, err);
    if (str_equal(path, "status.podIP") || str_equal(path, "status.podIPs"))
        *value = pod_ip(translation, str_has_suffix(path, "s"));
    else if (str_equal(path, "spec.nodeName"))
        *value = wire_text(spec->node_name);
    else if (str_equal(path, "spec.serviceAccountName"))
        *value = wire_text(spec->service_account_name);
    else
        *value = metadata_field(translation, path);
    if (!*value)
        return err_set(err, -EINVAL, "unsupported fieldPath: %s", path);
    return 0;
}

/* resources */

static const struct quantity *own_or_pods(const struct translation *translation,
                                          const struct container *container, const char *name)
{
    const struct resources *pod = translation->pod->spec.resources;
    const struct quantity *quantity = quantity_map_get(&container->resources.limits, name);

    /* Huge pages are never promised twice: what is not asked for is not there. */
    if ((quantity && quantity_sign(quantity)) || str_has_prefix(name, "hugepages-"))
        return quantity;
    quantity = pod ? quantity_map_get(&pod->limits, name) : NULL;
    return quantity ? quantity : quantity_map_get(&translation->node->allocatable, name);
}

static int64_t divide_up(int64_t amount, int64_t divisor)
{
    if (divisor <= 1)
        return amount;
    return amount / divisor + (amount % divisor > 0);
}

static int64_t resource_value(const char *name, const struct quantity *quantity,
                              const struct quantity *divisor)
{
    bool parts = divisor && quantity_sign(divisor);

    if (!quantity)
        return 0;
    if (str_equal(name, "cpu"))
        return divide_up(quantity_milli_value(quantity),
                         parts ? quantity_milli_value(divisor) : 1000);
    return divide_up(quantity_value(quantity), parts ? quantity_value(divisor) : 1);
}

static bool is_known(const char *name)
{
    static const char *const names[] = {"cpu", "memory", "ephemeral-storage", NULL};

    return str_one_of(name, names) || str_has_prefix(name, "hugepages-");
}

int translate_resource_field(const struct translation *translation,
                             const struct container *container,
                             const struct resource_reference *reference, const char **value,
                             struct err *err)
{
    const char *resource = reference->resource ? reference->resource : "";
    const struct quantity *quantity;
    const char *name = strchr(resource, '.');
    bool limits = str_has_prefix(resource, "limits.");

    if (!str_empty(reference->container_name)) {
        container = pod_container_find(translation->pod, reference->container_name).container;
        if (!container)
            return err_set(err, -ENOENT, "container %s not found", reference->container_name);
    }
    if ((!limits && !str_has_prefix(resource, "requests.")) || !is_known(name + 1))
        return err_set(err, -EINVAL, "unsupported container resource : %s", resource);
    quantity = limits ? own_or_pods(translation, container, name + 1)
                      : quantity_map_get(&container->resources.requests, name + 1);
    *value = arena_printf(translation->arena, "%lld",
                          (long long)resource_value(name + 1, quantity, reference->divisor));
    return 0;
}
