/*
 * Tokens of service accounts for pods: asked for when a pod that wants them comes, and again when a
 * fifth of their time is left. One that cannot be had anew is served until its end.
 */
#include "checkpoint.h"
#include "cluster-private.h"
#include "cluster.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define JITTER_USEC (10 * USEC_PER_SEC)
#define AGE_MIN_USEC (30 * USEC_PER_SEC)
#define AGE_MAX_USEC (24 * 3600 * USEC_PER_SEC)
#define RETRY_MIN_USEC (500 * USEC_PER_MSEC)
#define RETRY_MAX_USEC (30 * USEC_PER_SEC)
#define EARLY_RETRY_USEC (50 * USEC_PER_MSEC)
#define EARLY_USEC (5 * USEC_PER_SEC)

enum {
    EXPIRATION_DEFAULT = 3600,
};

static const struct json_limits token_limits = {.bytes_max = 1 << 20, .nodes_max = 10000};

struct cluster_token {
    struct list link; /* of its pod */
    struct agent_pod *pod;
    char *audience;
    int64_t seconds;
    char *token;     /* NULL: none yet */
    int64_t expires; /* by the wall clock of the server */
    usec_t ends;     /* the same, whatever the clocks say: by the time since it was given */
    struct api_call *call;
    struct wheel_timer timer;
    usec_t born;
    usec_t retry;
    char *trouble;
};

static void drop_text(struct cluster_token *token)
{
    if (token->token)
        explicit_bzero(token->token, strlen(token->token));
    free(token->token);
    token->token = NULL;
}

static void token_free(struct cluster_token *token)
{
    list_unlink(&token->link);
    if (token->call)
        api_cancel(token->call);
    wheel_cancel(&token->timer);
    drop_text(token);
    free(token->audience);
    free(token->trouble);
    free(token);
}

static void again(struct cluster_token *token, usec_t delay)
{
    wheel_arm(token->pod->agent->parts.wheel, &token->timer, usec_add(clock_boottime(), delay));
}

static void set_trouble(struct cluster_token *token, const char *text)
{
    if (text && !str_equal(token->trouble, text))
        log_warning("%s", text);
    free(token->trouble);
    token->trouble = text ? mem_strdup(text) : NULL;
}

/* asking */

static void fail(struct cluster_token *token, const char *text)
{
    set_trouble(token, text);
    again(token, chance_between(token->retry, 2 * token->retry));
    token->retry = MIN(2 * token->retry, RETRY_MAX_USEC);
}

static char *text_of(const struct json *object, const char *name)
{
    const struct json *value =
        object && object->type == JSON_OBJECT ? json_get_string(object, name) : NULL;

    return value ? mem_strndup(value->text, value->length) : NULL;
}

static usec_t left(const struct cluster_token *token)
{
    return usec_sub(token->ends, clock_boottime());
}

static void ends_after(struct cluster_token *token, int64_t duration)
{
    token->ends = usec_add(clock_boottime(), (usec_t)MAX(duration, 0));
}

static bool take(struct cluster_token *token, const struct api_reply *reply)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(mem_free_at) char *expires = NULL, *created = NULL;
    struct json_findings findings;
    const struct json *status;
    struct json *document;
    struct err err;
    int64_t given;
    char *text;

    if (json_parse(&arena, reply->body, reply->length, &token_limits, &findings, &document, &err) <
            0 ||
        document->type != JSON_OBJECT)
        return false;
    status = json_get(document, "status");
    text = text_of(status, "token");
    expires = text_of(status, "expirationTimestamp");
    if (str_empty(text) || !expires || time_parse_rfc3339(expires, &token->expires) < 0) {
        free(text);
        return false;
    }
    created = text_of(json_get(document, "metadata"), "creationTimestamp");
    if (!created || time_parse_rfc3339(created, &given) < 0)
        given = (int64_t)clock_wall();
    ends_after(token, token->expires - given);
    drop_text(token);
    token->token = text;
    return true;
}

/* One that has expired is good enough while the API server is away from the start on: only the
 * server would refuse it, and pods that never ask it wait for nothing else. */
static bool is_good(const struct cluster_token *token)
{
    return token->token && (left(token) || !cluster_is_complete(token->pod->agent->cluster));
}

static void renew_in_time(struct cluster_token *token)
{
    usec_t delay = MIN(left(token) / 5 * 4, AGE_MAX_USEC);

    again(token, MAX(usec_sub(delay, chance_between(0, JITTER_USEC)), AGE_MIN_USEC));
}

/* The server hears that a node may ask for a pod's tokens a moment after it has told that node of
 * the pod: that is no news, and soon over. */
static bool ask_soon(struct cluster_token *token, const struct api_failure *failure)
{
    usec_t age = usec_sub(clock_boottime(), token->born);
    bool early =
        !token->token && age < EARLY_USEC && (failure->code == 403 || failure->code == 404);

    if (early)
        again(token, MAX(age, EARLY_RETRY_USEC));
    return early;
}

static void on_answer(void *owner, const struct api_reply *reply)
{
    struct cluster_token *token = owner;

    token->call = NULL;
    if (reply->failure) {
        if (!ask_soon(token, reply->failure))
            fail(token, reply->failure->err.text);
        return;
    }
    if (!take(token, reply)) {
        fail(token, "the API server's answer has no token");
        return;
    }
    if (!is_good(token)) {
        fail(token, "the API server's token is over already");
        return;
    }
    set_trouble(token, NULL);
    token->retry = RETRY_MIN_USEC;
    renew_in_time(token);
    pod_volumes_changed(token->pod);
}

