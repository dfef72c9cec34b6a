/* The fields of volumes. */
#include "volume-fields.h"
#include "kinds.h"
#include "nodeagent/objects/volume.h"

static const struct field volume_fields[] = {
    FIELD_ALWAYS("name", STRING, volume, name),
};
const struct schema volume_schema = SCHEMA(volume, volume_fields);
