/* The node's own servers: where they listen, and with what. */
#include "config-private.h"
#include "nodeagent/sys/log.h"

#include <arpa/inet.h>
#include <errno.h>

static int check_address(const char *text, struct err *err)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1)
        return 0;
    return err_set(err, -EINVAL, "\"%.64s\" must be an IP address", text);
}

static int check_suites(const struct string_list *suites, struct err *err)
{
    bool weak;
    int r = 0;

    for (size_t i = 0; i < suites->count && r == 0; i++)
        r = server_tls_suite_check(suites->items[i], &weak, err);
    return r;
}

/* One alone would be a certificate that nobody finds the key of. */
static int check_pair(const struct config_reader *reader, struct err *err)
{
    bool chain = *config_value_of(reader, "tlsCertFile")->text;
    bool key = *config_value_of(reader, "tlsPrivateKeyFile")->text;

    if (chain == key)
        return 0;
    return err_set(err, -EINVAL, "%s must be set, too",
                   chain ? "tlsPrivateKeyFile (--tls-private-key-file)"
                         : "tlsCertFile (--tls-cert-file)");
}

int config_check_serving(const struct config_reader *reader, const char *name, struct err *err)
{
    const struct setting_value *value = config_value_of(reader, name);
    enum server_tls_version version;

    if (str_equal(name, "tlsMinVersion"))
        return server_tls_version(value->text, &version, err);
    if (str_equal(name, "tlsCipherSuites"))
        return check_suites(&value->list, err);
    if (str_equal(name, "tlsCertFile"))
        return check_pair(reader, err);
    return check_address(value->text, err);
}

/* Without a cluster nobody asks from elsewhere, so an address must be named for it. */
static bool is_served(const struct config_reader *reader)
{
    return config_value_of(reader, "enableServer")->number &&
           (*config_value_of(reader, "kubeconfig")->text ||
            config_value_of(reader, "address")->source != FROM_DEFAULT);
}

void config_keep_serving(struct config *config, const struct config_reader *reader)
{
    const struct string_list *given = &config_value_of(reader, "tlsCipherSuites")->list;
    const char **suites = arena_array(&config->arena, const char *, given->count + 1);
    struct err err;

    if (!is_served(reader))
        config->port = 0;
    for (size_t i = 0; i < given->count; i++)
        suites[i] = arena_strdup(&config->arena, given->items[i]);
    suites[given->count] = NULL;
    config->tls.suites = suites;
    assert_that(server_tls_version(config_value_of(reader, "tlsMinVersion")->text,
                                   &config->tls.oldest, &err) == 0);
}

void config_warn_of_serving(const struct config_reader *reader)
{
    const struct string_list *suites = &config_value_of(reader, "tlsCipherSuites")->list;
    struct err err;
    bool weak;

    for (size_t i = 0; i < suites->count; i++)
        if (server_tls_suite_check(suites->items[i], &weak, &err) == 0 && weak)
            log_warning("tlsCipherSuites (--tls-cipher-suites): %s is not secure any more",
                        suites->items[i]);
    if (suites->count && str_equal(config_value_of(reader, "tlsMinVersion")->text, "VersionTLS13"))
        log_warning("tlsCipherSuites (--tls-cipher-suites) has no effect with TLS 1.3, which has "
                    "its own");
}
