/* The Secret kind. */
#include "nodeagent/objects/secret.h"
#include "config-data.h"
#include "kinds.h"
#include "validate.h"

static const struct field secret_fields[] = {
    FIELDS_OF_OBJECT(secret),
    FIELD("data", BYTES_MAP, secret, data),
    FIELD("stringData", TEXT_MAP, secret, string_data),
    FIELD("type", STRING, secret, type),
    FIELD("immutable", OPT_BOOL, secret, immutable),
};
static const struct schema secret_schema = SCHEMA(secret, secret_fields);

static void secret_set_defaults(struct object *object)
{
    struct secret *secret = secret_of(object);

    if (str_empty(secret->type))
        secret->type = "Opaque";
    if (secret->string_data.count)
        config_data_merge(&secret->data, &secret->string_data, &object->arena);
    secret->string_data = (struct bytes_map){0};
}

/* What some types promise to hold */

enum key_rule { KEY_PRESENT, KEY_NOT_EMPTY, KEY_JSON_OBJECT };

struct typed_key {
    const char *type;
    const char *key;
    enum key_rule rule;
};

static const struct typed_key typed_keys[] = {
    {"kubernetes.io/dockercfg", ".dockercfg", KEY_JSON_OBJECT},
    {"kubernetes.io/dockerconfigjson", ".dockerconfigjson", KEY_JSON_OBJECT},
    {"kubernetes.io/ssh-auth", "ssh-privatekey", KEY_NOT_EMPTY},
    {"kubernetes.io/tls", "tls.crt", KEY_PRESENT},
    {"kubernetes.io/tls", "tls.key", KEY_PRESENT},
};

/* A lone null is what the server takes for an empty object. */
static bool is_json_object(const struct bytes_pair *pair, struct arena *arena)
{
    struct json_findings *findings = arena_new(arena, struct json_findings);
    struct json *root;
    struct err err;

    return json_parse(arena, pair->bytes, pair->length, &json_limits_manifest, findings, &root,
                      &err) == 0 &&
           (root->type == JSON_OBJECT || root->type == JSON_NULL);
}

static void validate_typed_key(const struct secret *secret, const struct typed_key *wanted,
                               const struct path *data, struct report *report)
{
    const struct bytes_pair *pair = bytes_map_get(&secret->data, wanted->key);
    struct path key = path_key(data, wanted->key);

    if (!pair || (wanted->rule == KEY_NOT_EMPTY && !pair->length))
        report_error(report, &key, FINDING_REQUIRED, "must be set in a Secret of type %s",
                     wanted->type);
    else if (wanted->rule == KEY_JSON_OBJECT && !is_json_object(pair, &report->arena))
        report_error(report, &key, FINDING_INVALID, "must be a JSON object");
}

static void validate_login(const struct secret *secret, const struct path *data,
                           struct report *report)
{
    struct path user = path_key(data, "username"), password = path_key(data, "password");

    if (bytes_map_get(&secret->data, "username") || bytes_map_get(&secret->data, "password"))
        return;
    report_error(report, &user, FINDING_REQUIRED, "username or password must be set");
    report_error(report, &password, FINDING_REQUIRED, "username or password must be set");
}

static void validate_account_name(const struct secret *secret, struct report *report)
{
    const char *annotation = "kubernetes.io/service-account.name";
    struct path metadata = path_name(NULL, "metadata"),
                annotations = path_name(&metadata, "annotations"),
                key = path_key(&annotations, annotation);

    require_some(report, &key, string_map_get(&secret->object.metadata.annotations, annotation));
}

static void validate_type(const struct secret *secret, const struct path *data,
                          struct report *report)
{
    for (size_t i = 0; i < array_size(typed_keys); i++)
        if (str_equal(secret->type, typed_keys[i].type))
            validate_typed_key(secret, &typed_keys[i], data, report);
    if (str_equal(secret->type, "kubernetes.io/basic-auth"))
        validate_login(secret, data, report);
    else if (str_equal(secret->type, "kubernetes.io/service-account-token"))
        validate_account_name(secret, report);
}

static void secret_validate(const struct object *object, struct report *report)
{
    const struct secret *secret = container_of(object, struct secret, object);
    struct path data = path_name(NULL, "data");
    size_t bytes = config_data_size(&secret->data);

    validate_meta(object, NAME_SUBDOMAIN, FINALIZERS_QUALIFIED, report);
    validate_config_keys(&secret->data, &data, report);
    if (bytes > CONFIG_DATA_BYTES_MAX)
        report_error(report, &data, FINDING_TOO_LONG,
                     "must have at most %d bytes of values in all, not %zu", CONFIG_DATA_BYTES_MAX,
                     bytes);
    validate_type(secret, &data, report);
}

const struct object_kind object_kind_secret = {
    .api_version = "v1",
    .name = "Secret",
    .namespaced = true,
    .size = sizeof(struct secret),
    .schema = &secret_schema,
    .set_defaults = secret_set_defaults,
    .validate = secret_validate,
};
