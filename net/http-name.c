/*
 * The addresses of the servers that are asked.
 *
 * A client that lasts asks one server all the time. Its name is looked up for all who ask, by the
 * client itself: a call may have less patience than getaddrinfo(), which takes tens of seconds when
 * name servers say nothing. Once an address is known nobody waits for names any more: whether it
 * still holds is found out beside the calls, and what was known holds on while nobody tells
 * otherwise. A server does not go away with its name.
 *
 * The calls of other clients look their names up for themselves.
 */
#include "http-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/net/lookup.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <stdlib.h>

#define NAME_FRESH_USEC (60 * USEC_PER_SEC)
#define NAME_RETRY_USEC (10 * USEC_PER_SEC) /* after a look-up that failed */
#define NAME_LIMIT_USEC (30 * USEC_PER_SEC) /* of a look-up: three servers, twice 5 s each */

/* for one call */

static void call_looked_up(void *owner, const char *addresses, const struct err *err)
{
    struct http_call *call = owner;

    if (err->code == -ECANCELED)
        return; /* by http_name_leave() */
    call->lookup = NULL;
    http_call_named(call, addresses, err);
}

static void look_up_for_call(struct http_call *call)
{
    struct err err;

    if (lookup_start(call->http->work, call->url.host, call->request.timeout, call_looked_up, call,
                     &call->lookup, &err) < 0)
        http_call_named(call, NULL, &err);
}

/* for all calls */

static void keep_addresses(struct http_name *name, const char *addresses)
{
    name->again = usec_add(clock_boottime(), addresses ? NAME_FRESH_USEC : NAME_RETRY_USEC);
    if (!addresses)
        return;
    free(name->addresses);
    name->addresses = mem_strdup(addresses);
}

static void looked_up(void *owner, const char *addresses, const struct err *err)
{
    struct http *http = owner;
    struct http_call *call;
    struct list waiting;

    http->name.lookup = NULL;
    if (err->code == -ECANCELED)
        return; /* by http_name_deinit() */
    keep_addresses(&http->name, addresses);
    list_init(&waiting);
    list_splice(&waiting, &http->name.waiting);
    while ((call = list_first(&waiting, struct http_call, name))) {
        list_unlink(&call->name);
        http_call_named(call, addresses, err);
    }
}

static void look_up(struct http *http)
{
    struct http_name *name = &http->name;
    struct err err;

    if (!name->lookup && lookup_start(http->work, name->host, NAME_LIMIT_USEC, looked_up, http,
                                      &name->lookup, &err) < 0)
        looked_up(http, NULL, &err);
}

static void find_for_all(struct http_call *call)
{
    struct http_name *name = &call->http->name;

    if (!name->addresses) {
        list_push_back(&name->waiting, &call->name);
        look_up(call->http);
        return;
    }
    if (clock_boottime() >= name->again)
        look_up(call->http);
    http_call_named(call, name->addresses, NULL);
}

static bool is_of_all(const struct http_call *call)
{
    struct http_name *name = &call->http->name;

    if (!call->http->lasting)
        return false;
    if (!name->host)
        name->host = mem_strdup(call->url.host);
    return str_equal(name->host, call->url.host);
}

void http_name_find(struct http_call *call)
{
    if (is_of_all(call))
        find_for_all(call);
    else
        look_up_for_call(call);
}

void http_name_leave(struct http_call *call)
{
    struct work_job *lookup = call->lookup;

    call->lookup = NULL;
    if (lookup)
        work_cancel(lookup);
    list_unlink(&call->name);
}

bool http_name_is_awaited(const struct http_call *call)
{
    return call->lookup || !list_empty(&call->name);
}

/* the client's */

void http_name_init(struct http *http, const struct http *knowing)
{
    struct http_name *name = &http->name;

    list_init(&name->waiting);
    if (!knowing || !knowing->name.addresses)
        return;
    name->host = mem_strdup(knowing->name.host);
    name->addresses = mem_strdup(knowing->name.addresses);
    name->again = knowing->name.again;
}

void http_name_deinit(struct http *http)
{
    struct http_name *name = &http->name;

    if (name->lookup)
        work_cancel(name->lookup);
    free(name->host);
    free(name->addresses);
}
