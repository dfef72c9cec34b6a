/*
 * An attempt goes
 *
 *     key, request ─► POST ─► [GET until it is decided] ─► written, in the pool ─► done
 *
 * and api/rotation.h says when to begin one. The client notices the new file by itself; who serves
 * is told.
 */
#include "cluster-certificate.h"

#include "nodeagent/api/certificate_answer.h"
#include "nodeagent/api/certificate_request.h"
#include "nodeagent/api/certificate_store.h"
#include "nodeagent/api/client.h"
#include "nodeagent/api/rotation.h"
#include "nodeagent/api/secret.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <stdlib.h>

#define REQUESTS "/apis/certificates.k8s.io/v1/certificatesigningrequests"
/* Between two looks whether it is decided: by a controller at once, by somebody in a while. */
#define LOOK_MIN_USEC (1 * USEC_PER_SEC)
#define LOOK_MAX_USEC (30 * USEC_PER_SEC)
#define NAMES_USEC (5 * USEC_PER_SEC) /* between two looks at the node's addresses */
#define SAVE_LIMIT_USEC (60 * USEC_PER_SEC)

static const struct json_limits answer_limits = {.bytes_max = 4 << 20, .nodes_max = 10000};

struct cluster_certificate {
    struct cluster_certificate_options options;
    struct certificate_store store;
    struct rotation rotation;
    struct wheel_timer timer; /* what to do next */
    struct wheel_timer look;
    struct api_call *call;
    struct work_job *job;
    struct strbuf key; /* of the attempt at hand, a secret */
    char *name;        /* of its CertificateSigningRequest */
    usec_t look_delay;
    struct certificate current; /* without its key; if there is one */
    struct arena names_arena;
    const char *const *names; /* whom it is to speak for; NULL: not known yet, or a client's */
};

static const char *title(const struct cluster_certificate *certificate)
{
    return certificate->options.use == CERTIFICATE_CLIENT ? "client" : "serving";
}

static double random_part(void)
{
    return (double)chance_between(0, USEC_PER_SEC) / (double)USEC_PER_SEC;
}

static void next(struct cluster_certificate *certificate);

/* attempts */

static void attempt_end(struct cluster_certificate *certificate)
{
    struct work_job *job = certificate->job;

    if (certificate->call)
        api_cancel(certificate->call);
    certificate->call = NULL;
    certificate->job = NULL;
    if (job)
        work_cancel(job);
    wheel_cancel(&certificate->look);
    secret_deinit(&certificate->key);
    free(certificate->name);
    certificate->name = NULL;
}

/* `refused`: by the server, and not for want of an answer. */
static void attempt_failed(struct cluster_certificate *certificate, bool refused, const char *why)
{
    log_warning("no %s certificate for this node: %s; it is asked for again", title(certificate),
                why);
    attempt_end(certificate);
    rotation_fail(&certificate->rotation, refused, random_part(), clock_boottime());
    next(certificate);
}

static void call_failed(struct cluster_certificate *certificate, const struct api_failure *failure)
{
    attempt_failed(certificate,
                   failure->code == 401 || failure->code == 403 || failure->code == 404,
                   failure->err.text);
}

static struct api *asker(const struct cluster_certificate *certificate)
{
    return certificate->rotation.present || !certificate->options.bootstrap
               ? certificate->options.api
               : certificate->options.bootstrap;
}

/* writing */

struct saving { /* the pool's, also what it has open: its thread may outlive all others */
    struct certificate_store store;
    char *path;
    struct certificate issued;
    struct err err;
};

static int save(void *argument)
{
    struct saving *saving = argument;
    struct err ignored;
    int r = certificate_store_save(&saving->store, &saving->issued, (int64_t)clock_wall(),
                                   &saving->err);

    if (r == 0)
        certificate_store_tidy(&saving->store, &ignored);
    return r;
}

static void saving_free(void *argument)
{
    struct saving *saving = argument;

    certificate_deinit(&saving->issued);
    fd_close_at(&saving->store.directory);
    free(saving->path);
    free(saving);
}

static struct saving *saving_new(const struct certificate_store *store)
{
    struct saving *saving = mem_new(struct saving);

    saving->path = mem_strdup(store->path);
    saving->store = (struct certificate_store){
        .directory = fd_duplicate(store->directory),
        .path = saving->path,
        .pair = store->pair,
    };
    return saving;
}

