/* Images: asking whether they are there, and who pulls. */
#include "images-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/objects/image.h"
#include "nodeagent/sys/clock.h"

#include <stdlib.h>
#include <string.h>

struct images *images_new(const struct images_options *options)
{
    struct images *images = mem_new(struct images);

    images->options = *options;
    list_init(&images->pulls);
    list_init(&images->requests);
    images->tokens = options->config->registry_burst;
    images->tokens_at = clock_boottime();
    return images;
}

struct images *images_free(struct images *images)
{
    struct map_entry *entry;

    if (!images)
        return NULL;
    while (!list_empty(&images->requests))
        image_request_cancel(list_first(&images->requests, struct image_request, link));
    for (size_t at = 0; (entry = map_next(&images->users, &at));)
        free(entry->value);
    map_deinit(&images->users);
    free(images);
    return NULL;
}

/* users */

static void remember_user(struct images *images, const Cri__Image *image)
{
    size_t name_length = strlen(image->username);
    struct user_entry *entry = mem_zalloc(sizeof(*entry) + name_length + 1);

    if (map_count(&images->users) >= IMAGE_USERS_MAX) {
        struct map_entry *oldest;
        size_t at = 0;

        oldest = map_next(&images->users, &at);
        free(oldest->value);
        map_remove(&images->users, oldest->key);
    }
    memcpy(entry->name, image->username, name_length);
    entry->user.has_uid = image->uid != NULL;
    entry->user.uid = image->uid ? image->uid->value : 0;
    entry->user.name = entry->name;
    free(map_put(&images->users, image->id, entry));
}

bool images_knows_user(const struct images *images, const char *image_id)
{
    return map_get(&images->users, image_id) != NULL;
}

struct image_user images_user(const struct images *images, const char *image_id)
{
    const struct user_entry *entry = map_get(&images->users, image_id);

    return entry ? entry->user : (struct image_user){.name = ""};
}

/* requests */

void image_request_free(struct image_request *request)
{
    if (request->call)
        cri_cancel(request->call);
    if (request->pull)
        list_unlink(&request->waiting);
    wheel_cancel(&request->failure);
    list_unlink(&request->link);
    arena_deinit(&request->arena);
    free(request);
}

void image_request_cancel(struct image_request *request)
{
    struct pull *pull = request->pull;

    image_request_free(request);
    if (pull)
        pull_left(pull);
}

void image_request_done(struct image_request *request, const struct outcome *outcome)
{
    image_done_fn *done = request->done;
    void *owner = request->owner;

    list_unlink(&request->link);
    list_init(&request->link);
    done(owner, outcome);
    image_request_free(request);
}

void image_request_failed(struct image_request *request, const char *reason, const char *format,
                          ...)
{
    struct outcome outcome = {.state = POD_OPERATION_FAILED, .reason = reason};
    va_list arguments;

    va_start(arguments, format);
    outcome.message = arena_vprintf(&request->arena, format, arguments);
    va_end(arguments);
    image_request_done(request, &outcome);
}

/* A failure that is known at once is told from the loop, like all others. */
static void on_failure(struct wheel_timer *timer)
{
    struct image_request *request = container_of(timer, struct image_request, failure);

    image_request_done(request, &request->early);
}

static void fail_soon(struct image_request *request, const char *reason, const char *message)
{
    request->early = (struct outcome){
        .state = POD_OPERATION_FAILED,
        .reason = reason,
        .message = message,
    };
    wheel_arm(request->images->options.wheel, &request->failure, clock_boottime());
}

static void on_status(void *owner, const struct cri_reply *reply);

static bool ask_status(struct image_request *request, const char *image)
{
    Cri__ImageStatusRequest message = CRI__IMAGE_STATUS_REQUEST__INIT;
    Cri__ImageSpec spec = CRI__IMAGE_SPEC__INIT;
    struct err err;

    spec.image = (char *)image;
    image_spec_annotate(request, &spec);
    message.image = &spec;
    if (cri_call(&request->call, request->images->options.cri, &cri_image_status, &message.base,
                 request->images->options.config->runtime_request_timeout, on_status, request,
                 &err) == 0)
        return true;
    fail_soon(request, "ImageInspectError", arena_strdup(&request->arena, err.text));
    return false;
}

