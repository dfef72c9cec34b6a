/*
 * Certificates from PEM: what is understood is understood again from what was kept of it, and says
 * the same; what is refused has a sentence and leaves nothing. The text is both chain and key, and
 * once the chain alone.
 */
#include "fuzz.h"

#include "nodeagent/api/certificate.h"

static void check_kept(const struct certificate *certificate)
{
    struct certificate_text chain = {"chain", certificate->chain, certificate->chain_length},
                            key = {"key", certificate->key.text, certificate->key.length};
    struct certificate again;

    assert_that(certificate->common_name && certificate->chain_length);
    assert_that(!utf8_check(certificate->common_name, strlen(certificate->common_name)));
    assert_that(certificate->chain_ends <= certificate->not_after);
    assert_that(certificate_parse(&again, &chain, key.length ? &key : NULL, NULL) == 0);
    assert_that(bytes_equal(again.chain, again.chain_length, certificate->chain,
                            certificate->chain_length));
    assert_that(str_equal(again.key.text, certificate->key.text));
    assert_that(!strcmp(again.common_name, certificate->common_name));
    assert_that(again.not_before == certificate->not_before);
    assert_that(again.not_after == certificate->not_after);
    assert_that(again.names.count == certificate->names.count);
    certificate_deinit(&again);
}

static void check_names(const struct certificate *certificate)
{
    array_for_each (name, certificate->names)
        assert_that(certificate_has_names(certificate, (const char *[]){*name, NULL}));
}

static void check(const struct certificate_text *text, bool with_key)
{
    struct certificate certificate;
    struct err err = {0};
    int r = certificate_parse(&certificate, text, with_key ? text : NULL, &err);

    if (r < 0) {
        check_sentence(&err, r);
        assert_that(!certificate.key.text && !certificate.arena.blocks);
        return;
    }
    check_kept(&certificate);
    check_names(&certificate);
    certificate_deinit(&certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct certificate_text text = {"text", (const char *)data, size};

    check(&text, true);
    check(&text, false);
    return 0;
}
