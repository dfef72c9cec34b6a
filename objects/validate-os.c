/* What spec.os allows and forbids, and the options that only Windows nodes use. */
#include "pod-rules.h"

#include <ctype.h>
#include <string.h>

enum {
    GMSA_SPEC_MAX = 64 << 10,
    WINDOWS_DOMAIN_MAX = 255,
    WINDOWS_NETBIOS_MAX = 15,
    WINDOWS_USER_MAX = 104,
};

/* windowsOptions */

static bool is_windows_domain(const char *domain, size_t length)
{
    char copy[WINDOWS_DOMAIN_MAX + 1];

    if (!length || length > WINDOWS_DOMAIN_MAX)
        return false;
    memcpy(copy, domain, length);
    copy[length] = '\0';
    if (length <= WINDOWS_NETBIOS_MAX && copy[0] != '.' && !strpbrk(copy, "\\/:*?\"<>|"))
        return true;
    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return !name_check_subdomain(copy);
}

static bool is_windows_user(const char *user)
{
    return *user && strlen(user) <= WINDOWS_USER_MAX && user[strspn(user, ". ")] &&
           !strpbrk(user, "\"/\\:;|=,+*?<>@[]");
}

static const char *check_windows_user_name(const char *name)
{
    const char *complaint = "must be a Windows user, optionally with a domain: DOMAIN\\user";
    const char *backslash = strchr(name, '\\');

    for (const char *c = name; *c; c++)
        if (iscntrl((unsigned char)*c))
            return complaint;
    if (backslash &&
        (strchr(backslash + 1, '\\') || !is_windows_domain(name, (size_t)(backslash - name))))
        return complaint;
    return is_windows_user(backslash ? backslash + 1 : name) ? NULL : complaint;
}

void validate_windows_options(const struct windows_options *options, const struct path *path,
                              struct report *report)
{
    struct path name = path_name(path, "gmsaCredentialSpecName"),
                spec = path_name(path, "gmsaCredentialSpec"),
                user = path_name(path, "runAsUserName");

    if (options->gmsa_credential_spec_name)
        require(report, &name, options->gmsa_credential_spec_name,
                name_check_subdomain(options->gmsa_credential_spec_name));
    if (options->gmsa_credential_spec &&
        (!*options->gmsa_credential_spec || strlen(options->gmsa_credential_spec) > GMSA_SPEC_MAX))
        report_error(report, &spec, FINDING_INVALID, "must have 1 to %d bytes", GMSA_SPEC_MAX);
    if (options->run_as_user_name)
        require(report, &user, options->run_as_user_name,
                check_windows_user_name(options->run_as_user_name));
}

/* All containers of a pod, whatever their kind, in the order of the server's walk. */
struct container_group {
    const char *name;
    const struct container_list *containers;
};

enum {
    CONTAINER_GROUPS = 3,
};

static void container_groups(const struct pod_spec *spec,
                             struct container_group groups[CONTAINER_GROUPS])
{
    groups[0] = (struct container_group){"initContainers", &spec->init_containers};
    groups[1] = (struct container_group){"containers", &spec->containers};
    groups[2] = (struct container_group){"ephemeralContainers", &spec->ephemeral_containers};
}

static uint8_t host_process_of(const struct container *container)
{
    const struct security_context *security = container->security_context;

    return security && security->windows_options ? security->windows_options->host_process
                                                 : OPT_UNSET;
}

void validate_windows_host_process(const struct pod_spec *spec, const struct path *path,
                                   struct report *report)
{
    const struct windows_options *options = spec->security_context->windows_options;
    uint8_t of_pod = options ? options->host_process : OPT_UNSET;
    struct container_group groups[CONTAINER_GROUPS];
    size_t count = 0, total = 0;

    container_groups(spec, groups);
    for (size_t i = 0; i < CONTAINER_GROUPS; i++) {
        struct path list = path_name(path, groups[i].name);

        for (size_t j = 0; j < groups[i].containers->count; j++) {
            uint8_t own = host_process_of(&groups[i].containers->items[j]);
            struct path item = path_index(&list, j), security = path_name(&item, "securityContext"),
                        windows = path_name(&security, "windowsOptions");

            if (own != OPT_UNSET && of_pod != OPT_UNSET && own != of_pod)
                report_error_in(report, &windows, "hostProcess", FINDING_INVALID,
                                "must be the same as the pod's");
            total++;
            count += (own == OPT_UNSET ? of_pod : own) == OPT_TRUE;
        }
    }
    if (count && count != total)
        report_error(report, path, FINDING_INVALID,
                     "either all containers must be host processes, or none");
    if (count && !spec->host_network)
        report_error_in(report, path, "hostNetwork", FINDING_INVALID,
                        "must be true for host processes");
}

