/*
 * Rules of what has no effect here yet: what a kubelet refuses is refused, so that a file that is
 * wrong is found on the first node that reads it, whichever agent that has.
 */
#include "config-check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000 /* in nanoseconds */

enum {
    IDS_OF_A_POD = 65536,
};

static int64_t number_of(const struct config_check *check, const char *name)
{
    return config_checked(check, name)->number;
}

static const char *duration_of(struct config_check *check, const char *name)
{
    char text[TIME_TEXT_MAX];

    return arena_strdup(check->reader->arena, duration_format(number_of(check, name), text));
}

/* images */

static void check_image_age(struct config_check *check, const char *name)
{
    if (number_of(check, name) < 0)
        config_refuse(check, name, "invalid configuration: %s %s must not be negative",
                      config_title(check, name), duration_of(check, name));
}

static void check_images(struct config_check *check)
{
    const char *const low = "imageGCLowThresholdPercent";
    const char *const high = "imageGCHighThresholdPercent";
    const char *const least = "imageMinimumGCAge";
    const char *const most = "imageMaximumGCAge";
    const char *const policy = "imagePullCredentialsVerificationPolicy";
    const char *const list = "preloadedImagesVerificationAllowlist";

    if (number_of(check, low) >= number_of(check, high))
        config_refuse(check, low, "invalid configuration: %s %lld must be less than %s %lld",
                      config_title(check, low), (long long)number_of(check, low),
                      config_title(check, high), (long long)number_of(check, high));
    check_image_age(check, least);
    check_image_age(check, most);
    if (number_of(check, most) > 0 && number_of(check, most) <= number_of(check, least))
        config_refuse(check, most, "invalid configuration: %s %s must be greater than %s %s",
                      config_title(check, most), duration_of(check, most),
                      config_title(check, least), duration_of(check, least));
    if (config_checked(check, list)->list.count &&
        !str_equal(config_checked(check, policy)->text, "NeverVerifyAllowlistedImages"))
        config_refuse(check, list,
                      "invalid configuration: can't set %s if %s is not "
                      "\"NeverVerifyAllowlistedImages\"",
                      list, policy);
}

static void check_credential_providers(struct config_check *check)
{
    const char *const config = "image-credential-provider-config";
    const char *const programs = "image-credential-provider-bin-dir";

    if (!*config_checked(check, config)->text != !*config_checked(check, programs)->text)
        config_refuse(check, config,
                      "invalid configuration: --%s and --%s must be set both, or neither", config,
                      programs);
}

/* logs of the system */

static void check_logs(struct config_check *check)
{
    if (number_of(check, "enableSystemLogQuery") && !number_of(check, "enableSystemLogHandler"))
        config_refuse(check, "enableSystemLogQuery",
                      "invalid configuration: enableSystemLogHandler is required for "
                      "enableSystemLogQuery");
}

/* the end of the node */

static void check_shutdown_period(struct config_check *check, const char *name)
{
    int64_t period = number_of(check, name);

    if (period < 0 || (period > 0 && period < SECOND))
        config_refuse(check, name,
                      "invalid configuration: %s %s must be either zero or otherwise >= 1 sec",
                      name, duration_of(check, name));
}

static void check_shutdown(struct config_check *check)
{
    const char *const all = "shutdownGracePeriod";
    const char *const critical = "shutdownGracePeriodCriticalPods";
    const char *const priorities = "shutdownGracePeriodByPodPriority";
    bool periods = number_of(check, all) > 0 || number_of(check, critical) > 0;

    check_shutdown_period(check, all);
    check_shutdown_period(check, critical);
    if (number_of(check, critical) > number_of(check, all))
        config_refuse(check, critical, "invalid configuration: %s %s must be <= %s %s", critical,
                      duration_of(check, critical), all, duration_of(check, all));
    if (periods && !config_gate_enabled(check->reader, "GracefulNodeShutdown"))
        config_refuse(check, all,
                      "invalid configuration: specifying %s or %s requires feature gate "
                      "GracefulNodeShutdown",
                      all, critical);
    if (!config_checked(check, priorities)->filled)
        return;
    if (periods)
        config_refuse(check, priorities,
                      "invalid configuration: Cannot specify both %s and %s at the same time",
                      priorities, all);
    if (!config_gate_enabled(check->reader, "GracefulNodeShutdownBasedOnPodPriority"))
        config_refuse(check, priorities,
                      "invalid configuration: Specifying %s requires feature gate "
                      "GracefulNodeShutdownBasedOnPodPriority",
                      priorities);
}

/* others */

static void check_memory_factor(struct config_check *check)
{
    const char *const name = "memoryThrottlingFactor";
    double factor = strtod(config_checked(check, name)->text, NULL);

    if (!isfinite(factor) || factor <= 0 || factor > 1)
        config_refuse(
            check, name,
            "invalid configuration: %s %.32s must be greater than 0 and less than or equal "
            "to 1.0",
            name, config_checked(check, name)->text);
}

static void check_ids(struct config_check *check)
{
    const char *const name = "userNamespaces.idsPerPod";
    int64_t ids = number_of(check, name);

    if (ids <= 0 || ids % IDS_OF_A_POD)
        config_refuse(check, name,
                      "invalid configuration: %s %lld must be a multiple of %d and greater than 0",
                      name, (long long)ids, IDS_OF_A_POD);
}

void config_check_idle(struct config_check *check)
{
    check_images(check);
    check_credential_providers(check);
    check_logs(check);
    check_shutdown(check);
    check_memory_factor(check);
    check_ids(check);
    if (number_of(check, "runOnce"))
        config_refuse(check, "runOnce",
                      "invalid configuration: %s true: the kubelet runs no pods only once any more",
                      config_title(check, "runOnce"));
}
