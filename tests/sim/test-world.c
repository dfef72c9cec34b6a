/*
 * The world itself: does the model runtime do what containerd does, do kills leave what they should
 * leave, and is a violation seen? The agent here is a client that a test leads by the hand.
 */
#include "test.h"

#include "checks.h"
#include "manifests.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/cri/client.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"
#include "runtime.h"
#include "scenario.h"
#include "subject.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* the client */

static struct {
    struct loop *loop;
    struct wheel *wheel;
    struct wheel_driver *driver;
    struct work *work;
    struct rpc *rpc;
    struct cri *cri;
} client;

struct answer {
    bool came;
    enum rpc_status status;
    char text[200];
    char id[ID_MAX];
    size_t count;
    unsigned state;
    int32_t exit_code;
};

void subject_start(void *unused)
{
    struct err err;

    assert_int_equal(loop_new(&client.loop, &err), 0);
    client.wheel = wheel_new(clock_boottime());
    assert_int_equal(wheel_driver_new(&client.driver, client.wheel, client.loop, &err), 0);
    assert_int_equal(work_new(&client.work, client.loop, client.wheel, &err), 0);
    assert_int_equal(rpc_new(&client.rpc, client.loop, &err), 0);
    assert_int_equal(cri_new(&client.cri, client.rpc, CRI_DEFAULT_ENDPOINT, NULL, &err), 0);
}

void subject_stop(void *unused)
{
    cri_free(client.cri);
    rpc_free(client.rpc);
    work_free(client.work);
    wheel_driver_free(client.driver);
    wheel_free(client.wheel);
    loop_free(client.loop);
}

void subject_tell(void *strbuf)
{
}

bool subject_is_settled(void)
{
    return false;
}

static void on_answer(void *owner, const struct cri_reply *reply)
{
    struct answer *answer = owner;
    const ProtobufCMessage *message = reply->message;

    answer->came = true;
    answer->status = reply->status;
    snprintf(answer->text, sizeof(answer->text), "%s", reply->text);
    if (!message)
        return;
    if (message->descriptor == &cri__run_pod_sandbox_response__descriptor)
        snprintf(answer->id, ID_MAX, "%s",
                 ((const Cri__RunPodSandboxResponse *)message)->pod_sandbox_id);
    if (message->descriptor == &cri__create_container_response__descriptor)
        snprintf(answer->id, ID_MAX, "%s",
                 ((const Cri__CreateContainerResponse *)message)->container_id);
    if (message->descriptor == &cri__list_containers_response__descriptor)
        answer->count = ((const Cri__ListContainersResponse *)message)->n_containers;
    if (message->descriptor == &cri__container_status_response__descriptor) {
        answer->state = ((const Cri__ContainerStatusResponse *)message)->status->state;
        answer->exit_code = ((const Cri__ContainerStatusResponse *)message)->status->exit_code;
    }
}

struct sending {
    const struct cri_method *method;
    const ProtobufCMessage *request;
    usec_t timeout;
    struct answer *answer;
};

static void send_it(void *data)
{
    struct sending *sending = data;
    struct cri_call *call;
    struct err err;

    assert_int_equal(cri_call(&call, client.cri, sending->method, sending->request,
                              sending->timeout, on_answer, sending->answer, &err),
                     0);
}

static void send(const struct cri_method *method, const ProtobufCMessage *request, usec_t timeout,
                 struct answer *answer)
{
    struct sending sending = {method, request, timeout, answer};

    *answer = (struct answer){0};
    assert_true(life_call(send_it, &sending));
}

static void wait_for(const struct answer *answer)
{
    while (!answer->came)
        world_step();
}

static struct answer ask(const struct cri_method *method, const ProtobufCMessage *request)
{
    struct answer answer;

    send(method, request, 60 * USEC_PER_SEC, &answer);
    wait_for(&answer);
    return answer;
}

static void pass(usec_t time)
{
    event_add(time, "", "", life_begin, NULL); /* nothing, as it lives */
    for (usec_t end = world->now + time; world->now < end;)
        world_step();
}

