/* agent/cluster-checkpoint: what is written, when, and what is not. */
#include "cluster-world.h"

#include "checkpoint.h"

#define PLACE "/" CHECKPOINT_DIRECTORY

static struct object *secret; /* NULL: there is none */
static struct object *service;
static bool unknown;
static bool shared_unknown;

/* the rest of the agent */

const char *cluster_trouble(const struct cluster *cluster)
{
    return world.trouble;
}

const struct object *cluster_object_find(const struct cluster *cluster,
                                         const struct object_kind *kind, const char *name_space,
                                         const char *name)
{
    return unknown ? NULL : secret;
}

bool cluster_object_is_unknown(const struct cluster *cluster, const struct object_kind *kind,
                               const char *name_space, const char *name)
{
    return unknown;
}

void cluster_tokens_save(const struct agent_pod *pod, struct arena *arena,
                         struct checkpoint_file *file)
{
}

struct object *cluster_node_seen(const struct cluster *cluster)
{
    return NULL;
}

struct object *api_watch_next(const struct api_watch *watch, size_t *position)
{
    return watch == world.cluster.services && !(*position)++ ? service : NULL;
}

bool cluster_knows(const struct cluster *cluster, const struct api_watch *watch)
{
    return !shared_unknown;
}

bool pod_uid_is_safe(const char *uid)
{
    return true;
}

/* the world */

static struct agent_pod *add_pod(const char *text)
{
    struct agent_pod *pod = mem_new(struct agent_pod);

    pod->object = object_from(text);
    pod->agent = &world.agent;
    pod->uid = (char *)pod->object->metadata.uid;
    pod->name = (char *)pod->object->metadata.name;
    pod->name_space = (char *)pod->object->metadata.name_space;
    pod->source = &world.agent.cluster_pods;
    pod->refers = pod->checkpoint_due = true;
    map_put(&world.agent.pods, pod->uid, pod);
    return pod;
}

static void drop_pod(struct agent_pod *pod)
{
    map_remove(&world.agent.pods, pod->uid);
    object_unref(pod->object);
    free(pod);
}

static int begin(void **state)
{
    begin_world(state);
    world.complete = true;
    world.cluster.services = (struct api_watch *)"services";
    secret = object_from(SECRET_OF("1"));
    service = object_from("{'apiVersion':'v1','kind':'Service','metadata':{'name':'db','namespace':"
                          "'a','uid':'x','resourceVersion':'1'}}");
    unknown = shared_unknown = false;
    world.cluster.checkpoint = cluster_checkpoint_new(&world.cluster);
    return 0;
}

static int end(void **state)
{
    struct map_entry *entry;

    cluster_checkpoint_free(world.cluster.checkpoint);
    for (size_t at = 0; (entry = map_next(&world.agent.pods, &at));)
        drop_pod(entry->value);
    map_deinit(&world.agent.pods);
    secret = object_unref(secret);
    service = object_unref(service);
    return end_world(state);
}

static void next_round(void)
{
    pass(CLUSTER_ROUND_USEC);
    cluster_checkpoint_round(world.cluster.checkpoint);
}

static void round_that_writes(void)
{
    next_round();
    run_job();
}

static void round_without_news(void)
{
    next_round();
    assert_no_job();
}

/* 0: there is none */
static ino_t file_of(const char *name)
{
    struct stat status;
    char path[128];

    snprintf(path, sizeof(path), "%s" PLACE "/%s", world.root->path, name);
    return stat(path, &status) < 0 ? 0 : status.st_ino;
}

static bool says(const char *name, const char *part)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    char path[128];
    struct err err;

    snprintf(path, sizeof(path), "%s" PLACE "/%s", world.root->path, name);
    assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
    return strstr(text.text, part);
}

/* tests */

static void test_nothing_is_written_before_the_server_told_of_all(void **state)
{
    world.complete = false;
    add_pod(POD_OF("web", "", "Running"));
    round_without_news();
    world.complete = true;
    round_that_writes();
    assert_true(says("pod-web.json", "\"keys\""));
    assert_true(says("node.json", "\"heard\":\"2026-01-02T03:04:25Z\""));
    assert_true(says("node.json", "\"db\""));
}

/* It would run again after the next boot. */
static void test_an_end_is_written_before_the_server_told_of_all(void **state)
{
    struct pod_status over = {.phase = "Succeeded"};
    struct agent_pod *job = add_pod(POD_OF("job", "", "Running"));

    put_bytes(world.root, PLACE "/pod-other.json", "x", 1);
    put_bytes(world.root, PLACE "/node.json", "x", 1);
    world.complete = false;
    job->memory.published = &over;
    job->memory.stage = POD_STAGE_ENDED;
    round_that_writes();
    assert_true(says("pod-job.json", "Succeeded"));
    assert_true(says("pod-other.json", "x"));
    assert_true(says("node.json", "x"));
    round_without_news();
    world.complete = true;
    round_that_writes();
    assert_int_equal(file_of("pod-other.json"), 0);
    assert_true(says("node.json", "\"heard\""));
}

