/* The methods of the runtime and of its image service. */
#include "method.h"
#include "nodeagent/cri/client.h"

#include <string.h>

#define RUNTIME(method) "/runtime.v1.RuntimeService/" method
#define IMAGES(method) "/runtime.v1.ImageService/" method

const struct cri_method cri_version = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("Version"),
    .request = &cri__version_request__descriptor,
    .response = &cri__version_response__descriptor,
};

const struct cri_method cri_status = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("Status"),
    .request = &cri__status_request__descriptor,
    .response = &cri__status_response__descriptor,
};

const struct cri_method cri_runtime_config = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("RuntimeConfig"),
    .request = &cri__runtime_config_request__descriptor,
    .response = &cri__runtime_config_response__descriptor,
};

const struct cri_method cri_update_runtime_config = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("UpdateRuntimeConfig"),
    .request = &cri__update_runtime_config_request__descriptor,
    .response = &cri__update_runtime_config_response__descriptor,
};

const struct cri_method cri_run_pod_sandbox = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("RunPodSandbox"),
    .request = &cri__run_pod_sandbox_request__descriptor,
    .response = &cri__run_pod_sandbox_response__descriptor,
};

const struct cri_method cri_stop_pod_sandbox = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("StopPodSandbox"),
    .request = &cri__stop_pod_sandbox_request__descriptor,
    .response = &cri__stop_pod_sandbox_response__descriptor,
};

const struct cri_method cri_remove_pod_sandbox = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("RemovePodSandbox"),
    .request = &cri__remove_pod_sandbox_request__descriptor,
    .response = &cri__remove_pod_sandbox_response__descriptor,
};

const struct cri_method cri_pod_sandbox_status = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("PodSandboxStatus"),
    .request = &cri__pod_sandbox_status_request__descriptor,
    .response = &cri__pod_sandbox_status_response__descriptor,
};

const struct cri_method cri_list_pod_sandbox = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("ListPodSandbox"),
    .request = &cri__list_pod_sandbox_request__descriptor,
    .response = &cri__list_pod_sandbox_response__descriptor,
};

const struct cri_method cri_create_container = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("CreateContainer"),
    .request = &cri__create_container_request__descriptor,
    .response = &cri__create_container_response__descriptor,
};

const struct cri_method cri_start_container = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("StartContainer"),
    .request = &cri__start_container_request__descriptor,
    .response = &cri__start_container_response__descriptor,
};

const struct cri_method cri_stop_container = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("StopContainer"),
    .request = &cri__stop_container_request__descriptor,
    .response = &cri__stop_container_response__descriptor,
};

const struct cri_method cri_remove_container = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("RemoveContainer"),
    .request = &cri__remove_container_request__descriptor,
    .response = &cri__remove_container_response__descriptor,
};

const struct cri_method cri_list_containers = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("ListContainers"),
    .request = &cri__list_containers_request__descriptor,
    .response = &cri__list_containers_response__descriptor,
};

const struct cri_method cri_container_status = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("ContainerStatus"),
    .request = &cri__container_status_request__descriptor,
    .response = &cri__container_status_response__descriptor,
};

const struct cri_method cri_update_container_resources = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("UpdateContainerResources"),
    .request = &cri__update_container_resources_request__descriptor,
    .response = &cri__update_container_resources_response__descriptor,
};

const struct cri_method cri_reopen_container_log = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("ReopenContainerLog"),
    .request = &cri__reopen_container_log_request__descriptor,
    .response = &cri__reopen_container_log_response__descriptor,
};

const struct cri_method cri_exec_sync = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("ExecSync"),
    .request = &cri__exec_sync_request__descriptor,
    .response = &cri__exec_sync_response__descriptor,
};

const struct cri_method cri_list_images = {
    .service = CRI_IMAGES,
    .path = IMAGES("ListImages"),
    .request = &cri__list_images_request__descriptor,
    .response = &cri__list_images_response__descriptor,
};

const struct cri_method cri_image_status = {
    .service = CRI_IMAGES,
    .path = IMAGES("ImageStatus"),
    .request = &cri__image_status_request__descriptor,
    .response = &cri__image_status_response__descriptor,
};

const struct cri_method cri_pull_image = {
    .service = CRI_IMAGES,
    .path = IMAGES("PullImage"),
    .request = &cri__pull_image_request__descriptor,
    .response = &cri__pull_image_response__descriptor,
};

const struct cri_method cri_remove_image = {
    .service = CRI_IMAGES,
    .path = IMAGES("RemoveImage"),
    .request = &cri__remove_image_request__descriptor,
    .response = &cri__remove_image_response__descriptor,
};

const struct cri_method cri_image_fs_info = {
    .service = CRI_IMAGES,
    .path = IMAGES("ImageFsInfo"),
    .request = &cri__image_fs_info_request__descriptor,
    .response = &cri__image_fs_info_response__descriptor,
};

const struct cri_method cri_get_container_events = {
    .service = CRI_RUNTIME,
    .path = RUNTIME("GetContainerEvents"),
    .request = &cri__get_events_request__descriptor,
    .response = &cri__container_event_response__descriptor,
};

const char *cri_method_name(const struct cri_method *method)
{
    return strrchr(method->path, '/') + 1;
}