/* spec.os */

struct forbidden {
    const char *name;
    bool set;
};

static void forbid(const struct forbidden *fields, size_t count, const char *os,
                   const struct path *path, struct report *report)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].set)
            report_error_in(report, path, fields[i].name, FINDING_FORBIDDEN,
                            "must not be set when os.name is %s", os);
}

static void forbid_in_containers(const struct pod_spec *spec, const char *os,
                                 const struct path *path, struct report *report)
{
    struct container_group groups[CONTAINER_GROUPS];
    bool windows = str_equal(os, "windows");

    container_groups(spec, groups);
    for (size_t i = 0; i < CONTAINER_GROUPS; i++) {
        struct path list = path_name(path, groups[i].name);

        for (size_t j = 0; j < groups[i].containers->count; j++) {
            const struct security_context *c = groups[i].containers->items[j].security_context;
            struct path item = path_index(&list, j), at = path_name(&item, "securityContext");

            if (!c)
                continue;
            const struct forbidden on_windows[] = {
                {"appArmorProfile", c->app_armor_profile},
                {"seLinuxOptions", c->se_linux_options},
                {"seccompProfile", c->seccomp_profile},
                {"capabilities", c->capabilities},
                {"readOnlyRootFilesystem", c->read_only_root_filesystem != OPT_UNSET},
                {"privileged", c->privileged != OPT_UNSET},
                {"allowPrivilegeEscalation", c->allow_privilege_escalation != OPT_UNSET},
                {"procMount", c->proc_mount},
                {"runAsUser", c->run_as_user.set},
                {"runAsGroup", c->run_as_group.set},
            };
            const struct forbidden on_linux[] = {{"windowsOptions", c->windows_options}};

            if (windows)
                forbid(on_windows, array_size(on_windows), os, &at, report);
            else
                forbid(on_linux, array_size(on_linux), os, &at, report);
        }
    }
}

static void forbid_on_windows(const struct pod_spec *spec, const struct path *path,
                              struct report *report)
{
    const struct pod_security_context *security = spec->security_context;
    const struct forbidden of_security[] = {
        {"appArmorProfile", security->app_armor_profile},
        {"seLinuxOptions", security->se_linux_options},
        {"seccompProfile", security->seccomp_profile},
        {"fsGroup", security->fs_group.set},
        {"fsGroupChangePolicy", security->fs_group_change_policy},
        {"runAsUser", security->run_as_user.set},
        {"runAsGroup", security->run_as_group.set},
        {"supplementalGroupsPolicy", security->supplemental_groups_policy},
        {"seLinuxChangePolicy", security->se_linux_change_policy},
        {"sysctls", security->sysctls.count},
        {"supplementalGroups", security->supplemental_groups.items},
    };
    const struct forbidden of_spec[] = {
        {"hostUsers", spec->host_users != OPT_UNSET},
        {"shareProcessNamespace", spec->share_process_namespace != OPT_UNSET},
        {"hostPID", spec->host_pid},
        {"hostIPC", spec->host_ipc},
        {"resources", spec->resources},
    };
    struct path at = path_name(path, "securityContext");

    forbid(of_security, array_size(of_security), "windows", &at, report);
    forbid(of_spec, array_size(of_spec), "windows", path, report);
}

void validate_os(const struct pod_spec *spec, const struct path *path, struct report *report)
{
    static const char *const systems[] = {"linux", "windows", NULL};
    struct path os = path_name(path, "os"), name = path_name(&os, "name"),
                security = path_name(path, "securityContext");
    struct forbidden on_linux = {"windowsOptions", spec->security_context->windows_options};

    if (!spec->os)
        return;
    if (!require_some(report, &name, spec->os->name) ||
        !require_one_of(report, &os, spec->os->name, systems))
        return;
    if (str_equal(spec->os->name, "linux"))
        forbid(&on_linux, 1, "linux", &security, report);
    else
        forbid_on_windows(spec, path, report);
    forbid_in_containers(spec, spec->os->name, path, report);
}
