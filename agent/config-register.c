/* What a Node is created with, as the configuration has it: labels, taints, and its version. */
#include "config-private.h"
#include "nodeagent/objects/names.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* labels */

static bool is_within(const char *domain, size_t length, const char *name)
{
    size_t size = strlen(name);

    return length >= size && !memcmp(domain + length - size, name, size) &&
           (length == size || domain[length - size - 1] == '.');
}

/* The server takes no other of Kubernetes' own labels from a node. */
static bool is_allowed(const char *label, size_t length)
{
    static const char *const names[] = {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
        NULL,
    };

    return str_one_of(label, names) || is_within(label, length, "kubelet.kubernetes.io") ||
           is_within(label, length, "node.kubernetes.io");
}

int config_check_label(const struct string_pair *label, struct err *err)
{
    const char *slash = strchr(label->name, '/');
    size_t length = slash ? (size_t)(slash - label->name) : 0;
    const char *complaint = name_check_qualified(label->name);

    if (complaint)
        return err_set(err, -EINVAL, "the label \"%.64s\" %s", label->name, complaint);
    complaint = name_check_label_value(label->value);
    if (complaint)
        return err_set(err, -EINVAL, "the value \"%.64s\" of label %.64s %s", label->value,
                       label->name, complaint);
    if ((is_within(label->name, length, "kubernetes.io") ||
         is_within(label->name, length, "k8s.io")) &&
        !is_allowed(label->name, length))
        return err_set(err, -EINVAL,
                       "unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: "
                       "[%.128s]; such a label must begin with kubelet.kubernetes.io/ or "
                       "node.kubernetes.io/, or an administrator sets it",
                       label->name);
    return 0;
}

/* taints */

int config_taint(const char *text, struct arena *arena, struct taint *taint, struct err *err)
{
    static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
    char *copy = arena_strdup(arena, text), *colon = strrchr(copy, ':'), *equals;
    const char *complaint;

    if (!colon)
        return err_set(err, -EINVAL,
                       "invalid taint spec: %.128s; it must be key=value:Effect or key:Effect",
                       text);
    *colon = '\0';
    equals = strchr(copy, '=');
    if (equals)
        *equals = '\0';
    *taint = (struct taint){
        .key = copy,
        .value = equals ? equals + 1 : "",
        .effect = colon + 1,
    };
    complaint = name_check_qualified(taint->key);
    if (complaint)
        return err_set(err, -EINVAL, "invalid taint spec: %.128s; the key %s", text, complaint);
    complaint = name_check_label_value(taint->value);
    if (complaint)
        return err_set(err, -EINVAL, "invalid taint spec: %.128s; the value %s", text, complaint);
    if (!str_one_of(taint->effect, effects))
        return err_set(err, -EINVAL,
                       "invalid taint effect: %.64s; must be NoSchedule, PreferNoSchedule or "
                       "NoExecute",
                       taint->effect);
    return 0;
}

/* version */

enum {
    MINOR_LEAST = 34,
    MINOR_MOST = 36,
    PATCH_DIGITS_MAX = 3,
};

const char *config_kubernetes_version(const char *text, struct arena *arena)
{
    const char *rest = text + (*text == 'v');
    size_t digits;
    int minor;

    if (!str_has_prefix(rest, "1.") || !isdigit((unsigned char)rest[2]) ||
        !isdigit((unsigned char)rest[3]))
        return NULL;
    minor = (rest[2] - '0') * 10 + (rest[3] - '0');
    if (minor < MINOR_LEAST || minor > MINOR_MOST)
        return NULL;
    rest += strlen("1.34");
    if (!*rest)
        return arena_printf(arena, "v1.%d.0", minor);
    digits = strspn(rest + 1, "0123456789");
    if (*rest != '.' || !digits || digits > PATCH_DIGITS_MAX || rest[1 + digits] ||
        (digits > 1 && rest[1] == '0'))
        return NULL;
    return arena_printf(arena, "v1.%d%s", minor, rest);
}
