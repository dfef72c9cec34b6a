/*
 * Networks: what is understood can be written down and is understood the same again, and requests
 * made of it are JSON. Results: what is taken can be said in all versions that have words for it,
 * and is taken again in these; without a change of version nothing is lost.
 */
#include "fuzz.h"

#include "nodeagent/cni.h"
#include "plugin.h"

#include <string.h>

static void check_request(const struct cni_network *network, const struct cni_plugin *plugin,
                          const struct json *arguments)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const struct cni_attachment attachment = {.capabilities = arguments};
    const struct plugin_call call = {
        .network = network, .plugin = plugin, .attachment = &attachment, .previous = arguments};
    struct json_findings findings;
    struct json *root;

    request_write(&call, &text);
    assert_that(json_parse(&arena, text.text, text.length, &json_limits_manifest, &findings, &root,
                           NULL) == 0);
    assert_that(json_text_is(json_get(root, "name"), network->name));
    assert_that(json_text_is(json_get(root, "cniVersion"), network->version));
    assert_that(!arguments == !json_get(root, "prevResult"));
}

static void check_network(const char *text, size_t length)
{
    struct cni_network *network, *again;
    struct err err = {0};
    int r = cni_network_parse(&network, "/x", text, length, &err);

    if (r < 0) {
        check_sentence(&err, r);
        return;
    }
    assert_that(cni_network_parse(&again, "/x", network->text.text, network->text.length, &err) ==
                0);
    assert_that(!strcmp(again->text.text, network->text.text));
    assert_that(again->plugins.count == network->plugins.count);
    array_for_each (plugin, network->plugins) {
        assert_that(*plugin->type && !strchr(plugin->type, '/'));
        check_request(network, plugin, NULL);
        check_request(network, plugin, network->plugins.items[0].config);
    }
    cni_network_free(again);
    cni_network_free(network);
}

static size_t count_addresses(const struct json *result, struct arena *arena)
{
    struct cni_addresses addresses;

    cni_result_addresses(result, "eth0", arena, &addresses);
    array_for_each (address, addresses.items)
        assert_that(**address && !strchr(*address, '/'));
    return addresses.items.count;
}

static void check_result(const char *text, size_t length)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const struct json *result, *again;
    struct err err = {0};
    int r = cni_result_parse(&arena, text, length, "1.0.0", &result, &err);

    if (r < 0) {
        check_sentence(&err, r);
        return;
    }
    count_addresses(result, &arena);
    for (size_t i = 0; cni_versions[i]; i++) {
        _cleanup_(strbuf_deinit) struct strbuf converted = STRBUF_INIT;

        r = cni_result_convert(result, cni_versions[i], &converted, &err);
        if (r < 0) {
            check_sentence(&err, r);
            continue;
        }
        assert_that(cni_result_parse(&arena, converted.text, converted.length, cni_versions[i],
                                     &again, &err) == 0);
        assert_that(json_text_is(json_get(again, "cniVersion"), cni_versions[i]));
        if (json_text_is(json_get(result, "cniVersion"), cni_versions[i]))
            assert_that(count_addresses(again, &arena) == count_addresses(result, &arena));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_network((const char *)data, size);
    check_result((const char *)data, size);
    return 0;
}
