/*
 * Pods from a URL, asked every period. What it answers is understood in the pool; an answer that is
 * the one before is not looked at again. As long as it fails, what it answered last stays.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/net/http.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_BYTES_MAX = JSON_BYTES_MAX, /* as a file's */
    FAILURES_TOLD = 3, /* in a row; what fails for ever in changing words is told no more */
};

#define ASK_USEC (10 * USEC_PER_SEC)
#define READ_LIMIT_USEC (60 * USEC_PER_SEC)

struct url {
    struct static_source source;
    const char *shown; /* without user and password */
    struct wheel_timer timer;
    struct http_call *call;
    struct work_job *job;
    usec_t asked;
    struct strbuf last;      /* the answer that was understood or refused last */
    bool answered;           /* there is one */
    struct manifest *good;   /* as it was understood last, or NULL */
    struct manifest *bad;    /* why the last answer is not understood, or NULL */
    struct manifest *silent; /* why there was none, or NULL */
    unsigned failures;       /* in a row */
};

/* The pool's half of understanding an answer. */
struct answer {
    struct arena arena;
    struct manifest_origin origin;
    struct strbuf text;
    struct manifest *manifest;
};

static void ask_again(struct url *url)
{
    const struct static_options *options = &url->source.options;

    wheel_arm(options->wheel, &url->timer, usec_add(url->asked, options->period));
}

/* The last thing of a turn here: the owner may free the source. */
static void deliver(struct url *url)
{
    struct source_candidate candidate = {.path = url->shown, .good = url->good, .bad = url->bad};
    struct source_view view = {
        .candidates.items = &candidate,
        .candidates.count = 1,
        .problem = url->silent,
        .complete = url->good,
    };

    source_deliver(&url->source, &view);
}

static void failed(struct url *url, const char *sentence)
{
    if (++url->failures <= FAILURES_TOLD) {
        manifest_free(url->silent);
        url->silent = manifest_problem(url->shown, true, "%s", sentence);
    }
    ask_again(url);
    deliver(url);
}

/* answers */

static void answer_free(void *argument)
{
    struct answer *answer = argument;

    manifest_free(answer->manifest);
    strbuf_deinit(&answer->text);
    arena_deinit(&answer->arena);
    free(answer);
}

static int answer_run(void *argument)
{
    struct answer *answer = argument;

    answer->manifest = manifest_read(&answer->origin, answer->text.length ? answer->text.text : "",
                                     answer->text.length);
    return 0;
}

static void take_manifest(struct url *url, struct manifest *manifest)
{
    url->bad = manifest_free(url->bad);
    if (!manifest->good) {
        url->bad = manifest;
        return;
    }
    if (url->good)
        manifest_keep_same(manifest, url->good);
    manifest_free(url->good);
    url->good = manifest;
}

static void answered(struct url *url)
{
    url->failures = 0;
    url->silent = manifest_free(url->silent);
    ask_again(url);
    deliver(url);
}

static void answer_done(void *owner, void *argument, int result)
{
    struct answer *answer = argument;
    struct url *url = owner;

    url->job = NULL;
    if (result == -ECANCELED)
        return;
    if (!answer) {
        failed(url, "the answer could not be read: all threads are busy with others");
        return;
    }
    strbuf_deinit(&url->last);
    url->last = answer->text;
    url->answered = true;
    answer->text = STRBUF_INIT;
    take_manifest(url, answer->manifest);
    answer->manifest = NULL;
    answered(url);
}

static void understand(struct url *url, const struct http_reply *reply)
{
    const struct static_options *options = &url->source.options;
    struct answer *answer = mem_new(struct answer);
    struct work_order order = {
        .limit_usec = READ_LIMIT_USEC,
        .run = answer_run,
        .done = answer_done,
        .free = answer_free,
        .argument = answer,
        .owner = url,
    };
    struct err err;

    answer->arena = ARENA_INIT(256, 1024);
    answer->origin = (struct manifest_origin){
        .form = MANIFEST_URL,
        .place = arena_strdup(&answer->arena, url->shown),
        .node_name = arena_strdup(&answer->arena, options->node_name),
        .seen = (int64_t)clock_wall(),
        .config_objects = options->config_objects,
    };
    strbuf_add_bytes(&answer->text, reply->body, reply->length);
    if (work_submit(options->work, &order, &url->job, &err) < 0) {
        answer_free(answer);
        failed(url, "the answer could not be read: all threads are busy with others");
    }
}

static bool is_as_before(const struct url *url, const struct http_reply *reply)
{
    return url->answered && url->last.length == reply->length &&
           (!reply->length || !memcmp(url->last.text, reply->body, reply->length));
}

/* The URL is the problem's place already. */
static const char *without_place(const struct url *url, const struct err *err)
{
    size_t length = strlen(url->shown);

    return str_has_prefix(err->text, url->shown) && str_has_prefix(err->text + length, ": ")
               ? err->text + length + strlen(": ")
               : err->text;
}

static void take_reply(void *owner, const struct http_reply *reply)
{
    struct url *url = owner;
    char sentence[128];

    url->call = NULL;
    snprintf(sentence, sizeof(sentence), "answers with status %d, not 200", reply->status);
    if (reply->trouble)
        failed(url, without_place(url, &reply->err));
    else if (reply->status != 200)
        failed(url, sentence);
    else if (is_as_before(url, reply))
        answered(url);
    else
        understand(url, reply);
}

static void ask(struct wheel_timer *timer)
{
    struct url *url = container_of(timer, struct url, timer);
    const struct static_options *options = &url->source.options;
    struct http_request request = {
        .url = options->place,
        .headers = options->headers,
        .timeout = ASK_USEC,
        .answer_max = ANSWER_BYTES_MAX,
    };
    struct err err;

    url->asked = clock_boottime();
    if (http_begin(&url->call, options->http, &request, take_reply, url, &err) < 0)
        failed(url, without_place(url, &err));
}

/* making */

static void url_free(struct static_source *source)
{
    struct url *url = container_of(source, struct url, source);

    if (url->call)
        http_cancel(url->call);
    if (url->job)
        work_cancel(url->job);
    wheel_cancel(&url->timer);
    strbuf_deinit(&url->last);
    manifest_free(url->good);
    manifest_free(url->bad);
    manifest_free(url->silent);
    source_deinit(source);
    free(url);
}

int static_url_new(struct static_source **result, const struct static_options *options,
                   struct err *err)
{
    _cleanup_(mem_free_at) char *shown = http_url_public(options->place);
    struct url *url;

    assert_that(options->http && options->work && options->wheel && options->period);
    if (!str_has_prefix(shown, "http://") && !str_has_prefix(shown, "https://"))
        return err_set(err, -EINVAL, "static pod URL \"%s\": must begin with http:// or https://",
                       shown);
    url = mem_new(struct url);
    source_init(&url->source, options, url_free);
    url->shown = arena_strdup(&url->source.arena, shown);
    wheel_timer_init(&url->timer, ask);
    wheel_arm(options->wheel, &url->timer, clock_boottime());
    *result = &url->source;
    return 0;
}
