/* The plugins of a network one after the other, without records and locks. */
#include "chain.h"
#include "document.h"
#include "failure.h"
#include "names.h"
#include "nodeagent/sys/clock.h"

#include <errno.h>
#include <string.h>

#define VERSION_OF_CHECK "0.4.0"  /* and of prevResult for DEL */
#define VERSION_OF_STATUS "1.1.0" /* and GC */

/* What all calls of a chain share; its time begins. */
static struct plugin_call calls_of(const struct chain *chain, enum verb verb)
{
    return (struct plugin_call){
        .setup = chain->setup,
        .network = chain->network,
        .verb = verb,
        .attachment = chain->attachment,
        .deadline = usec_add(clock_monotonic(), verb_timeout(chain->setup, verb)),
    };
}

/* ADD */

static int add_one(const struct plugin_call *call, struct arena *arena, const struct json **result,
                   struct cni_failure *failure)
{
    _cleanup_(strbuf_deinit) struct strbuf output = STRBUF_INIT;
    struct err err;
    int r = plugin_run(call, &output, failure);

    if (r < 0)
        return r;
    if (!output.length) {
        err_set(&err, -EBADMSG, "it succeeded without a result");
        return plugin_answered_badly(call, &err, failure);
    }
    r = cni_result_parse(arena, output.text, output.length, call->network->version, result, &err);
    return r < 0 ? plugin_answered_badly(call, &err, failure) : 0;
}

int chain_add(const struct chain *chain, struct arena *arena, const struct json **result,
              struct cni_failure *failure)
{
    struct plugin_call call = calls_of(chain, VERB_ADD);

    *result = NULL;
    array_for_each (plugin, chain->network->plugins) {
        int r;

        call.plugin = plugin;
        call.previous = *result;
        r = add_one(&call, arena, result, failure);
        if (r < 0)
            return r;
    }
    return 0;
}

/* DEL and CHECK */

static int del_one(const struct plugin_call *call, struct cni_failure *failure)
{
    _cleanup_(strbuf_deinit) struct strbuf output = STRBUF_INIT;
    int r = plugin_run(call, &output, failure);

    /* Some are not idempotent the first time; a limit of time is not worth another one. */
    if (r == 0 || r == -ETIMEDOUT || r == -ENOENT)
        return r;
    r = plugin_run(call, &output, failure);
    return r == 0 ? CHAIN_REPEATED : r;
}

/*
 * The result of ADD in the words of the request. What cannot be said in them is left out: a plugin
 * that frees what it can is better than none.
 */
static const struct json *previous_for(const struct chain *chain, const struct json *result,
                                       struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *version = chain->network->version;
    const struct json *converted;

    if (!result || !cni_version_at_least(version, VERSION_OF_CHECK) ||
        cni_result_convert(result, version, &text, NULL) < 0 ||
        cni_result_parse(arena, text.text, text.length, version, &converted, NULL) < 0)
        return NULL;
    return converted;
}

int chain_del(const struct chain *chain, const struct json *previous, struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct plugin_call call = calls_of(chain, VERB_DEL);
    struct cni_failure later;
    int worst = 0;

    call.previous = previous_for(chain, previous, &arena);
    for (size_t i = chain->network->plugins.count; i-- > 0;) {
        int r;

        call.plugin = &chain->network->plugins.items[i];
        r = del_one(&call, worst < 0 ? &later : failure);
        if (worst >= 0 && r != 0)
            worst = r;
    }
    return worst;
}

/* All of them in order, until one fails; what they print does not matter. */
static int ask_all(struct plugin_call *call, struct cni_failure *failure)
{
    _cleanup_(strbuf_deinit) struct strbuf output = STRBUF_INIT;

    array_for_each (plugin, call->network->plugins) {
        int r;

        call->plugin = plugin;
        r = plugin_run(call, &output, failure);
        if (r < 0)
            return r;
    }
    return 0;
}

int chain_check(const struct chain *chain, const struct json *previous, struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct cni_network *network = chain->network;
    struct plugin_call call = calls_of(chain, VERB_CHECK);

    if (!cni_version_at_least(network->version, VERSION_OF_CHECK))
        return failure_set(failure, -EOPNOTSUPP, CNI_CODE_VERSION,
                           "%s: CNI %s does not support the CHECK command", network->place,
                           network->version);
    call.previous = previous_for(chain, previous, &arena);
    return ask_all(&call, failure);
}

/* the network as a whole */

int chain_gc(const struct chain *chain, const struct valid_list *valid, struct cni_failure *failure)
{
    _cleanup_(strbuf_deinit) struct strbuf output = STRBUF_INIT;
    struct plugin_call call = calls_of(chain, VERB_GC);
    struct cni_failure later;
    int first = 0;

    call.valid = valid;
    if (!cni_version_at_least(chain->network->version, VERSION_OF_STATUS))
        return 0;
    array_for_each (plugin, chain->network->plugins) {
        int r;

        call.plugin = plugin;
        r = plugin_run(&call, &output, first < 0 ? &later : failure);
        if (first == 0)
            first = r;
    }
    return first;
}

int cni_status(const struct cni_setup *setup, const struct cni_network *network,
               struct cni_failure *failure)
{
    const struct chain chain = {setup, network, NULL};
    struct plugin_call call = calls_of(&chain, VERB_STATUS);

    if (!cni_version_at_least(network->version, VERSION_OF_STATUS))
        return 0;
    return ask_all(&call, failure);
}

/* VERSION */

#define OF_THE_FIRST_VERSION "unknown CNI_COMMAND: VERSION" /* what such a plugin answers */

/* `root` is its answer, or NULL: it does not know the question. */
static bool lists_version(const struct json *root, const char *version)
{
    const struct json *versions = root ? json_get_any_case(root, "supportedVersions") : NULL, *own;

    if (versions && versions->type == JSON_ARRAY) {
        json_for_each (item, versions)
            if (json_text_is(item, version))
                return true;
        return false;
    }
    /* Without a list it knows what there was before there were lists. */
    own = root ? json_get_any_case(root, "cniVersion") : NULL;
    return !strcmp(version, "0.1.0") || (own && json_text_is(own, version));
}

static int check_version(const struct plugin_call *call, struct cni_failure *failure)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf output = STRBUF_INIT;
    struct document document = {0};
    struct err err;
    int r = plugin_run(call, &output, failure);

    if (r == 0)
        r = document_parse(&document, &arena, "stdout", output.text, output.length, &err);
    else if (strstr(failure->message, OF_THE_FIRST_VERSION))
        r = 0;
    else
        return r;
    if (r == 0 && !lists_version(document.root, call->network->version))
        r = err_set(&err, -EPROTONOSUPPORT, "it does not know CNI %s, which %s asks for",
                    call->network->version, call->network->place);
    return r < 0 ? plugin_answered_badly(call, &err, failure) : 0;
}

int cni_check_versions(const struct cni_setup *setup, const struct cni_network *network,
                       struct cni_failure *failure)
{
    const struct chain chain = {setup, network, NULL};
    struct plugin_call call = calls_of(&chain, VERB_VERSION);
    struct cni_failure found;
    int first = 0;

    array_for_each (plugin, network->plugins) {
        int r;

        call.plugin = plugin;
        r = check_version(&call, &found);
        if (r < 0 && (first == 0 || cni_cannot_run(r))) {
            *failure = found;
            first = r;
        }
        if (cni_cannot_run(r))
            break;
    }
    return first;
}