/* requests for what pod 0 declares */

static Cri__Pair uid_label = CRI__PAIR__INIT;
static Cri__Pair *labels[] = {&uid_label};

static struct answer run_sandbox(uint32_t attempt, usec_t timeout)
{
    Cri__RunPodSandboxRequest request = CRI__RUN_POD_SANDBOX_REQUEST__INIT;
    Cri__PodSandboxConfig config = CRI__POD_SANDBOX_CONFIG__INIT;
    Cri__PodSandboxMetadata metadata = CRI__POD_SANDBOX_METADATA__INIT;
    struct answer answer;

    metadata.uid = (char *)"pod-0-v1";
    metadata.name = (char *)"pod-0-node";
    metadata.namespace_ = (char *)"default";
    metadata.attempt = attempt;
    config.metadata = &metadata;
    request.config = &config;
    send(&cri_run_pod_sandbox, &request.base, timeout, &answer);
    wait_for(&answer);
    return answer;
}

static struct answer create(const char *sandbox, const char *name, uint32_t attempt)
{
    Cri__CreateContainerRequest request = CRI__CREATE_CONTAINER_REQUEST__INIT;
    Cri__ContainerConfig config = CRI__CONTAINER_CONFIG__INIT;
    Cri__ContainerMetadata metadata = CRI__CONTAINER_METADATA__INIT;
    Cri__PodSandboxConfig sandbox_config = CRI__POD_SANDBOX_CONFIG__INIT;
    Cri__ImageSpec image = CRI__IMAGE_SPEC__INIT;

    runtime_add_image("image-0:1");
    uid_label.key = (char *)"io.kubernetes.pod.uid";
    uid_label.value = (char *)"pod-0-v1";
    metadata.name = (char *)name;
    metadata.attempt = attempt;
    image.image = (char *)"image-0:1";
    config.metadata = &metadata;
    config.image = &image;
    config.labels = labels;
    config.n_labels = array_size(labels);
    config.log_path = (char *)"0.log";
    sandbox_config.log_directory = (char *)"/var/log/pods/0";
    request.pod_sandbox_id = (char *)sandbox;
    request.config = &config;
    request.sandbox_config = &sandbox_config;
    return ask(&cri_create_container, &request.base);
}

/* The id is the first field of each of these. */
static struct answer by_id(const struct cri_method *method, const ProtobufCMessageDescriptor *type,
                           const char *id)
{
    Cri__StopContainerRequest request;

    protobuf_c_message_init(type, &request);
    request.container_id = (char *)id;
    return ask(method, &request.base);
}

static struct answer start(const char *id)
{
    return by_id(&cri_start_container, &cri__start_container_request__descriptor, id);
}

static struct answer stop(const char *id, int64_t grace)
{
    Cri__StopContainerRequest request = CRI__STOP_CONTAINER_REQUEST__INIT;

    request.container_id = (char *)id;
    request.timeout = grace;
    return ask(&cri_stop_container, &request.base);
}

static struct answer remove_container(const char *id)
{
    return by_id(&cri_remove_container, &cri__remove_container_request__descriptor, id);
}

static struct answer stop_sandbox(const char *id)
{
    return by_id(&cri_stop_pod_sandbox, &cri__stop_pod_sandbox_request__descriptor, id);
}

static struct answer remove_sandbox(const char *id)
{
    return by_id(&cri_remove_pod_sandbox, &cri__remove_pod_sandbox_request__descriptor, id);
}

static struct answer status_of(const char *id)
{
    return by_id(&cri_container_status, &cri__container_status_request__descriptor, id);
}

/* a world without faults, and a pod that may be stopped at any time */

static int begin(void **state)
{
    struct order order = {.seed = 7};
    struct manifest *manifest;
    static struct choices_taken taken;

    world_begin(&order, &taken);
    world->choices.calm = true;
    world->runtime->flavour = FLAVOUR_1_6;
    life_begin(NULL);
    manifests_put(0);
    manifest = manifests_find("pod-0-v1");
    manifest->ever_delivered = manifest->told_removed = true;
    for (size_t i = 0; i < manifest->container_count; i++)
        manifest->containers[i].behaviour = BEHAVIOUR_RUNS;
    return 0;
}

