/*
 * Pulling. A pull is for one image; requests join it. Credentials are those of the node's docker
 * configuration, tried in turn; without any, one pull without. Pulls have no time limit: a slow
 * registry is slow, and what they do can be seen by `why`.
 */
#include "docker-config.h"
#include "images-private.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CREDENTIALS_LIMIT_USEC (60 * USEC_PER_SEC)

struct pull {
    struct list link;
    struct images *images;
    struct arena arena;
    struct list requests;
    const char *image;
    struct docker_credentials own; /* of who asks, tried before the node's */
    struct cri_call *call;
    struct work_job *job;
    bool begun;
    usec_t began;
    struct docker_credentials credentials;
    size_t tried;
    struct strbuf failures;
};

struct credentials_job {
    char *root_dir;
    char *home;
    char *image;
    struct docker_config *config;
    struct err err;
};

static void next_pulls(struct images *images);

void image_spec_annotate(struct image_request *request, Cri__ImageSpec *spec)
{
    const struct string_map *annotations = &request->annotations;

    if (!annotations->count)
        return;
    spec->n_annotations = annotations->count;
    spec->annotations = arena_array(&request->arena, Cri__Pair *, annotations->count);
    for (size_t i = 0; i < annotations->count; i++) {
        spec->annotations[i] = arena_new(&request->arena, Cri__Pair);
        cri__pair__init(spec->annotations[i]);
        spec->annotations[i]->key = (char *)annotations->items[i].name;
        spec->annotations[i]->value = (char *)annotations->items[i].value;
    }
}

static void pull_free(struct pull *pull)
{
    struct images *images = pull->images;

    if (pull->call)
        cri_cancel(pull->call);
    if (pull->job) {
        struct work_job *job = pull->job;

        pull->job = NULL;
        work_cancel(job);
    }
    images->pulling -= pull->begun;
    list_unlink(&pull->link);
    strbuf_deinit(&pull->failures);
    arena_deinit(&pull->arena);
    free(pull);
}

/* Nobody waits for it any more. */
void pull_left(struct pull *pull)
{
    struct images *images = pull->images;

    if (!list_empty(&pull->requests))
        return;
    pull_free(pull);
    next_pulls(images);
}

/* outcomes */

static void pull_over(struct pull *pull, const char *image_ref, const char *reason,
                      const char *message)
{
    struct images *images = pull->images;
    usec_t took = usec_sub(clock_boottime(), pull->began);
    struct list requests = LIST_INIT(requests);

    list_splice(&requests, &pull->requests);
    list_for_each_safe (node, &requests) {
        struct image_request *request = list_entry(node, struct image_request, waiting);

        request->pull = NULL;
        list_unlink(&request->waiting);
        request->pulled_usec = took;
        if (image_ref)
            image_pulled(request, image_ref);
        else
            image_request_failed(request, reason, "%s", message);
    }
    pull_free(pull);
    next_pulls(images);
}

/* The reasons that a runtime gives by the first word of what it says. */
static const char *failure_reason(const char **message, const char *image, struct arena *arena)
{
    static const struct {
        const char *word;
        const char *means;
    } words[] = {
        {"RegistryUnavailable", "the registry is unavailable"},
        {"SignatureValidationFailed", "the signature validation failed"},
    };

    for (size_t i = 0; i < array_size(words); i++)
        if (str_has_prefix(*message, words[i].word)) {
            *message = arena_printf(arena, "image pull failed for %s because %s%s", image,
                                    words[i].means, *message + strlen(words[i].word));
            return words[i].word;
        }
    return "ErrImagePull";
}

static void ask(struct pull *pull);

static void pull_failed(struct pull *pull, const char *text)
{
    const char *message, *reason;

    if (pull->failures.length)
        strbuf_add(&pull->failures, ", ");
    strbuf_add(&pull->failures, text);
    if (++pull->tried < pull->credentials.count) {
        ask(pull);
        return;
    }
    message = pull->tried > 1 ? arena_printf(&pull->arena, "[%s]", pull->failures.text)
                              : pull->failures.text;
    reason = failure_reason(&message, pull->image, &pull->arena);
    pull_over(pull, NULL, reason, message);
}

static void on_pulled(void *owner, const struct cri_reply *reply)
{
    struct pull *pull = owner;
    const Cri__PullImageResponse *response = reply->message;

    pull->call = NULL;
    if (reply->status == RPC_OK && !str_empty(response->image_ref)) {
        pull_over(pull, response->image_ref, NULL, NULL);
    } else if (reply->status == RPC_OK) {
        pull_failed(pull, "the runtime pulled it without saying what");
    } else if (reply->status == RPC_UNKNOWN) {
        pull_failed(pull, reply->text);
    } else {
        pull_failed(pull, arena_printf(&pull->arena, "rpc error: code = %s desc = %s",
                                       rpc_status_name(reply->status), reply->text));
    }
}

static void ask(struct pull *pull)
{
    Cri__PullImageRequest message = CRI__PULL_IMAGE_REQUEST__INIT;
    Cri__ImageSpec spec = CRI__IMAGE_SPEC__INIT;
    Cri__AuthConfig auth = CRI__AUTH_CONFIG__INIT;
    struct image_request *first = list_first(&pull->requests, struct image_request, waiting);
    struct err err;

    spec.image = (char *)pull->image;
    image_spec_annotate(first, &spec);
    message.image = &spec;
    if (pull->credentials.count) {
        auth.username = (char *)pull->credentials.items[pull->tried].user;
        auth.password = (char *)pull->credentials.items[pull->tried].password;
        message.auth = &auth;
    }
    if (cri_call(&pull->call, pull->images->options.cri, &cri_pull_image, &message.base, USEC_NEVER,
                 on_pulled, pull, &err) < 0)
        pull_over(pull, NULL, "ErrImagePull", err.text);
}

