/* Which sandbox the pod has, and whether it needs another. */
#include "model.h"

struct sandbox_choice sandbox_choose(const struct pod *pod, const struct pod_observed *observed)
{
    const struct seen_sandbox *newest = observed->sandboxes.items;
    struct sandbox_choice choice = {0};
    size_t ready = 0;

    if (!observed->sandboxes.count)
        return choice;
    array_for_each (sandbox, observed->sandboxes)
        ready += sandbox->ready;
    choice.attempt = newest->attempt + 1;
    if (ready > 1 || !newest->ready) {
        choice.old_id = newest->id;
        return choice;
    }
    if (newest->host_network != pod->spec.host_network)
        return choice;
    if (!newest->host_network && newest->network_known && !newest->ip_count) {
        choice.old_id = newest->id;
        return choice;
    }
    choice.keep = newest;
    return choice;
}

/* Would anything be started in it? */
bool sandbox_worth_making(const struct planner *planner, const struct sandbox_choice *choice)
{
    const struct pod *pod = planner->desired->pod;
    bool any_record = false, wanted = false;

    if (str_equal(pod->spec.restart_policy, "Never") && choice->attempt &&
        planner->observed->containers.count)
        return false;
    array_for_each (container, pod->spec.containers) {
        const struct seen_container *seen = seen_newest(planner->observed, container->name);
        const char *policy = str_empty(container->restart_policy) ? pod->spec.restart_policy
                                                                  : container->restart_policy;

        any_record = any_record || (seen && seen->state != POD_UNKNOWN);
        if (!(seen && seen->state == POD_EXITED && !seen->exit_code &&
              str_equal(policy, "OnFailure")) ||
            memory_restart_due(planner->memory, container->name))
            wanted = true;
    }
    return wanted || !any_record;
}
