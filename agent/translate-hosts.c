/* The /etc/hosts of a pod. */
#include "translate-internal.h"

#include <string.h>

static void add_pod(const struct translation *translation, const char *host, const char *domain,
                    struct strbuf *text)
{
    strbuf_add(text, "# Kubernetes-managed hosts file.\n"
                     "127.0.0.1\tlocalhost\n"
                     "::1\tlocalhost ip6-localhost ip6-loopback\n"
                     "fe00::0\tip6-localnet\n"
                     "fe00::0\tip6-mcastprefix\n"
                     "fe00::1\tip6-allnodes\n"
                     "fe00::2\tip6-allrouters\n");
    for (size_t i = 0; i < translation->pod_ips.count; i++) {
        strbuf_printf(text, "%s\t", translation->pod_ips.items[i]);
        if (*domain)
            strbuf_printf(text, "%s.%s\t", host, domain);
        strbuf_printf(text, "%s\n", host);
    }
}

static void add_aliases(const struct translation *translation, struct strbuf *text)
{
    const struct pod_spec *spec = &translation->pod->spec;

    if (spec->host_aliases.count)
        strbuf_add(text, "\n# Entries added by HostAliases.\n");
    array_for_each (alias, spec->host_aliases) {
        strbuf_printf(text, "%s\t", wire_text(alias->ip));
        for (size_t i = 0; i < alias->hostnames.count; i++)
            strbuf_printf(text, "%s%s", i ? "\t" : "", alias->hostnames.items[i]);
        strbuf_add_char(text, '\n');
    }
}

int translate_hosts(const struct translation *translation, struct strbuf *text, struct err *err)
{
    const char *host, *domain;
    int r = translate_hostname(translation, &host, &domain, err);

    if (r < 0)
        return r;
    if (translation->pod->spec.host_network)
        strbuf_add(text, "# Kubernetes-managed hosts file (host network).\n");
    else
        add_pod(translation, host, domain, text);
    add_aliases(translation, text);
    return 0;
}
