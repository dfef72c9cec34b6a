/* The pods of the world: recipes, and the directory that has them. */
#include "manifests.h"
#include "api-server.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/objects/pod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_MIN (10 * USEC_PER_MSEC)
#define LIFE_MAX (60 * USEC_PER_SEC)
#define CRASH_MAX (3 * USEC_PER_SEC)

static const char *const policies[] = {"Always", "OnFailure", "Never"};

const char *restart_policy_name(enum restart_policy policy)
{
    return policies[policy];
}

bool manifests_is_clean(const char *key)
{
    return strstr(key, CLEAN);
}

struct manifest *manifests_find(const char *uid)
{
    list_for_each (node, &world->manifests->all) {
        struct manifest *manifest = list_entry(node, struct manifest, link);

        if (!strcmp(manifest->uid, uid))
            return manifest;
    }
    return NULL;
}

struct pod_container *manifests_container(const char *uid, const char *name)
{
    struct manifest *manifest = manifests_find(uid);

    for (size_t i = 0; manifest && i < manifest->container_count; i++)
        if (!strcmp(manifest->containers[i].name, name))
            return &manifest->containers[i];
    return NULL;
}

usec_t manifests_lifetime(struct pod_container *container, int32_t *code)
{
    const char *uid = container->manifest->uid;

    if (container->crashes && !world->choices.calm) {
        static const int32_t codes[] = {1, 0, 137, 3};

        container->crashes--;
        /* An init container or a job that ends well is done, so it crashes with a failure. */
        *code = codes[draw(SITE_DETAIL, uid, array_size(codes))];
        if (*code == 0 && container->behaviour != BEHAVIOUR_RUNS)
            *code = 1;
        return draw_usec_wide(SITE_LIFETIME, uid, LIFE_MIN, CRASH_MAX);
    }
    if (container->behaviour == BEHAVIOUR_RUNS)
        return USEC_NEVER;
    *code = container->behaviour == BEHAVIOUR_ENDS_BADLY ? 4 : 0;
    return draw_usec_wide(SITE_LIFETIME, uid, LIFE_MIN, LIFE_MAX);
}

/* recipes */

static uint64_t pick(const struct manifest *manifest, uint64_t limit)
{
    return draw(SITE_RECIPE, manifest->uid, limit);
}

static struct pod_container *add_container(struct manifest *manifest, const char *prefix,
                                           enum container_kind kind)
{
    struct pod_container *container = &manifest->containers[manifest->container_count];

    assert_that(manifest->container_count < POD_CONTAINERS_MAX);
    container->manifest = manifest;
    container->kind = kind;
    snprintf(container->name, sizeof(container->name), "%s%zu", prefix,
             manifest->container_count++);
    if (manifest->clean)
        snprintf(container->image, sizeof(container->image), CLEAN "image:1");
    else
        snprintf(container->image, sizeof(container->image), "image-%llu:1",
                 (unsigned long long)pick(manifest, 4));
    return container;
}

static void add_init(struct manifest *manifest)
{
    bool sidecar = pick(manifest, 3) == 0;
    struct pod_container *container =
        add_container(manifest, sidecar ? "side-" : "init-", sidecar ? KIND_SIDECAR : KIND_INIT);

    if (sidecar)
        container->behaviour = BEHAVIOUR_RUNS;
    else if (manifest->policy == RESTART_NEVER && pick(manifest, 5) == 0)
        container->behaviour = BEHAVIOUR_ENDS_BADLY;
    else
        container->behaviour = BEHAVIOUR_ENDS_WELL;
    if (manifest->policy != RESTART_NEVER || sidecar)
        container->crashes = pick(manifest, 4) == 0 ? (unsigned)pick(manifest, 3) : 0;
}

