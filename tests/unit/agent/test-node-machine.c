/* agent/node-machine: the facts of a machine, from files that the test wrote. */
#include "root-fixture.h"

#include "node-machine.h"

#include <sys/statvfs.h>

static void put_least(struct root *root)
{
    put(root, "/proc/sys/kernel/random/boot_id", "b-1\n");
    put(root, "/proc/meminfo", "MemTotal:       24684084 kB\nMemFree: 1 kB\nSwapTotal:  1024 kB\n");
    put(root, "/sys/devices/system/cpu/online", "0-2,5\n");
}

static void assert_read(struct root *root, struct node_machine *machine)
{
    if (node_machine_read(machine, root->path, root->path, &root->arena, &root->err) < 0)
        fail_msg("%s", root->err.text);
}

static void test_the_least(void **state)
{
    struct root *root = *state;
    struct node_machine machine;
    struct statvfs status;

    put_least(root);
    assert_read(root, &machine);
    assert_string_equal(machine.boot_id, "b-1");
    assert_string_equal(machine.machine_id, "");
    assert_string_equal(machine.system_uuid, "");
    assert_string_equal(machine.kernel_version, "");
    assert_string_equal(machine.os_image, "Linux");
    assert_true(machine.memory_bytes == INT64_C(24684084) * 1024);
    assert_true(machine.swap_bytes == 1024 * 1024);
    assert_int_equal(machine.cpus, 4);
    assert_int_equal(machine.huge_pages.count, 0);
    assert_false(machine.devices_remembered);
    assert_int_equal(statvfs(root->path, &status), 0);
    assert_true(machine.storage_bytes == (int64_t)(status.f_blocks * status.f_frsize));
}

static void test_all(void **state)
{
    struct root *root = *state;
    struct node_machine machine;

    put_least(root);
    put(root, "/etc/machine-id", " m-1 \n");
    put(root, "/sys/class/dmi/id/product_uuid", "S-1\n");
    put(root, "/proc/sys/kernel/osrelease", "6.1.0-1-amd64\n");
    put(root, "/etc/os-release", "NAME=x\nPRETTY_NAME=\"Some OS 1 (a)\"\nID=y\n");
    put(root, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "2\n");
    put(root, "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "0\n");
    put(root, "/sys/kernel/mm/hugepages/other/nr_hugepages", "7\n");
    put(root, "/device-plugins/kubelet_internal_checkpoint", "{}");
    assert_read(root, &machine);
    assert_string_equal(machine.machine_id, "m-1");
    assert_string_equal(machine.system_uuid, "S-1");
    assert_string_equal(machine.kernel_version, "6.1.0-1-amd64");
    assert_string_equal(machine.os_image, "Some OS 1 (a)");
    assert_int_equal(machine.huge_pages.count, 2);
    assert_true(machine.huge_pages.items[0].size_bytes == 1 << 30);
    assert_int_equal(machine.huge_pages.items[0].count, 0);
    assert_true(machine.huge_pages.items[1].size_bytes == 2 << 20);
    assert_int_equal(machine.huge_pages.items[1].count, 2);
    assert_true(machine.devices_remembered);
}

/* The first that says something; a device tree's texts end in NUL. */
static void test_second_places(void **state)
{
    struct root *root = *state;
    struct node_machine machine;

    put_least(root);
    put(root, "/etc/machine-id", "\n");
    put(root, "/var/lib/dbus/machine-id", "m-2\n");
    put(root, "/etc/os-release", "NAME=x\nOLD_PRETTY_NAME=y\n");
    put(root, "/usr/lib/os-release", "PRETTY_NAME='Other \xff OS'");
    assert_read(root, &machine);
    assert_string_equal(machine.machine_id, "m-2");
    assert_string_equal(machine.system_uuid, "");
    assert_string_equal(machine.os_image, "Other ? OS");

    put_bytes(root, "/proc/device-tree/vm,uuid", "v-1", sizeof("v-1"));
    assert_read(root, &machine);
    assert_string_equal(machine.system_uuid, "v-1");
    put_bytes(root, "/proc/device-tree/system-id", "s-1", sizeof("s-1"));
    assert_read(root, &machine);
    assert_string_equal(machine.system_uuid, "s-1");
}

static void test_pretty_names(void **state)
{
    static const char *const cases[][2] = {
        {"PRETTY_NAME=Arch", "Arch"},
        {"PRETTY_NAME=\"\"", "Linux"},
        {"PRETTY_NAME=", "Linux"},
        {"PRETTY_NAME=\"a", "\"a"},
        {"A=b\nPRETTY_NAME=\"a b\"\n", "a b"},
        {"", "Linux"},
    };
    struct root *root = *state;
    struct node_machine machine;

    put_least(root);
    for (size_t i = 0; i < array_size(cases); i++) {
        put(root, "/etc/os-release", cases[i][0]);
        assert_read(root, &machine);
        assert_string_equal(machine.os_image, cases[i][1]);
    }
}

static void test_what_must_be_there(void **state)
{
    static const struct {
        const char *path, *text, *sentence;
    } cases[] = {
        {"/proc/meminfo", "SwapTotal: 5 kB\n", "/proc/meminfo: there is no MemTotal in it"},
        {"/sys/devices/system/cpu/online", "\n", "online: it names no CPU"},
        {"/sys/devices/system/cpu/online", "a\n", "online: \"a\" must be a list of CPUs"},
    };
    struct root *root = *state;
    struct node_machine machine;

    assert_int_equal(node_machine_read(&machine, root->path, root->path, &root->arena, &root->err),
                     -ENOENT);
    assert_non_null(strstr(root->err.text, "/proc/sys/kernel/random/boot_id"));
    for (size_t i = 0; i < array_size(cases); i++) {
        put_least(root);
        put(root, cases[i].path, cases[i].text);
        assert_true(node_machine_read(&machine, root->path, root->path, &root->arena, &root->err) <
                    0);
        if (!strstr(root->err.text, cases[i].sentence))
            fail_msg("%s", root->err.text);
    }
}

static void test_this_machine(void **state)
{
    struct root *root = *state;
    struct node_machine machine;

    assert_int_equal(node_machine_read(&machine, "", "/", &root->arena, &root->err), 0);
    assert_true(machine.cpus == sysconf(_SC_NPROCESSORS_ONLN));
    assert_true(machine.memory_bytes > 1 << 20);
    assert_true(machine.storage_bytes > 0);
    assert_true(*machine.boot_id && *machine.kernel_version && *machine.architecture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_root(test_the_least),          with_root(test_all),
        with_root(test_second_places),      with_root(test_pretty_names),
        with_root(test_what_must_be_there), with_root(test_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