static void test_what_an_agent_before_left_is_removed(void **state)
{
    put_bytes(world.root, PLACE "/pod-old.json", "x", 1);
    round_that_writes();
    assert_int_equal(file_of("pod-old.json"), 0);
}

static void test_only_news_is_written(void **state)
{
    struct agent_pod *web = add_pod(POD_OF("web", "", "Running"));
    struct agent_pod *other = add_pod(POD_OF("other", "", "Running"));
    ino_t before;

    round_that_writes();
    before = file_of("pod-other.json");
    round_without_news();
    web->checkpoint_due = true; /* it was planned, and is as it was */
    cluster_checkpoint_changed(world.cluster.checkpoint);
    round_without_news();
    object_unref(secret);
    secret = object_from(SECRET_OF("2"));
    web->checkpoint_due = true;
    round_that_writes();
    assert_true(says("pod-web.json", "\"resourceVersion\":\"2\""));
    assert_true(file_of("pod-other.json") == before);
    assert_false(other->checkpoint_due);
}

static void test_services_are_those_of_the_pods_namespaces(void **state)
{
    struct agent_pod *web = add_pod(POD_OF("web", "", "Running"));

    round_that_writes();
    object_unref(service);
    service =
        object_from("{'apiVersion':'v1','kind':'Service','metadata':{'name':'far','namespace':"
                    "'b','uid':'x','resourceVersion':'1'}}");
    cluster_checkpoint_changed(world.cluster.checkpoint);
    round_that_writes();
    assert_false(says("node.json", "far"));
    object_unref(service);
    service = object_from("{'apiVersion':'v1','kind':'Service','metadata':{'name':'kubernetes',"
                          "'namespace':'default','uid':'x','resourceVersion':'1'}}");
    cluster_checkpoint_changed(world.cluster.checkpoint);
    round_that_writes();
    assert_true(says("node.json", "kubernetes"));
    assert_false(web->checkpoint_due);
}

static void test_what_is_unknown_yet_is_waited_for(void **state)
{
    struct agent_pod *web = add_pod(POD_OF("web", "", "Running"));

    put_bytes(world.root, PLACE "/pod-web.json", "as it was", 9);
    unknown = true;
    round_that_writes();
    assert_true(says("pod-web.json", "as it was"));
    unknown = false;
    assert_true(web->checkpoint_due);
    round_that_writes();
    assert_true(says("pod-web.json", "\"keys\""));
}

/* Without Services a pod would be started with too few variables. */
static void test_what_pods_share_is_waited_for(void **state)
{
    put_bytes(world.root, PLACE "/node.json", "as it was", 9);
    shared_unknown = true;
    round_that_writes();
    assert_true(says("node.json", "as it was"));
    shared_unknown = false;
    round_that_writes();
    assert_true(says("node.json", "\"heard\""));
}

static void test_what_is_not_there_is_on_record(void **state)
{
    secret = object_unref(secret);
    add_pod(POD_OF("web", "", "Running"));
    round_that_writes();
    assert_true(says("pod-web.json", "\"absent\":[\"Secret/keys\"]"));
}

static void test_a_pod_that_is_gone_takes_its_file_along(void **state)
{
    struct agent_pod *web = add_pod(POD_OF("web", "", "Running"));
    struct agent_pod *other = add_pod(POD_OF("other", "", "Running"));

    round_that_writes();
    drop_pod(web);
    round_that_writes();
    assert_int_equal(file_of("pod-web.json"), 0);
    other->removed = true;
    round_that_writes();
    assert_int_equal(file_of("pod-other.json"), 0);
    round_without_news();
}

static void test_only_pods_of_the_cluster_are_in(void **state)
{
    add_pod(POD_OF("static", "", "Running"))->source = &world.agent.directory;
    round_that_writes();
    assert_int_equal(file_of("pod-static.json"), 0);
}

static void test_the_status_is_what_this_node_found(void **state)
{
    static const struct pod_status done = {.phase = "Succeeded"};
    struct agent_pod *web = add_pod(POD_OF("web", ",'resourceVersion':'17'", "Running"));

    round_that_writes();
    assert_true(says("pod-web.json", "\"Running\""));
    web->memory.published = &done;
    web->checkpoint_due = true;
    round_that_writes();
    assert_true(says("pod-web.json", "\"Succeeded\""));
    assert_false(says("pod-web.json", "\"17\""));
}

static void test_when_the_server_was_heard(void **state)
{
    round_that_writes();
    assert_true(says("node.json", "\"heard\":\"2026-01-02T03:04:15Z\""));
    pass(3600 * USEC_PER_SEC - 2 * CLUSTER_ROUND_USEC);
    round_without_news();
    round_that_writes();
    assert_true(says("node.json", "\"heard\":\"2026-01-02T04:04:15Z\""));
    world.trouble = "the server is away";
    pass(7200 * USEC_PER_SEC);
    round_without_news();
    world.trouble = NULL;
    round_that_writes();
    world.wall -= INT64_C(86400) * 1000000; /* somebody set the clock */
    round_that_writes();
    assert_true(says("node.json", "\"heard\":\"2026-01-01T06:04:"));
}