/* Takes it over; whoever serves with it gets the key, which is then not needed here. */
static void take(struct cluster_certificate *certificate, struct certificate *issued)
{
    struct rotation_certificate dates = {
        .not_before = issued->not_before,
        .not_after = issued->not_after,
    };

    rotation_take(&certificate->rotation, &dates, random_part());
    if (certificate->options.issued)
        certificate->options.issued(certificate->options.owner, issued);
    certificate_deinit(&certificate->current);
    certificate->current = *issued;
    secret_deinit(&certificate->current.key);
    *issued = (struct certificate){0};
}

static void on_saved(void *owner, void *argument, int result)
{
    struct cluster_certificate *certificate = owner;
    struct saving *saving = argument;
    char until[TIME_TEXT_MAX];

    if (!certificate->job)
        return; /* cancelled */
    certificate->job = NULL;
    if (!saving || result < 0) {
        attempt_failed(certificate, false, saving ? saving->err.text : "writing it took too long");
        return;
    }
    log_info("this node has a new %s certificate, until %s", title(certificate),
             time_format_rfc3339(saving->issued.not_after, until));
    take(certificate, &saving->issued);
    attempt_end(certificate);
    next(certificate);
}

static bool speaks_for_all(const struct cluster_certificate *certificate,
                           const struct certificate *one)
{
    return !certificate->names || certificate_has_names(one, certificate->names);
}

static void keep(struct cluster_certificate *certificate, const struct certificate_answer *answer)
{
    struct certificate_text chain = {"the issued certificate", answer->chain, answer->chain_length},
                            key = {"its key", certificate->key.text, certificate->key.length};
    struct saving *saving = saving_new(&certificate->store);
    struct work_order order = {
        .limit_usec = SAVE_LIMIT_USEC,
        .run = save,
        .done = on_saved,
        .free = saving_free,
        .argument = saving,
        .owner = certificate,
    };
    struct err err;

    if (certificate_parse(&saving->issued, &chain, &key, &err) < 0) {
        saving_free(saving);
        attempt_failed(certificate, true, err.text);
        return;
    }
    if (!speaks_for_all(certificate, &saving->issued)) {
        saving_free(saving);
        attempt_failed(certificate, true,
                       "the one that was issued does not have all of the node's addresses");
        return;
    }
    if (work_submit(certificate->options.parts->work, &order, &certificate->job, &err) < 0) {
        saving_free(saving);
        attempt_failed(certificate, false, err.text);
    }
}

/* asking */

static void look_later(struct cluster_certificate *certificate)
{
    wheel_arm(certificate->options.parts->wheel, &certificate->look,
              usec_add(clock_boottime(), certificate->look_delay));
    certificate->look_delay = MIN(2 * certificate->look_delay, LOOK_MAX_USEC);
}

static void judge(struct cluster_certificate *certificate, const struct certificate_answer *answer)
{
    switch (answer->state) {
    case CERTIFICATE_PENDING:
    case CERTIFICATE_APPROVED:
        look_later(certificate);
        break;
    case CERTIFICATE_ISSUED:
        keep(certificate, answer);
        break;
    default:
        attempt_failed(certificate, true, answer->message);
    }
}

static void on_answer(void *owner, const struct api_reply *reply)
{
    struct cluster_certificate *certificate = owner;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct certificate_answer answer;
    struct json_findings findings;
    struct json *object;
    struct err err;

    certificate->call = NULL;
    if (reply->failure) {
        call_failed(certificate, reply->failure);
        return;
    }
    if (json_parse(&arena, reply->body, reply->length, &answer_limits, &findings, &object, &err) <
            0 ||
        certificate_answer_read(&answer, &arena, object, &err) < 0) {
        attempt_failed(certificate, false, err.text);
        return;
    }
    free(certificate->name);
    certificate->name = mem_strdup(answer.name);
    judge(certificate, &answer);
}

static void on_look(struct wheel_timer *timer)
{
    struct cluster_certificate *certificate = container_of(timer, struct cluster_certificate, look);
    char *path = mem_printf(REQUESTS "/%s", certificate->name);

    certificate->call =
        api_begin(asker(certificate), &(struct api_request){.method = "GET", .path = path},
                  on_answer, certificate);
    free(path);
}

static void ask(struct cluster_certificate *certificate)
{
    struct certificate_wish wish = {
        .use = certificate->options.use,
        .node = certificate->options.config->node_name,
        .names = certificate->names,
    };
    _cleanup_(strbuf_deinit) struct strbuf pem = STRBUF_INIT, body = STRBUF_INIT;
    struct err err;

    rotation_ask(&certificate->rotation, clock_boottime());
    certificate->look_delay = LOOK_MIN_USEC;
    if (certificate_key_make(&certificate->key, &err) < 0 ||
        certificate_request_make(&wish, &certificate->key, &pem, &err) < 0) {
        attempt_failed(certificate, false, err.text);
        return;
    }
    certificate_request_write(&wish, &pem, &body);
    certificate->call =
        api_begin(asker(certificate),
                  &(struct api_request){.method = "POST", .path = REQUESTS, .body = body.text},
                  on_answer, certificate);
}

