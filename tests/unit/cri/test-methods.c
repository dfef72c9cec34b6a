/* cri/methods: each method's path, and the messages that belong to it. */
#include "test.h"

#include "method.h"
#include "nodeagent/cri/client.h"

#include <stdio.h>
#include <string.h>

static const struct cri_method *const methods[] = {
    &cri_version,
    &cri_status,
    &cri_runtime_config,
    &cri_update_runtime_config,
    &cri_run_pod_sandbox,
    &cri_stop_pod_sandbox,
    &cri_remove_pod_sandbox,
    &cri_pod_sandbox_status,
    &cri_list_pod_sandbox,
    &cri_create_container,
    &cri_start_container,
    &cri_stop_container,
    &cri_remove_container,
    &cri_list_containers,
    &cri_container_status,
    &cri_update_container_resources,
    &cri_reopen_container_log,
    &cri_exec_sync,
    &cri_list_images,
    &cri_image_status,
    &cri_pull_image,
    &cri_remove_image,
    &cri_image_fs_info,
};

static void test_messages_are_the_methods(void **state)
{
    for (size_t i = 0; i < array_size(methods); i++) {
        const char *name = cri_method_name(methods[i]);
        char request[64], response[64];

        snprintf(request, sizeof(request), "%sRequest", name);
        snprintf(response, sizeof(response), "%sResponse", name);
        assert_string_equal(methods[i]->request->short_name, request);
        assert_string_equal(methods[i]->response->short_name, response);
    }
}

static void test_images_have_their_own_service(void **state)
{
    for (size_t i = 0; i < array_size(methods); i++) {
        bool image = strstr(methods[i]->path, "Image") != NULL;

        assert_int_equal(methods[i]->service == CRI_IMAGES, image);
        assert_int_equal(
            strncmp(methods[i]->path,
                    image ? "/runtime.v1.ImageService/" : "/runtime.v1.RuntimeService/",
                    image ? 25 : 27),
            0);
    }
}

static void test_the_stream_of_events(void **state)
{
    assert_string_equal(cri_method_name(&cri_get_container_events), "GetContainerEvents");
    assert_string_equal(cri_get_container_events.request->short_name, "GetEventsRequest");
    assert_string_equal(cri_get_container_events.response->short_name, "ContainerEventResponse");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_are_the_methods),
        cmocka_unit_test(test_images_have_their_own_service),
        cmocka_unit_test(test_the_stream_of_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
