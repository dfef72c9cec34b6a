/* Reading what the node is. */
#include "node-facts.h"

#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PROC_FILE_MAX = 64 << 10,
    CPUS_MAX = 1 << 16,
};

static const char *read_line(const char *path, struct arena *arena, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    if (file_read(path, PROC_FILE_MAX, &text, err) < 0)
        return NULL;
    return arena_strndup(arena, text.text ? text.text : "",
                         text.text ? strcspn(text.text, "\n") : 0);
}

/* memory */

static int64_t memory_field(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at ? strtoll(at + strlen(name), NULL, 10) * 1024 : 0;
}

static int read_memory(struct node_facts *facts, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    int r = file_read("/proc/meminfo", PROC_FILE_MAX, &text, err);

    if (r < 0)
        return r;
    facts->memory_bytes = memory_field(text.text, "MemTotal:");
    facts->swap_bytes = memory_field(text.text, "SwapTotal:");
    return 0;
}

/* directories of the kernel that list what there is */

static struct string_list list_names(const char *path, struct arena *arena)
{
    struct directory_listing listing = {0};
    struct string_list names = {0};
    struct err ignored;
    _cleanup_(fd_close_at) int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0 || directory_list(directory, ".", CPUS_MAX, arena, &listing, &ignored) < 0)
        return names;
    names.items = arena_array(arena, const char *, listing.count);
    for (size_t i = 0; i < listing.count; i++)
        names.items[names.count++] = listing.items[i].name;
    return names;
}

/* "hugepages-2048kB" is "2MB". */
static const char *page_size(const char *name, struct arena *arena)
{
    static const char *const units[] = {"KB", "MB", "GB"};
    unsigned long size;
    unsigned unit = 0;

    if (!str_has_prefix(name, "hugepages-"))
        return NULL;
    size = strtoul(name + strlen("hugepages-"), NULL, 10);
    while (size >= 1024 && size % 1024 == 0 && unit + 1 < array_size(units)) {
        size /= 1024;
        unit++;
    }
    return arena_printf(arena, "%lu%s", size, units[unit]);
}

static void read_hugepages(struct node_facts *facts, struct arena *arena)
{
    struct string_list names = list_names("/sys/kernel/mm/hugepages", arena);

    facts->hugepage_sizes.items = arena_array(arena, const char *, names.count);
    for (size_t i = 0; i < names.count; i++) {
        const char *size = page_size(names.items[i], arena);

        if (size)
            facts->hugepage_sizes.items[facts->hugepage_sizes.count++] = size;
    }
}

static void read_throttles(struct node_facts *facts, struct arena *arena)
{
    static const char *const cpus = "/sys/devices/system/cpu";
    struct string_list names = list_names(cpus, arena);

    facts->thermal_throttles.items = arena_array(arena, const char *, names.count);
    for (size_t i = 0; i < names.count; i++) {
        const char *path = arena_printf(arena, "%s/%s/thermal_throttle", cpus, names.items[i]);

        if (str_has_prefix(names.items[i], "cpu") && access(path, F_OK) == 0)
            facts->thermal_throttles.items[facts->thermal_throttles.count++] = path;
    }
}

/* addresses */

static bool is_usable(const struct ifaddrs *interface, int family)
{
    if (!interface->ifa_addr || interface->ifa_addr->sa_family != family ||
        !(interface->ifa_flags & IFF_UP) || (interface->ifa_flags & IFF_LOOPBACK))
        return false;
    if (family == AF_INET6) {
        const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)interface->ifa_addr;

        return !IN6_IS_ADDR_LINKLOCAL(&address->sin6_addr);
    }
    return true;
}

static const char *first_address(const struct ifaddrs *all, int family, struct arena *arena)
{
    char text[INET6_ADDRSTRLEN];

    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        const void *address;

        if (!is_usable(one, family))
            continue;
        address = family == AF_INET
                      ? (const void *)&((const struct sockaddr_in *)one->ifa_addr)->sin_addr
                      : (const void *)&((const struct sockaddr_in6 *)one->ifa_addr)->sin6_addr;
        if (inet_ntop(family, address, text, sizeof(text)))
            return arena_strdup(arena, text);
    }
    return NULL;
}