static void found(struct image_request *request, const Cri__Image *image)
{
    struct outcome outcome = {.state = POD_OPERATION_DONE, .image_id = image->id};

    remember_user(request->images, image);
    if (request->pulled_ref) {
        /* The runtime's own word for what it pulled is what it starts. */
        outcome.message = pull_told(request, image->size);
    } else {
        outcome.message =
            arena_printf(&request->arena,
                         "Container image \"%s\" already present on machine and can be accessed by "
                         "the pod",
                         request->written);
    }
    image_request_done(request, &outcome);
}

static void on_status(void *owner, const struct cri_reply *reply)
{
    struct image_request *request = owner;
    const Cri__ImageStatusResponse *response = reply->message;

    request->call = NULL;
    if (reply->status != RPC_OK) {
        image_request_failed(request, "ImageInspectError", "Failed to inspect image \"%s\": %s",
                             request->written, reply->text);
    } else if (response->image && !str_empty(response->image->id)) {
        found(request, response->image);
    } else if (request->only_status || request->pulled_ref) {
        image_request_failed(request, "ImageInspectError", "image \"%s\" is not there any more",
                             request->image);
    } else if (str_equal(request->policy, "Never")) {
        image_request_failed(request, "ErrImageNeverPull",
                             "Container image \"%s\" is not present with pull policy of Never",
                             request->written);
    } else {
        pull_join(request);
    }
}

void image_pulled(struct image_request *request, const char *image_ref)
{
    request->pulled_ref = arena_strdup(&request->arena, image_ref);
    ask_status(request, request->pulled_ref);
}

static struct image_request *request_new(struct images *images, const char *image,
                                         image_done_fn *done, void *owner)
{
    struct image_request *request = mem_new(struct image_request);

    request->images = images;
    request->arena = ARENA_INIT(512, 1024);
    request->written = request->image = arena_strdup(&request->arena, image);
    request->done = done;
    request->owner = owner;
    request->began = clock_boottime();
    list_init(&request->waiting);
    list_push_back(&images->requests, &request->link);
    wheel_timer_init(&request->failure, on_failure);
    return request;
}

struct image_request *images_ask_user(struct images *images, const char *image_id,
                                      image_done_fn *done, void *owner)
{
    struct image_request *request = request_new(images, image_id, done, owner);

    request->only_status = true;
    ask_status(request, request->image);
    return request;
}

static void copy_annotations(struct image_request *request, const struct string_map *annotations)
{
    struct string_map *copy = &request->annotations;

    if (!annotations)
        return;
    copy->items = arena_array(&request->arena, struct string_pair, annotations->count);
    array_for_each (pair, *annotations)
        copy->items[copy->count++] = (struct string_pair){
            arena_strdup(&request->arena, pair->name),
            arena_strdup(&request->arena, pair->value ? pair->value : ""),
        };
}

struct image_request *images_ensure(struct images *images, const struct image_order *order)
{
    struct image_request *request = request_new(images, order->image, order->done, order->owner);
    struct image_name name;

    request->progress = order->progress;
    request->policy = arena_strdup(&request->arena, order->policy);
    copy_annotations(request, order->annotations);
    request->credentials = docker_credentials_copy(&order->credentials, &request->arena);
    if (!image_name_parse(order->image, &name)) {
        fail_soon(request, "InvalidImageName",
                  arena_printf(&request->arena,
                               "Failed to apply default image tag \"%s\": couldn't parse image "
                               "name \"%s\": invalid reference format",
                               order->image, order->image));
        return request;
    }
    if (!name.tag.length && !name.digest.length)
        request->image = arena_printf(&request->arena, "%s:latest", order->image);
    if (str_equal(order->policy, "Always"))
        pull_join(request);
    else
        ask_status(request, request->image);
    return request;
}
