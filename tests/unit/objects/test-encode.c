/* objects/encode: from structures to JSON. */
#include "sample.h"

static void assert_text(const struct schema *schema, const struct sample *sample,
                        const char *expected)
{
    char *text = sample_text(schema, sample);

    assert_string_equal(text, expected);
    free(text);
}

/* Reads a text, writes it and reads that: the same both times. */
static void assert_written(const char *text, const char *expected)
{
    struct sample_document document;
    char *written;

    sample_read(&document, text, strlen(text));
    assert_int_equal(document.report.errors, 0);
    written = sample_text(&sample_schema, &document.sample);
    assert_string_equal(written, expected);
    sample_deinit(&document);

    sample_read(&document, written, strlen(written));
    assert_text(&sample_schema, &document.sample, expected);
    sample_deinit(&document);
    free(written);
}

static void test_every_type(void **state)
{
    assert_written(
        "{\"amounts\": {\"cpu\": 1, \"a\": \"1.5Gi\"}, \"binary\": {\"b\": \"AAEC\", \"e\": \"\"},"
        "\"data\": {\"d\": \"a\\u0000b\"}, \"labels\": {\"z\": \"v\", \"a\": \"\"},"
        "\"larges\": [-9223372036854775808, 9223372036854775807], \"smalls\": [5, -6],"
        "\"texts\": [\"b\", \"a\", \"\"], \"parts\": [{\"name\": \"x\"}, {}, {\"number\": 4}],"
        "\"pointer\": {}, \"part\": {\"name\": \"p\"}, \"micro\": \"1970-01-01T00:00:00.000007Z\","
        "\"time\": \"1970-01-01T01:00:00+01:00\", \"amount\": \"0.5\", \"port\": \"http\","
        "\"optLarge\": 0, \"large\": -2, \"optSmall\": 0, \"small\": 1, \"optFlag\": false,"
        "\"flag\": true, \"optText\": \"\", \"text\": \"\\u001f\\\"\\\\/\", \"ignored\": 1}",
        "{\"text\":\"\\u001F\\\"\\\\/\",\"optText\":\"\",\"flag\":true,\"optFlag\":false,"
        "\"small\":1,\"optSmall\":0,\"large\":-2,\"optLarge\":0,\"port\":\"http\","
        "\"amount\":\"500m\",\"time\":\"1970-01-01T00:00:00Z\","
        "\"micro\":\"1970-01-01T00:00:00.000007Z\",\"part\":{\"name\":\"p\"},\"pointer\":{},"
        "\"parts\":[{\"name\":\"x\"},{},{\"number\":4}],\"texts\":[\"b\",\"a\",\"\"],"
        "\"smalls\":[5,-6],\"larges\":[-9223372036854775808,9223372036854775807],"
        "\"labels\":{\"z\":\"v\",\"a\":\"\"},\"data\":{\"d\":\"a\\u0000b\"},"
        "\"binary\":{\"b\":\"AAEC\",\"e\":\"\"},\"amounts\":{\"cpu\":\"1\",\"a\":\"1536Mi\"}}");
}

static void test_zero_is_left_out(void **state)
{
    static const struct sample zero;

    assert_text(&sample_schema, &zero, "{}");
    assert_written("{\"text\": \"\", \"flag\": false, \"small\": 0, \"large\": 0, \"port\": 0,"
                   "\"parts\": [], \"texts\": [], \"labels\": {}, \"binary\": {}, \"amounts\": {},"
                   "\"part\": {}}",
                   "{}");
}

static void test_some_are_always_written(void **state)
{
    static const struct sample zero;
    const char *texts[] = {NULL};
    struct string_pair labels[] = {{"a", NULL}};
    struct sample absent = {.texts = {texts, 1}, .labels = {labels, 1}};

    assert_text(&always_schema, &zero,
                "{\"text\":\"\",\"flag\":false,\"small\":0,\"large\":0,\"port\":0,\"time\":null,"
                "\"micro\":null,\"texts\":[],\"labels\":{}}");
    /* A string that is absent is written as an empty one. */
    assert_text(&always_schema, &absent,
                "{\"text\":\"\",\"flag\":false,\"small\":0,\"large\":0,\"port\":0,\"time\":null,"
                "\"micro\":null,\"texts\":[\"\"],\"labels\":{\"a\":\"\"}}");
}

struct outer {
    struct sample inner;
};

/* A structure of which nothing would be written is left out, whatever bytes it has. */
static void test_an_empty_structure_is_left_out(void **state)
{
    static const struct field fields[] = {FIELD_OF("inner", STRUCT, outer, inner, sample_schema)};
    static const struct schema schema = SCHEMA(outer, fields);
    struct string_pair labels[1];
    struct outer outer = {.inner = {.text = "", .labels = {.items = labels}}};
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    schema_encode(&schema, &outer, &writer);
    json_writer_deinit(&writer);
    assert_string_equal(text.text, "{}");
    strbuf_deinit(&text);
}

/* The caller may write members of its own around them. */
static void test_members(void **state)
{
    struct sample sample = {.small = 3};
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    json_write_object(&writer);
    json_write_name(&writer, "first");
    json_write_int(&writer, 1);
    schema_encode_members(&sample_schema, &sample, &writer);
    json_write_object_end(&writer);
    json_writer_deinit(&writer);
    assert_string_equal(text.text, "{\"first\":1,\"small\":3}");
    strbuf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_zero_is_left_out),
        cmocka_unit_test(test_some_are_always_written),
        cmocka_unit_test(test_an_empty_structure_is_left_out),
        cmocka_unit_test(test_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
