/* agent/cluster-offline: when a checkpoint is used, and what of it. */
#include "cluster-world.h"

#include "checkpoint.h"

#define HEARD "2026-01-02T03:00:00Z"
#define STATEFUL                                                                                   \
    ",'ownerReferences':[{'apiVersion':'apps/v1','kind':'StatefulSet','name':'db','uid':'u'}]"

static struct api_watch *const pods_watch = (struct api_watch *)"pods";
static struct api *const bootstrap_api = (struct api *)"bootstrap";
static struct strbuf told;
static bool refused;
static usec_t answered; /* from the server, by who asks for the first certificate */

/* the rest of the agent */

void api_watch_prime(struct api_watch *watch, struct object *const *objects, size_t count)
{
    strbuf_printf(&told, "%s:", (const char *)watch);
    for (size_t i = 0; i < count; i++) {
        struct agent_pod *pod = map_get(&world.agent.pods, objects[i]->metadata.uid);

        strbuf_printf(&told, " %s", objects[i]->metadata.name);
        if (objects[i]->kind == &object_kind_secret)
            strbuf_printf(&told, "@%s", objects[i]->metadata.resource_version);
        if (pod)
            pod->object = objects[i];
    }
    strbuf_add(&told, ";");
}

bool api_watch_is_refused(const struct api_watch *watch)
{
    assert_ptr_equal(watch, pods_watch);
    return refused;
}

usec_t api_heard(const struct api *api)
{
    assert_ptr_equal(api, bootstrap_api);
    return answered;
}

struct agent_pod *pods_find(struct agent *agent, const char *uid)
{
    return map_get(&agent->pods, uid);
}

void cluster_node_prime(struct cluster_node *node, struct object *object)
{
    strbuf_printf(&told, "node: %s;", object->metadata.name);
}

void cluster_tokens_restore(struct agent_pod *pod, const struct checkpoint_token *saved)
{
    strbuf_printf(&told, "token of %s: %s;", pod->uid, saved->token);
}

void cluster_tokens_hurry(struct agent_pod *pod)
{
}

bool version_is_older(const char *version, const char *than)
{
    return strcmp(version, than) < 0;
}

/* the world */

static void write_file(const char *name, const char *text)
{
    char path[128], *copy = mem_strdup(text);

    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    snprintf(path, sizeof(path), "/" CHECKPOINT_DIRECTORY "/%s", name);
    put_bytes(world.root, path, copy, strlen(copy));
    free(copy);
}

static void write_node(const char *heard)
{
    _cleanup_(mem_free_at) char *text = mem_printf(
        "{'version':1,'heard':'%s','objects':[{'apiVersion':'v1','kind':'Node','metadata':{'name':"
        "'n','uid':'n','resourceVersion':'1'}},{'apiVersion':'v1','kind':'Service','metadata':{"
        "'name':'db','namespace':'a','uid':'x','resourceVersion':'1'}}]}",
        heard);

    write_file(CHECKPOINT_NODE_FILE, text);
}

static void write_pods(void)
{
    write_file("pod-web.json",
               "{'version':1,'objects':[" POD_OF("web", "", "Running") "," SECRET_OF(
                   "7") "],'absent':['ConfigMap/none'],'tokens':[{'token':'t','audience':'',"
                        "'expirationSeconds':600,'expirationTimestamp':'2026-01-02T04:00:00Z'}]}");
    write_file("pod-db.json", "{'version':1,'objects':[" POD_OF("db", STATEFUL,
                                                                "Running") "," SECRET_OF("6") "]}");
}

/* As records of this boot do. */
static struct agent_pod *know(const char *uid)
{
    struct agent_pod *pod = mem_new(struct agent_pod);

    pod->uid = mem_strdup(uid);
    map_put(&world.agent.pods, uid, pod);
    return pod;
}

static int begin(void **state)
{
    begin_world(state);
    refused = false;
    world.cluster.pods = (struct api_watch *)pods_watch;
    world.cluster.services = (struct api_watch *)"services";
    world.cluster.runtime_classes = (struct api_watch *)"classes";
    write_node(HEARD);
    write_pods();
    return 0;
}

static int end(void **state)
{
    struct map_entry *entry;

    cluster_offline_free(world.cluster.offline);
    for (size_t at = 0; (entry = map_next(&world.agent.pods, &at));) {
        free(((struct agent_pod *)entry->value)->uid);
        free(entry->value);
    }
    map_deinit(&world.agent.pods);
    strbuf_deinit(&told);
    return end_world(state);
}

static void start(void)
{
    world.cluster.offline = cluster_offline_new(&world.cluster);
}

static void start_and_wait(void)
{
    start();
    pass(world.config.checkpoint_wait);
    run_job();
}

#define assert_told(expected)                                                                      \
    do {                                                                                           \
        assert_string_equal(told.text ? told.text : "", expected);                                 \
        strbuf_truncate(&told, 0);                                                                 \
    } while (0)

static void assert_says(const char *part)
{
    const char *says = cluster_offline_says(&world.cluster);

    if (!part)
        assert_null(says);
    else if (!says || !strstr(says, part))
        fail_msg("%s", says);
}

static void assert_primed(const char *key, const char *expected)
{
    cluster_offline_prime(world.cluster.offline, (struct api_watch *)"lone", key);
    assert_told(expected);
}

/* tests */

