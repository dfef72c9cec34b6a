/* What may be said of resources that are kept back, and of the cgroups that hold what runs. */
#include "config-check.h"
#include "cpu-list.h"

#include <string.h>

/* reservations */

static const char *reservation_error(struct arena *arena, const struct string_pair *pair)
{
    static const char *const resources[] = {"cpu", "memory", "ephemeral-storage", "pid", NULL};
    struct quantity quantity;
    struct err err;

    if (!str_one_of(pair->name, resources))
        return arena_printf(arena,
                            "cannot reserve \"%.64s\" resource; only cpu, memory, "
                            "ephemeral-storage and pid can be",
                            pair->name);
    if (quantity_parse(pair->value, strlen(pair->value), &quantity, &err) < 0)
        return arena_printf(arena, "failed to parse quantity \"%.64s\" for \"%s\" resource: %s",
                            pair->value, pair->name, err.text);
    if (quantity_sign(&quantity) < 0)
        return arena_printf(arena, "resource quantity for \"%s\" cannot be negative: %.64s",
                            pair->name, pair->value);
    return NULL;
}

static void check_reservation(struct config_check *check, const char *name)
{
    const struct string_map *map = &config_checked(check, name)->map;

    array_for_each (pair, *map) {
        const char *error = reservation_error(check->reader->arena, pair);

        if (error)
            config_refuse(check, name, "--%s value failed to parse: %s",
                          config_setting_of(name)->flag, error);
    }
}

static void check_reserved_cpus(struct config_check *check)
{
    const char *text = config_checked(check, "reservedSystemCPUs")->text;
    struct err err;

    if (cpu_list_count(text, &err) < 0)
        config_refuse(check, "reservedSystemCPUs", "invalid configuration: unable to parse %s: %s",
                      config_title(check, "reservedSystemCPUs"), err.text);
    if (*text && (*config_checked(check, "systemReservedCgroup")->text ||
                  *config_checked(check, "kubeReservedCgroup")->text))
        config_refuse(
            check, "reservedSystemCPUs", "invalid configuration: can't use %s with %s or %s",
            config_title(check, "reservedSystemCPUs"), config_title(check, "systemReservedCgroup"),
            config_title(check, "kubeReservedCgroup"));
}

/* cgroups */

static const char *const enforced[] = {
    "pods",
    "system-reserved",
    "system-reserved-compressible",
    "kube-reserved",
    "kube-reserved-compressible",
    "none",
    NULL,
};

/* Its place in the list above, or that of the NULL. */
static size_t place_of(const char *word)
{
    size_t place = 0;

    while (enforced[place] && !str_equal(enforced[place], word))
        place++;
    return place;
}

static bool enforces(struct config_check *check, const char *what)
{
    const struct string_list *list = &config_checked(check, "enforceNodeAllocatable")->list;
    size_t i = 0;

    while (i < list->count && !str_equal(list->items[i], what))
        i++;
    return i < list->count;
}

static void check_enforced_words(struct config_check *check)
{
    const char *const name = "enforceNodeAllocatable";
    const struct string_list *list = &config_checked(check, name)->list;
    unsigned seen = 0;

    for (size_t i = 0; i < list->count; i++) {
        const char *word = list->items[i];
        size_t place = place_of(word);

        if (!enforced[place])
            config_refuse(check, name,
                          "invalid configuration: option \"%.64s\" specified for %s. Valid options "
                          "are pods, system-reserved, system-reserved-compressible, kube-reserved, "
                          "kube-reserved-compressible or none",
                          word, config_title(check, name));
        else if (seen & 1U << place)
            config_refuse(check, name,
                          "invalid configuration: duplicated enforcements \"%s\" in %s", word,
                          config_title(check, name));
        seen |= 1U << place;
    }
    if (enforces(check, "none") && list->count > 1)
        config_refuse(check, name,
                      "invalid configuration: %s may not contain additional enforcements when "
                      "\"none\" is specified",
                      config_title(check, name));
    if (list->count && !enforces(check, "none") && !config_checked(check, "cgroupsPerQOS")->number)
        config_refuse(check, "cgroupsPerQOS",
                      "invalid configuration: %s must be set to true when \"%.64s\" is contained "
                      "in %s; to enforce nothing say none",
                      config_title(check, "cgroupsPerQOS"), list->items[0],
                      config_title(check, name));
}

/* What is reserved is enforced on a cgroup that has to be named; on all of it, or only on what
 * can be squeezed. */
static void check_enforced_cgroup(struct config_check *check, const char *whole, const char *part,
                                  const char *cgroup)
{
    const char *const name = "enforceNodeAllocatable";

    if (enforces(check, whole) && enforces(check, part))
        config_refuse(check, name,
                      "invalid configuration: both \"%s\" and \"%s\" cannot be specified together "
                      "in %s",
                      whole, part, config_title(check, name));
    if ((enforces(check, whole) || enforces(check, part)) && !*config_checked(check, cgroup)->text)
        config_refuse(check, name,
                      "invalid configuration: %s must be specified when \"%s\" is included in %s",
                      config_title(check, cgroup), enforces(check, whole) ? whole : part,
                      config_title(check, name));
}

/* What is moved there would have no place that is surely above it. */
static void check_system_cgroup(struct config_check *check)
{
    const struct setting_value *root = config_checked(check, "cgroupRoot");

    if (*config_checked(check, "systemCgroups")->text &&
        (root->source == FROM_DEFAULT || !*root->text))
        config_refuse(check, "systemCgroups",
                      "invalid configuration: %s was specified and %s was not specified",
                      config_title(check, "systemCgroups"), config_title(check, "cgroupRoot"));
}

void config_check_resources(struct config_check *check)
{
    check_reservation(check, "systemReserved");
    check_reservation(check, "kubeReserved");
    check_reserved_cpus(check);
    check_enforced_words(check);
    check_enforced_cgroup(check, "system-reserved", "system-reserved-compressible",
                          "systemReservedCgroup");
    check_enforced_cgroup(check, "kube-reserved", "kube-reserved-compressible",
                          "kubeReservedCgroup");
    check_system_cgroup(check);
}