static int end(void **state)
{
    life_call(subject_stop, NULL);
    world_end();
    return 0;
}

static const char *first_name(void)
{
    return manifests_find("pod-0-v1")->containers[0].name;
}

/* the runtime */

static void test_a_container_lives(void **state)
{
    struct answer sandbox = run_sandbox(0, 60 * USEC_PER_SEC);
    struct answer container = create(sandbox.id, first_name(), 0);

    assert_int_equal(sandbox.status, RPC_OK);
    assert_int_equal(container.status, RPC_OK);
    assert_int_equal(status_of(container.id).state, CRI__CONTAINER_STATE__CONTAINER_CREATED);
    assert_int_equal(start(container.id).status, RPC_OK);
    assert_int_equal(status_of(container.id).state, CRI__CONTAINER_STATE__CONTAINER_RUNNING);
    assert_int_not_equal(start(container.id).status, RPC_OK);
    assert_true(tree_has(world->tree, "/var/log/pods/0/0.log"));
    assert_int_equal(stop(container.id, 5).status, RPC_OK);
    assert_int_equal(status_of(container.id).state, CRI__CONTAINER_STATE__CONTAINER_EXITED);
    assert_int_equal(stop(container.id, 5).status, RPC_OK);
    assert_int_equal(remove_container(container.id).status, RPC_OK);
    assert_int_equal(status_of(container.id).status, RPC_NOT_FOUND);
    assert_int_equal(stop(container.id, 5).status, RPC_NOT_FOUND);
    assert_int_equal(remove_container(container.id).status, RPC_OK);
    assert_int_equal(stop_sandbox(sandbox.id).status, RPC_OK);
    assert_int_equal(remove_sandbox(sandbox.id).status, RPC_OK);
    assert_int_equal(stop_sandbox(sandbox.id).status, RPC_NOT_FOUND);
    assert_int_equal(map_count(&world->runtime->names), 0);
    assert_int_equal(world->violated, INVARIANT_NONE);
}

static void test_who_ignores_term_is_killed_after_its_grace(void **state)
{
    struct answer sandbox = run_sandbox(0, 60 * USEC_PER_SEC);
    struct answer container = create(sandbox.id, first_name(), 0);
    struct container *real = container_find(container.id);
    usec_t began;

    start(container.id);
    real->asked_to_end = true; /* and did not care */
    began = world->now;
    assert_int_equal(stop(container.id, 5).status, RPC_OK);
    assert_in_range(world->now - began, 5 * USEC_PER_SEC, 6 * USEC_PER_SEC);
    assert_int_equal(status_of(container.id).exit_code, 137);
}

static void test_names_are_reserved(void **state)
{
    struct answer first, second, sandbox;

    /* Given up at once, but at work: its name is taken until it is done, and then by what it made.
     */
    first = run_sandbox(0, 3 * USEC_PER_MSEC);
    assert_int_equal(first.status, RPC_DEADLINE_EXCEEDED);
    second = run_sandbox(0, 60 * USEC_PER_SEC);
    assert_non_null(strstr(second.text, "is reserved for"));
    assert_int_equal(second.status, RPC_UNKNOWN);
    pass(2 * USEC_PER_SEC);
    if (list_empty(&world->runtime->sandboxes)) {
        assert_int_equal(map_count(&world->runtime->names), 0); /* it was rolled back */
        sandbox = run_sandbox(0, 60 * USEC_PER_SEC);
        assert_int_equal(sandbox.status, RPC_OK);
    }
    assert_non_null(strstr(run_sandbox(0, 60 * USEC_PER_SEC).text, "is reserved for"));
}

static void test_two_of_a_name_are_seen(void **state)
{
    struct answer sandbox = run_sandbox(0, 60 * USEC_PER_SEC);

    start(create(sandbox.id, first_name(), 0).id);
    assert_int_equal(world->violated, INVARIANT_NONE);
    start(create(sandbox.id, first_name(), 1).id);
    assert_int_equal(world->violated, INVARIANT_ONE_CONTAINER);
}

