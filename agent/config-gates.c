/* Feature gates: those that decide about a setting, or hold here anyway; of others one warning. */
#include "config-private.h"
#include "nodeagent/sys/log.h"

#include <string.h>

enum gate_use {
    GATE_DECIDES, /* about a rule or a setting */
    GATE_HOLDS,   /* this agent knows no other way */
};

static const struct gate {
    const char *name;
    const char *group; /* which switches it too; NULL: it is locked */
    bool enabled;
    enum gate_use use;
} gates[] = {
    {"CustomCPUCFSQuotaPeriod", "AllAlpha", false, GATE_DECIDES},
    {"GracefulNodeShutdown", "AllBeta", true, GATE_DECIDES},
    {"GracefulNodeShutdownBasedOnPodPriority", "AllBeta", true, GATE_DECIDES},
    {"KubeletCrashLoopBackOffMax", "AllBeta", true, GATE_DECIDES},
    {"RotateKubeletServerCertificate", "AllBeta", true, GATE_DECIDES},
    {"NodeSwap", NULL, true, GATE_HOLDS},
    {"PreventStaticPodAPIReferences", "AllBeta", true, GATE_HOLDS},
};

static const struct gate *find_gate(const char *name)
{
    for (size_t i = 0; i < array_size(gates); i++)
        if (!strcmp(gates[i].name, name))
            return &gates[i];
    return NULL;
}

bool config_gate_enabled(const struct config_reader *reader, const char *name)
{
    const struct string_map *map = &config_value_of(reader, "featureGates")->map;
    const struct gate *gate = find_gate(name);
    const char *own = string_map_get(map, name);
    const char *group = gate->group ? string_map_get(map, gate->group) : NULL;

    if (own || group)
        return str_equal(own ? own : group, "true");
    return gate->enabled;
}

static bool is_quiet(const struct string_pair *pair)
{
    static const char *const groups[] = {"AllAlpha", "AllBeta", NULL};
    const struct gate *gate = find_gate(pair->name);

    if (!gate)
        return str_one_of(pair->name, groups);
    return gate->use == GATE_DECIDES || str_equal(pair->value, gate->enabled ? "true" : "false");
}

void config_warn_of_gates(const struct config_reader *reader)
{
    const struct string_map *map = &config_value_of(reader, "featureGates")->map;
    struct strbuf names = STRBUF_INIT;

    array_for_each (gate, *map) {
        if (is_quiet(gate))
            continue;
        strbuf_add(&names, names.length ? ", " : "");
        strbuf_add_quoted(&names, gate->name, strlen(gate->name), 64);
    }
    if (names.length)
        log_warning("feature gates that have no effect here: %s", names.text);
    strbuf_deinit(&names);
}
