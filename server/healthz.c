/* The health of a process that answers: there is nothing to be looked at. */
#include "nodeagent/server.h"

static const char *const paths[] = {"/healthz", "/healthz/ping", NULL};

void server_answer_health(void *owner, const struct server_request *request,
                          struct server_answer *answer)
{
    const char *path = server_request_path(request);

    if (!str_one_of(path, paths)) {
        answer->status = 404;
        strbuf_add(&answer->body, "404 page not found\n");
        return;
    }
    answer->status = 200;
    if (str_equal(path, paths[0]) && server_request_asks(request, "verbose"))
        strbuf_add(&answer->body, "[+]ping ok\nhealthz check passed\n");
    else
        strbuf_add(&answer->body, "ok");
}
