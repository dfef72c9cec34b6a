/* static/url: pods from a server that answers, fails, and comes back. */
#include "fixture.h"

#include "http-server.h"
#include "nodeagent/net/http.h"

#include <signal.h>

#define PERIOD (30 * USEC_PER_MSEC)

struct answer {
    const char *status; /* NULL: the connection just ends */
    const char *body;
};

struct scene {
    struct place *place;
    struct http *http;
    struct http_server server;
    pthread_mutex_t lock;
    struct answer answer;
    unsigned asked;
    char header[64];
    char url[128];
};

static bool answer(struct http_server *server, int fd, const char *path, const char *request)
{
    struct scene *scene = server->data;
    const char *header = strstr(request, "X-Test: ");
    struct answer now;

    pthread_mutex_lock(&scene->lock);
    now = scene->answer;
    scene->asked++;
    if (header)
        snprintf(scene->header, sizeof(scene->header), "%.*s", (int)strcspn(header, "\r"), header);
    pthread_mutex_unlock(&scene->lock);
    return now.status && http_reply_with(fd, now.status, "", now.body);
}

static void say(struct scene *scene, const char *status, const char *body)
{
    pthread_mutex_lock(&scene->lock);
    scene->answer = (struct answer){status, body};
    pthread_mutex_unlock(&scene->lock);
}

static unsigned asked(struct scene *scene)
{
    unsigned count;

    pthread_mutex_lock(&scene->lock);
    count = scene->asked;
    pthread_mutex_unlock(&scene->lock);
    return count;
}

static int open_scene(void **state)
{
    struct scene *scene = mem_new(struct scene);

    set_up((void **)&scene->place);
    pthread_mutex_init(&scene->lock, NULL);
    assert_int_equal(http_new(&scene->http,
                              &(struct http_options){
                                  .loop = scene->place->loop,
                                  .wheel = scene->place->wheel,
                                  .work = scene->place->work,
                                  .class = LOOP_API,
                                  .calls_max = 4,
                              },
                              NULL),
                     0);
    http_server_start(&scene->server, answer, scene);
    snprintf(scene->url, sizeof(scene->url), "http://me:secret@127.0.0.1:%u/pods",
             scene->server.port);
    snprintf(scene->place->path, sizeof(scene->place->path), "http://127.0.0.1:%u/pods",
             scene->server.port);
    *state = scene;
    return 0;
}

static int close_scene(void **state)
{
    struct scene *scene = *state;

    scene->place->source = static_source_free(scene->place->source);
    http_free(scene->http);
    http_server_stop(&scene->server);
    pthread_mutex_destroy(&scene->lock);
    tear_down((void **)&scene->place);
    free(scene);
    return 0;
}

static void begin(struct scene *scene, const char *const *headers)
{
    struct static_options options = options_of(scene->place, PERIOD);

    options.place = scene->url;
    options.http = scene->http;
    options.headers = headers;
    assert_int_equal(static_url_new(&scene->place->source, &options, NULL), 0);
    assert_int_equal(scene->place->told, 0);
}

/* Until it has asked some more times and digested the answers. */
static void let_ask(struct scene *scene, unsigned times)
{
    unsigned until = asked(scene) + times + 1;

    turn_until(scene->place, asked(scene) >= until);
}

static void test_pods_of_a_url(void **state)
{
    static const char *const headers[] = {"X-Test: one", NULL};
    struct scene *scene = *state;
    struct place *place = scene->place;
    struct object *web;

    say(scene, "200 OK", POD("web", "a:1"));
    begin(scene, headers);
    turn_until_names(place, "web-n1");
    assert_true(place->complete);
    assert_string_equal(place->problems, "");
    assert_string_equal(scene->header, "X-Test: one");
    assert_string_equal(
        string_map_get(&place->objects[0]->metadata.annotations, "kubernetes.io/config.source"),
        "http");
    web = place->objects[0];
    let_ask(scene, 3);
    assert_int_equal(place->told, 1);
    say(scene, "200 OK",
        "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: web}\n  spec: {containers: [{"
        "name: c, image: 'a:1'}]}\n- metadata: {name: db}\n  spec: {containers: [{name: c, image: "
        "a}]}\n");
    turn_until_names(place, "web-n1 db-n1");
    assert_ptr_equal(place->objects[0], web);
    say(scene, "200 OK", "");
    turn_until_names(place, "");
    assert_string_equal(place->problems, "");
    assert_true(place->complete);
}

