/*
 * Results: whether one can be worked with. Plugins take liberties, and what harms nobody is let
 * through: addresses without version or gateway, "mac" that is none, null for a list.
 */
#include "result.h"
#include "names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    FAMILIES = 2,
};

enum result_shape result_shape(const char *version)
{
    if (cni_version_at_least(version, "1.0.0"))
        return RESULT_PLAIN;
    return cni_version_at_least(version, "0.3.0") ? RESULT_VERSIONED : RESULT_IP4_IP6;
}

const char *result_version(const struct json *result, struct arena *arena)
{
    return json_take_string(json_get(result, "cniVersion"), arena);
}

const struct json *result_list(const struct json *object, const char *name)
{
    static const struct json none = {.type = JSON_ARRAY};
    const struct json *list = json_get(object, name);

    return list && list->type == JSON_ARRAY ? list : &none;
}

char cidr_family(const char *text, size_t length)
{
    const char *slash = memchr(text, '/', length);
    char address[INET6_ADDRSTRLEN], prefix[4];
    unsigned char bytes[16];
    int64_t bits;
    int family;

    if (!slash || (size_t)(slash - text) >= sizeof(address) ||
        length - (size_t)(slash - text) - 1 >= sizeof(prefix) || strchr("+-", slash[1]))
        return 0;
    snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
    snprintf(prefix, sizeof(prefix), "%.*s", (int)(length - (size_t)(slash - text) - 1), slash + 1);
    family = strchr(address, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(family, address, bytes) != 1 || str_to_i64(prefix, &bits) < 0 ||
        bits > (family == AF_INET ? 32 : 128))
        return 0;
    return family == AF_INET ? '4' : '6';
}

/* checking */

static int check_cidr(const struct json *object, const char *name, const char *path,
                      struct err *err)
{
    const struct json *value = json_get_string(object, name);

    if (!value || !cidr_family(value->text, value->length))
        return err_set(err, -EINVAL, "%s.%s must be an address with a prefix, such as 10.1.2.3/24",
                       path, name);
    return 0;
}

static int check_list(const struct json *object, const char *name, struct err *err)
{
    const struct json *list = json_get(object, name);

    if (!list || list->type == JSON_NULL)
        return 0;
    if (list->type != JSON_ARRAY)
        return err_set(err, -EINVAL, "%s must be a list, but is %s", name, json_type_name(list));
    json_for_each (item, list)
        if (item->type != JSON_OBJECT)
            return err_set(err, -EINVAL, "%s[%zu] must be an object, but is %s", name,
                           (size_t)(item - list->items), json_type_name(item));
    return 0;
}

/* An index beyond the end has crashed runtimes. */
static int check_ip(const struct json *ip, size_t index, uint32_t interfaces, struct err *err)
{
    const struct json *interface = json_get(ip, "interface");
    char path[32], text[16] = "";
    int64_t number;

    snprintf(path, sizeof(path), "ips[%zu]", index);
    if (interface && interface->type != JSON_NULL) {
        if (interface->type == JSON_NUMBER && interface->length < sizeof(text))
            snprintf(text, sizeof(text), "%.*s", (int)interface->length, interface->text);
        if (str_to_i64(text, &number) < 0 || number < 0 || number >= interfaces)
            return err_set(err, -EINVAL, "%s.interface must be an index into the %u interfaces",
                           path, (unsigned)interfaces);
    }
    return check_cidr(ip, "address", path, err);
}

static int check_lists(const struct json *result, struct err *err)
{
    static const char *const lists[] = {"interfaces", "ips", "routes"};
    const struct json *ips;

    for (size_t i = 0; i < array_size(lists); i++) {
        int r = check_list(result, lists[i], err);

        if (r < 0)
            return r;
    }
    ips = result_list(result, "ips");
    json_for_each (ip, ips) {
        int r =
            check_ip(ip, (size_t)(ip - ips->items), result_list(result, "interfaces")->length, err);

        if (r < 0)
            return r;
    }
    return 0;
}

