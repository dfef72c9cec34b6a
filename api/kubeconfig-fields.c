/* The shape of a kubeconfig. */
#include "kubeconfig-private.h"

static const struct field cluster_fields[] = {
    FIELD("server", STRING, written_cluster, server),
    FIELD("tls-server-name", STRING, written_cluster, tls_name),
    FIELD("insecure-skip-tls-verify", BOOL, written_cluster, unverified),
    FIELD("certificate-authority", STRING, written_cluster, authority),
    FIELD("certificate-authority-data", STRING, written_cluster, authority_data),
    FIELD("proxy-url", STRING, written_cluster, proxy),
    FIELD("disable-compression", BOOL, written_cluster, uncompressed),
    FIELD_SKIP("extensions"), /* one of them is taken as it is */
};
static const struct schema cluster_schema = SCHEMA(written_cluster, cluster_fields);

static const struct field variable_fields[] = {
    FIELD("name", STRING, string_pair, name),
    FIELD("value", STRING, string_pair, value),
};
static const struct schema variable_schema = SCHEMA(string_pair, variable_fields);

static const struct field exec_fields[] = {
    FIELD("apiVersion", STRING, written_exec, api_version),
    FIELD("command", STRING, written_exec, command),
    FIELD("args", STRINGS, written_exec, arguments),
    FIELD_OF("env", LIST, written_exec, environment, variable_schema),
    FIELD("installHint", STRING, written_exec, install_hint),
    FIELD("provideClusterInfo", BOOL, written_exec, cluster_info),
    FIELD("interactiveMode", STRING, written_exec, interactive),
};
static const struct schema exec_schema = SCHEMA(written_exec, exec_fields);

/* What is in it is of no interest. */
static const struct field refused_fields[] = {
    FIELD_SKIP("name"),
    FIELD_SKIP("config"),
};
static const struct schema refused_schema = SCHEMA(written_refused, refused_fields);

static const struct field user_fields[] = {
    FIELD("client-certificate", STRING, written_user, certificate),
    FIELD("client-certificate-data", STRING, written_user, certificate_data),
    FIELD("client-key", STRING, written_user, key),
    FIELD("client-key-data", STRING, written_user, key_data),
    FIELD("token", STRING, written_user, token),
    FIELD("tokenFile", STRING, written_user, token_file),
    FIELD("username", STRING, written_user, name),
    FIELD("password", STRING, written_user, password),
    FIELD_OF("exec", POINTER, written_user, exec, exec_schema),
    FIELD_OF("auth-provider", POINTER, written_user, auth_provider, refused_schema),
    FIELD("as", STRING, written_user, as),
    FIELD("as-uid", STRING, written_user, as_uid),
    FIELD("as-groups", STRINGS, written_user, as_groups),
    FIELD_OF("as-user-extra", POINTER, written_user, as_extra, refused_schema),
    FIELD_SKIP("extensions"),
};
static const struct schema user_schema = SCHEMA(written_user, user_fields);

static const struct field context_fields[] = {
    FIELD("cluster", STRING, written_context, cluster),
    FIELD("user", STRING, written_context, user),
    FIELD("namespace", STRING, written_context, name_space),
    FIELD_SKIP("extensions"),
};
static const struct schema context_schema = SCHEMA(written_context, context_fields);

static const struct field named_cluster_fields[] = {
    FIELD("name", STRING, named_cluster, name),
    FIELD_OF("cluster", STRUCT, named_cluster, cluster, cluster_schema),
};
static const struct schema named_cluster_schema = SCHEMA(named_cluster, named_cluster_fields);

static const struct field named_user_fields[] = {
    FIELD("name", STRING, named_user, name),
    FIELD_OF("user", STRUCT, named_user, user, user_schema),
};
static const struct schema named_user_schema = SCHEMA(named_user, named_user_fields);

static const struct field named_context_fields[] = {
    FIELD("name", STRING, named_context, name),
    FIELD_OF("context", STRUCT, named_context, context, context_schema),
};
static const struct schema named_context_schema = SCHEMA(named_context, named_context_fields);

static const struct field written_fields[] = {
    FIELD("apiVersion", STRING, written, api_version),
    FIELD("kind", STRING, written, kind),
    FIELD_SKIP("preferences"),
    FIELD_OF("clusters", LIST, written, clusters, named_cluster_schema),
    FIELD_OF("users", LIST, written, users, named_user_schema),
    FIELD_OF("contexts", LIST, written, contexts, named_context_schema),
    FIELD("current-context", STRING, written, context),
    FIELD_SKIP("extensions"),
};
const struct schema written_schema = SCHEMA(written, written_fields);
