/*
 * The network that counts now: the first of the directory, or the built-in one where there is none.
 * A directory in which every file is wrong has one, only that nobody can tell which.
 */
#include "failure.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/objects/names.h"
#include "thick.h"

#include <errno.h>
#include <string.h>

#define BUILT_IN_NAME "nodeagent-built-in"

static void write_ranges(struct json_writer *writer, const struct thick_built_in *built_in)
{
    json_write_name(writer, "ranges");
    json_write_array(writer);
    for (size_t i = 0; i < built_in->subnet_count; i++) {
        json_write_array(writer);
        json_write_object(writer);
        json_write_string_member(writer, "subnet", built_in->subnets[i]);
        json_write_object_end(writer);
        json_write_array_end(writer);
    }
    json_write_array_end(writer);
    json_write_name(writer, "routes");
    json_write_array(writer);
    for (size_t i = 0; i < built_in->subnet_count; i++) {
        json_write_object(writer);
        json_write_string_member(writer, "dst",
                                 ip_is_v6(built_in->subnets[i]) ? "::/0" : "0.0.0.0/0");
        json_write_object_end(writer);
    }
    json_write_array_end(writer);
}

static void write_bridge(struct json_writer *writer, const struct thick_config *config)
{
    const struct thick_built_in *built_in = &config->built_in;
    _cleanup_(mem_free_at) char *reserved = mem_printf("%s/networks", config->cache_dir);

    json_write_object(writer);
    json_write_string_member(writer, "type", "bridge");
    json_write_string_member(writer, "bridge", built_in->bridge);
    json_write_bool_member(writer, "isGateway", true);
    json_write_bool_member(writer, "ipMasq", true);
    json_write_bool_member(writer, "hairpinMode", true);
    json_write_name(writer, "ipam");
    json_write_object(writer);
    json_write_string_member(writer, "type", "host-local");
    json_write_string_member(writer, "dataDir", reserved);
    write_ranges(writer, built_in);
    json_write_object_end(writer);
    json_write_object_end(writer);
}

static void write_built_in(const struct thick_config *config, struct strbuf *text)
{
    struct json_writer writer;

    json_writer_init(&writer, text, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "cniVersion", "1.0.0");
    json_write_string_member(&writer, "name", BUILT_IN_NAME);
    json_write_name(&writer, "plugins");
    json_write_array(&writer);
    write_bridge(&writer, config);
    json_write_object(&writer);
    json_write_string_member(&writer, "type", "portmap");
    json_write_name(&writer, "capabilities");
    json_write_object(&writer);
    json_write_bool_member(&writer, "portMappings", true);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

static int use_built_in(struct thick_network *found, const struct thick_config *config,
                        struct cni_failure *failure)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct err err;

    write_built_in(config, &text);
    if (cni_network_parse(&found->built_in, "the built-in network", text.text, text.length, &err) <
        0)
        return failure_from(failure, CNI_CODE_CONFIG, &err);
    found->network = found->built_in;
    return 0;
}

/* The runtime's record of this plugin would be in the place of the real network's. */
static int check_name(struct thick_network *found, const struct thick_config *config,
                      struct cni_failure *failure)
{
    if (!str_equal(found->network->name, config->name))
        return 0;
    failure_set(failure, -EINVAL, CNI_CODE_CONFIG,
                "%s: the network has the name %s, which the runtime's list for %s has, too; one of "
                "them must be renamed",
                found->network->place, config->name, CNI_PROGRAM);
    found->network = NULL;
    return -EINVAL;
}

int thick_network_find(struct thick_network *found, const struct thick_config *config,
                       struct cni_failure *failure)
{
    struct err err;
    int r;

    *found = (struct thick_network){0};
    r = cni_networks_load(&found->networks, config->conf_dir, &err);
    if (r < 0)
        return failure_from(failure, CNI_CODE_CONFIG, &err);
    found->network = cni_networks_first(&found->networks);
    if (found->network)
        return check_name(found, config, failure);
    if (found->networks.problems.count)
        return failure_set(failure, -EINVAL, CNI_CODE_CONFIG, "%s",
                           found->networks.problems.items[0]);
    if (config->built_in.allowed)
        return use_built_in(found, config, failure);
    return failure_set(failure, -ENOENT, CNI_CODE_LATER,
                       "no network is configured in %s; has the cluster's network been installed?",
                       config->conf_dir);
}

void thick_network_deinit(struct thick_network *found)
{
    cni_networks_deinit(&found->networks);
    found->built_in = cni_network_free(found->built_in);
}
