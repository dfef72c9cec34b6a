/* agent/cluster-certificate: the test is the server, the clock and the pool. */
#include "api/authority.h"

#include "cluster-certificate.h"

#include "nodeagent/api/certificate_store.h"
#include "nodeagent/api/client.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/sys/chance.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world {
    usec_t now;
    char *place;
    struct config config;
    struct agent_parts parts;
    struct authority authority;
    struct cluster_certificate *certificate;
    char *request;           /* what the last call posts */
    api_done_fn *done;       /* of that call; NULL: none is under way */
    struct work_order order; /* without a function: no job waits */
    bool cancelled;
} world;

/* doubles */

usec_t clock_boottime(void)
{
    return world.now;
}

usec_t clock_wall(void)
{
    return (usec_t)SECONDS(NOW);
}

usec_t chance_between(usec_t low, usec_t high)
{
    return low;
}

bool log_enabled(enum log_level level)
{
    return false;
}

void log_write(enum log_level level, const struct log_site *site, const struct log_field *fields,
               const char *format, ...)
{
}

void log_write_failure(enum log_level level, const struct log_site *site,
                       const struct log_field *fields, const struct err *err)
{
}

struct api_call *api_begin(struct api *api, const struct api_request *request, api_done_fn *done,
                           void *owner)
{
    assert_null(world.done);
    free(world.request);
    world.request = request->body ? mem_strdup(request->body) : NULL;
    world.done = done;
    return (struct api_call *)&world;
}

void api_cancel(struct api_call *call)
{
    world.done = NULL;
}

int work_submit(struct work *work, const struct work_order *order, struct work_job **job,
                struct err *err)
{
    world.order = *order;
    *job = (struct work_job *)&world.order;
    return 0;
}

/* It runs, and goes on by itself. */
void work_cancel(struct work_job *job)
{
    world.cancelled = true;
    world.order.done(world.order.owner, NULL, -ECANCELED);
}

/* the server */

static EVP_PKEY *key_asked_for(void)
{
    static const char member[] = "\"request\":\"";
    char *text = strstr(world.request, member) + strlen(member);
    size_t length;
    X509_REQ *request;
    EVP_PKEY *key;
    BIO *bio;

    assert_int_equal(base64_decode(text, strcspn(text, "\""), &length), 0);
    bio = BIO_new_mem_buf(text, (int)length);
    request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    assert_non_null(request);
    key = X509_REQ_get_pubkey(request);
    X509_REQ_free(request);
    BIO_free(bio);
    return key;
}

static void answer_with_certificate(void)
{
    _cleanup_(strbuf_deinit) struct strbuf chain = STRBUF_INIT, encoded = STRBUF_INIT;
    struct api_reply reply = {0};
    api_done_fn *done = world.done;
    EVP_PKEY *key = key_asked_for();
    char *body;

    add_issued(&chain, &world.authority, key, &(struct issue){0});
    base64_encode(&encoded, chain.text, chain.length);
    body = mem_printf("{\"kind\":\"CertificateSigningRequest\",\"metadata\":{\"name\":\"csr-1\"},"
                      "\"spec\":{},\"status\":{\"certificate\":\"%s\","
                      "\"conditions\":[{\"type\":\"Approved\"}]}}",
                      encoded.text);
    reply.body = body;
    reply.length = strlen(body);
    world.done = NULL;
    done(world.certificate, &reply);
    free(body);
    EVP_PKEY_free(key);
}

/* the world */

static int set_up(void **state)
{
    struct cluster_certificate_options options = {
        .config = &world.config,
        .parts = &world.parts,
        .use = CERTIFICATE_CLIENT,
    };
    struct wheel_timer *timer;

    world = (struct world){
        .now = 1000 * USEC_PER_SEC,
        .place = make_place(),
        .config = {.node_name = "n"},
    };
    world.config.cert_dir = world.place;
    world.parts.wheel = wheel_new(world.now);
    authority_init(&world.authority);
    assert_int_equal(cluster_certificate_new(&world.certificate, &options, NULL), 0);
    timer = wheel_pop(world.parts.wheel, world.now += USEC_PER_MSEC);
    assert_non_null(timer);
    timer->fire(timer);
    return 0;
}

static int tear_down(void **state)
{
    cluster_certificate_free(world.certificate);
    wheel_free(world.parts.wheel);
    authority_deinit(&world.authority);
    remove_place(world.place);
    free(world.request);
    return 0;
}

static bool is_saved(void)
{
    _cleanup_(mem_free_at) char *path = mem_printf("%s/kubelet-client-current.pem", world.place);

    return access(path, F_OK) == 0;
}

/* tests */

static void test_what_is_issued_is_saved(void **state)
{
    struct work_order *order = &world.order;

    answer_with_certificate();
    assert_false(is_saved());
    order->done(order->owner, order->argument, order->run(order->argument));
    order->free(order->argument);
    assert_true(is_saved());
    assert_false(world.cancelled);
}

/* Who saves may hang, and its owner goes meanwhile: what it has open is its own. */
static void test_saving_outlives_its_owner(void **state)
{
    enum { OTHERS = 8 };
    int others[OTHERS];

    answer_with_certificate();
    world.certificate = cluster_certificate_free(world.certificate);
    assert_true(world.cancelled);
    for (size_t i = 0; i < OTHERS; i++)
        others[i] = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(world.order.run(world.order.argument), 0);
    world.order.free(world.order.argument);
    for (size_t i = 0; i < OTHERS; i++)
        assert_int_equal(close(others[i]), 0);
    assert_true(is_saved());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_issued_is_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_saving_outlives_its_owner, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
