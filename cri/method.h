/* What is known of each method of the runtime. */
#pragma once

#include <protobuf-c/protobuf-c.h>

enum cri_service { CRI_RUNTIME, CRI_IMAGES };

struct cri_method {
    enum cri_service service;
    const char *path;
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *response;
};
