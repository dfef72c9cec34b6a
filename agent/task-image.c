/* Making a container's image present. */
#include "shell.h"

#include "nodeagent/objects/secret.h"

static void on_image(void *owner, const struct outcome *outcome)
{
    struct task *task = owner;

    task->image = NULL;
    task_done(task, outcome);
}

static void on_progress(void *owner, bool pulling, const char *image)
{
    struct task *task = owner;
    char *message;

    if (!pulling) {
        task_say(task, "waits to pull %s", image);
        return;
    }
    task_say(task, "pulling %s", image);
    message = arena_printf(&task->pod->arena, "Pulling image \"%s\"", image);
    pod_event(task->pod, task_operation(task)->name, false, "Pulling", message);
}

/* credentials that the pod names */

static const struct bytes_pair *credentials_of(const struct object *object)
{
    const struct secret *secret = secret_of((struct object *)object);
    const struct bytes_pair *config = bytes_map_get(&secret->data, ".dockerconfigjson");

    return config ? config : bytes_map_get(&secret->data, ".dockercfg");
}

/* False: there is no such Secret, or it has no credentials. */
static bool add_credentials(struct docker_credentials *credentials,
                            const struct translation *translation, const char *name,
                            const char *image)
{
    const struct object *object =
        translation->lookup(translation->lookup_owner, &object_kind_secret,
                            translation->pod->object.metadata.name_space, name);
    const struct bytes_pair *text = object ? credentials_of(object) : NULL;
    struct docker_credentials found;
    struct docker_config *config;
    struct err ignored; /* it may have somebody's password in it */

    if (!text)
        return false;
    config = docker_config_parse(text->bytes, text->length, &ignored);
    if (!config)
        return false;
    found = docker_config_match(config, image, translation->arena);
    *credentials = docker_credentials_join(credentials, &found, translation->arena);
    docker_config_free(config);
    return true;
}

static struct docker_credentials pod_credentials(struct task *task, const char *image,
                                                 struct arena *arena)
{
    struct translation translation = pod_translation(task->pod, arena, NULL);
    struct docker_credentials credentials = {0};
    struct strbuf missing = STRBUF_INIT;

    array_for_each (secret, translation.pod->spec.image_pull_secrets)
        if (!str_empty(secret->name) &&
            !add_credentials(&credentials, &translation, secret->name, image))
            strbuf_printf(&missing, "%s%s", missing.length ? ", " : "", secret->name);
    if (missing.length)
        pod_event(task->pod, NULL, true, "FailedToRetrieveImagePullSecret",
                  arena_printf(arena,
                               "Unable to retrieve some image pull secrets (%s); attempting to "
                               "pull the image may not succeed.",
                               missing.text));
    strbuf_deinit(&missing);
    return credentials;
}

void task_image(struct task *task)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct pod *pod = pod_object(task->pod);
    const struct container *container =
        pod_container_find(pod, task_operation(task)->name).container;
    struct image_order order = {
        .image = container->image,
        .policy = container->image_pull_policy,
        .annotations = &pod->object.metadata.annotations,
        .credentials = pod_credentials(task, container->image, &arena),
        .progress = on_progress,
        .done = on_image,
        .owner = task,
    };

    task->image = images_ensure(task->pod->agent->images, &order);
}
