/*
 * A watch goes
 *
 *     [set, as a stream] ──► changes ──► [end of the stream] ──► changes, from the last version
 *          ▲  (or as a list, of a server that knows no other way)            │
 *          └──────────────── the version is too old ◄────────────────────────┘
 *
 * While a set is read, what was known before is kept and told of; when it is complete the two are
 * compared.
 */
#include "nodeagent/api/watch.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"
#include "watch-event.h"
#include "watch-query.h"
#include "watch-set.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGES_MAX = 10000, /* of a set */
    STREAM_SECONDS_MIN = 300,
    STREAM_SECONDS_MAX = 600,
    LONE_FACTOR = 6,
};

#define BACKOFF_MIN_USEC (800 * USEC_PER_MSEC)
#define EARLY_RETRY_USEC (50 * USEC_PER_MSEC)
#define EARLY_USEC (5 * USEC_PER_SEC)
#define SETTLED_USEC (API_STREAM_HEAD + 1 * USEC_PER_SEC)
#define BACKOFF_MAX_USEC (30 * USEC_PER_SEC)
#define BACKOFF_RESET_USEC (120 * USEC_PER_SEC)
#define SHORT_LIVED_USEC (1 * USEC_PER_SEC)

enum phase {
    READING_STREAM, /* the set, followed by changes */
    READING_LIST,   /* the set, page by page */
    FOLLOWING,      /* changes */
};

struct api_watch {
    struct api_watch_options options;
    char *path;
    char *selector;
    enum phase phase;
    bool lists;    /* the server knows no sets as streams */
    bool complete; /* there was a whole set */
    bool primed;   /* there was one before, which somebody remembered */
    bool refused;
    bool resting; /* for good */
    struct watch_set objects;
    struct watch_set fresh; /* the set that is being read */
    bool full;              /* there was one more than there is room for */
    char *version;          /* the newest; NULL: none that is of any use */
    char *next_page;
    unsigned pages;
    struct api_call *call;
    struct strbuf line;
    struct wheel_timer timer;
    struct api_waiter waiter; /* after a failure that may pass early */
    usec_t born;
    usec_t began;    /* the call at hand */
    bool heard;      /* something, by it */
    usec_t backoff;  /* the next */
    usec_t troubled; /* when it was in trouble last */
    char *trouble;
};

/* objects */

static struct watch_set *objects_at_hand(struct api_watch *watch)
{
    return watch->phase == FOLLOWING ? &watch->objects : &watch->fresh;
}

static bool is_another(const struct object *a, const struct object *b)
{
    return !str_equal(a->metadata.uid, b->metadata.uid);
}

static bool is_same(const struct object *a, const struct object *b)
{
    return !is_another(a, b) &&
           str_equal(a->metadata.resource_version, b->metadata.resource_version);
}

/* Takes the reference. */
static void take_object(struct api_watch *watch, struct object *object)
{
    char *key = watch_set_key_of(object);
    struct object *before = watch_set_put(objects_at_hand(watch), key, object);

    free(key);
    if (watch->phase == FOLLOWING && before && is_another(before, object))
        watch->options.gone(watch->options.owner, before);
    if (watch->phase == FOLLOWING && (!before || !is_same(before, object)))
        watch->options.set(watch->options.owner, object);
    object_unref(before);
}

static void drop_object(struct api_watch *watch, const char *key)
{
    struct object *before = watch_set_remove(objects_at_hand(watch), key);

    if (before && watch->phase == FOLLOWING)
        watch->options.gone(watch->options.owner, before);
    object_unref(before);
}

/* One that cannot be understood is taken for unchanged: that is safer than to take it for gone. */
static void keep_object(struct api_watch *watch, const char *key)
{
    struct object *before = watch_set_find(&watch->objects, key);

    if (before && watch->phase != FOLLOWING)
        object_unref(watch_set_put(&watch->fresh, key, object_ref(before)));
}

/* Of two of one name the first counts. */
void api_watch_prime(struct api_watch *watch, struct object *const *objects, size_t count)
{
    if (watch->complete)
        return;
    watch->primed = true;
    for (size_t i = 0; i < count; i++) {
        _cleanup_(mem_free_at) char *key = watch_set_key_of(objects[i]);

        if (watch_set_find(&watch->objects, key))
            continue;
        watch_set_put(&watch->objects, key, object_ref(objects[i]));
        watch->options.set(watch->options.owner, objects[i]);
    }
}

static void set_version(struct api_watch *watch, const char *version)
{
    if (str_empty(version))
        return;
    free(watch->version);
    watch->version = mem_strdup(version);
}

/* trouble */

static void begin(struct api_watch *watch);

