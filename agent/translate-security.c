/* Who a container runs as, and what of the kernel it shares with whom. */
#include "nodeagent/objects/names.h"
#include "translate-internal.h"

#include <errno.h>
#include <string.h>

/* namespaces */

static int check_users(const struct translation *translation, struct err *err)
{
    const char *handler = wire_text(translation->handler);

    if (translation->pod->spec.host_users != OPT_FALSE)
        return 0;
    if (string_list_has(&translation->node->user_namespace_handlers, handler))
        return err_set(err, -EOPNOTSUPP,
                       "can't set `spec.hostUsers: false`, user namespaces are not supported yet "
                       "by this agent");
    if (*handler)
        return err_set(err, -EOPNOTSUPP,
                       "RuntimeClass handler \"%s\" does not support user namespaces", handler);
    return err_set(err, -EOPNOTSUPP,
                   "can't set `spec.hostUsers: false`, runtime does not support user namespaces");
}

static Cri__NamespaceMode shared_with_node(bool shared)
{
    return shared ? CRI__NAMESPACE_MODE__NODE : CRI__NAMESPACE_MODE__POD;
}

int translate_namespaces(const struct translation *translation, Cri__NamespaceOption **result,
                         struct err *err)
{
    const struct pod_spec *spec = &translation->pod->spec;
    Cri__NamespaceOption *options =
        message_new(translation->arena, &cri__namespace_option__descriptor);
    int r = check_users(translation, err);

    options->network = shared_with_node(spec->host_network);
    options->ipc = shared_with_node(spec->host_ipc);
    if (spec->host_pid)
        options->pid = CRI__NAMESPACE_MODE__NODE;
    else if (spec->share_process_namespace == OPT_TRUE)
        options->pid = CRI__NAMESPACE_MODE__POD;
    else
        options->pid = CRI__NAMESPACE_MODE__CONTAINER;
    options->userns_options = message_new(translation->arena, &cri__user_namespace__descriptor);
    options->userns_options->mode = CRI__NAMESPACE_MODE__NODE;
    *result = options;
    return r;
}

/* groups and labels */

static size_t group_count(const struct pod_security_context *context)
{
    return context->supplemental_groups.count + (context->fs_group.set ? 1 : 0);
}

static int64_t *groups(struct arena *arena, const struct pod_security_context *context)
{
    int64_t *list = arena_array(arena, int64_t, group_count(context));
    size_t count = 0;

    if (context->fs_group.set)
        list[count++] = context->fs_group.value;
    for (size_t i = 0; i < context->supplemental_groups.count; i++)
        list[count++] = context->supplemental_groups.items[i];
    return list;
}

static Cri__SupplementalGroupsPolicy groups_policy(const struct pod_security_context *context)
{
    return str_equal(context->supplemental_groups_policy, "Strict")
               ? CRI__SUPPLEMENTAL_GROUPS_POLICY__Strict
               : CRI__SUPPLEMENTAL_GROUPS_POLICY__Merge;
}

static Cri__Int64Value *id_of(struct arena *arena, const struct opt_int64 *id)
{
    return id->set ? wire_int64(arena, id->value) : NULL;
}

static Cri__SELinuxOption *se_linux(struct arena *arena, const struct se_linux_options *options)
{
    Cri__SELinuxOption *message;

    if (!options)
        return NULL;
    message = message_new(arena, &cri__selinux_option__descriptor);
    message->user = wire_text(options->user);
    message->role = wire_text(options->role);
    message->type = wire_text(options->type);
    message->level = wire_text(options->level);
    return message;
}

/* sandboxes */

static bool any_privileged(const struct container_list *containers)
{
    array_for_each (container, *containers)
        if (container->security_context && container->security_context->privileged == OPT_TRUE)
            return true;
    return false;
}