static void test_two_sandboxes_are_seen(void **state)
{
    run_sandbox(0, 60 * USEC_PER_SEC);
    run_sandbox(1, 60 * USEC_PER_SEC);
    assert_int_equal(world->violated, INVARIANT_ONE_SANDBOX);
}

static void test_a_stop_without_reason_is_seen(void **state)
{
    struct manifest *manifest = manifests_find("pod-0-v1");
    struct answer sandbox = run_sandbox(0, 60 * USEC_PER_SEC), container;

    container = create(sandbox.id, first_name(), 0);
    start(container.id);
    manifest->told_removed = false;
    manifest->deadline_seconds = 0;
    stop(container.id, 2);
    assert_int_equal(world->violated, INVARIANT_UNDISTURBED);
}

static void test_removing_what_runs_without_stopping_it_is_seen(void **state)
{
    remove_sandbox(run_sandbox(0, 60 * USEC_PER_SEC).id);
    assert_int_equal(world->violated, INVARIANT_STOPPED_FIRST);
}

static void test_lists_are_filtered(void **state)
{
    struct answer sandbox = run_sandbox(0, 60 * USEC_PER_SEC);
    Cri__ListContainersRequest request = CRI__LIST_CONTAINERS_REQUEST__INIT;
    Cri__ContainerFilter filter = CRI__CONTAINER_FILTER__INIT;
    Cri__ContainerStateValue created = CRI__CONTAINER_STATE_VALUE__INIT;
    Cri__Pair other = CRI__PAIR__INIT, *selector[] = {&uid_label};

    create(sandbox.id, first_name(), 0);
    start(create(sandbox.id, first_name(), 1).id);
    assert_int_equal(ask(&cri_list_containers, &request.base).count, 2);
    request.filter = &filter;
    filter.state = &created;
    assert_int_equal(ask(&cri_list_containers, &request.base).count, 1);
    filter.state = NULL;
    filter.label_selector = selector;
    filter.n_label_selector = 1;
    assert_int_equal(ask(&cri_list_containers, &request.base).count, 2);
    other.key = (char *)"io.kubernetes.pod.uid";
    other.value = (char *)"another";
    selector[0] = &other;
    assert_int_equal(ask(&cri_list_containers, &request.base).count, 0);
}

/* kills */

static void test_what_the_agent_began_goes_on_without_it(void **state)
{
    unsigned made = 0, undone = 0;

    for (unsigned i = 0; i < 40; i++) {
        run_sandbox(i, 3 * USEC_PER_MSEC);
        life_end();
        pass(40 * USEC_PER_SEC); /* another one has started */
        assert_true(world->life.alive);
        made += list_count(&world->runtime->sandboxes);
        undone += list_empty(&world->runtime->sandboxes);
        while (!list_empty(&world->runtime->sandboxes))
            sandbox_drop(list_first(&world->runtime->sandboxes, struct sandbox, link));
    }
    assert_int_equal(made + undone, 40);
    assert_true(made > 5 && undone > 5);
    assert_int_equal(map_count(&world->runtime->names), 0);
}

static void test_a_runtime_that_is_killed_loses_its_calls(void **state)
{
    struct answer sandbox = run_sandbox(0, 60 * USEC_PER_SEC), container, late;
    Cri__ListContainersRequest request = CRI__LIST_CONTAINERS_REQUEST__INIT;

    container = create(sandbox.id, first_name(), 0);
    start(container.id);
    send(&cri_list_containers, &request.base, 60 * USEC_PER_SEC, &late);
    runtime_dies();
    wait_for(&late);
    assert_int_equal(late.status, RPC_UNAVAILABLE);
    assert_int_equal(ask(&cri_list_containers, &request.base).status, RPC_UNAVAILABLE);
    runtime_returns();
    assert_int_equal(status_of(container.id).state, CRI__CONTAINER_STATE__CONTAINER_RUNNING);
    runtime_machine_boots();
    assert_int_equal(status_of(container.id).state, CRI__CONTAINER_STATE__CONTAINER_EXITED);
}

