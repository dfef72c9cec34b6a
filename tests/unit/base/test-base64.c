/* base/base64: bytes as the API carries them. */
#include "test.h"

#include "nodeagent/base/base64.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void test_bytes_are_written_with_padding(void **state)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"\xff\xfe\xfd\xfb", "//79+w=="},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;

        strbuf_add(&out, ">");
        base64_encode(&out, cases[i][0], strlen(cases[i][0]));
        assert_string_equal(out.text + 1, cases[i][1]);
    }
}

static void test_text_is_read_strictly(void **state)
{
    static const struct {
        const char *text, *bytes; /* NULL when it is refused */
    } cases[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm\n9v\r\n", "foo"},
        {"Zg=\n=", "f"},
        {"//79+w==", "\xff\xfe\xfd\xfb"},
        {"Z", NULL},
        {"Zg", NULL},
        {"Zg=", NULL},
        {"Zg===", NULL},
        {"=", NULL},
        {"====", NULL},
        {"Z===", NULL},
        {"Zg==Zg==", NULL},
        {"Zg=g", NULL},
        {"Zm 9v", NULL},
        {"Zm9v-", NULL},
        {"Zm-_", NULL},
        {"Zm9\xc3", NULL},
        {"Zm9*", NULL},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        size_t length = strlen(cases[i].text), decoded = 99;
        _cleanup_(mem_free_at) char *text = mem_strdup(cases[i].text);

        assert_int_equal(base64_decode(text, length, &decoded), cases[i].bytes ? 0 : -EINVAL);
        if (!cases[i].bytes)
            continue;
        assert_int_equal(decoded, strlen(cases[i].bytes));
        assert_memory_equal(text, cases[i].bytes, decoded);
    }
}

static void test_any_bytes_read_back(void **state)
{
    unsigned char bytes[100];

    srand(5);
    for (size_t length = 0; length < sizeof(bytes); length++) {
        _cleanup_(strbuf_deinit) struct strbuf out = STRBUF_INIT;
        size_t decoded;

        for (size_t i = 0; i < length; i++)
            bytes[i] = (unsigned char)rand();
        strbuf_add(&out, "");
        base64_encode(&out, bytes, length);
        assert_int_equal(out.length, (length + 2) / 3 * 4);
        assert_int_equal(base64_decode(out.text, out.length, &decoded), 0);
        assert_int_equal(decoded, length);
        assert_memory_equal(out.text, bytes, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_are_written_with_padding),
        cmocka_unit_test(test_text_is_read_strictly),
        cmocka_unit_test(test_any_bytes_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
