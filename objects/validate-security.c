/* The rules for the security contexts of pods and containers. */
#include "pod-rules.h"

#include <ctype.h>
#include <string.h>

enum {
    APP_ARMOR_PROFILE_MAX = 4095,
    SYSCTL_NAME_MAX = 253,
};

/* seccomp and AppArmor */

static const char *const profile_types[] = {"Localhost", "RuntimeDefault", "Unconfined", NULL};

static void validate_seccomp(const struct confinement *seccomp, const struct path *path,
                             struct report *report)
{
    struct path type = path_name(path, "type"), profile = path_name(path, "localhostProfile");

    if (str_equal(seccomp->type, "Localhost")) {
        if (!seccomp->localhost_profile)
            report_error(report, &profile, FINDING_REQUIRED, "must be set for type Localhost");
        else
            require(report, &profile, seccomp->localhost_profile,
                    name_check_relative_path(seccomp->localhost_profile));
    } else if (seccomp->localhost_profile) {
        report_error(report, &profile, FINDING_INVALID, "is for type Localhost only");
    }
    if (require_some(report, &type, seccomp->type))
        require_one_of(report, &type, seccomp->type, profile_types);
}

static void validate_app_armor(const struct confinement *app_armor, const struct path *path,
                               struct report *report)
{
    struct path type = path_name(path, "type"), profile = path_name(path, "localhostProfile");
    const char *text = app_armor->localhost_profile;
    size_t length = text ? strlen(text) : 0;

    if (!require_some(report, &type, app_armor->type) ||
        !require_one_of(report, &type, app_armor->type, profile_types))
        return;
    if (!str_equal(app_armor->type, "Localhost")) {
        if (text)
            report_error(report, &profile, FINDING_INVALID, "is for type Localhost only");
        return;
    }
    if (!require_some(report, &profile, text))
        return;
    if (isspace((unsigned char)text[0]) || isspace((unsigned char)text[length - 1]))
        report_error(report, &profile, FINDING_INVALID, "must not begin or end with white space");
    if (length > APP_ARMOR_PROFILE_MAX)
        report_error(report, &profile, FINDING_TOO_LONG, "must have at most %d bytes",
                     APP_ARMOR_PROFILE_MAX);
}

void validate_confinement(const struct confinement *seccomp, const struct confinement *app_armor,
                          const struct path *security_context, struct report *report)
{
    struct path seccomp_path = path_name(security_context, "seccompProfile"),
                app_armor_path = path_name(security_context, "appArmorProfile");

    if (seccomp)
        validate_seccomp(seccomp, &seccomp_path, report);
    if (app_armor)
        validate_app_armor(app_armor, &app_armor_path, report);
}

static void validate_ids(const struct opt_int64 *user, const struct opt_int64 *group,
                         const struct path *path, struct report *report)
{
    struct path user_path = path_name(path, "runAsUser"),
                group_path = path_name(path, "runAsGroup");

    if (user->set)
        require_number(report, &user_path, user->value, name_check_user_id(user->value));
    if (group->set)
        require_number(report, &group_path, group->value, name_check_user_id(group->value));
}

/* containers */

static void validate_escalation(const struct security_context *security, const struct path *path,
                                struct report *report)
{
    if (security->allow_privilege_escalation != OPT_FALSE)
        return;
    if (security->privileged == OPT_TRUE)
        report_error(report, path, FINDING_INVALID,
                     "allowPrivilegeEscalation must not be false when privileged is true");
    if (security->capabilities && string_list_has(&security->capabilities->add, "CAP_SYS_ADMIN"))
        report_error(report, path, FINDING_INVALID,
                     "allowPrivilegeEscalation must not be false when CAP_SYS_ADMIN is added");
}

void validate_container_security(const struct container *container, const struct pod_view *view,
                                 const struct path *path, struct report *report)
{
    static const char *const proc_mounts[] = {"Default", "Unmasked", NULL};
    const struct security_context *security = container->security_context;
    struct path security_path = path_name(path, "securityContext"),
                proc_mount = path_name(&security_path, "procMount"),
                windows = path_name(&security_path, "windowsOptions");

    if (!security)
        return;
    validate_ids(&security->run_as_user, &security->run_as_group, &security_path, report);
    if (security->proc_mount &&
        require_one_of(report, &proc_mount, security->proc_mount, proc_mounts) &&
        str_equal(security->proc_mount, "Unmasked") && view->spec->host_users != OPT_FALSE)
        report_error(report, &proc_mount, FINDING_INVALID,
                     "Unmasked needs hostUsers: false in the pod");
    validate_confinement(security->seccomp_profile, security->app_armor_profile, &security_path,
                         report);
    validate_escalation(security, &security_path, report);
    if (security->windows_options)
        validate_windows_options(security->windows_options, &windows, report);
}

/* pods */

static bool is_sysctl_word(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool end = i == 0 || i + 1 == length;
        bool word = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9');

        if (!word && (end || (text[i] != '-' && text[i] != '_')))
            return false;
    }
    return length > 0;
}

static bool is_sysctl_name(const char *name)
{
    if (strlen(name) > SYSCTL_NAME_MAX)
        return false;
    for (;;) {
        size_t length = strcspn(name, "./");

        if (!is_sysctl_word(name, length))
            return false;
        if (!name[length])
            return true;
        name += length + 1;
    }
}