/* Those that the operator names, else the first of each family; a node without a network has that
 * of its loopback. */
static void read_addresses(struct node_facts *facts, const struct config *config,
                           struct arena *arena)
{
    static const int families[] = {AF_INET, AF_INET6};
    struct ifaddrs *all = NULL;

    if (config->node_ip.count) {
        facts->addresses = config->node_ip;
        return;
    }
    facts->addresses.items = arena_array(arena, const char *, array_size(families));
    if (getifaddrs(&all) == 0) {
        for (size_t i = 0; i < array_size(families); i++) {
            const char *address = first_address(all, families[i], arena);

            if (address)
                facts->addresses.items[facts->addresses.count++] = address;
        }
        freeifaddrs(all);
    }
    if (!facts->addresses.count)
        facts->addresses.items[facts->addresses.count++] = "127.0.0.1";
}

/* what pods may use */

static struct quantity less(int64_t amount, int64_t unit, const struct quantity_map *reserved[],
                            const char *name)
{
    for (size_t i = 0; i < 2; i++) {
        const struct quantity *taken = quantity_map_get(reserved[i], name);

        if (taken)
            amount -= unit == 1 ? quantity_value(taken) : quantity_milli_value(taken);
    }
    amount = MAX(amount, 0);
    return unit == 1 ? quantity_from_int(amount, QUANTITY_BINARY)
                     : quantity_from_int(amount, QUANTITY_DECIMAL);
}

static void set_allocatable(struct node_facts *facts, const struct config *config, long cpus,
                            struct arena *arena)
{
    const struct quantity_map *reserved[] = {&config->system_reserved, &config->kube_reserved};
    struct quantity_pair *pairs = arena_array(arena, struct quantity_pair, 3);
    struct quantity milli = less(cpus * 1000, 1000, reserved, "cpu");
    char text[QUANTITY_TEXT_MAX];
    struct err ignored;
    int64_t pods = config->max_pods;

    if (config->pods_per_core > 0)
        pods = MIN(pods, cpus * config->pods_per_core);
    snprintf(text, sizeof(text), "%lldm", (long long)quantity_value(&milli));
    quantity_parse(text, strlen(text), &pairs[0].quantity, &ignored);
    pairs[0].name = "cpu";
    pairs[1] = (struct quantity_pair){"memory", less(facts->memory_bytes, 1, reserved, "memory")};
    pairs[2] = (struct quantity_pair){"pods", quantity_from_int(pods, QUANTITY_DECIMAL)};
    facts->allocatable.items = pairs;
    facts->allocatable.count = 3;
}

int node_facts_read(struct node_facts *facts, const struct config *config, struct arena *arena,
                    struct err *err)
{
    int r;

    *facts = (struct node_facts){
        .config = config,
        .cgroup_driver = config->cgroup_driver,
        .cgroup_v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0,
        .selinux = access("/sys/fs/selinux/enforce", F_OK) == 0,
    };
    if (!facts->cgroup_v2 && config->fail_cgroup_v1)
        return err_set(
            err, -ENOTSUP,
            "kubelet is configured to not run on a host using cgroup v1: mount cgroup "
            "v2, or set failCgroupV1: false in the configuration (--fail-cgroupv1=false)");
    facts->swap_accounting =
        !facts->cgroup_v2 && access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK) == 0;
    facts->boot_id = read_line("/proc/sys/kernel/random/boot_id", arena, err);
    if (!facts->boot_id)
        return err->code;
    r = read_memory(facts, err);
    if (r < 0)
        return r;
    read_hugepages(facts, arena);
    read_throttles(facts, arena);
    read_addresses(facts, config, arena);
    set_allocatable(facts, config, sysconf(_SC_NPROCESSORS_ONLN), arena);
    return 0;
}
