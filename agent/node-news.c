/* Conditions that changed, and another boot. */
#include "node-news.h"

#include "nodeagent/base/str.h"

static const char *const reasons[NODE_NEWS] = {
    [NODE_REBOOTED] = "Rebooted",
    [NODE_HAS_SUFFICIENT_MEMORY] = "NodeHasSufficientMemory",
    [NODE_HAS_INSUFFICIENT_MEMORY] = "NodeHasInsufficientMemory",
    [NODE_HAS_NO_DISK_PRESSURE] = "NodeHasNoDiskPressure",
    [NODE_HAS_DISK_PRESSURE] = "NodeHasDiskPressure",
    [NODE_HAS_SUFFICIENT_PID] = "NodeHasSufficientPID",
    [NODE_HAS_INSUFFICIENT_PID] = "NodeHasInsufficientPID",
    [NODE_READY] = "NodeReady",
    [NODE_NOT_READY] = "NodeNotReady",
};

static const struct told_condition {
    const char *type;
    enum node_news when_true;
    enum node_news when_false;
    bool from_the_first; /* also of a Node that did not have it */
} conditions[] = {
    {"MemoryPressure", NODE_HAS_INSUFFICIENT_MEMORY, NODE_HAS_SUFFICIENT_MEMORY, true},
    {"DiskPressure", NODE_HAS_DISK_PRESSURE, NODE_HAS_NO_DISK_PRESSURE, true},
    {"PIDPressure", NODE_HAS_INSUFFICIENT_PID, NODE_HAS_SUFFICIENT_PID, true},
    {"Ready", NODE_READY, NODE_NOT_READY, false},
};

/* "True", "False" or "Unknown"; NULL: it has no such condition. */
static const char *status_of(const struct node *node, const char *type)
{
    if (node)
        array_for_each (condition, node->status.conditions)
            if (str_equal(condition->type, type))
                return condition->status;
    return NULL;
}

unsigned node_news(const struct node *seen, const struct node *told)
{
    unsigned news = 0;

    if (seen && !str_empty(seen->status.node_info.boot_id) &&
        !str_equal(seen->status.node_info.boot_id, told->status.node_info.boot_id))
        news |= 1U << NODE_REBOOTED;
    for (size_t i = 0; i < array_size(conditions); i++) {
        const struct told_condition *condition = &conditions[i];
        const char *before = status_of(seen, condition->type);
        const char *now = status_of(told, condition->type);

        if (before ? !str_equal(before, now) : condition->from_the_first)
            news |= 1U << (str_equal(now, "True") ? condition->when_true : condition->when_false);
    }
    return news;
}

const char *node_news_reason(enum node_news news)
{
    return reasons[news];
}
