/* The rules for a pod's DNS settings. */
#include "pod-rules.h"

#include <string.h>

enum {
    NAMESERVERS_MAX = 3,
    SEARCHES_MAX = 32,
    SEARCHES_BYTES_MAX = 2048,
    SEARCH_MAX = 253,
};

/*
 * A search domain: a subdomain whose parts may begin with one "_" and hold more. With the first
 * taken away and the others read as "-", the rule is the subdomain's; a final dot is allowed. The
 * limit is that of the domain as it is written.
 */
static const char *check_search(const char *search)
{
    char plain[512];
    size_t length = 0, whole = strlen(search) - str_has_suffix(search, ".");

    for (const char *c = search; *c && length + 1 < sizeof(plain); c++) {
        bool starts = c == search || c[-1] == '.';

        if (*c == '_' && starts)
            continue;
        if (*c == '.' && !c[1] && c > search)
            continue;
        plain[length++] = *c == '_' ? '-' : *c;
    }
    plain[length] = '\0';
    return strcmp(search, ".") && (whole > SEARCH_MAX || name_check_subdomain(plain))
               ? "must be a domain: lower-case letters, digits, \"-\", \"_\" and \".\""
               : NULL;
}

static void validate_searches(const struct dns_config *dns, const struct path *path,
                              struct report *report)
{
    struct path searches = path_name(path, "searches");
    size_t bytes = 0;

    if (dns->searches.count > SEARCHES_MAX)
        report_error(report, &searches, FINDING_INVALID, "must have at most %d entries",
                     SEARCHES_MAX);
    for (size_t i = 0; i < dns->searches.count; i++) {
        struct path item = path_index(&searches, i);

        bytes += strlen(dns->searches.items[i]) + (i > 0);
        require(report, &item, dns->searches.items[i], check_search(dns->searches.items[i]));
    }
    if (bytes > SEARCHES_BYTES_MAX)
        report_error(report, &searches, FINDING_INVALID, "must have at most %d bytes together",
                     SEARCHES_BYTES_MAX);
}

static void validate_dns_config(const struct dns_config *dns, const struct path *path,
                                struct report *report)
{
    struct path nameservers = path_name(path, "nameservers"), options = path_name(path, "options");

    if (dns->nameservers.count > NAMESERVERS_MAX)
        report_error(report, &nameservers, FINDING_INVALID, "must have at most %d entries",
                     NAMESERVERS_MAX);
    for (size_t i = 0; i < dns->nameservers.count; i++) {
        struct path item = path_index(&nameservers, i);

        require(report, &item, dns->nameservers.items[i], name_check_ip(dns->nameservers.items[i]));
    }
    validate_searches(dns, path, report);
    for (size_t i = 0; i < dns->options.count; i++) {
        struct path item = path_index(&options, i);

        if (str_empty(dns->options.items[i].name))
            report_error(report, &item, FINDING_REQUIRED, "must have a name");
    }
}

void validate_dns(const struct pod_spec *spec, const struct path *path, struct report *report)
{
    static const char *const policies[] = {"ClusterFirst", "ClusterFirstWithHostNet", "Default",
                                           "None", NULL};
    struct path policy = path_name(path, "dnsPolicy"), config = path_name(path, "dnsConfig");

    require_one_of(report, &policy, spec->dns_policy, policies);
    if (str_equal(spec->dns_policy, "None")) {
        if (!spec->dns_config) {
            report_error(report, &config, FINDING_REQUIRED, "must be set when dnsPolicy is None");
            return;
        }
        if (!spec->dns_config->nameservers.count) {
            report_error_in(report, &config, "nameservers", FINDING_REQUIRED,
                            "must have an entry when dnsPolicy is None");
            return;
        }
    }
    if (spec->dns_config)
        validate_dns_config(spec->dns_config, &config, report);
}