static void test_the_server_is_waited_for(void **state)
{
    know("web");
    start();
    pass(world.config.checkpoint_wait - USEC_PER_SEC);
    assert_no_job();
    assert_says(NULL);
    pass(USEC_PER_SEC);
    run_job();
    assert_told("services: db;classes:;node: n;pods: web;token of web: t;");
    assert_says("1 of the pods of the checkpoint of " HEARD " are run");
    assert_int_equal(cluster_offline_problems(&world.cluster)->count, 1);
    assert_non_null(strstr(cluster_offline_problems(&world.cluster)->items[0],
                           "pod a/db is not run from the checkpoint: it is of StatefulSet db"));
}

static void test_a_server_that_comes_in_time(void **state)
{
    start();
    cluster_offline_over(world.cluster.offline);
    pass(2 * world.config.checkpoint_wait);
    assert_no_job();
}

static void test_a_server_that_comes_while_files_are_read(void **state)
{
    start();
    pass(world.config.checkpoint_wait);
    world.complete = true;
    cluster_offline_over(world.cluster.offline);
    run_job();
    assert_told("");
    assert_says(NULL);
}

static void test_a_server_that_refuses_is_not_away(void **state)
{
    start();
    refused = true;
    pass(world.config.checkpoint_wait);
    assert_no_job();
    refused = false;
    pass(world.config.checkpoint_wait);
    run_job();
    assert_says("are run");
}

/* A request for a certificate that waits to be approved is looked at all the time. */
static void test_a_server_that_has_yet_to_give_a_certificate_is_not_away(void **state)
{
    world.agent.parts.bootstrap = bootstrap_api;
    answered = 0;
    start();
    answered = clock_boottime();
    pass(world.config.checkpoint_wait);
    assert_no_job();
    pass(120 * USEC_PER_SEC);
    run_job();
    assert_says("are run");
}

static void test_what_pods_refer_to(void **state)
{
    start_and_wait();
    assert_told("services: db;classes:;node: n;pods: web;");
    assert_primed("Secret/a/keys", "lone: keys@7;"); /* the newest of both */
    assert_primed("ConfigMap/a/none", "lone:;");
    assert_primed("ConfigMap/b/none", "");
    assert_primed("ConfigMap/a/other", "");
    cluster_offline_over(world.cluster.offline);
    assert_primed("Secret/a/keys", "");
    assert_says(NULL);
    assert_int_equal(cluster_offline_problems(&world.cluster)->count, 0);
}

static void test_the_age(void **state)
{
    world.config.checkpoint_max_age = 3600 * USEC_PER_SEC;
    write_node("2026-01-02T02:04:15Z"); /* it is an hour ago when it is read */
    start_and_wait();
    assert_says("are run");
    strbuf_truncate(&told, 0);
    cluster_offline_free(world.cluster.offline);
    pass(USEC_PER_SEC);
    start_and_wait();
    assert_told("");
    assert_says("is of 2026-01-02T02:04:15Z, which is longer ago than offline.maxAge (1h0m0s): no "
                "pod is started");
}

static void test_a_clock_that_is_behind(void **state)
{
    world.wall = 0;
    start_and_wait();
    assert_says("are run");
}

static void test_there_may_be_none(void **state)
{
    struct err err;

    assert_int_equal(tree_remove(world.agent.directories.root, "nodeagent", &err), 0);
    start_and_wait();
    assert_told("");
    assert_says("there is no checkpoint: no pod of the cluster is started");
}

static void test_it_may_be_of_no_use(void **state)
{
    write_file(CHECKPOINT_NODE_FILE, "{");
    start_and_wait();
    assert_told("");
    assert_says("the checkpoint is of no use: " CHECKPOINT_DIRECTORY "/node.json: the JSON text");
}

static void test_what_was_admitted_since_the_boot_goes_on(void **state)
{
    know("db")->memory.admitted = true;
    start_and_wait();
    assert_told("services: db;classes:;node: n;pods: db web;");
    assert_says("2 of the pods");
}

static void test_what_the_server_took_away_is_not_brought_back(void **state)
{
    know("web")->memory = (struct pod_memory){.admitted = true, .leaving = true};
    start_and_wait();
    assert_told("services: db;classes:;node: n;pods:;");
}

static void test_of_another_node(void **state)
{
    world.config.node_name = "m";
    start_and_wait();
    assert_told("services: db;classes:;node: n;pods:;");
    assert_int_equal(cluster_offline_problems(&world.cluster)->count, 2);
}

static void test_without_a_checkpoint_it_is_removed(void **state)
{
    struct checkpoint_loaded *loaded = checkpoint_loaded_new(world.agent.directories.root);

    world.config.checkpoint = false;
    start();
    run_job();
    assert_int_equal(checkpoint_load(loaded), -ENOENT);
    checkpoint_loaded_free(loaded);
}

#define offline_test(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        offline_test(test_the_server_is_waited_for),
        offline_test(test_a_server_that_comes_in_time),
        offline_test(test_a_server_that_comes_while_files_are_read),
        offline_test(test_a_server_that_refuses_is_not_away),
        offline_test(test_a_server_that_has_yet_to_give_a_certificate_is_not_away),
        offline_test(test_what_pods_refer_to),
        offline_test(test_the_age),
        offline_test(test_a_clock_that_is_behind),
        offline_test(test_there_may_be_none),
        offline_test(test_it_may_be_of_no_use),
        offline_test(test_what_was_admitted_since_the_boot_goes_on),
        offline_test(test_what_the_server_took_away_is_not_brought_back),
        offline_test(test_of_another_node),
        offline_test(test_without_a_checkpoint_it_is_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
