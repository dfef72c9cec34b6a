/* Reading a runtime's endpoint as the kubelet reads it: only the path of a unix:// URL counts. */
#include "endpoint.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

int cri_endpoint_target(const char *endpoint, char **target, struct err *err)
{
    const char *scheme_end = strstr(endpoint, "://");
    const char *path = endpoint;

    if (scheme_end) {
        if (!str_has_prefix(endpoint, "unix://"))
            return err_set(err, -EINVAL,
                           "runtime endpoint \"%.128s\": only unix:// sockets are supported, as in "
                           "unix:///run/containerd/containerd.sock",
                           endpoint);
        path = strchr(scheme_end + strlen("://"), '/');
    }
    if (!path || *path != '/' || !path[1])
        return err_set(err, -EINVAL,
                       "runtime endpoint \"%.128s\" has no path; write three slashes, as in "
                       "unix:///run/containerd/containerd.sock",
                       endpoint);
    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return err_set(err, -ENAMETOOLONG,
                       "runtime endpoint \"%.128s\": the path is longer than a socket's may be",
                       endpoint);
    *target = mem_printf("unix://%s", path);
    return 0;
}
