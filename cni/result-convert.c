/* Results in the words of another version. Members that nobody here knows are kept where they can.
 */
#include "result.h"

#include <errno.h>
#include <string.h>

static void write_version(struct json_writer *writer, const char *version)
{
    json_write_string_member(writer, "cniVersion", version);
}

/* All members that are written as they are, but for those named. */
static void write_others(struct json_writer *writer, const struct json *object,
                         const char *const *names, struct arena *arena)
{
    json_for_each_member (member, object)
        if (!str_one_of(arena_strndup(arena, member->name, member->name_length), names) &&
            !member_is_overridden(object, member))
            json_write_member(writer, member);
}

static char family_of(const struct json *cidr)
{
    return cidr && cidr->type == JSON_STRING ? cidr_family(cidr->text, cidr->length) : 0;
}

/* lists to lists */

static void write_ips(struct json_writer *writer, const struct json *ips, enum result_shape shape,
                      struct arena *arena)
{
    static const char *const version[] = {"version", NULL};

    json_write_name(writer, "ips");
    json_write_array(writer);
    json_for_each (ip, ips) {
        json_write_object(writer);
        if (shape == RESULT_VERSIONED) {
            json_write_name(writer, "version");
            json_write_bytes(writer, (char[]){family_of(json_get(ip, "address"))}, 1);
        }
        write_others(writer, ip, version, arena);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void write_interfaces(struct json_writer *writer, const struct json *interfaces,
                             struct arena *arena)
{
    static const char *const since_1_1[] = {"mtu", "socketPath", "pciID", NULL};

    json_write_name(writer, "interfaces");
    json_write_array(writer);
    json_for_each (interface, interfaces) {
        json_write_object(writer);
        write_others(writer, interface, since_1_1, arena);
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void write_lists(struct json_writer *writer, const struct json *result,
                        enum result_shape shape, struct arena *arena)
{
    static const char *const rewritten[] = {"cniVersion", "ips", "interfaces", NULL},
                             *const but_interfaces[] = {"cniVersion", "ips", NULL};
    bool old = shape == RESULT_VERSIONED;

    write_others(writer, result, old ? rewritten : but_interfaces, arena);
    if (json_get(result, "ips"))
        write_ips(writer, result_list(result, "ips"), shape, arena);
    if (old && json_get(result, "interfaces"))
        write_interfaces(writer, result_list(result, "interfaces"), arena);
}

/* families to lists */

static void write_family_ip(struct json_writer *writer, const struct json *family,
                            enum result_shape shape)
{
    const struct json *gateway = json_get_string(family, "gateway"), *ip = json_get(family, "ip");

    json_write_object(writer);
    if (shape == RESULT_VERSIONED) {
        json_write_name(writer, "version");
        json_write_bytes(writer, (char[]){family_of(ip)}, 1);
    }
    json_write_name(writer, "address");
    json_write_value(writer, ip);
    if (gateway) {
        json_write_name(writer, "gateway");
        json_write_value(writer, gateway);
    }
    json_write_object_end(writer);
}

static void write_from_families(struct json_writer *writer, const struct json *result,
                                enum result_shape shape, struct arena *arena)
{
    static const char *const rewritten[] = {"cniVersion", "ip4",        "ip6", "ips",
                                            "routes",     "interfaces", NULL};
    const struct json *families[] = {json_get(result, "ip4"), json_get(result, "ip6")};

    json_write_name(writer, "ips");
    json_write_array(writer);
    for (size_t i = 0; i < array_size(families); i++)
        if (families[i] && families[i]->type == JSON_OBJECT)
            write_family_ip(writer, families[i], shape);
    json_write_array_end(writer);
    json_write_name(writer, "routes");
    json_write_array(writer);
    for (size_t i = 0; i < array_size(families); i++) {
        const struct json *routes = families[i] ? result_list(families[i], "routes") : NULL;

        for (uint32_t j = 0; routes && j < routes->length; j++)
            json_write_value(writer, &routes->items[j]);
    }
    json_write_array_end(writer);
    write_others(writer, result, rewritten, arena);
}

/* lists to families */

static void write_routes_of(struct json_writer *writer, const struct json *routes, char family)
{
    static const char *const kept[] = {"dst", "gw"};

    json_write_name(writer, "routes");
    json_write_array(writer);
    json_for_each (route, routes) {
        if (family_of(json_get(route, "dst")) != family)
            continue;
        json_write_object(writer);
        for (size_t i = 0; i < array_size(kept); i++) {
            const struct json *value = json_get(route, kept[i]);

            if (value) {
                json_write_name(writer, kept[i]);
                json_write_value(writer, value);
            }
        }
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

/* The first address of the family, if there is one. */
static bool write_family(struct json_writer *writer, const struct json *result, const char *name)
{
    const struct json *ips = result_list(result, "ips"), *gateway;

    json_for_each (ip, ips) {
        if (family_of(json_get(ip, "address")) != name[2])
            continue;
        json_write_name(writer, name);
        json_write_object(writer);
        json_write_name(writer, "ip");
        json_write_value(writer, json_get(ip, "address"));
        gateway = json_get_string(ip, "gateway");
        if (gateway) {
            json_write_name(writer, "gateway");
            json_write_value(writer, gateway);
        }
        write_routes_of(writer, result_list(result, "routes"), name[2]);
        json_write_object_end(writer);
        return true;
    }
    return false;
}

static int write_to_families(struct json_writer *writer, const struct json *result,
                             const char *version, struct err *err)
{
    const struct json *dns = json_get(result, "dns");
    bool ip4 = write_family(writer, result, "ip4"), ip6 = write_family(writer, result, "ip6");

    if (dns) {
        json_write_name(writer, "dns");
        json_write_value(writer, dns);
    }
    return ip4 || ip6 ? 0
                      : err_set(err, -EINVAL, "a result without addresses cannot be said in CNI %s",
                                version);
}

int cni_result_convert(const struct json *result, const char *version, struct strbuf *out,
                       struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    static const char *const own_version[] = {"cniVersion", NULL};
    enum result_shape from = result_shape(result_version(result, &arena)),
                      to = result_shape(version);
    size_t start = out->length;
    struct json_writer writer;
    int r = 0;

    json_writer_init(&writer, out, false);
    json_write_object(&writer);
    write_version(&writer, version);
    if (from == to)
        write_others(&writer, result, own_version, &arena);
    else if (from == RESULT_IP4_IP6)
        write_from_families(&writer, result, to, &arena);
    else if (to == RESULT_IP4_IP6)
        r = write_to_families(&writer, result, version, err);
    else
        write_lists(&writer, result, to, &arena);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    if (r < 0)
        strbuf_truncate(out, start);
    return r;
}