static void add_regular(struct manifest *manifest)
{
    struct pod_container *container = add_container(manifest, "main-", KIND_REGULAR);

    if (manifest->policy == RESTART_ALWAYS || pick(manifest, 3) == 0)
        container->behaviour = BEHAVIOUR_RUNS;
    else if (manifest->policy == RESTART_NEVER && pick(manifest, 3) == 0)
        container->behaviour = BEHAVIOUR_ENDS_BADLY;
    else
        container->behaviour = BEHAVIOUR_ENDS_WELL;
    if (manifest->policy != RESTART_NEVER)
        container->crashes = pick(manifest, 3) == 0 ? (unsigned)pick(manifest, 5) : 0;
    container->post_start = pick(manifest, 6) == 0;
    container->pre_stop = pick(manifest, 6) == 0;
    container->startup_probe = pick(manifest, 8) == 0;
    container->readiness_probe = pick(manifest, 6) == 0;
    container->liveness_probe = pick(manifest, 8) == 0;
    if (pick(manifest, 12) == 0)
        snprintf(container->image, sizeof(container->image), "image-missing:1");
}

static void make_recipe(struct manifest *manifest)
{
    static const int64_t graces[] = {1, 2, 5, 30};
    uint64_t inits, regulars;

    manifest->grace_seconds = graces[pick(manifest, array_size(graces))];
    if (manifest->clean) {
        add_container(manifest, "main-", KIND_REGULAR);
        return;
    }
    manifest->policy = pick(manifest, 2)
                           ? RESTART_ALWAYS
                           : (enum restart_policy)pick(manifest, RESTART_POLICY_COUNT);
    manifest->host_network = pick(manifest, 4) == 0;
    if (pick(manifest, 10) == 0)
        manifest->deadline_seconds = 5 + (int64_t)pick(manifest, 120);
    inits = pick(manifest, 2) ? 0 : pick(manifest, 4);
    for (uint64_t i = 0; i < inits; i++)
        add_init(manifest);
    regulars = 1 + pick(manifest, 3);
    for (uint64_t i = 0; i < regulars; i++)
        add_regular(manifest);
    for (size_t i = 0; i < manifest->container_count && manifest->of_cluster; i++)
        manifest->containers[i].configured = pick(manifest, 4) == 0;
    manifest->has_token = manifest->of_cluster && pick(manifest, 3) == 0;
}

/* manifests as JSON, as static/ leaves them */

static void write_hook(struct strbuf *out, const char *name, bool *first)
{
    strbuf_printf(out, "%s\"%s\":{\"exec\":{\"command\":[\"%s\"]}}", *first ? "" : ",", name, name);
    *first = false;
}

static void write_container(struct strbuf *out, const struct pod_container *container)
{
    bool first = true;

    strbuf_printf(out, "{\"name\":\"%s\",\"image\":\"%s\",\"imagePullPolicy\":\"IfNotPresent\"",
                  container->name, container->image);
    if (container->kind == KIND_SIDECAR)
        strbuf_add(out, ",\"restartPolicy\":\"Always\"");
    if (container->post_start || container->pre_stop) {
        strbuf_add(out, ",\"lifecycle\":{");
        if (container->post_start)
            write_hook(out, "postStart", &first);
        if (container->pre_stop)
            write_hook(out, "preStop", &first);
        strbuf_add(out, "}");
    }
    if (container->configured)
        strbuf_add(out, ",\"env\":[{\"name\":\"A\",\"valueFrom\":{\"configMapKeyRef\":{"
                        "\"name\":\"config\",\"key\":\"a\"}}},"
                        "{\"name\":\"B\",\"valueFrom\":{\"secretKeyRef\":{"
                        "\"name\":\"secret\",\"key\":\"b\",\"optional\":true}}}]");
    /* The kind of handler says which it is to who plays attempts. */
    if (container->startup_probe)
        strbuf_add(out, ",\"startupProbe\":{\"exec\":{\"command\":[\"startup\"]},"
                        "\"periodSeconds\":1,\"failureThreshold\":20}");
    if (container->readiness_probe)
        strbuf_add(out, ",\"readinessProbe\":{\"tcpSocket\":{\"port\":1},\"periodSeconds\":7,"
                        "\"failureThreshold\":1}");
    if (container->liveness_probe)
        strbuf_add(out, ",\"livenessProbe\":{\"grpc\":{\"port\":1},\"periodSeconds\":5}");
    strbuf_add(out, ",\"volumeMounts\":[{\"name\":\"data\",\"mountPath\":\"/data\"}]}");
}

