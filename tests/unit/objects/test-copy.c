/* objects/copy: deep copies that share nothing with their original. */
#include "sample.h"

static const char *const document_text =
    "{\"text\":\"t\",\"optText\":\"\",\"flag\":true,\"optFlag\":false,\"small\":1,\"optSmall\":0,"
    "\"large\":-2,\"optLarge\":0,\"port\":\"http\",\"amount\":\"500m\","
    "\"time\":\"1970-01-01T00:00:00Z\",\"micro\":\"1970-01-01T00:00:00.000007Z\","
    "\"part\":{\"name\":\"p\"},\"pointer\":{\"name\":\"q\"},"
    "\"parts\":[{\"name\":\"x\"},{},{\"number\":4}],\"texts\":[\"b\",\"a\",\"\"],"
    "\"smalls\":[5,-6],\"larges\":[1,2],\"labels\":{\"z\":\"v\",\"a\":\"\"},"
    "\"data\":{\"d\":\"a\\u0000b\"},\"binary\":{\"b\":\"AAEC\"},"
    "\"amounts\":{\"cpu\":\"1\",\"a\":\"1536Mi\"}}";

/* The original is gone when the copy is read: the address sanitizer sees what was shared. */
static void test_every_type(void **state)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    char *text = mem_strdup(document_text), *written;
    struct sample_document document;
    struct sample copy;

    sample_read(&document, text, strlen(text));
    assert_int_equal(document.report.errors, 0);
    schema_copy(&sample_schema, &copy, &document.sample, &arena);
    sample_deinit(&document);
    memset(text, 'x', strlen(text));
    free(text);
    written = sample_text(&sample_schema, &copy);
    assert_string_equal(written, document_text);
    free(written);
    arena_deinit(&arena);
}

static void test_absent_stays_absent(void **state)
{
    static const struct sample zero;
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct sample copy;

    schema_copy(&sample_schema, &copy, &zero, &arena);
    assert_memory_equal(&copy, &zero, sizeof(copy));
    assert_int_equal(arena_size(&arena), 0);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_absent_stays_absent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