static void write_request(const struct cluster_token *token, struct strbuf *body)
{
    struct json_writer writer;

    json_writer_init(&writer, body, false);
    json_write_object(&writer);
    json_write_string_member(&writer, "apiVersion", "authentication.k8s.io/v1");
    json_write_string_member(&writer, "kind", "TokenRequest");
    json_write_name(&writer, "spec");
    json_write_object(&writer);
    json_write_name(&writer, "audiences");
    json_write_array(&writer);
    if (*token->audience)
        json_write_string(&writer, token->audience);
    json_write_array_end(&writer);
    json_write_int_member(&writer, "expirationSeconds", token->seconds);
    json_write_name(&writer, "boundObjectRef");
    json_write_object(&writer);
    json_write_string_member(&writer, "apiVersion", "v1");
    json_write_string_member(&writer, "kind", "Pod");
    json_write_string_member(&writer, "name", token->pod->name);
    json_write_string_member(&writer, "uid", token->pod->uid);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
}

static void ask(struct cluster_token *token)
{
    struct agent_pod *pod = token->pod;
    const char *account = pod_object(pod)->spec.service_account_name;
    _cleanup_(strbuf_deinit) struct strbuf body = STRBUF_INIT;
    char *path = mem_printf("/api/v1/namespaces/%s/serviceaccounts/%s/token", pod->name_space,
                            str_empty(account) ? "default" : account);

    write_request(token, &body);
    token->call = api_begin(
        pod->agent->cluster->api,
        &(struct api_request){.method = "POST", .path = path, .body = body.text}, on_answer, token);
    free(path);
}

static void on_timer(struct wheel_timer *timer)
{
    struct cluster_token *token = container_of(timer, struct cluster_token, timer);

    if (!token->call && token->pod->object)
        ask(token);
}

static bool is_settled(const struct cluster_token *token, bool refused)
{
    return is_good(token) || (!refused && token->trouble);
}

/* tokens of a pod */

static struct cluster_token *token_add(struct agent_pod *pod, const char *audience, int64_t seconds)
{
    struct cluster_token *token = mem_new(struct cluster_token);

    token->pod = pod;
    token->audience = mem_strdup(audience);
    token->seconds = seconds;
    token->born = clock_boottime();
    token->retry = RETRY_MIN_USEC;
    wheel_timer_init(&token->timer, on_timer);
    list_push_back(&pod->tokens, &token->link);
    return token;
}

static struct cluster_token *token_of(struct agent_pod *pod,
                                      const struct token_projection *projection)
{
    const char *audience = projection->audience ? projection->audience : "";
    int64_t seconds = projection->expiration_seconds.set ? projection->expiration_seconds.value
                                                         : EXPIRATION_DEFAULT;
    struct cluster_token *token;

    list_for_each (node, &pod->tokens) {
        token = list_entry(node, struct cluster_token, link);
        if (token->seconds == seconds && !strcmp(token->audience, audience))
            return token;
    }
    token = token_add(pod, audience, seconds);
    ask(token);
    return token;
}

int cluster_token(struct agent_pod *pod, const struct token_projection *projection,
                  const char **value, struct err *err)
{
    const struct cluster_token *token = token_of(pod, projection);

    if (!is_good(token))
        return err_set(err, -EAGAIN, "failed to fetch token: %s",
                       token->trouble ? token->trouble : "the API server has not answered yet");
    *value = token->token;
    return 0;
}

bool cluster_tokens_are_there(struct agent_pod *pod, bool refused)
{
    bool there = true;

    array_for_each (volume, pod_object(pod)->spec.volumes)
        if (volume->projected)
            array_for_each (source, volume->projected->sources)
                if (source->service_account_token)
                    there &= is_settled(token_of(pod, source->service_account_token), refused);
    return there;
}

void cluster_tokens_forget(struct agent_pod *pod)
{
    while (!list_empty(&pod->tokens))
        token_free(list_first(&pod->tokens, struct cluster_token, link));
}

/* the checkpoint */

void cluster_tokens_save(const struct agent_pod *pod, struct arena *arena,
                         struct checkpoint_file *file)
{
    size_t count = 0;

    list_for_each (node, &pod->tokens)
        count++;
    file->tokens.items = arena_array(arena, struct checkpoint_token, count);
    list_for_each (node, &pod->tokens) {
        const struct cluster_token *token = list_entry(node, struct cluster_token, link);

        if (is_good(token))
            file->tokens.items[file->tokens.count++] = (struct checkpoint_token){
                .audience = token->audience,
                .seconds = token->seconds,
                .token = token->token,
                .expires = token->expires,
            };
    }
}

void cluster_tokens_restore(struct agent_pod *pod, const struct checkpoint_token *saved)
{
    struct cluster_token *token = token_add(pod, saved->audience, saved->seconds);

    token->token = mem_strdup(saved->token);
    token->expires = saved->expires;
    ends_after(token, saved->expires - (int64_t)clock_wall());
    renew_in_time(token);
}

void cluster_tokens_hurry(struct agent_pod *pod)
{
    list_for_each (node, &pod->tokens) {
        struct cluster_token *token = list_entry(node, struct cluster_token, link);

        if (!is_good(token) && !token->call)
            again(token, 0);
    }
}
