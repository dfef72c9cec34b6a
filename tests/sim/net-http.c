/* net/http: there is no HTTP in the simulation. */
#include "nodeagent/base/mem.h"
#include "nodeagent/net/http.h"

#include <errno.h>
#include <stdlib.h>

struct http {
    struct loop *loop;
};

int http_new(struct http **result, const struct http_options *options, struct err *err)
{
    *result = mem_new(struct http);
    (*result)->loop = options->loop;
    return 0;
}

struct http *http_free(struct http *http)
{
    free(http);
    return NULL;
}

int http_begin(struct http_call **result, struct http *http, const struct http_request *request,
               http_done_fn *done, void *owner, struct err *err)
{
    return err_set(err, -ENOSYS, "simulation: there is no HTTP");
}

void http_cancel(struct http_call *call)
{
}