/* names */

static bool same_names(const char *const *a, const char *const *b)
{
    size_t i = 0;

    while (a[i] && b[i] && str_equal(a[i], b[i]))
        i++;
    return !a[i] && !b[i];
}

/* Is the node somebody else now? One that was deleted is who it was until it is there again. */
static bool look_at_names(struct cluster_certificate *certificate)
{
    struct arena arena = ARENA_INIT(256, 1024);
    const char *const *names = certificate->options.names(certificate->options.owner, &arena);

    if (!names || (certificate->names && same_names(names, certificate->names))) {
        arena_deinit(&arena);
        return false;
    }
    arena_deinit(&certificate->names_arena);
    certificate->names_arena = arena;
    certificate->names = names;
    return true;
}

/* when */

static void go_on(struct cluster_certificate *certificate, usec_t look)
{
    bool outdated =
        certificate->rotation.present && !speaks_for_all(certificate, &certificate->current);
    struct rotation_verdict verdict = rotation_next(
        &certificate->rotation, outdated,
        (struct rotation_now){.boot = clock_boottime(), .wall = (int64_t)clock_wall()});

    wheel_arm(certificate->options.parts->wheel, &certificate->timer, MIN(verdict.wake, look));
    switch (verdict.step) {
    case ROTATION_ASK:
        ask(certificate);
        break;
    case ROTATION_BREAK_OFF:
        attempt_failed(certificate, false, verdict.why);
        break;
    case ROTATION_EXIT:
        certificate->options.lost(certificate->options.owner, verdict.why);
        break;
    default:
        break;
    }
}

static void next(struct cluster_certificate *certificate)
{
    usec_t look = usec_add(clock_boottime(), NAMES_USEC);

    if (certificate->options.use == CERTIFICATE_CLIENT) {
        go_on(certificate, USEC_NEVER);
        return;
    }
    if (look_at_names(certificate) && certificate->rotation.asking) {
        attempt_end(certificate); /* what it asks for is not wanted any more */
        ask(certificate);
    }
    if (certificate->names)
        go_on(certificate, look);
    else
        wheel_arm(certificate->options.parts->wheel, &certificate->timer, look);
}

static void on_timer(struct wheel_timer *timer)
{
    next(container_of(timer, struct cluster_certificate, timer));
}

/* the object */

static int load(struct cluster_certificate *certificate, struct err *err)
{
    const struct config *config = certificate->options.config;
    bool serves = certificate->options.use == CERTIFICATE_SERVING;
    struct certificate loaded;
    int r = certificate_store_load(&certificate->store, serves ? config->tls_cert_file : NULL,
                                   serves ? config->tls_key_file : NULL, &loaded, err);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    take(certificate, &loaded);
    return 0;
}

int cluster_certificate_new(struct cluster_certificate **result,
                            const struct cluster_certificate_options *options, struct err *err)
{
    struct cluster_certificate *certificate = mem_new(struct cluster_certificate);
    int r;

    certificate->options = *options;
    certificate->store = (struct certificate_store){
        .path = options->config->cert_dir,
        .pair =
            options->use == CERTIFICATE_CLIENT ? CERTIFICATE_PAIR_CLIENT : CERTIFICATE_PAIR_SERVER,
    };
    rotation_init(&certificate->rotation, options->use == CERTIFICATE_CLIENT, clock_boottime());
    wheel_timer_init(&certificate->timer, on_timer);
    wheel_timer_init(&certificate->look, on_look);
    r = certificate->store.directory = certificate_directory_open(options->config->cert_dir, err);
    if (r >= 0)
        r = load(certificate, err);
    if (r < 0) {
        cluster_certificate_free(certificate);
        return r;
    }
    wheel_arm(options->parts->wheel, &certificate->timer, clock_boottime());
    *result = certificate;
    return 0;
}

struct cluster_certificate *cluster_certificate_free(struct cluster_certificate *certificate)
{
    if (!certificate)
        return NULL;
    attempt_end(certificate);
    wheel_cancel(&certificate->timer);
    certificate_deinit(&certificate->current);
    arena_deinit(&certificate->names_arena);
    fd_close_at(&certificate->store.directory);
    free(certificate);
    return NULL;
}