/* The name with dots, as the kernel's namespaces are told apart. */
static void with_dots(const char *name, char *out, size_t size)
{
    size_t separator = strcspn(name, "./"), i;
    bool slashes = name[separator] == '/';

    for (i = 0; name[i] && i + 1 < size; i++)
        out[i] = !slashes ? name[i] : name[i] == '/' ? '.' : name[i] == '.' ? '/' : name[i];
    out[i] = '\0';
}

static bool sysctl_of_ipc(const char *name)
{
    static const char *const names[] = {
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm",
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.msg",
        "kernel.shm_rmid_forced",
        NULL,
    };

    return str_one_of(name, names) || str_has_prefix(name, "kernel.shm") ||
           str_has_prefix(name, "kernel.msg") || str_has_prefix(name, "fs.mqueue.");
}

static void validate_sysctls(const struct pod_spec *spec, const struct path *path,
                             struct report *report)
{
    const struct pod_security_context *security = spec->security_context;
    _cleanup_(seen_deinit) struct seen names = SEEN_INIT;

    for (size_t i = 0; i < security->sysctls.count; i++) {
        const char *text = security->sysctls.items[i].name;
        struct path item = path_index(path, i), name = path_name(&item, "name");
        char dotted[SYSCTL_NAME_MAX + 2];

        if (!require_some(report, &name, text))
            continue;
        if (!is_sysctl_name(text))
            report_error(report, &name, FINDING_INVALID,
                         "\"%.128s\" must be a kernel parameter such as net.core.somaxconn", text);
        if (seen_before(&names, text))
            report_error(report, &name, FINDING_DUPLICATE, "\"%.128s\" is set twice", text);
        with_dots(text, dotted, sizeof(dotted));
        if (spec->host_network && str_has_prefix(dotted, "net."))
            report_error(report, &name, FINDING_INVALID,
                         "\"%.128s\" would change the host: hostNetwork is true", text);
        if (spec->host_ipc && sysctl_of_ipc(dotted))
            report_error(report, &name, FINDING_INVALID,
                         "\"%.128s\" would change the host: hostIPC is true", text);
    }
}

static void validate_policies(const struct pod_security_context *security, const struct path *path,
                              struct report *report)
{
    static const char *const fs_group_changes[] = {"OnRootMismatch", "Always", NULL};
    static const char *const supplemental[] = {"Merge", "Strict", NULL};
    static const char *const se_linux_changes[] = {"Recursive", NULL};
    const struct {
        const char *name;
        const char *value;
        const char *const *words;
    } policies[] = {
        {"fsGroupChangePolicy", security->fs_group_change_policy, fs_group_changes},
        {"supplementalGroupsPolicy", security->supplemental_groups_policy, supplemental},
        {"seLinuxChangePolicy", security->se_linux_change_policy, se_linux_changes},
    };

    for (size_t i = 0; i < array_size(policies); i++) {
        struct path policy = path_name(path, policies[i].name);

        if (policies[i].value)
            require_one_of(report, &policy, policies[i].value, policies[i].words);
    }
}

static void validate_user_namespace(const struct pod_spec *spec, const struct path *path,
                                    struct report *report)
{
    const struct {
        const char *name;
        bool set;
    } host[] = {
        {"hostNetwork", spec->host_network},
        {"HostPID", spec->host_pid},
        {"HostIPC", spec->host_ipc},
    };

    for (size_t i = 0; i < array_size(host); i++)
        if (host[i].set)
            report_error_in(report, path, host[i].name, FINDING_FORBIDDEN,
                            "must not be true when hostUsers is false");
}

void validate_pod_security(const struct pod_spec *spec, const struct path *path,
                           struct report *report)
{
    const struct pod_security_context *security = spec->security_context;
    struct path security_path = path_name(path, "securityContext"),
                fs_group = path_name(&security_path, "fsGroup"),
                groups = path_name(&security_path, "supplementalGroups"),
                sysctls = path_name(&security_path, "sysctls"),
                windows = path_name(&security_path, "windowsOptions");

    if (spec->host_users == OPT_FALSE)
        validate_user_namespace(spec, path, report);
    if (security->fs_group.set)
        require_number(report, &fs_group, security->fs_group.value,
                       name_check_user_id(security->fs_group.value));
    validate_ids(&security->run_as_user, &security->run_as_group, &security_path, report);
    for (size_t i = 0; i < security->supplemental_groups.count; i++) {
        struct path item = path_index(&groups, i);

        require_number(report, &item, security->supplemental_groups.items[i],
                       name_check_user_id(security->supplemental_groups.items[i]));
    }
    if (spec->share_process_namespace == OPT_TRUE && spec->host_pid)
        report_error_in(report, &security_path, "shareProcessNamespace", FINDING_INVALID,
                        "shareProcessNamespace and hostPID must not both be true");
    validate_sysctls(spec, &sysctls, report);
    validate_policies(security, &security_path, report);
    validate_confinement(security->seccomp_profile, security->app_armor_profile, &security_path,
                         report);
    if (security->windows_options)
        validate_windows_options(security->windows_options, &windows, report);
}