static void write_containers(struct strbuf *out, const struct manifest *manifest, const char *name,
                             bool init)
{
    bool first = true;

    strbuf_printf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < manifest->container_count; i++) {
        if ((manifest->containers[i].kind != KIND_REGULAR) != init)
            continue;
        strbuf_add(out, first ? "" : ",");
        first = false;
        write_container(out, &manifest->containers[i]);
    }
    strbuf_add(out, "]");
}

/* As static/ leaves it, or as it is created in a cluster. */
static void write_metadata(struct strbuf *out, const struct manifest *manifest)
{
    strbuf_printf(out,
                  "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s\","
                  "\"namespace\":\"default\",\"uid\":\"%s\"",
                  manifest->name, manifest->uid);
    if (!manifest->of_cluster)
        strbuf_printf(out,
                      ",\"annotations\":{\"kubernetes.io/config.source\":\"file\","
                      "\"kubernetes.io/config.hash\":\"%s\","
                      "\"nodeagent.dev/static-uid\":\"v1\"}",
                      manifest->uid);
    strbuf_add(out, "}");
}

static void write_volumes(struct strbuf *out, const struct manifest *manifest)
{
    strbuf_add(out, ",\"volumes\":[{\"name\":\"data\",\"emptyDir\":{}}");
    if (manifest->has_token)
        strbuf_add(out, ",{\"name\":\"token\",\"projected\":{\"sources\":["
                        "{\"serviceAccountToken\":{\"path\":\"token\",\"expirationSeconds\":3600}},"
                        "{\"configMap\":{\"name\":\"config\"}}]}}");
    strbuf_add(out, "]");
}

char *manifest_text(const struct manifest *manifest)
{
    struct strbuf out = STRBUF_INIT;

    write_metadata(&out, manifest);
    strbuf_printf(&out,
                  ",\"spec\":{\"nodeName\":\"node\",\"restartPolicy\":\"%s\","
                  "\"terminationGracePeriodSeconds\":%lld",
                  restart_policy_name(manifest->policy), (long long)manifest->grace_seconds);
    write_volumes(&out, manifest);
    if (manifest->host_network)
        strbuf_add(&out, ",\"hostNetwork\":true");
    if (manifest->deadline_seconds)
        strbuf_printf(&out, ",\"activeDeadlineSeconds\":%lld",
                      (long long)manifest->deadline_seconds);
    write_containers(&out, manifest, "initContainers", true);
    write_containers(&out, manifest, "containers", false);
    strbuf_add(&out, "}}");
    return strbuf_take(&out);
}

static struct object *manifest_decode(const struct manifest *manifest)
{
    _cleanup_(mem_free_at) char *text = manifest_text(manifest);
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    static struct json_findings findings;
    struct json *document;
    struct object *object;
    struct report report;
    struct err err;

    if (json_parse(&arena, text, strlen(text), &json_limits_manifest, &findings, &document, &err) <
        0) {
        fprintf(stderr, "%s\n%s\n", text, err.text);
        abort();
    }
    report_init(&report, document);
    object = object_decode(document, OBJECT_KEEP_RAW, &report); /* for its mirror */
    assert_that(object);
    report_deinit(&report);
    return object;
}

/* Every other pod of a member is the cluster's. */
static bool is_of_cluster(unsigned index)
{
    return world->api && index % 2 && index < PODS_MAX;
}

