/* Reading what the node is. */
#include "node-facts.h"

#include "node-machine.h"
#include "node-network.h"
#include "node-resources.h"

#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    CPUS_MAX = 1 << 16,
};

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

/* "2MB": as the kernel names it in control groups. */
static const char *page_size(int64_t bytes, struct arena *arena)
{
    static const char *const units[] = {"KB", "MB", "GB"};
    unsigned unit = 0;

    for (bytes /= 1024; bytes >= 1024 && bytes % 1024 == 0 && unit + 1 < array_size(units); unit++)
        bytes /= 1024;
    return arena_printf(arena, "%lld%s", (long long)bytes, units[unit]);
}

static void take_machine(struct node_facts *facts, const struct node_machine *machine,
                         struct arena *arena)
{
    facts->boot_id = machine->boot_id;
    facts->memory_bytes = machine->memory_bytes;
    facts->swap_bytes = machine->swap_bytes;
    facts->hugepage_sizes.items = arena_array(arena, const char *, machine->huge_pages.count);
    array_for_each (pages, machine->huge_pages)
        facts->hugepage_sizes.items[facts->hugepage_sizes.count++] =
            page_size(pages->size_bytes, arena);
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

/* Those that the operator names, else that of the default route; a node without a network has that
 * of its loopback. */
static void read_addresses(struct node_facts *facts, const struct config *config,
                           struct arena *arena)
{
    _cleanup_(arena_deinit) struct arena scratch = ARENA_INIT_DOCUMENT;
    bool v6_first = node_prefers_v6(&config->node_ip);
    struct node_network network;
    const char *address;

    if (node_ip_is_explicit(&config->node_ip)) {
        facts->addresses = config->node_ip;
        return;
    }
    node_network_read(&network, "", &scratch);
    address = node_network_address(&network, v6_first);
    if (!address)
        address = node_network_address(&network, !v6_first);
    strings_add(arena, &facts->addresses, address ? arena_strdup(arena, address) : "127.0.0.1");
}

int node_facts_read(struct node_facts *facts, const struct config *config, struct arena *arena,
                    struct err *err)
{
    struct node_machine *machine = arena_new(arena, struct node_machine);
    struct quantity_map capacity;
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
    r = node_machine_read(machine, "", config->root_dir, arena, err);
    if (r == 0)
        r = node_check_reservations(config, machine, err);
    if (r == 0)
        r = node_check_swap(config, machine, facts->cgroup_v2, err);
    if (r < 0)
        return r;
    facts->machine = machine;
    take_machine(facts, machine, arena);
    read_throttles(facts, arena);
    read_addresses(facts, config, arena);
    capacity = node_capacity(config, machine, arena);
    facts->allocatable = node_allocatable(config, &capacity, arena);
    return 0;
}
