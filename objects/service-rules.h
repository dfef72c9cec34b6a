/* The rules of services: what allocation checks first, and the rest. */
#pragma once

#include "nodeagent/objects/service.h"
#include "validate.h"

struct service_check {
    const struct service_spec *spec;
    struct string_list cluster_ips; /* with the single clusterIP taken into account */
    const struct path *path;        /* of spec */
    struct report *report;
};

static inline bool service_is_headless(const struct service_check *check)
{
    return check->cluster_ips.count == 1 && str_equal(check->cluster_ips.items[0], "None");
}

/* Can it be reached from outside the cluster? */
bool service_is_external(const struct service_spec *spec);

/* Does its load balancer ask the nodes for their health? */
static inline bool service_has_health_check(const struct service_spec *spec)
{
    return str_equal(spec->type, "LoadBalancer") &&
           str_equal(spec->external_traffic_policy, "Local");
}

void service_validate(const struct object *object, struct report *report);

/*
 * What the server checks when it allocates addresses and ports, before anything else. Returns
 * whether all is well; else the server says nothing of the rest.
 */
bool validate_service_allocation(const struct service_check *check);

/* spec.ports, without what allocation has checked */
void validate_service_ports(const struct service_check *check);