static int check_families(const struct json *result, struct err *err)
{
    static const char *const names[] = {"ip4", "ip6"};

    for (size_t i = 0; i < array_size(names); i++) {
        const struct json *family = json_get(result, names[i]);
        int r;

        if (!family || family->type == JSON_NULL)
            continue;
        r = check_cidr(family, "ip", names[i], err);
        if (r == 0)
            r = check_list(family, "routes", err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* A plugin that leaves its version out, or empty, answers in that of the request. */
static const struct json *with_version(struct arena *arena, const struct json *result,
                                       const char *version)
{
    static const char name[] = "cniVersion";
    struct json *copy = arena_new(arena, struct json);

    *copy = *result;
    copy->members = arena_array(arena, struct json_member, result->length + 1u);
    copy->members[0] = (struct json_member){
        .name = name,
        .name_length = strlen(name),
        .value = {.type = JSON_STRING, .text = version, .length = (uint32_t)strlen(version)},
    };
    copy->length = 1;
    json_for_each_member (member, result)
        if (!bytes_are(member->name, member->name_length, name, strlen(name)))
            copy->members[copy->length++] = *member;
    return copy;
}

int cni_result_parse(struct arena *arena, const char *text, size_t length, const char *version,
                     const struct json **result, struct err *err)
{
    struct document document;
    int r = document_parse(&document, arena, "result", text, length, err);

    return r < 0 ? r : result_check(arena, document.root, version, result, err);
}

int result_check(struct arena *arena, const struct json *root, const char *version,
                 const struct json **result, struct err *err)
{
    const struct json *written;
    const char *own;
    int r;

    if (root->type != JSON_OBJECT)
        return err_set(err, -EINVAL, "a result must be an object, but is %s", json_type_name(root));
    written = json_get(root, "cniVersion");
    own = json_take_string(written, arena);
    if ((written && !own) || (!str_empty(own) && !cni_version_known(own)))
        return err_set(err, -EINVAL, "unsupported CNI result version \"%s\"", own ? own : "");
    if (result_shape(str_empty(own) ? version : own) == RESULT_IP4_IP6)
        r = check_families(root, err);
    else
        r = check_lists(root, err);
    if (r == 0)
        *result = str_empty(own) ? with_version(arena, root, version) : root;
    return r;
}

/* addresses */

static void add_address(const struct json *cidr, struct arena *arena,
                        struct cni_addresses *addresses)
{
    const char *slash = memchr(cidr->text, '/', cidr->length);

    addresses->items.items[addresses->items.count++] =
        arena_strndup(arena, cidr->text, (size_t)(slash - cidr->text));
}

/* Those in the container: of the interface in a sandbox, or of none. */
static bool is_of_interface(const struct json *result, const struct json *ip, const char *ifname)
{
    const struct json *index = json_get(ip, "interface"), *interface, *name, *sandbox;
    char text[16];
    int64_t number;

    if (!index || index->type != JSON_NUMBER)
        return true;
    snprintf(text, sizeof(text), "%.*s", (int)index->length, index->text);
    if (str_to_i64(text, &number) < 0)
        return false;
    interface = &result_list(result, "interfaces")->items[number];
    name = json_get_string(interface, "name");
    sandbox = json_get_string(interface, "sandbox");
    return name && json_text_is(name, ifname) && sandbox && sandbox->length;
}

static void add_family(const struct json *family, struct arena *arena,
                       struct cni_addresses *addresses)
{
    if (family && family->type == JSON_OBJECT)
        add_address(json_get(family, "ip"), arena, addresses);
}

void cni_result_addresses(const struct json *result, const char *ifname, struct arena *arena,
                          struct cni_addresses *addresses)
{
    const struct json *ips = result_list(result, "ips");

    addresses->items.count = 0;
    addresses->items.items = arena_array(arena, const char *, MAX(ips->length, FAMILIES));
    if (result_shape(result_version(result, arena)) == RESULT_IP4_IP6) {
        add_family(json_get(result, "ip4"), arena, addresses);
        add_family(json_get(result, "ip6"), arena, addresses);
        return;
    }
    json_for_each (ip, ips)
        if (is_of_interface(result, ip, ifname))
            add_address(json_get(ip, "address"), arena, addresses);
}
