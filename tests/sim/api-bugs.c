/* Deliberate bugs in what is asked of the API server, by way of the linker. */
#include "api-server.h"
#include "bugs.h"
#include "nodeagent/api/client.h"
#include "nodeagent/base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    TIMES = 200, /* of which some are sent */
};

struct api_call *__real_api_begin(struct api *api, const struct api_request *request,
                                  api_done_fn *done, void *owner);
struct api_call *__wrap_api_begin(struct api *api, const struct api_request *request,
                                  api_done_fn *done, void *owner);

static void ignore(void *owner, const struct api_reply *reply)
{
}

static bool tells_of_a_pod(const struct api_request *request)
{
    return !strcmp(request->method, "PATCH") && strstr(request->path, "/pods/");
}

/* Some of it may run yet. */
static bool tells_of_one_that_leaves(const struct api_request *request)
{
    char name_space[24], name[API_NAME_MAX];
    const struct api_object *pod;

    if (!tells_of_a_pod(request) ||
        sscanf(request->path, "/api/v1/namespaces/%23[^/]/pods/%79[^/]", name_space, name) != 2)
        return false;
    pod = api_find(KIND_POD, name_space, name);
    return pod && strstr(pod->text, "\"deletionTimestamp\"");
}

static bool adds(const struct api_request *request)
{
    return !strcmp(request->method, "POST") || !strcmp(request->method, "PUT");
}

static void delete_pod(struct api *api, const struct api_request *told)
{
    static const char uid_member[] = "\"uid\":\"";
    const char *uid = strstr(told->body, uid_member) + strlen(uid_member);
    _cleanup_(mem_free_at) char *path =
        mem_strndup(told->path, strlen(told->path) - strlen("/status"));
    _cleanup_(mem_free_at) char *body =
        mem_printf("{\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"%.*s\"}}",
                   (int)strcspn(uid, "\""), uid);
    struct api_request request = {.method = "DELETE", .path = path, .body = body};

    __real_api_begin(api, &request, ignore, NULL);
}

struct api_call *__wrap_api_begin(struct api *api, const struct api_request *request,
                                  api_done_fn *done, void *owner)
{
    struct api_request again = *request;

    if (tells_of_a_pod(request) && bug_shows(BUG_STATUSES_TWICE, request->path))
        __real_api_begin(api, &again, ignore, NULL);
    if (tells_of_one_that_leaves(request) && bug_shows(BUG_DELETES_EARLY, request->path))
        delete_pod(api, request);
    for (int i = 0; i < TIMES && adds(request); i++)
        if (bug_shows(BUG_REQUESTS_MULTIPLY, request->path))
            __real_api_begin(api, &again, ignore, NULL);
    return __real_api_begin(api, request, done, owner);
}