static void test_bad_answers_change_nothing(void **state)
{
    struct scene *scene = *state;
    struct place *place = scene->place;

    say(scene, "200 OK", POD("web", "a:1"));
    begin(scene, NULL);
    turn_until_names(place, "web-n1");
    say(scene, "200 OK", "<html>Log in!</html>");
    turn_until(place, *place->problems);
    assert_string_equal(place->problems, "! line 1 column 1: must be an object, not a string\n");
    assert_string_equal(place->names, "web-n1");
    let_ask(scene, 3);
    assert_int_equal(place->told, 2);
    say(scene, "200 OK", "{\"apiVersion\": \"v1\", \"kind\": \"PodList\", \"items\": [{}]}");
    turn_until(place, strstr(place->problems, "items[0].metadata.name"));
    assert_string_equal(place->names, "web-n1");
    say(scene, "200 OK", POD("web", "a:1"));
    turn_until(place, !*place->problems);
    assert_string_equal(place->names, "web-n1");
}

static void test_failures_keep_the_pods(void **state)
{
    struct scene *scene = *state;
    struct place *place = scene->place;

    say(scene, "200 OK", POD("web", "a:1"));
    begin(scene, NULL);
    turn_until_names(place, "web-n1");
    say(scene, "503 Service Unavailable", "");
    turn_until(place, *place->problems);
    assert_string_equal(place->problems, "! answers with status 503, not 200\n");
    assert_string_equal(place->names, "web-n1");
    assert_true(place->complete);
    let_ask(scene, 3);
    assert_int_equal(place->told, 2);
    /* After three times nobody is told of another reason. */
    say(scene, "404 Not Found", "");
    let_ask(scene, 3);
    assert_int_equal(place->told, 2);
    say(scene, "200 OK", POD("web", "a:1"));
    turn_until(place, !*place->problems);
    assert_string_equal(place->names, "web-n1");
    assert_int_equal(place->told, 3);
    say(scene, "404 Not Found", "");
    turn_until(place, *place->problems);
    assert_string_equal(place->problems, "! answers with status 404, not 200\n");
}

static void test_no_answer_at_first(void **state)
{
    struct scene *scene = *state;
    struct place *place = scene->place;

    say(scene, NULL, NULL);
    begin(scene, NULL);
    turn_until(place, place->told);
    assert_false(place->complete);
    assert_string_equal(place->problems, "! Empty reply from server\n");
    say(scene, "200 OK", "kind: [");
    turn_until(place, strstr(place->problems, "line 1"));
    assert_false(place->complete);
    say(scene, "200 OK", POD("web", "a:1"));
    turn_until_names(place, "web-n1");
    assert_true(place->complete);
}

static void test_refused_urls(void **state)
{
    struct scene *scene = *state;
    struct static_options options = options_of(scene->place, PERIOD);
    struct err err;

    options.http = scene->http;
    options.place = "ftp://u:secret@h/x";
    assert_int_equal(static_url_new(&scene->place->source, &options, &err), -EINVAL);
    assert_string_equal(err.text,
                        "static pod URL \"ftp://h/x\": must begin with http:// or https://");
    /* What only shows when it is asked is a problem. */
    options.place = "http://h:99999/x";
    assert_int_equal(static_url_new(&scene->place->source, &options, &err), 0);
    turn_until(scene->place, scene->place->told);
    assert_non_null(strstr(scene->place->problems, "http://h:99999/x! is not a URL: "));
}

static void test_freed_at_any_time(void **state)
{
    struct scene *scene = *state;
    struct place *place = scene->place;

    say(scene, "200 OK", POD("web", "a:1"));
    for (unsigned turns = 0; turns < 10; turns++) {
        begin(scene, NULL);
        for (unsigned i = 0; i < turns && !place->told; i++)
            assert_true(loop_turn(place->loop, 5 * USEC_PER_MSEC, NULL) >= 0);
        place->source = static_source_free(place->source);
        place->told = 0;
    }
    place->free_at_once = true;
    begin(scene, NULL);
    turn_until(place, place->told);
    assert_null(place->source);
    turn_for(place, 2 * PERIOD);
    assert_int_equal(place->told, 1);
}

#define in_scene(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_scene(test_pods_of_a_url),          in_scene(test_bad_answers_change_nothing),
        in_scene(test_failures_keep_the_pods), in_scene(test_no_answer_at_first),
        in_scene(test_refused_urls),           in_scene(test_freed_at_any_time),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