static void test_what_could_not_be_written_is_written_later(void **state)
{
    struct err err;

    add_pod(POD_OF("web", "", "Running"));
    put_bytes(world.root, "/nodeagent", "in the way", 10);
    round_that_writes();
    round_that_writes();
    assert_non_null(strstr(world.logged.text, "the checkpoint is not written: "));
    assert_null(strstr(strchr(world.logged.text, '\n'), "not written"));
    assert_int_equal(tree_remove(world.agent.directories.root, "nodeagent", &err), 0);
    round_that_writes();
    assert_true(says("pod-web.json", "\"keys\""));
    round_without_news();
}

/* `size` bytes of text in each. */
static void enlarge_secret(size_t size)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    strbuf_add(&text,
               "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'keys','namespace':'a',"
               "'uid':'s','resourceVersion':'3'},'data':{'key':'");
    for (size_t i = 0; i < size / 4; i++)
        strbuf_add(&text, "AAAA");
    strbuf_add(&text, "'}}");
    object_unref(secret);
    secret = object_from(text.text);
}

static void test_a_pod_with_too_much_is_left_out(void **state)
{
    struct agent_pod *web = add_pod(POD_OF("web", "", "Running"));

    round_that_writes();
    assert_true(file_of("pod-web.json") != 0);
    arena_alloc(&secret->arena, CHECKPOINT_FILE_MAX);
    for (int i = 0; i < 3; i++) {
        web->checkpoint_due = true;
        next_round();
        if (world.order.run)
            run_job();
    }
    assert_int_equal(file_of("pod-web.json"), 0);
    assert_string_equal(world.logged.text,
                        "pod a/web is not in the checkpoint: with what it refers "
                        "to it has more than 16 MiB\n");
}

static void test_large_pods_keep_no_other_out(void **state)
{
    struct agent_pod *web = add_pod(POD_OF("web", "", "Running"));

    add_pod(POD_OF("other", "", "Running"));
    enlarge_secret(5 << 20);
    round_that_writes();
    assert_int_equal(file_of("pod-other.json"), 0);
    web->checkpoint_due = true;
    round_that_writes();
    assert_true(file_of("pod-other.json") != 0);
}

static void test_what_ended_pods_refer_to_is_not_kept(void **state)
{
    struct agent_pod *web = add_pod(POD_OF("web", "", "Succeeded"));

    web->refers = false;
    unknown = true;
    round_that_writes();
    assert_true(file_of("pod-web.json") != 0);
    assert_false(says("pod-web.json", "\"keys\",\"namespace\""));
}

static void test_one_job_at_a_time(void **state)
{
    add_pod(POD_OF("web", "", "Running"));
    next_round();
    add_pod(POD_OF("other", "", "Running"));
    next_round();
    assert_int_equal(world.jobs, 1);
    run_job();
    assert_int_equal(file_of("pod-other.json"), 0);
    round_that_writes();
    assert_true(file_of("pod-other.json") != 0);
}

static void test_without_a_checkpoint_nothing_is_kept(void **state)
{
    world.config.checkpoint = false;
    assert_null(cluster_checkpoint_new(&world.cluster));
    cluster_checkpoint_round(NULL);
    cluster_checkpoint_changed(NULL);
    assert_null(cluster_checkpoint_free(NULL));
}

#define checkpoint_test(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        checkpoint_test(test_nothing_is_written_before_the_server_told_of_all),
        checkpoint_test(test_an_end_is_written_before_the_server_told_of_all),
        checkpoint_test(test_what_an_agent_before_left_is_removed),
        checkpoint_test(test_only_news_is_written),
        checkpoint_test(test_services_are_those_of_the_pods_namespaces),
        checkpoint_test(test_what_is_unknown_yet_is_waited_for),
        checkpoint_test(test_what_pods_share_is_waited_for),
        checkpoint_test(test_what_is_not_there_is_on_record),
        checkpoint_test(test_a_pod_that_is_gone_takes_its_file_along),
        checkpoint_test(test_only_pods_of_the_cluster_are_in),
        checkpoint_test(test_the_status_is_what_this_node_found),
        checkpoint_test(test_when_the_server_was_heard),
        checkpoint_test(test_what_could_not_be_written_is_written_later),
        checkpoint_test(test_one_job_at_a_time),
        checkpoint_test(test_a_pod_with_too_much_is_left_out),
        checkpoint_test(test_large_pods_keep_no_other_out),
        checkpoint_test(test_what_ended_pods_refer_to_is_not_kept),
        checkpoint_test(test_without_a_checkpoint_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
