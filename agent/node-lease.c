/* Writing Leases and CSINodes. */
#include "node-lease.h"

#include "nodeagent/base/time.h"

#include <string.h>

/* The plugins that were part of Kubernetes once: drivers have taken over what they did, and their
 * limits count for volumes of both kinds. */
#define MIGRATED_PLUGINS                                                                           \
    "kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,"                     \
    "kubernetes.io/cinder,kubernetes.io/gce-pd,kubernetes.io/portworx-volume,"                     \
    "kubernetes.io/vsphere-volume"

static void write_owner(struct json_writer *writer, const struct node_owner *owner)
{
    json_write_name(writer, "ownerReferences");
    json_write_array(writer);
    json_write_object(writer);
    json_write_string_member(writer, "apiVersion", "v1");
    json_write_string_member(writer, "kind", "Node");
    json_write_string_member(writer, "name", owner->name);
    json_write_string_member(writer, "uid", owner->uid);
    json_write_object_end(writer);
    json_write_array_end(writer);
}

static void write_renewal(struct json_writer *writer, int64_t now_usec)
{
    char text[TIME_TEXT_MAX];

    json_write_string_member(writer, "renewTime", time_format_rfc3339_micro(now_usec, text));
}

/* leases */

void node_lease_write(const struct node_owner *owner, int32_t seconds, int64_t now_usec,
                      struct strbuf *body)
{
    struct json_writer writer;

    assert_that(!str_empty(owner->uid));
    json_writer_init(&writer, body, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "apiVersion", object_kind_lease.api_version);
    json_write_string_member(&writer, "kind", object_kind_lease.name);
    json_write_name(&writer, "metadata");
    json_write_object(&writer);
    json_write_string_member(&writer, "name", owner->name);
    json_write_string_member(&writer, "namespace", LEASE_NAMESPACE);
    write_owner(&writer, owner);
    json_write_object_end(&writer);
    json_write_name(&writer, "spec");
    json_write_object(&writer);
    json_write_string_member(&writer, "holderIdentity", owner->name);
    json_write_int_member(&writer, "leaseDurationSeconds", seconds);
    write_renewal(&writer, now_usec);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

static bool is_named(const struct json_member *member, const char *const *names)
{
    for (; *names; names++)
        if (member->name_length == strlen(*names) &&
            !memcmp(member->name, *names, member->name_length))
            return true;
    return false;
}

/* All members but those. */
static void write_others(struct json_writer *writer, const struct json *object,
                         const char *const *but)
{
    for (uint32_t i = 0; object && i < object->length; i++) {
        const struct json_member *member = &object->members[i];

        if (is_named(member, but))
            continue;
        json_write_bytes(writer, member->name, member->name_length);
        json_write_value(writer, &member->value);
    }
}

static void write_metadata(struct json_writer *writer, const struct lease *seen,
                           const struct json *metadata, const struct node_owner *owner)
{
    static const char *const none[] = {NULL}, *const references[] = {"ownerReferences", NULL};
    bool owned = seen->object.metadata.owner_references.count || str_empty(owner->uid);

    json_write_object(writer);
    write_others(writer, metadata, owned ? none : references);
    if (!owned)
        write_owner(writer, owner);
    json_write_object_end(writer);
}

static void write_renewed(struct json_writer *writer, const struct lease *seen,
                          const struct json *raw, const struct node_owner *owner, int64_t now_usec)
{
    static const char *const others[] = {"apiVersion", "kind", "metadata", "spec", NULL},
                             *const renewal[] = {"renewTime", NULL};

    json_write_object(writer);
    json_write_string_member(writer, "apiVersion", object_kind_lease.api_version);
    json_write_string_member(writer, "kind", object_kind_lease.name);
    write_others(writer, raw, others);
    json_write_name(writer, "metadata");
    write_metadata(writer, seen, json_get(raw, "metadata"), owner);
    json_write_name(writer, "spec");
    json_write_object(writer);
    write_others(writer, json_get(raw, "spec"), renewal);
    write_renewal(writer, now_usec);
    json_write_object_end(writer);
    json_write_object_end(writer);
}

int node_lease_write_renewed(const struct lease *seen, const struct node_owner *owner,
                             int64_t now_usec, struct strbuf *body, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct json_findings *findings = arena_new(&arena, struct json_findings);
    const char *raw = seen->object.raw;
    struct json_writer writer;
    struct json *root;
    int r;

    assert_that(raw);
    r = json_parse(&arena, raw, strlen(raw), &json_limits_manifest, findings, &root, err);
    if (r < 0)
        return err_prefix(err, "the Lease of node %s", owner->name);
    json_writer_init(&writer, body, false);
    write_renewed(&writer, seen, root, owner, now_usec);
    json_writer_deinit(&writer);
    return 0;
}

/* CSINodes */

void csi_node_write(const struct node_owner *owner, struct strbuf *body)
{
    struct json_writer writer;

    assert_that(!str_empty(owner->uid));
    json_writer_init(&writer, body, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "apiVersion", "storage.k8s.io/v1");
    json_write_string_member(&writer, "kind", "CSINode");
    json_write_name(&writer, "metadata");
    json_write_object(&writer);
    json_write_string_member(&writer, "name", owner->name);
    json_write_name(&writer, "annotations");
    json_write_object(&writer);
    json_write_string_member(&writer, "storage.alpha.kubernetes.io/migrated-plugins",
                             MIGRATED_PLUGINS);
    json_write_object_end(&writer);
    write_owner(&writer, owner);
    json_write_object_end(&writer);
    json_write_name(&writer, "spec");
    json_write_object(&writer);
    json_write_name(&writer, "drivers");
    json_write_array(&writer);
    json_write_array_end(&writer);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

bool csi_node_is_stale(const struct json *csi_node, const struct node_owner *owner)
{
    const struct json *metadata = json_get(csi_node, "metadata");
    const struct json *references = metadata ? json_get(metadata, "ownerReferences") : NULL;

    assert_that(!str_empty(owner->uid));
    if (!references || references->type != JSON_ARRAY)
        return false;
    for (uint32_t i = 0; i < references->length; i++) {
        const struct json *kind = json_get_string(&references->items[i], "kind");
        const struct json *uid = json_get_string(&references->items[i], "uid");

        if (kind && uid && json_text_is(kind, "Node") && !json_text_is(uid, owner->uid))
            return true;
    }
    return false;
}
