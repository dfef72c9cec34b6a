/* objects/container-fields: every field of a container. */
#include "fields.h"
#include "whole-container.h"

#include "container-fields.h"

static const char whole[] =
    WHOLE_POD_BEGIN "initContainers: [{name: i, " WHOLE_CONTAINER_MEMBERS "}],"
                    "containers: [{name: a, " WHOLE_CONTAINER_MEMBERS "}],"
                    "ephemeralContainers: [{name: e, " WHOLE_CONTAINER_MEMBERS
                    ", targetContainerName: a}]," WHOLE_POD_END;

static const struct schema *const no_others[] = {NULL};

static struct json *first_of(struct json *root, const char *list)
{
    return json_get(json_get(root, "spec"), list)->items;
}

static void test_comes_back(void **state)
{
    assert_comes_back(whole);
}

/* The defaults drop it, hence it does not come back. */
static void mark_dropped(struct usage *usage)
{
    struct whole_document document;

    whole_init(&document, "{lifecycle: {stopSignal: SIGTERM}}");
    walk_fields(&container_schema, document.root, NULL, mark_used, usage);
    arena_deinit(&document.arena);
}

static void test_document_is_whole(void **state)
{
    struct whole_document document;
    struct usage usage = {0}, of_ephemeral = {0};

    whole_init(&document, whole);
    walk_fields(&container_schema, first_of(document.root, "containers"), NULL, mark_used, &usage);
    mark_dropped(&usage);
    assert_all_used(&usage, &container_schema, no_others);
    walk_fields(&ephemeral_container_schema, first_of(document.root, "ephemeralContainers"), NULL,
                mark_used, &of_ephemeral);
    mark_dropped(&of_ephemeral);
    assert_all_used(&of_ephemeral, &ephemeral_container_schema, no_others);
    arena_deinit(&document.arena);
}

static void test_wrong_types(void **state)
{
    struct whole_document document;
    struct path spec = path_name(NULL, "spec"), list = path_name(&spec, "containers"),
                item = path_index(&list, 0);

    whole_init(&document, whole);
    walk_fields(&container_schema, first_of(document.root, "containers"), &item, try_wrong_values,
                document.root);
    arena_deinit(&document.arena);
}

static void test_unknown_fields(void **state)
{
    static const struct finding_case cases[] = {
        {"targetContainerName: a", "UnknownField targetContainerName"},
        {"lifecycle: {preStop: {sleep: {seconds: 0}, grpc: {port: 1}}}",
         "UnknownField lifecycle.preStop.grpc"},
        {"livenessProbe: {exec: {command: [a]}, sleep: {seconds: 1}}",
         "UnknownField livenessProbe.sleep"},
        {"Image: a", "UnknownField Image"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"enviroment: []", "unknown field"},
        {"enfFrom: []", "unknown field; did you mean envFrom?"},
        {"livenesProbe: {}", "unknown field; did you mean livenessProbe?"},
        {"port: []", "unknown field; did you mean ports?"},
        {"securitycontext: {}", "unknown field; did you mean securityContext?"},
        {"ports: [{containerport: 1}]", "unknown field; did you mean containerPort?"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0]", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

/* Where absent and empty differ, both are kept. */
static void test_absent_and_empty(void **state)
{
    struct document document;
    struct pod *pod = read_pod(
        &document, "{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: "
                   "a, image: a, securityContext: {seccompProfile: {type: Localhost, "
                   "localhostProfile: ''}}}, {name: b, image: b, tty: false, securityContext: {"
                   "privileged: false}}]}}");
    const struct container *a = &pod->spec.containers.items[0], *b = a + 1;

    assert_string_equal(a->security_context->seccomp_profile->localhost_profile, "");
    assert_null(a->security_context->app_armor_profile);
    assert_int_equal(a->security_context->privileged, OPT_UNSET);
    assert_int_equal(b->security_context->privileged, OPT_FALSE);
    assert_false(b->security_context->run_as_user.set);
    assert_null(b->restart_policy);
    assert_null(b->lifecycle);
    document_deinit(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),       cmocka_unit_test(test_document_is_whole),
        cmocka_unit_test(test_wrong_types),      cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_absent_and_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