int translate_sandbox_security(const struct translation *translation,
                               Cri__LinuxSandboxSecurityContext **result, struct err *err)
{
    const struct pod_spec *spec = &translation->pod->spec;
    const struct pod_security_context *context = spec->security_context;
    struct arena *arena = translation->arena;
    Cri__LinuxSandboxSecurityContext *security =
        message_new(arena, &cri__linux_sandbox_security_context__descriptor);

    *result = security;
    security->privileged = any_privileged(&spec->init_containers) ||
                           any_privileged(&spec->containers) ||
                           any_privileged(&spec->ephemeral_containers);
    security->seccomp = profile_new(arena, CRI__SECURITY_PROFILE__PROFILE_TYPE__RuntimeDefault);
    if (context) {
        security->run_as_user = id_of(arena, &context->run_as_user);
        security->run_as_group = id_of(arena, &context->run_as_group);
        security->selinux_options = se_linux(arena, context->se_linux_options);
        security->n_supplemental_groups = group_count(context);
        security->supplemental_groups = groups(arena, context);
        security->supplemental_groups_policy = groups_policy(context);
    }
    return translate_namespaces(translation, &security->namespace_options, err);
}

/* containers: their own context before the pod's */

struct effective {
    const struct se_linux_options *se_linux_options;
    struct opt_int64 run_as_user;
    struct opt_int64 run_as_group;
    uint8_t run_as_non_root;
};

static struct effective effective_of(const struct pod_security_context *pod,
                                     const struct security_context *own)
{
    struct effective effective = {0};

    if (pod)
        effective = (struct effective){
            .se_linux_options = pod->se_linux_options,
            .run_as_user = pod->run_as_user,
            .run_as_group = pod->run_as_group,
            .run_as_non_root = pod->run_as_non_root,
        };
    if (!own)
        return effective;
    if (own->se_linux_options)
        effective.se_linux_options = own->se_linux_options;
    if (own->run_as_user.set)
        effective.run_as_user = own->run_as_user;
    if (own->run_as_group.set)
        effective.run_as_group = own->run_as_group;
    if (own->run_as_non_root != OPT_UNSET)
        effective.run_as_non_root = own->run_as_non_root;
    return effective;
}

/* An image that names no user runs as root. */
static int check_image_user(const struct image_user *user, const char *place, struct err *err)
{
    if (!user->has_uid && !str_empty(user->name))
        return err_set(err, -EPERM,
                       "container has runAsNonRoot and image has non-numeric user (%s), cannot "
                       "verify user is non-root (%s)",
                       user->name, place);
    if (!user->has_uid || user->uid == 0)
        return err_set(err, -EPERM, "container has runAsNonRoot and image will run as root (%s)",
                       place);
    if (name_check_user_id(user->uid))
        return err_set(err, -EPERM,
                       "container has runAsNonRoot and image has an invalid user id (%lld) (%s)",
                       (long long)user->uid, place);
    return 0;
}

static int check_non_root(const struct translation *translation,
                          const struct container_order *order, const struct effective *effective,
                          struct err *err)
{
    const char *place;

    if (effective->run_as_non_root != OPT_TRUE)
        return 0;
    place = arena_printf(translation->arena, "pod: \"%s\", container: %s",
                         translate_pod_name(translation), order->container->name);
    if (!effective->run_as_user.set)
        return check_image_user(&order->image_user, place, err);
    if (effective->run_as_user.value == 0)
        return err_set(err, -EPERM, "container's runAsUser breaks non-root policy (%s)", place);
    return 0;
}

static void set_user(struct arena *arena, const struct container_order *order,
                     const struct effective *effective,
                     Cri__LinuxContainerSecurityContext *security)
{
    const struct image_user *user = &order->image_user;

    security->run_as_group = id_of(arena, &effective->run_as_group);
    if (effective->run_as_user.set)
        security->run_as_user = wire_int64(arena, effective->run_as_user.value);
    else if (user->has_uid)
        security->run_as_user = wire_int64(arena, user->uid);
    else if (!str_empty(user->name))
        security->run_as_username = wire_text(user->name);
    else
        security->run_as_user = wire_int64(arena, 0);
}

/* "CAP_CHOWN" is "CHOWN": containerd would put the prefix before either and ignore the former. */
static char **capability_names(struct arena *arena, const struct string_list *list)
{
    char **names = arena_array(arena, char *, list->count);

    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i];

        names[i] = strncasecmp(name, "CAP_", strlen("CAP_")) == 0
                       ? arena_strdup(arena, name + strlen("CAP_"))
                       : wire_text(name);
    }
    return names;
}

