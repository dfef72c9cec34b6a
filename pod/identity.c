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

/* How Go's encoder writes a character that it escapes; NULL: as it is. HTML is to survive. */
static const char *escape(unsigned char byte, char text[8])
{
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *name = byte ? strchr(named, byte) : NULL;

    if (name)
        snprintf(text, 8, "\\%c", letters[name - named]);
    else if (byte < 0x20 || byte == '<' || byte == '>' || byte == '&')
        snprintf(text, 8, "\\u%04x", byte);
    else
        return NULL;
    return text;
}

static void hash_json_string(struct hash *hash, const char *string)
{
    const char *end = string + strlen(string);
    const char *broken = utf8_check(string, (size_t)(end - string));

    for (const char *c = string; c < end; c++) {
        char text[8];

        if (c == broken) {
            hash_bytes(hash, "\\ufffd");
            broken = utf8_check(c + 1, (size_t)(end - c - 1));
        } else if (str_has_prefix(c, "\u2028") || str_has_prefix(c, "\u2029")) {
            hash_bytes(hash, c[2] == '\xa8' ? "\\u2028" : "\\u2029");
            c += strlen("\u2028") - 1;
        } else if (escape((unsigned char)*c, text)) {
            hash_bytes(hash, text);
        } else {
            hash_byte(hash, (unsigned char)*c);
        }
    }
}

const char *pod_container_hash(const struct container *container, char text[POD_HASH_TEXT_MAX])
{
    struct hash hash = {.value = 2166136261u, .first = true};

    hash_text(&hash, "([]uint8)[");
    hash_bytes(&hash, "{\"image\":\"");
    hash_json_string(&hash, container->image ? container->image : "");
    hash_bytes(&hash, "\",\"name\":\"");
    hash_json_string(&hash, container->name ? container->name : "");
    hash_bytes(&hash, "\"}");
    hash_text(&hash, "]");
    snprintf(text, POD_HASH_TEXT_MAX, "%x", hash.value);
    return text;
}

/* class of service */

/* By one resource: nothing, the same request and limit, or anything else. */
static const char *class_of_resource(const struct resources *resources, const char *name)
{
    static const struct quantity none;
    const struct quantity *request = quantity_map_get(&resources->requests, name);
    const struct quantity *limit = quantity_map_get(&resources->limits, name);

    if (quantity_compare(request ? request : &none, limit ? limit : &none))
        return "Burstable";
    return limit && quantity_sign(limit) ? "Guaranteed" : "BestEffort";
}

/* What is not all of one class is burstable. */
static const char *both(const char *a, const char *b)
{
    return !a || str_equal(a, b) ? b : "Burstable";
}

static const char *class_of(const struct resources *resources)
{
    return both(class_of_resource(resources, "cpu"), class_of_resource(resources, "memory"));
}

const char *pod_qos_class(const struct pod *pod)
{
    const char *class = NULL;

    if (pod->spec.resources)
        return class_of(pod->spec.resources);
    array_for_each (container, pod->spec.containers)
        class = both(class, class_of(&container->resources));
    array_for_each (container, pod->spec.init_containers)
        class = both(class, class_of(&container->resources));
    return class ? class : "BestEffort";
}
