/* Restart policies: of the pod, of a container, and their rules. */
#include "model.h"

static bool rule_matches(const struct restart_rule *rule, int32_t exit_code)
{
    bool listed = false;

    if (!rule->exit_codes)
        return false;
    array_for_each (value, rule->exit_codes->values)
        listed = listed || *value == exit_code;
    return str_equal(rule->exit_codes->operator_, "In") ? listed : !listed;
}

static const struct restart_rule *matching_rule(const struct container *container,
                                                int32_t exit_code)
{
    if (str_empty(container->restart_policy))
        return NULL;
    array_for_each (rule, container->restart_policy_rules)
        if (rule_matches(rule, exit_code))
            return rule;
    return NULL;
}

static bool policy_restarts(const char *policy, int32_t exit_code)
{
    if (str_equal(policy, "Never"))
        return false;
    if (str_equal(policy, "OnFailure"))
        return exit_code != 0;
    return true;
}

static const char *policy_of(const struct pod *pod, const struct container *container)
{
    return str_empty(container->restart_policy) ? pod->spec.restart_policy
                                                : container->restart_policy;
}

bool restart_wanted(const struct pod *pod, struct pod_container_ref ref, int32_t exit_code)
{
    if (ref.kind == POD_CONTAINER_SIDECAR)
        return true;
    if (ref.kind == POD_CONTAINER_EPHEMERAL)
        return false;
    return matching_rule(ref.container, exit_code) ||
           policy_restarts(policy_of(pod, ref.container), exit_code);
}

bool restart_all_asked(const struct pod *pod, struct pod_container_ref ref, int32_t exit_code)
{
    const struct restart_rule *rule;

    if (ref.kind == POD_CONTAINER_EPHEMERAL)
        return false;
    rule = matching_rule(ref.container, exit_code);
    return rule && str_equal(rule->action, "RestartAllContainers");
}

bool restart_on_change(const struct pod *pod, struct pod_container_ref ref)
{
    return !str_equal(policy_of(pod, ref.container), "Never");
}

bool hash_changed(struct pod_container_ref ref, const struct seen_container *seen)
{
    char text[POD_HASH_TEXT_MAX];

    return !str_equal(pod_container_hash(ref.container, text), seen->hash);
}

bool init_failed(const struct seen_container *seen)
{
    return seen->exit_code != 0 || str_equal(seen->reason, "OOMKilled");
}

bool init_restarts(const struct pod *pod, struct pod_container_ref ref, int32_t exit_code)
{
    /* One that was killed for its memory has failed, whatever its exit code. */
    return restart_wanted(pod, ref, exit_code ? exit_code : 137);
}
