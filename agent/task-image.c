/* Making a container's image present. */
#include "shell.h"

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

void task_image(struct task *task)
{
    const struct pod *pod = pod_object(task->pod);
    const struct container *container =
        pod_container_find(pod, task_operation(task)->name).container;
    struct image_order order = {
        .image = container->image,
        .policy = container->image_pull_policy,
        .annotations = &pod->object.metadata.annotations,
        .progress = on_progress,
        .done = on_image,
        .owner = task,
    };

    task->image = images_ensure(task->pod->agent->images, &order);
}
