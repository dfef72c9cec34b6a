/* The ConfigMap kind. */
#include "config-data.h"
#include "kinds.h"
#include "nodeagent/objects/config_map.h"
#include "validate.h"

static const struct field config_map_fields[] = {
    FIELDS_OF_OBJECT(config_map),
    FIELD("data", TEXT_MAP, config_map, data),
    FIELD("binaryData", BYTES_MAP, config_map, binary_data),
    FIELD("immutable", OPT_BOOL, config_map, immutable),
};
static const struct schema config_map_schema = SCHEMA(config_map, config_map_fields);

static void config_map_validate(const struct object *object, struct report *report)
{
    const struct config_map *map = container_of(object, struct config_map, object);
    struct path data = path_name(NULL, "data"), binary = path_name(NULL, "binaryData"),
                whole = path_key(NULL, ""); /* the server's path of it: "[]" */
    size_t bytes = config_data_size(&map->data) + config_data_size(&map->binary_data);

    validate_meta(object, NAME_SUBDOMAIN, FINALIZERS_QUALIFIED, report);
    validate_config_keys(&map->data, &data, report);
    validate_config_keys(&map->binary_data, &binary, report);
    report_shared_keys(&map->data, &map->binary_data, &data, report);
    if (bytes > CONFIG_DATA_BYTES_MAX)
        report_error(report, &whole, FINDING_TOO_LONG,
                     "must have at most %d bytes of values in all, not %zu", CONFIG_DATA_BYTES_MAX,
                     bytes);
}

const struct object_kind object_kind_config_map = {
    .api_version = "v1",
    .name = "ConfigMap",
    .namespaced = true,
    .size = sizeof(struct config_map),
    .schema = &config_map_schema,
    .validate = config_map_validate,
};
