/* What the parts of config-check.c share: errors are collected, and told together. */
#pragma once

#include "config-private.h"

struct config_check {
    const struct config_reader *reader;
    struct strbuf text;
    unsigned count;
};

/* One rule that the setting breaks, in the kubelet's words; where it was set is added. */
_printf_(3, 4) void config_refuse(struct config_check *check, const char *name, const char *format,
                                  ...);
/* "maxPods (--max-pods)", or what it has of both */
const char *config_title(struct config_check *check, const char *name);
/* Its value, for which that is shorter. */
const struct setting_value *config_checked(const struct config_check *check, const char *name);

void config_check_resources(struct config_check *check); /* reservations, cgroups */
void config_check_eviction(struct config_check *check);
void config_check_idle(struct config_check *check); /* all that has no effect here */
