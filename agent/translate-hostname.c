/* The name that a pod has for itself. */
#include "nodeagent/objects/names.h"
#include "translate-internal.h"

#include <errno.h>
#include <string.h>

enum {
    HOSTNAME_BYTES_MAX = 63, /* the kernel takes 64, the last of them for the NUL */
};

static int cut(const struct translation *translation, const char *name, const char **host,
               struct err *err)
{
    size_t length = strlen(name);

    *host = name;
    if (length <= HOSTNAME_BYTES_MAX)
        return 0;
    length = HOSTNAME_BYTES_MAX;
    while (length && (name[length - 1] == '-' || name[length - 1] == '.'))
        length--;
    if (!length)
        return err_set(err, -EINVAL, "hostname for pod \"%s\" was invalid: \"%s\"",
                       translation->pod->object.metadata.name, name);
    *host = arena_strndup(translation->arena, name, length);
    return 0;
}

static int check_label(const char *what, const char *label, struct err *err)
{
    const char *complaint = str_empty(label) ? NULL : name_check_label(label);

    return complaint ? err_set(err, -EINVAL, "pod %s \"%s\" is not a valid DNS label: %s", what,
                               label, complaint)
                     : 0;
}

int translate_hostname(const struct translation *translation, const char **host,
                       const char **domain, struct err *err)
{
    const struct pod_spec *spec = &translation->pod->spec;
    const struct object_meta *meta = &translation->pod->object.metadata;
    const char *complaint, *cluster = translation->node->config->cluster_domain;
    int r;

    *domain = "";
    if (spec->hostname_override) {
        complaint = name_check_subdomain(spec->hostname_override);
        if (complaint)
            return err_set(err, -EINVAL,
                           "pod HostnameOverride \"%s\" is not a valid DNS subdomain: %s",
                           spec->hostname_override, complaint);
        return cut(translation, spec->hostname_override, host, err);
    }
    r = check_label("Hostname", spec->hostname, err);
    if (r == 0)
        r = check_label("Subdomain", spec->subdomain, err);
    if (r == 0)
        r = cut(translation, str_empty(spec->hostname) ? meta->name : spec->hostname, host, err);
    if (r == 0 && !str_empty(spec->subdomain))
        *domain = arena_printf(translation->arena, "%s.%s.svc%s%s", spec->subdomain,
                               meta->name_space, str_empty(cluster) ? "" : ".", wire_text(cluster));
    return r;
}