static Cri__Capability *capabilities_of(struct arena *arena,
                                        const struct capabilities *capabilities)
{
    Cri__Capability *message;

    if (!capabilities)
        return NULL;
    message = message_new(arena, &cri__capability__descriptor);
    message->n_add_capabilities = capabilities->add.count;
    message->add_capabilities = capability_names(arena, &capabilities->add);
    message->n_drop_capabilities = capabilities->drop.count;
    message->drop_capabilities = capability_names(arena, &capabilities->drop);
    return message;
}

static void set_own(struct arena *arena, const struct security_context *own,
                    Cri__LinuxContainerSecurityContext *security)
{
    if (!own)
        return;
    security->capabilities = capabilities_of(arena, own->capabilities);
    security->privileged = own->privileged == OPT_TRUE;
    security->readonly_rootfs = own->read_only_root_filesystem == OPT_TRUE;
    security->no_new_privs = own->allow_privilege_escalation == OPT_FALSE;
}

/* What of /proc and /sys says too much of the node, or changes it. */
static void set_paths(const struct translation *translation, const struct security_context *own,
                      Cri__LinuxContainerSecurityContext *security)
{
    static const char *const masked[] = {
        "/proc/asound",     "/proc/acpi",        "/proc/interrupts",
        "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
        "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap",
    };
    static const char *const readonly[] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    };
    const struct string_list *throttles = &translation->node->thermal_throttles;

    if (own && str_equal(own->proc_mount, "Unmasked"))
        return;
    security->masked_paths =
        arena_array(translation->arena, char *, array_size(masked) + throttles->count);
    for (size_t i = 0; i < array_size(masked); i++)
        security->masked_paths[security->n_masked_paths++] = wire_text(masked[i]);
    for (size_t i = 0; i < throttles->count; i++)
        security->masked_paths[security->n_masked_paths++] = wire_text(throttles->items[i]);
    security->readonly_paths = arena_array(translation->arena, char *, array_size(readonly));
    for (size_t i = 0; i < array_size(readonly); i++)
        security->readonly_paths[security->n_readonly_paths++] = wire_text(readonly[i]);
}

static int set_namespaces(const struct translation *translation,
                          const struct container_order *order,
                          Cri__LinuxContainerSecurityContext *security, struct err *err)
{
    const char *target = order->container->target_container_name;
    int r = translate_namespaces(translation, &security->namespace_options, err);

    if (r < 0 || str_empty(target))
        return r;
    if (!order->target_id)
        return err_set(err, -ENOENT, "unable to find target container %s", target);
    if (security->namespace_options->pid == CRI__NAMESPACE_MODE__CONTAINER) {
        security->namespace_options->pid = CRI__NAMESPACE_MODE__TARGET;
        security->namespace_options->target_id = wire_text(order->target_id);
    }
    return 0;
}

int translate_container_security(const struct translation *translation,
                                 const struct container_order *order,
                                 Cri__LinuxContainerSecurityContext **result, struct err *err)
{
    const struct pod_security_context *pod = translation->pod->spec.security_context;
    const struct security_context *own = order->container->security_context;
    struct effective effective = effective_of(pod, own);
    struct arena *arena = translation->arena;
    Cri__LinuxContainerSecurityContext *security =
        message_new(arena, &cri__linux_container_security_context__descriptor);
    int r = check_non_root(translation, order, &effective, err);

    *result = security;
    set_user(arena, order, &effective, security);
    set_own(arena, own, security);
    set_paths(translation, own, security);
    security->selinux_options = se_linux(arena, effective.se_linux_options);
    if (pod) {
        security->n_supplemental_groups = group_count(pod);
        security->supplemental_groups = groups(arena, pod);
        security->supplemental_groups_policy = groups_policy(pod);
    }
    if (r == 0)
        r = translate_profiles(translation, order->container, security, err);
    if (r == 0)
        r = set_namespaces(translation, order, security, err);
    return r;
}