static struct manifest *manifest_new(unsigned index)
{
    struct manifest *manifest = mem_new(struct manifest);
    unsigned version = ++world->manifests->versions[index];
    char name[32];

    manifest->index = index;
    manifest->clean = index >= PODS_MAX;
    snprintf(name, sizeof(name), manifest->clean ? CLEAN "%u" : "pod-%u", index);
    manifest->of_cluster = is_of_cluster(index);
    snprintf(manifest->name, sizeof(manifest->name), manifest->of_cluster ? "%s" : "%s-node", name);
    snprintf(manifest->uid, sizeof(manifest->uid), "%s-v%u", name, version);
    make_recipe(manifest);
    if (!manifest->of_cluster)
        manifest->object = manifest_decode(manifest);
    list_push_back(&world->manifests->all, &manifest->link);
    return manifest;
}

/* the directory */

struct manifest *manifests_newest(unsigned index)
{
    struct manifest *found = NULL;

    list_for_each (node, &world->manifests->all) {
        struct manifest *manifest = list_entry(node, struct manifest, link);

        if (manifest->index == index)
            found = manifest;
    }
    return found;
}

bool manifests_is_there(unsigned index)
{
    const struct manifest *manifest = manifests_newest(index);

    return manifest && manifest->wanted;
}

static void tell_recipe(const struct manifest *manifest)
{
    static const char *const kinds[] = {"", "init ", "sidecar "};
    static const char *const behaviours[] = {"runs", "ends well", "ends badly"};

    trace("    restarts %s, grace %lld s, deadline %lld s%s", restart_policy_name(manifest->policy),
          (long long)manifest->grace_seconds, (long long)manifest->deadline_seconds,
          manifest->host_network ? ", on the host's network" : "");
    for (size_t i = 0; i < manifest->container_count; i++) {
        const struct pod_container *container = &manifest->containers[i];

        trace("    %s%s: %s, %u crashes first%s%s", kinds[container->kind], container->name,
              behaviours[container->behaviour], container->crashes,
              container->post_start ? ", postStart" : "", container->pre_stop ? ", preStop" : "");
    }
}

static void want(struct manifest *manifest)
{
    manifest->wanted = true;
    trace("manifest of %s is put", manifest->uid);
    tell_recipe(manifest);
    if (manifest->of_cluster)
        cluster_pod_put(manifest);
    else
        static_changed();
}

void manifests_take_away(unsigned index)
{
    struct manifest *manifest = manifests_newest(index);

    if (!manifest || !manifest->wanted)
        return;
    manifest->wanted = false;
    trace("manifest of %s is taken away", manifest->uid);
    if (manifest->of_cluster)
        cluster_pod_delete(manifest);
    else
        static_changed();
}

/* In a cluster a pod comes once; another one of its name comes when the name is free. */
static void put_in_cluster(unsigned index, const struct manifest *before)
{
    if (!before || !cluster_has(before))
        want(manifest_new(index));
}

void manifests_put(unsigned index)
{
    struct manifest *manifest = manifests_newest(index);

    if (is_of_cluster(index))
        put_in_cluster(index, manifest);
    else
        want(manifest ? manifest : manifest_new(index));
}

void manifests_change(unsigned index)
{
    manifests_take_away(index);
    if (is_of_cluster(index))
        put_in_cluster(index, manifests_newest(index));
    else
        want(manifest_new(index));
}

struct manifests *manifests_new(void)
{
    struct manifests *manifests = mem_new(struct manifests);

    list_init(&manifests->all);
    return manifests;
}

/* The objects may be held by agents of the past. */
struct manifests *manifests_free(struct manifests *manifests)
{
    while (!list_empty(&manifests->all)) {
        struct manifest *manifest = list_first(&manifests->all, struct manifest, link);

        list_unlink(&manifest->link);
        free(manifest);
    }
    free(manifests);
    return NULL;
}