/* credentials */

static int read_credentials(void *argument)
{
    struct credentials_job *job = argument;

    job->config = docker_config_load(job->root_dir, job->home, &job->err);
    return 0;
}

static void credentials_free(void *argument)
{
    struct credentials_job *job = argument;

    docker_config_free(job->config);
    free(job->root_dir);
    free(job->home);
    free(job->image);
    free(job);
}

static void on_credentials(void *owner, void *argument, int result)
{
    struct pull *pull = owner;
    const struct credentials_job *job = argument;

    if (!pull->job)
        return; /* cancelled */
    pull->job = NULL;
    if (job && job->err.code)
        log_failure(LOG_LEVEL_WARNING, NULL, &job->err);
    if (job && job->config)
        pull->credentials = docker_config_match(job->config, pull->image, &pull->arena);
    pull->credentials = docker_credentials_join(&pull->own, &pull->credentials, &pull->arena);
    ask(pull);
}

static void begin(struct pull *pull)
{
    struct images *images = pull->images;
    struct credentials_job *job = mem_new(struct credentials_job);
    const char *home = getenv("HOME");
    struct work_order order = {
        .limit_usec = CREDENTIALS_LIMIT_USEC,
        .run = read_credentials,
        .done = on_credentials,
        .free = credentials_free,
        .argument = job,
        .owner = pull,
    };
    struct err err;

    pull->begun = true;
    pull->began = clock_boottime();
    images->pulling++;
    list_for_each (node, &pull->requests) {
        struct image_request *request = list_entry(node, struct image_request, waiting);

        request->progress(request->owner, true, request->written);
    }
    job->root_dir = mem_strdup(images->options.config->root_dir);
    job->home = home ? mem_strdup(home) : NULL;
    job->image = mem_strdup(pull->image);
    if (work_submit(images->options.work, &order, &pull->job, &err) < 0) {
        credentials_free(job);
        pull_over(pull, NULL, "ErrImagePull", err.text);
    }
}

/* turns */

static unsigned pulls_max(const struct config *config)
{
    if (config->serialize_image_pulls)
        return 1;
    return config->max_parallel_image_pulls > 0 ? (unsigned)config->max_parallel_image_pulls
                                                : UINT32_MAX;
}

static void next_pulls(struct images *images)
{
    list_for_each_safe (node, &images->pulls) {
        struct pull *pull = list_entry(node, struct pull, link);

        if (images->pulling >= pulls_max(images->options.config))
            return;
        if (!pull->begun) {
            begin(pull);
            return; /* the list may be another one now; the end of each pull comes back here */
        }
    }
}

/* May another pull be asked for, by the registry's rate limit? */
static bool take_token(struct images *images)
{
    const struct config *config = images->options.config;
    usec_t now = clock_boottime(), each;
    uint64_t more;

    if (config->registry_pull_qps <= 0)
        return true;
    each = USEC_PER_SEC / (usec_t)config->registry_pull_qps;
    more = usec_sub(now, images->tokens_at) / each;
    images->tokens = MIN(images->tokens + (int64_t)more, config->registry_burst);
    images->tokens_at = usec_add(images->tokens_at, more * each);
    if (images->tokens <= 0)
        return false;
    images->tokens--;
    return true;
}

/* Who has other credentials may be given another image, or none. */
static struct pull *find_pull(struct images *images, const struct image_request *request)
{
    list_for_each (node, &images->pulls) {
        struct pull *pull = list_entry(node, struct pull, link);

        if (!strcmp(pull->image, request->image) &&
            docker_credentials_equal(&pull->own, &request->credentials))
            return pull;
    }
    return NULL;
}

static void wait_for(struct image_request *request, struct pull *pull)
{
    request->pull = pull;
    list_push_back(&pull->requests, &request->waiting);
    request->progress(request->owner, pull->begun, request->written);
}

static void on_refused(struct wheel_timer *timer)
{
    struct image_request *request = container_of(timer, struct image_request, failure);

    image_request_failed(request, "ErrImagePull", "pull QPS exceeded");
}

void pull_join(struct image_request *request)
{
    struct images *images = request->images;
    struct pull *pull = find_pull(images, request);

    if (pull) {
        wait_for(request, pull);
        return;
    }
    if (!take_token(images)) {
        wheel_timer_init(&request->failure, on_refused);
        wheel_arm(images->options.wheel, &request->failure, clock_boottime());
        return;
    }
    pull = mem_new(struct pull);
    pull->images = images;
    pull->arena = ARENA_INIT(512, 1024);
    pull->image = arena_strdup(&pull->arena, request->image);
    pull->own = docker_credentials_copy(&request->credentials, &pull->arena);
    list_init(&pull->requests);
    list_push_back(&images->pulls, &pull->link);
    wait_for(request, pull);
    next_pulls(images);
}

static const char *short_duration(struct arena *arena, usec_t duration)
{
    char text[TIME_TEXT_MAX];

    return arena_strdup(arena,
                        duration_format((int64_t)(duration / USEC_PER_MSEC * 1000000), text));
}

const char *pull_told(struct image_request *request, uint64_t bytes)
{
    usec_t waited = usec_sub(clock_boottime(), request->began);

    return arena_printf(&request->arena,
                        "Successfully pulled image \"%s\" in %s (%s including waiting). Image "
                        "size: %llu bytes.",
                        request->written, short_duration(&request->arena, request->pulled_usec),
                        short_duration(&request->arena, waited), (unsigned long long)bytes);
}
