/* Reading the machine from /proc, /sys and /etc. */
#include "node-machine.h"
#include "cpu-list.h"

#include "nodeagent/base/str.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* As Go calls what this program was built for: an image must be of the same. */
#if defined(__x86_64__)
#define ARCHITECTURE "amd64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#elif defined(__arm__)
#define ARCHITECTURE "arm"
#elif defined(__i386__)
#define ARCHITECTURE "386"
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE "ppc64le"
#elif defined(__s390x__)
#define ARCHITECTURE "s390x"
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE "riscv64"
#elif defined(__loongarch64)
#define ARCHITECTURE "loong64"
#else
#error "say how Go calls this architecture"
#endif

enum {
    MACHINE_FILE_MAX = 64 << 10,
    PAGE_SIZES_MAX = 64,
};

/* texts */

/* Its first line, without white space around it and without the NUL that a device tree has. */
static const char *read_line(const char *root, const char *path, struct arena *arena,
                             struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *start;
    size_t length;

    if (file_read(arena_printf(arena, "%s%s", root, path), MACHINE_FILE_MAX, &text, err) < 0)
        return NULL;
    if (!text.text)
        return "";
    utf8_repair(text.text, text.length);
    start = text.text + strspn(text.text, " \t");
    length = strcspn(start, "\n");
    while (length && strchr(" \t\r", start[length - 1]))
        length--;
    return arena_strndup(arena, start, length);
}

/* Of the files, ending in NULL, the first that says something. */
static const char *first_line(const char *root, const char *const *paths, struct arena *arena)
{
    struct err ignored;

    for (; *paths; paths++) {
        const char *line = read_line(root, *paths, arena, &ignored);

        if (!str_empty(line))
            return line;
    }
    return "";
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)": as a shell reads it, but for escapes. */
static const char *pretty_name(char *text, struct arena *arena)
{
    static const char name[] = "PRETTY_NAME=";
    char *at = str_has_prefix(text, name) ? text : strstr(text, "\nPRETTY_NAME=");
    size_t length;

    if (!at)
        return NULL;
    at += (*at == '\n') + strlen(name);
    length = strcspn(at, "\n");
    if (length > 1 && (*at == '"' || *at == '\'') && at[length - 1] == *at) {
        at++;
        length -= 2;
    }
    return length ? arena_strndup(arena, at, length) : NULL;
}

static const char *os_image(const char *root, struct arena *arena)
{
    static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
    const char *name = NULL;
    struct err ignored;

    for (size_t i = 0; !name && i < array_size(paths); i++) {
        _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
        const char *path = arena_printf(arena, "%s%s", root, paths[i]);

        if (file_read(path, MACHINE_FILE_MAX, &text, &ignored) == 0 && text.text) {
            utf8_repair(text.text, text.length);
            name = pretty_name(text.text, arena);
        }
    }
    return name ? name : "Linux";
}

static int read_identity(struct node_machine *machine, const char *root, struct arena *arena,
                         struct err *err)
{
    static const char *const machine_ids[] = {"/etc/machine-id", "/var/lib/dbus/machine-id", NULL};
    static const char *const system_uuids[] = {
        "/sys/class/dmi/id/product_uuid",
        "/proc/device-tree/system-id",
        "/proc/device-tree/vm,uuid",
        "/etc/machine-id",
        NULL,
    };
    static const char *const kernels[] = {"/proc/sys/kernel/osrelease", NULL};

    machine->boot_id = read_line(root, "/proc/sys/kernel/random/boot_id", arena, err);
    if (!machine->boot_id)
        return err->code;
    machine->machine_id = first_line(root, machine_ids, arena);
    machine->system_uuid = first_line(root, system_uuids, arena);
    machine->kernel_version = first_line(root, kernels, arena);
    machine->os_image = os_image(root, arena);
    machine->architecture = ARCHITECTURE;
    return 0;
}

/* amounts */

static int64_t memory_field(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at ? strtoll(at + strlen(name), NULL, 10) * 1024 : 0;
}

static int read_memory(struct node_machine *machine, const char *root, struct arena *arena,
                       struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *path = arena_printf(arena, "%s/proc/meminfo", root);
    int r = file_read(path, MACHINE_FILE_MAX, &text, err);

    if (r < 0)
        return r;
    machine->memory_bytes = text.text ? memory_field(text.text, "MemTotal:") : 0;
    machine->swap_bytes = text.text ? memory_field(text.text, "SwapTotal:") : 0;
    if (machine->memory_bytes <= 0)
        return err_set(err, -ENODATA, "%s: there is no MemTotal in it; is /proc mounted?", path);
    return 0;
}

static int read_cpus(struct node_machine *machine, const char *root, struct arena *arena,
                     struct err *err)
{
    static const char path[] = "/sys/devices/system/cpu/online";
    const char *line = read_line(root, path, arena, err);
    int count = line ? cpu_list_count(line, err) : err->code;

    if (count < 0)
        return line ? err_prefix(err, "%s%s", root, path) : count;
    if (!count)
        return err_set(err, -ENODATA, "%s%s: it names no CPU; is /sys mounted?", root, path);
    machine->cpus = count;
    return 0;
}

/* "hugepages-2048kB", a directory; a kernel without huge pages has none. */
static bool read_huge_page(struct huge_pages *pages, const char *root, const char *name,
                           struct arena *arena)
{
    struct err ignored;
    const char *count;

    if (!str_has_prefix(name, "hugepages-"))
        return false;
    count = read_line(root, arena_printf(arena, "/sys/kernel/mm/hugepages/%s/nr_hugepages", name),
                      arena, &ignored);
    pages->size_bytes = strtoll(name + strlen("hugepages-"), NULL, 10) * 1024;
    return pages->size_bytes > 0 && !str_empty(count) && str_to_i64(count, &pages->count) == 0;
}

static void read_huge_pages(struct node_machine *machine, const char *root, struct arena *arena)
{
    const char *path = arena_printf(arena, "%s/sys/kernel/mm/hugepages", root);
    struct directory_listing listing = {0};
    struct err ignored;
    _cleanup_(fd_close_at) int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0 ||
        directory_list(directory, ".", PAGE_SIZES_MAX, arena, &listing, &ignored) < 0)
        return;
    machine->huge_pages.items = arena_array(arena, struct huge_pages, listing.count);
    for (size_t i = 0; i < listing.count; i++) {
        struct huge_pages *pages = &machine->huge_pages.items[machine->huge_pages.count];

        if (read_huge_page(pages, root, listing.items[i].name, arena))
            machine->huge_pages.count++;
    }
}

static void read_storage(struct node_machine *machine, const char *storage, struct arena *arena)
{
    struct statvfs status;

    if (statvfs(storage, &status) == 0)
        machine->storage_bytes = (int64_t)status.f_blocks * (int64_t)status.f_frsize;
    machine->devices_remembered =
        access(arena_printf(arena, "%s/device-plugins/kubelet_internal_checkpoint", storage),
               F_OK) == 0;
}

int node_machine_read(struct node_machine *machine, const char *root, const char *storage,
                      struct arena *arena, struct err *err)
{
    int r;

    *machine = (struct node_machine){0};
    r = read_identity(machine, root, arena, err);
    if (r == 0)
        r = read_memory(machine, root, arena, err);
    if (r == 0)
        r = read_cpus(machine, root, arena, err);
    if (r < 0)
        return r;
    read_huge_pages(machine, root, arena);
    read_storage(machine, storage, arena);
    return 0;
}
