/*
 * Manifests: a text is taken as a whole or not at all, with a reason; read twice it gives the same;
 * and its documents written as JSON are the same objects with the same UIDs.
 */
#include "fuzz.h"

#include "manifest.h"

#include <string.h>

static struct manifest *read_manifest(enum manifest_form form, bool config, const char *text,
                                      size_t length)
{
    struct manifest_origin origin = {
        .form = form,
        .place = "/m/x.yaml",
        .node_name = "Node",
        .seen = 1,
        .config_objects = config,
    };

    return manifest_read(&origin, text, length);
}

static void check_manifest(const struct manifest *manifest)
{
    bool refused = false;

    assert_that(manifest->problems.count <= MANIFEST_PROBLEMS_MAX + 1);
    assert_that(manifest->objects.count <= MANIFEST_OBJECTS_MAX);
    array_for_each (problem, manifest->problems) {
        assert_that(*problem->place && *problem->sentence);
        refused |= problem->refused;
    }
    assert_that(manifest->good != refused);
    assert_that(manifest->good || !manifest->objects.count);
    array_for_each (item, manifest->objects) {
        const struct object_meta *meta = &item->object->metadata;

        assert_that(strlen(item->digest) == DIGEST_TEXT_MAX - 1);
        assert_that(*meta->name && *meta->name_space && *meta->uid && !strchr(meta->uid, '/'));
    }
}

static void check_again(const struct manifest_object *item, const char *text, size_t length,
                        size_t place)
{
    struct manifest *again = read_manifest(MANIFEST_FILE, true, text, length);

    assert_that(again->good && again->objects.count > place);
    assert_that(!strcmp(again->objects.items[place].digest, item->digest));
    assert_that(
        !strcmp(again->objects.items[place].object->metadata.uid, item->object->metadata.uid));
    manifest_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct manifest *file = read_manifest(MANIFEST_FILE, true, (const char *)data, size),
                    *plain = read_manifest(MANIFEST_FILE, false, (const char *)data, size),
                    *url = read_manifest(MANIFEST_URL, false, (const char *)data, size);

    check_manifest(file);
    check_manifest(plain);
    check_manifest(url);
    for (size_t i = 0; i < MIN(file->objects.count, (size_t)8); i++) {
        const struct manifest_object *item = &file->objects.items[i];

        check_again(item, (const char *)data, size, i);
        check_again(item, item->object->raw, strlen(item->object->raw), 0);
    }
    manifest_free(file);
    manifest_free(plain);
    manifest_free(url);
    return 0;
}