/* A list is read from its beginning. */
static void forget_page(struct api_watch *watch)
{
    free(watch->next_page);
    watch->next_page = NULL;
}

static void set_trouble(struct api_watch *watch, const char *text)
{
    if (text && !str_equal(watch->trouble, text))
        log_warning("%s", text);
    else if (!text && watch->trouble)
        log_info("%s: all is well again", watch->path);
    free(watch->trouble);
    watch->trouble = text ? mem_strdup(text) : NULL;
}

static void call_end(struct api_watch *watch)
{
    if (watch->call)
        api_cancel(watch->call);
    watch->call = NULL;
    strbuf_truncate(&watch->line, 0);
}

static void begin_later(struct api_watch *watch)
{
    usec_t now = clock_boottime();

    if (usec_sub(now, watch->troubled) >= BACKOFF_RESET_USEC)
        watch->backoff = BACKOFF_MIN_USEC;
    watch->troubled = now;
    wheel_arm(watch->options.wheel, &watch->timer,
              usec_add(now, chance_between(watch->backoff, 2 * watch->backoff)));
    watch->backoff = MIN(2 * watch->backoff, BACKOFF_MAX_USEC);
}

_printf_(2, 3) static void fail(struct api_watch *watch, const char *format, ...)
{
    struct strbuf text = STRBUF_INIT;
    va_list arguments;

    va_start(arguments, format);
    strbuf_vprintf(&text, format, arguments);
    va_end(arguments);
    call_end(watch);
    set_trouble(watch, text.text);
    strbuf_deinit(&text);
    begin_later(watch);
}

/* The server hears that a node may see an object a moment after it has told that node of the pod:
 * that is no news, and soon over. */
static bool is_early(const struct api_watch *watch, const struct api_failure *failure, usec_t age)
{
    return watch->options.lone && !watch->complete && failure->code == 403 && age < EARLY_USEC;
}

static void fail_call(struct api_watch *watch, const struct api_failure *failure)
{
    usec_t now = clock_boottime(), age = usec_sub(now, watch->born);

    if (is_early(watch, failure, age)) {
        wheel_arm(watch->options.wheel, &watch->timer, usec_add(now, MAX(age, EARLY_RETRY_USEC)));
        return;
    }
    fail(watch, "%s", failure->err.text);
    api_wait(watch->options.api, &watch->waiter, failure);
}

static void begin_anew(struct api_watch *watch)
{
    forget_page(watch);
    watch->phase = watch->lists ? READING_LIST : READING_STREAM;
}

/* The server cannot tell what was between: all is read anew. With the last version first, which
 * keeps an old copy of the server's from being taken for news; if not even that is to be had, what
 * the server says is believed. */
static void read_anew(struct api_watch *watch)
{
    call_end(watch);
    if (watch->phase != FOLLOWING) {
        free(watch->version);
        watch->version = NULL;
    }
    begin_anew(watch);
    if (usec_sub(clock_boottime(), watch->troubled) < SHORT_LIVED_USEC)
        begin_later(watch);
    else
        wheel_arm(watch->options.wheel, &watch->timer, clock_boottime());
    watch->troubled = clock_boottime();
}

/* events */

/* The set is complete: what is not in it is gone. */
static void compare(struct api_watch *watch)
{
    const struct api_watch_options *options = &watch->options;
    struct watch_set before = watch->objects;
    struct object *object;

    watch->objects = watch->fresh;
    watch->fresh = (struct watch_set)WATCH_SET_INIT;
    watch->phase = FOLLOWING;
    watch->complete = true;
    set_trouble(watch, NULL);
    for (size_t at = 0; (object = watch_set_next(&before, &at));) {
        const struct object *now = watch_set_find_like(&watch->objects, object);

        if (!now || is_another(now, object))
            options->gone(options->owner, object);
    }
    for (size_t at = 0; (object = watch_set_next(&watch->objects, &at));) {
        const struct object *known = watch_set_find_like(&before, object);

        if (!known || !is_same(known, object))
            options->set(options->owner, object);
    }
    watch_set_clear(&before);
    options->complete(options->owner);
}

static void on_event(void *owner, const struct watch_event *event)
{
    struct api_watch *watch = owner;

    watch->heard = true;
    watch->full |=
        event->object && !watch_set_has_room(objects_at_hand(watch), event->key, event->object);
    if (watch->full)
        return;
    switch (event->type) {
    case WATCH_SET:
        if (event->object)
            take_object(watch, object_ref(event->object));
        else
            keep_object(watch, event->key);
        break;
    case WATCH_GONE:
        drop_object(watch, event->key);
        break;
    case WATCH_MARK:
        break;
    }
    /* The objects of a set come in any order. */
    if (watch->phase == FOLLOWING || event->type == WATCH_MARK)
        set_version(watch, event->version);
    if (event->ends_set && watch->phase == READING_STREAM)
        compare(watch);
    if (watch->phase == FOLLOWING)
        set_trouble(watch, NULL);
}

