/*
 * Name lookups as jobs of the pool. Those of one name run one at a time, so a name whose servers do
 * not answer holds one thread and not all.
 */
#include "nodeagent/net/lookup.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/sys/work.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
    char *host;
    struct strbuf addresses;
    int code; /* of getaddrinfo() */
};

/* The loop's half. */
struct lookup_owner {
    lookup_fn *done;
    void *owner;
};

static void add_address(struct lookup *lookup, const struct addrinfo *info)
{
    char text[NI_MAXHOST];
    bool six = info->ai_family == AF_INET6;

    /* An address that is only good on one link ("fe80::1%eth0") cannot be written down here. */
    if (getnameinfo(info->ai_addr, info->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) !=
            0 ||
        strchr(text, '%'))
        return;
    strbuf_printf(&lookup->addresses, "%s%s%s%s", lookup->addresses.length ? "," : "",
                  six ? "[" : "", text, six ? "]" : "");
}

static int lookup_run(void *argument)
{
    struct lookup *lookup = argument;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int count = 0;

    lookup->code = getaddrinfo(lookup->host, NULL, &hints, &list);
    if (lookup->code)
        return -EHOSTUNREACH;
    for (const struct addrinfo *info = list; info && count < LOOKUP_ADDRESSES_MAX;
         info = info->ai_next, count++)
        add_address(lookup, info);
    freeaddrinfo(list);
    return lookup->addresses.length ? 0 : -EHOSTUNREACH;
}

static void lookup_free(void *argument)
{
    struct lookup *lookup = argument;

    free(lookup->host);
    strbuf_deinit(&lookup->addresses);
    free(lookup);
}

static int explain(const struct lookup *lookup, int result, struct err *err)
{
    if (result == -ECANCELED)
        return err_set(err, result, "the look-up was cancelled");
    if (result == -ETIMEDOUT || result == -EBUSY)
        return err_set(err, -ETIMEDOUT, "its name servers do not answer");
    if (lookup->code)
        return err_set(err, result, "its name cannot be resolved: %s", gai_strerror(lookup->code));
    return err_set(err, result, "its name has no address that can be used");
}

static void lookup_done(void *data, void *argument, int result)
{
    struct lookup_owner owner = *(struct lookup_owner *)data;
    const struct lookup *lookup = argument;
    struct err err = {0};

    free(data);
    if (result < 0)
        explain(lookup, result, &err);
    owner.done(owner.owner, result < 0 ? NULL : lookup->addresses.text, &err);
}

int lookup_start(struct work *work, const char *host, usec_t limit, lookup_fn *done, void *owner,
                 struct work_job **job, struct err *err)
{
    _cleanup_(mem_free_at) char *key = mem_printf("look up %s", host);
    struct lookup *lookup = mem_new(struct lookup);
    struct lookup_owner *half = mem_new(struct lookup_owner);
    struct work_order order = {
        .key = key,
        .limit_usec = limit,
        .run = lookup_run,
        .done = lookup_done,
        .free = lookup_free,
        .argument = lookup,
        .owner = half,
    };
    int r;

    lookup->host = mem_strdup(host);
    *half = (struct lookup_owner){.done = done, .owner = owner};
    r = work_submit(work, &order, job, err);
    if (r < 0) {
        lookup_free(lookup);
        free(half);
    }
    return r;
}
