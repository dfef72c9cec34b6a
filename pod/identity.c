/* What a pod's containers are: their kinds, their hashes, the class of service they give it. */
#include "nodeagent/base/str.h"
#include "nodeagent/pod.h"

#include <stdio.h>
#include <string.h>

struct pod_container_ref pod_container_find(const struct pod *pod, const char *name)
{
    array_for_each (container, pod->spec.containers)
        if (str_equal(container->name, name))
            return (struct pod_container_ref){container, POD_CONTAINER_REGULAR};
    array_for_each (container, pod->spec.init_containers)
        if (str_equal(container->name, name)) {
            bool sidecar = str_equal(container->restart_policy, "Always");

            return (struct pod_container_ref){container,
                                              sidecar ? POD_CONTAINER_SIDECAR : POD_CONTAINER_INIT};
        }
    array_for_each (container, pod->spec.ephemeral_containers)
        if (str_equal(container->name, name))
            return (struct pod_container_ref){container, POD_CONTAINER_EPHEMERAL};
    return (struct pod_container_ref){0};
}

/* The reference hashes the text that Go prints for the bytes of a JSON document. */

struct hash {
    uint32_t value;
    bool first;
};

static void hash_text(struct hash *hash, const char *text)
{
    for (; *text; text++)
        hash->value = (hash->value ^ (unsigned char)*text) * 16777619u;
}

static void hash_byte(struct hash *hash, unsigned char byte)
{
    char text[8];

    snprintf(text, sizeof(text), "%s%u", hash->first ? "" : " ", byte);
    hash->first = false;
    hash_text(hash, text);
}

static void hash_bytes(struct hash *hash, const char *bytes)
{
    for (; *bytes; bytes++)
        hash_byte(hash, (unsigned char)*bytes);
}

/* A JSON string as Go's encoder writes it, HTML-safe. */
static void hash_json_string(struct hash *hash, const char *string)
{
    char text[8];

    for (const char *c = string ? string : ""; *c; c++) {
        unsigned char byte = (unsigned char)*c;

        if (byte == '"' || byte == '\\') {
            hash_byte(hash, '\\');
            hash_byte(hash, byte);
        } else if (byte < 0x20 || byte == '<' || byte == '>' || byte == '&') {
            snprintf(text, sizeof(text), "\\u%04x", byte);
            hash_bytes(hash, text);
        } else {
            hash_byte(hash, byte);
        }
    }
}

const char *pod_container_hash(const struct container *container, char text[POD_HASH_TEXT_MAX])
{
    struct hash hash = {.value = 2166136261u, .first = true};

    hash_text(&hash, "([]uint8)[");
    hash_bytes(&hash, "{\"image\":\"");
    hash_json_string(&hash, container->image);
    hash_bytes(&hash, "\",\"name\":\"");
    hash_json_string(&hash, container->name);
    hash_bytes(&hash, "\"}");
    hash_text(&hash, "]");
    snprintf(text, POD_HASH_TEXT_MAX, "%x", hash.value);
    return text;
}

/* class of service */

struct totals {
    bool requests; /* anything at all is asked for or limited */
    bool guaranteed;
};

static void count_resources(const struct resources *resources, struct totals *totals)
{
    static const char *const names[] = {"cpu", "memory"};

    for (size_t i = 0; i < array_size(names); i++) {
        const struct quantity *request = quantity_map_get(&resources->requests, names[i]);
        const struct quantity *limit = quantity_map_get(&resources->limits, names[i]);

        if ((request && quantity_sign(request)) || (limit && quantity_sign(limit)))
            totals->requests = true;
        if (!limit || !quantity_sign(limit) || (request && quantity_compare(request, limit)))
            totals->guaranteed = false;
    }
}

static void count_containers(const struct container_list *containers, struct totals *totals)
{
    array_for_each (container, *containers)
        count_resources(&container->resources, totals);
}

const char *pod_qos_class(const struct pod *pod)
{
    struct totals totals = {.guaranteed = true};

    if (pod->spec.resources &&
        (pod->spec.resources->requests.count || pod->spec.resources->limits.count)) {
        count_resources(pod->spec.resources, &totals);
    } else {
        count_containers(&pod->spec.containers, &totals);
        count_containers(&pod->spec.init_containers, &totals);
    }
    if (!totals.requests)
        return "BestEffort";
    return totals.guaranteed ? "Guaranteed" : "Burstable";
}