/* What a page skipped would be taken for gone when the next completed the set; and a stream would
 * begin again with what there is no room for, and never come to what makes some. */
static void fail_full(struct api_watch *watch)
{
    begin_anew(watch);
    fail(watch,
         "%s: the API server has more objects than the %d MiB that there is room for; what was "
         "known before them holds on, until some are gone",
         watch->path, WATCH_SET_BYTES_MAX >> 20);
}

static void fail_endless(struct api_watch *watch)
{
    forget_page(watch);
    fail(watch, "%s: the API server's list does not end after %u pages", watch->path, watch->pages);
}

static void on_line(struct api_watch *watch, const char *line, size_t length)
{
    struct api_failure failure;
    int r =
        watch_event_read(watch->options.kind, watch->path, line, length, on_event, watch, &failure);

    if (watch->full)
        fail_full(watch);
    else if (r == 0)
        return;
    else if (api_failure_is_expired(&failure))
        read_anew(watch);
    else
        fail(watch, "%s", failure.err.text);
}

static void fail_too_long(struct api_watch *watch)
{
    fail(watch,
         "%s: the API server sends an event of more than %d MiB; nothing that comes after it is "
         "seen until it is gone",
         watch->path, WATCH_EVENT_BYTES_MAX >> 20);
}

static void on_data(void *owner, const char *bytes, size_t length)
{
    struct api_watch *watch = owner;
    struct api_call *call = watch->call;

    while (length && watch->call == call) {
        const char *end = memchr(bytes, '\n', length);
        size_t piece = end ? (size_t)(end - bytes) : length;

        if (watch->line.length + piece > WATCH_EVENT_BYTES_MAX) {
            fail_too_long(watch);
            return;
        }
        strbuf_add_bytes(&watch->line, bytes, piece);
        if (!end)
            return;
        bytes += piece + 1;
        length -= piece + 1;
        if (watch->line.length) {
            _cleanup_(strbuf_deinit) struct strbuf line = watch->line;

            watch->line = STRBUF_INIT;
            on_line(watch, line.text, line.length);
        }
    }
}

/* ends of calls */

static void on_stream_end(void *owner, const struct api_reply *reply)
{
    struct api_watch *watch = owner;
    bool short_lived = usec_sub(clock_boottime(), watch->began) < SHORT_LIVED_USEC;
    _cleanup_(strbuf_deinit) struct strbuf rest = watch->line;

    watch->call = NULL;
    watch->line = STRBUF_INIT;
    watch->refused = reply->failure && api_failure_is_of_identity(reply->failure);
    /* It was not torn: most likely, this is no stream of events. */
    if (!reply->failure && !watch->heard && rest.length) {
        on_line(watch, rest.text, rest.length);
        if (!watch->heard || watch->full)
            return;
    }
    if (reply->failure && api_failure_is_expired(reply->failure)) {
        read_anew(watch);
    } else if (reply->failure && watch->phase == READING_STREAM &&
               api_failure_refuses_streams(reply->failure)) {
        watch->lists = true;
        read_anew(watch);
    } else if (reply->failure && (reply->failure->code || !watch->heard)) {
        fail_call(watch, reply->failure);
    } else if (short_lived) {
        begin_later(watch);
    } else {
        begin(watch);
    }
}

static void on_page(void *owner, const struct api_reply *reply)
{
    struct api_watch *watch = owner;
    struct api_failure failure;

    watch->call = NULL;
    watch->refused = reply->failure && api_failure_is_of_identity(reply->failure);
    if (reply->failure) {
        if (api_failure_is_lasting(reply->failure))
            forget_page(watch);
        if (api_failure_is_expired(reply->failure))
            read_anew(watch);
        else
            fail_call(watch, reply->failure);
        return;
    }
    forget_page(watch);
    if (watch_list_read(watch->options.kind, watch->path, reply->body, reply->length, on_event,
                        watch, &watch->next_page, &failure) < 0) {
        fail(watch, "%s", failure.err.text);
        return;
    }
    if (watch->full) {
        fail_full(watch);
        return;
    }
    if (watch->next_page && ++watch->pages >= PAGES_MAX) {
        fail_endless(watch);
        return;
    }
    if (!watch->next_page)
        compare(watch);
    begin(watch);
}

/* beginnings */