/* files */

static void test_files(void **state)
{
    struct file_contents contents = {.bytes = "one", .length = 3, .mode = 0600};
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct directory_listing listing;
    struct err err;
    int root = directory_open("/var/lib/x", 0700, &err);

    assert_true(root > 0);
    assert_int_equal(directory_make(root, "a/b", 0750, &err), 0);
    assert_int_equal(file_replace(root, "a/b/f", &contents, &err), 0);
    assert_int_equal(file_read_beneath(root, "a/b/f", FILE_LINKS_REFUSED, 10, &text, &err), 0);
    assert_string_equal(text.text, "one");
    assert_int_equal(file_replace(root, "none/f", &contents, &err), -ENOENT);
    assert_int_equal(directory_list(root, "a", 10, &arena, &listing, &err), 0);
    assert_int_equal(listing.count, 1);
    assert_string_equal(listing.items[0].name, "b");
    world->disk_full = true;
    assert_int_equal(file_replace(root, "a/b/f", &contents, &err), -ENOSPC);
    world->disk_full = false;
    assert_string_equal(tree_find(world->tree, "/var/lib/x", "b"), "/var/lib/x/a/b");
    assert_int_equal(tree_remove(root, "a", &err), 0);
    assert_int_equal(tree_remove(root, "a", &err), 0);
    assert_false(tree_has(world->tree, "/var/lib/x/a"));
    assert_true(fd_duplicate(root) >= 0);
    fd_close_at(&root);
}

/* seeds */

static void test_a_seed_is_always_the_same(void **state)
{
    struct outcome *outcomes = mem_alloc(sizeof(*outcomes) * 2);

    for (size_t i = 0; i < 2; i++) {
        struct order order = {.seed = 42};

        scenario_run(&order, &outcomes[i]);
    }
    assert_true(outcomes[0].steps > 100);
    assert_int_equal(outcomes[0].steps, outcomes[1].steps);
    assert_int_equal(outcomes[0].taken.count, outcomes[1].taken.count);
    assert_memory_equal(outcomes[0].taken.items, outcomes[1].taken.items,
                        sizeof(struct choice) * outcomes[0].taken.count);
    /* This client starts no pod. */
    assert_int_not_equal(outcomes[0].violated, INVARIANT_NONE);
    free(outcomes);
}

static void test_a_choice_left_out_leaves_the_others(void **state)
{
    struct outcome *outcomes = mem_alloc(sizeof(*outcomes) * 2);
    struct order order = {.seed = 42};
    uint64_t id;

    scenario_run(&order, &outcomes[0]);
    id = outcomes[0].taken.items[0].id;
    order.left_out = &id;
    order.left_out_count = 1;
    scenario_run(&order, &outcomes[1]);
    assert_int_equal(outcomes[0].taken.items[0].site, SITE_POD);
    assert_int_equal(outcomes[1].taken.items[0].id, outcomes[0].taken.items[1].id);
    free(outcomes);
}

#define test_in_world(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_in_world(test_a_container_lives),
        test_in_world(test_who_ignores_term_is_killed_after_its_grace),
        test_in_world(test_names_are_reserved),
        test_in_world(test_two_of_a_name_are_seen),
        test_in_world(test_two_sandboxes_are_seen),
        test_in_world(test_a_stop_without_reason_is_seen),
        test_in_world(test_removing_what_runs_without_stopping_it_is_seen),
        test_in_world(test_lists_are_filtered),
        test_in_world(test_what_the_agent_began_goes_on_without_it),
        test_in_world(test_a_runtime_that_is_killed_loses_its_calls),
        test_in_world(test_files),
        cmocka_unit_test(test_a_seed_is_always_the_same),
        cmocka_unit_test(test_a_choice_left_out_leaves_the_others),
    };

    return cmocka_run_group_tests_name("sim/world", tests, NULL, NULL);
}