static void ask(struct api_watch *watch, const char *path, usec_t timeout, api_done_fn *done)
{
    struct api_request request = {
        .method = "GET",
        .path = path,
        .timeout = timeout,
        .data = done == on_stream_end ? on_data : NULL,
    };

    watch->began = clock_boottime();
    watch->heard = false;
    watch->call = api_begin(watch->options.api, &request, done, watch);
    if (watch->trouble && request.data)
        wheel_arm(watch->options.wheel, &watch->timer, usec_add(watch->began, SETTLED_USEC));
}

static void ask_for_stream(struct api_watch *watch, const struct watch_query *query)
{
    usec_t seconds = chance_between(STREAM_SECONDS_MIN, STREAM_SECONDS_MAX) *
                     (watch->options.lone ? LONE_FACTOR : 1);
    _cleanup_(mem_free_at) char *path =
        watch_query_stream(query, watch->phase == READING_STREAM, (unsigned)seconds);

    /* The server ends it; should it not, we do. */
    ask(watch, path, (seconds + STREAM_SECONDS_MIN) * USEC_PER_SEC, on_stream_end);
}

static void ask_for_page(struct api_watch *watch, const struct watch_query *query)
{
    _cleanup_(mem_free_at) char *path = watch_query_page(query, watch->next_page);

    ask(watch, path, 0, on_page);
}

static void begin(struct api_watch *watch)
{
    struct watch_query query = {watch->path, watch->selector, watch->version};

    if (watch->resting)
        return;
    assert_that(!watch->call);
    if (!watch->next_page) {
        watch_set_clear(&watch->fresh);
        watch->pages = 0;
    }
    watch->full = false;
    if (watch->phase == READING_LIST)
        ask_for_page(watch, &query);
    else
        ask_for_stream(watch, &query);
}

/* What is left of the wait is no use. Not all at once, though. */
static void on_passed(struct api_waiter *waiter)
{
    struct api_watch *watch = container_of(waiter, struct api_watch, waiter);
    usec_t soon = usec_add(clock_boottime(), chance_between(0, BACKOFF_MIN_USEC));

    if (wheel_timer_armed(&watch->timer) && soon < watch->timer.deadline)
        wheel_arm(watch->options.wheel, &watch->timer, soon);
}

static void on_timer(struct wheel_timer *timer)
{
    struct api_watch *watch = container_of(timer, struct api_watch, timer);

    if (watch->resting)
        call_end(watch);
    if (watch->call)
        set_trouble(watch, NULL); /* without the head of an answer it would have ended by now */
    else
        begin(watch);
}

void api_watch_rest(struct api_watch *watch)
{
    watch->resting = true;
    wheel_arm(watch->options.wheel, &watch->timer, clock_boottime());
}

/* the object */

struct api_watch *api_watch_new(const struct api_watch_options *options)
{
    struct api_watch *watch = mem_new(struct api_watch);

    watch->options = *options;
    watch->path = mem_strdup(options->path);
    watch->selector = options->selector ? mem_strdup(options->selector) : NULL;
    watch->backoff = BACKOFF_MIN_USEC;
    watch->born = clock_boottime();
    wheel_timer_init(&watch->timer, on_timer);
    list_init(&watch->waiter.link);
    watch->waiter.passed = on_passed;
    begin(watch);
    return watch;
}

struct api_watch *api_watch_free(struct api_watch *watch)
{
    if (!watch)
        return NULL;
    call_end(watch);
    list_unlink(&watch->waiter.link);
    strbuf_deinit(&watch->line);
    wheel_cancel(&watch->timer);
    watch_set_clear(&watch->objects);
    watch_set_clear(&watch->fresh);
    free(watch->next_page);
    free(watch->version);
    free(watch->trouble);
    free(watch->selector);
    free(watch->path);
    free(watch);
    return NULL;
}

bool api_watch_is_complete(const struct api_watch *watch)
{
    return watch->complete;
}

bool api_watch_is_known(const struct api_watch *watch)
{
    return watch->complete || watch->primed;
}

bool api_watch_is_refused(const struct api_watch *watch)
{
    return watch->refused;
}

struct object *api_watch_find(const struct api_watch *watch, const char *name_space,
                              const char *name)
{
    _cleanup_(mem_free_at) char *key = watch_set_key(name_space, name);

    return watch_set_find(&watch->objects, key);
}

struct object *api_watch_next(const struct api_watch *watch, size_t *position)
{
    return watch_set_next(&watch->objects, position);
}

const char *api_watch_version(const struct api_watch *watch)
{
    return watch->version;
}

const char *api_watch_trouble(const struct api_watch *watch)
{
    return watch->trouble;
}
