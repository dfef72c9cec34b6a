/* objects/decode: from JSON into structures. */
#include "sample.h"

#include "nodeagent/base/time.h"

#include <limits.h>

static void read_right(struct sample_document *document, const char *text)
{
    sample_read(document, text, strlen(text));
    if (document->report.findings.count)
        fail_msg("%s: %s %s", text, document->report.findings.items[0].path,
                 document->report.findings.items[0].message);
}

static void test_every_type(void **state)
{
    struct sample_document document;
    const struct sample *sample = &document.sample;

    read_right(&document,
               "{\"text\": \"t\", \"optText\": \"\", \"flag\": true, \"optFlag\": false,"
               "\"small\": -1, \"optSmall\": 0, \"large\": 2, \"optLarge\": 0, \"port\": \"http\","
               "\"amount\": \"1500m\", \"time\": \"1970-01-01T00:00:01Z\","
               "\"micro\": \"1970-01-01T00:00:00.000007Z\", \"part\": {\"name\": \"p\"},"
               "\"pointer\": {\"number\": 3}, \"parts\": [{\"name\": \"x\"}, {\"number\": 4}],"
               "\"texts\": [\"a\", \"b\"], \"smalls\": [5, 6], \"larges\": [7, 8],"
               "\"labels\": {\"k\": \"v\"}, \"data\": {\"d\": \"a\\u0000b\"},"
               "\"binary\": {\"b\": \"AAEC\"}, \"amounts\": {\"cpu\": 1}, \"ignored\": [{}, 1]}");
    assert_string_equal(sample->text, "t");
    assert_string_equal(sample->opt_text, "");
    assert_true(sample->flag);
    assert_int_equal(sample->opt_flag, OPT_FALSE);
    assert_int_equal(sample->small, -1);
    assert_true(sample->opt_small.set && sample->opt_small.value == 0);
    assert_int_equal(sample->large, 2);
    assert_true(sample->opt_large.set && sample->opt_large.value == 0);
    assert_string_equal(sample->port.string, "http");
    assert_int_equal(quantity_milli_value(sample->amount), 1500);
    assert_true(sample->time.set && sample->time.usec == 1000000);
    assert_true(sample->micro.set && sample->micro.usec == 7);
    assert_string_equal(sample->part.name, "p");
    assert_int_equal(sample->pointer->number, 3);
    assert_int_equal(sample->parts.count, 2);
    assert_string_equal(sample->parts.items[0].name, "x");
    assert_int_equal(sample->parts.items[1].number, 4);
    assert_string_equal(sample->texts.items[1], "b");
    assert_int_equal(sample->smalls.items[1], 6);
    assert_int_equal(sample->larges.items[0], 7);
    assert_string_equal(string_map_get(&sample->labels, "k"), "v");
    assert_int_equal(sample->data.items[0].length, 3);
    assert_memory_equal(sample->data.items[0].bytes, "a\0b", 4);
    assert_int_equal(sample->binary.items[0].length, 3);
    assert_memory_equal(sample->binary.items[0].bytes, "\0\1\2", 4);
    assert_int_equal(quantity_value(quantity_map_get(&sample->amounts, "cpu")), 1);
    sample_deinit(&document);
}

/* null is the same as absent, except as an item or a map's value: there it is zero. */
static void test_null(void **state)
{
    static const struct sample zero;
    struct sample_document document;

    read_right(&document,
               "{\"text\": null, \"optText\": null, \"flag\": null, \"optFlag\": null,"
               "\"small\": null, \"optSmall\": null, \"large\": null, \"optLarge\": null,"
               "\"port\": null, \"amount\": null, \"time\": null, \"micro\": null, \"part\": null,"
               "\"pointer\": null, \"parts\": null, \"texts\": null, \"smalls\": null,"
               "\"larges\": null, \"labels\": null, \"data\": null, \"binary\": null,"
               "\"amounts\": null, \"ignored\": null}");
    assert_memory_equal(&document.sample, &zero, sizeof(zero));
    sample_deinit(&document);

    read_right(&document,
               "{\"parts\": [null], \"texts\": [null], \"smalls\": [null], \"larges\": [null],"
               "\"labels\": {\"a\": null}, \"data\": {\"a\": null}, \"binary\": {\"a\": null},"
               "\"amounts\": {\"a\": null}}");
    assert_int_equal(document.sample.parts.count, 1);
    assert_null(document.sample.parts.items[0].name);
    assert_string_equal(document.sample.texts.items[0], "");
    assert_int_equal(document.sample.smalls.items[0], 0);
    assert_int_equal(document.sample.larges.items[0], 0);
    assert_string_equal(document.sample.labels.items[0].value, "");
    assert_string_equal(document.sample.data.items[0].bytes, "");
    assert_int_equal(document.sample.binary.items[0].length, 0);
    assert_int_equal(quantity_sign(&document.sample.amounts.items[0].quantity), 0);
    sample_deinit(&document);
}

/* Empty lists and maps are there: only what is absent has no items. */
static void test_empty(void **state)
{
    struct sample_document document;

    read_right(&document, "{\"parts\": [], \"texts\": [], \"larges\": [], \"labels\": {},"
                          "\"amounts\": {}, \"pointer\": {}}");
    assert_non_null(document.sample.parts.items);
    assert_non_null(document.sample.texts.items);
    assert_non_null(document.sample.larges.items);
    assert_non_null(document.sample.labels.items);
    assert_non_null(document.sample.amounts.items);
    assert_non_null(document.sample.pointer);
    assert_null(document.sample.smalls.items);
    sample_deinit(&document);
}

static void test_repeated_names(void **state)
{
    struct sample_document document;

    read_right(&document,
               "{\"text\": \"1\", \"part\": {\"name\": \"p\"}, \"pointer\": {\"name\": \"q\"},"
               "\"parts\": [{\"name\": \"x\"}, {}], \"labels\": {\"a\": \"1\", \"b\": \"2\","
               "\"a\": \"3\"}, \"amounts\": {\"c\": 1, \"c\": 2, \"d\": 3, \"c\": 4},"
               "\"text\": \"2\", \"part\": {\"number\": 1}, \"pointer\": {\"number\": 2},"
               "\"parts\": [{\"number\": 5}], \"optSmall\": 1, \"optSmall\": 2}");
    assert_string_equal(document.sample.text, "2");
    assert_string_equal(document.sample.part.name, "p");
    assert_int_equal(document.sample.part.number, 1);
    assert_string_equal(document.sample.pointer->name, "q");
    assert_int_equal(document.sample.pointer->number, 2);
    assert_int_equal(document.sample.parts.count, 1);
    assert_null(document.sample.parts.items[0].name);
    assert_int_equal(document.sample.opt_small.value, 2);
    /* In a map the last stays, in the place of the first. */
    assert_int_equal(document.sample.labels.count, 2);
    assert_string_equal(document.sample.labels.items[0].value, "3");
    assert_string_equal(document.sample.labels.items[1].name, "b");
    assert_int_equal(document.sample.amounts.count, 2);
    assert_int_equal(quantity_value(&document.sample.amounts.items[0].quantity), 4);
    sample_deinit(&document);
}

/* The last value counts also where it is of the other of two types. */
static void test_a_repeated_port(void **state)
{
    struct sample_document document;

    read_right(&document, "{\"port\": \"http\", \"port\": 80}");
    assert_null(document.sample.port.string);
    assert_int_equal(document.sample.port.number, 80);
    sample_deinit(&document);

    read_right(&document, "{\"port\": 80, \"port\": \"http\"}");
    assert_string_equal(document.sample.port.string, "http");
    assert_int_equal(document.sample.port.number, 0);
    sample_deinit(&document);
}

static void test_many_repeated_names(void **state)
{
    char *members = repeat("\"same\": \"#\"", 5000),
         *text = mem_printf("{\"labels\": {%s}}", members);
    struct sample_document document;

    sample_read(&document, text, strlen(text));
    assert_int_equal(document.sample.labels.count, 1);
    assert_string_equal(document.sample.labels.items[0].value, "4999");
    sample_deinit(&document);
    free(text);
    free(members);
}

static void test_integer_limits(void **state)
{
    static const struct {
        const char *text;
        int64_t small;
        int64_t large;
        bool right;
    } cases[] = {
        {"{\"small\": 2147483647, \"large\": 9223372036854775807}", INT32_MAX, INT64_MAX, true},
        {"{\"small\": -2147483648, \"large\": -9223372036854775808}", INT32_MIN, INT64_MIN, true},
        {"{\"small\": -0, \"large\": -0}", 0, 0, true},
        {"{\"small\": 2147483648}", 0, 0, false},
        {"{\"small\": -2147483649}", 0, 0, false},
        {"{\"small\": 4294967296}", 0, 0, false},
        {"{\"large\": 9223372036854775808}", 0, 0, false},
        {"{\"large\": -9223372036854775809}", 0, 0, false},
        {"{\"large\": 99999999999999999999999999999999999999999999999999999999999999999999}", 0, 0,
         false},
        {"{\"large\": 1.0}", 0, 0, false},
        {"{\"large\": 1e3}", 0, 0, false},
        {"{\"large\": 1E0}", 0, 0, false},
        {"{\"optSmall\": 2147483648}", 0, 0, false},
        {"{\"smalls\": [2147483648]}", 0, 0, false},
        {"{\"larges\": [9223372036854775808]}", 0, 0, false},
        {"{\"port\": 2147483648}", 0, 0, false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct sample_document document;

        sample_read(&document, cases[i].text, strlen(cases[i].text));
        assert_int_equal(document.sample.small, cases[i].small);
        assert_int_equal(document.sample.large, cases[i].large);
        assert_int_equal(document.report.errors, !cases[i].right);
        sample_deinit(&document);
    }
}

/* A mistake, where it is and what is said of it. */
static void test_sentences(void **state)
{
    static const struct {
        const char *text;
        const char *path;
        const char *message;
    } cases[] = {
        {"[]", "", "must be an object, not a list"},
        {"{\"text\": 5}", "text", "must be a string, not a number; put the value in quotes"},
        {"{\"text\": true}", "text", "must be a string, not a boolean; put the value in quotes"},
        {"{\"text\": []}", "text", "must be a string, not a list"},
        {"{\"text\": \"a\\u0000b\"}", "text", "must not contain a NUL character"},
        {"{\"optText\": {}}", "optText", "must be a string, not an object"},
        {"{\"flag\": \"true\"}", "flag", "must be true or false, not a string"},
        {"{\"optFlag\": 1}", "optFlag", "must be true or false, not a number"},
        {"{\"small\": \"1\"}", "small", "must be a whole number, not a string"},
        {"{\"small\": 1.5}", "small", "must be a whole number of at most 32 bits, not 1.5"},
        {"{\"large\": 1e2}", "large", "must be a whole number of at most 64 bits, not 1e2"},
        {"{\"port\": []}", "port", "must be a number or a string, not a list"},
        {"{\"port\": 1.5}", "port", "must be a whole number of at most 32 bits, not 1.5"},
        {"{\"port\": \"a\\u0000\"}", "port", "must not contain a NUL character"},
        {"{\"amount\": []}", "amount", "must be a quantity such as 100m or 1.5Gi, not a list"},
        {"{\"time\": 5}", "time", "must be a time as a string, not a number"},
        {"{\"time\": \"yesterday\"}", "time", "must be a time such as 2026-01-02T03:04:05Z"},
        {"{\"time\": \"\"}", "time", "must be a time such as 2026-01-02T03:04:05Z"},
        {"{\"time\": \"2026-01-02T03:04:05Z\\u0000\"}", "time",
         "must be a time such as 2026-01-02T03:04:05Z"},
        {"{\"micro\": \"2026-01-02T03:04:05.000Z\"}", "micro",
         "must be a time such as 2026-01-02T03:04:05.000000Z"},
        {"{\"micro\": \"2026-01-02T03:04:05Z\"}", "micro",
         "must be a time such as 2026-01-02T03:04:05.000000Z"},
        {"{\"micro\": \"2026-01-02T03:04:05.0000000Z\"}", "micro",
         "must be a time such as 2026-01-02T03:04:05.000000Z"},
        {"{\"part\": 1}", "part", "must be an object, not a number"},
        {"{\"pointer\": []}", "pointer", "must be an object, not a list"},
        {"{\"parts\": {}}", "parts", "must be a list, not an object"},
        {"{\"parts\": [{}, 7]}", "parts[1]", "must be an object, not a number"},
        {"{\"parts\": [{\"number\": \"x\"}]}", "parts[0].number",
         "must be a whole number, not a string"},
        {"{\"texts\": \"a\"}", "texts", "must be a list of strings, not a string"},
        {"{\"texts\": [\"a\", 1]}", "texts[1]",
         "must be a string, not a number; put the value in quotes"},
        {"{\"smalls\": 1}", "smalls", "must be a list of whole numbers, not a number"},
        {"{\"smalls\": [\"1\"]}", "smalls[0]", "must be a whole number, not a string"},
        {"{\"larges\": {}}", "larges", "must be a list of whole numbers, not an object"},
        {"{\"larges\": [1, 0.5]}", "larges[1]",
         "must be a whole number of at most 64 bits, not 0.5"},
        {"{\"labels\": []}", "labels", "must be an object, not a list"},
        {"{\"labels\": {\"a\": 1}}", "labels[a]",
         "must be a string, not a number; put the value in quotes"},
        {"{\"labels\": {\"a\\u0000b\": \"1\"}}", "labels",
         "has a name that contains a NUL character"},
        {"{\"data\": {\"a\": false}}", "data[a]",
         "must be a string, not a boolean; put the value in quotes"},
        {"{\"binary\": {\"a\": 1}}", "binary[a]", "must be a base64 string, not a number"},
        {"{\"binary\": {\"a\": \"?\"}}", "binary[a]", "must be valid base64"},
        {"{\"binary\": {\"a\": \"AAE\"}}", "binary[a]", "must be valid base64"},
        {"{\"amounts\": {\"cpu\": true}}", "amounts[cpu]",
         "must be a quantity such as 100m or 1.5Gi, not a boolean"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct sample_document document;

        sample_read(&document, cases[i].text, strlen(cases[i].text));
        assert_int_equal(document.report.findings.count, 1);
        assert_int_equal(document.report.findings.items[0].reason, FINDING_TYPE);
        assert_string_equal(document.report.findings.items[0].path, cases[i].path);
        assert_string_equal(document.report.findings.items[0].message, cases[i].message);
        sample_deinit(&document);
    }
}

/* A quantity's own sentence names it. */
static void test_bad_quantities(void **state)
{
    static const char *const texts[] = {"\"\"",    "\"1 Gi\"",     "\"1GiB\"", "\"abc\"",
                                        "\"--1\"", "\"1\\u0000\"", "\"1e\""};

    for (size_t i = 0; i < array_size(texts); i++) {
        char *text = mem_printf("{\"amount\": %s, \"amounts\": {\"a\": %s}}", texts[i], texts[i]);
        struct sample_document document;

        sample_read(&document, text, strlen(text));
        assert_int_equal(document.report.errors, 2);
        assert_string_equal(document.report.findings.items[1].path, "amounts[a]");
        assert_non_null(strstr(document.report.findings.items[0].message, "quantity"));
        sample_deinit(&document);
        free(text);
    }
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        const char *written;
        bool right;
    } cases[] = {
        {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", true},
        {"2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z", true},
        {"2026-01-02T03:04:05.999999999Z", "2026-01-02T03:04:05Z", true},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", true},
        {"1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z", true},
        {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", true},
        {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", true},
        /* What could not be written in four digits again. */
        {"9999-12-31T23:59:59-00:01", NULL, false},
        {"0000-01-01T00:00:00+00:01", NULL, false},
        {"2026-02-30T00:00:00Z", NULL, false},
        {"2026-01-02 03:04:05Z", NULL, false},
        {"2026-01-02T03:04:05", NULL, false},
        {"2026-01-02T03:04:05Zjunk", NULL, false},
        {"2026-01-02T03:04:05.00000000000000000000000000000000000000000000000000000Z", NULL, false},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        char *text = mem_printf("{\"time\": \"%s\"}", cases[i].text), written[TIME_TEXT_MAX];
        struct sample_document document;

        sample_read(&document, text, strlen(text));
        if (document.report.errors == cases[i].right)
            fail_msg("%s", text);
        assert_int_equal(document.sample.time.set, cases[i].right);
        if (cases[i].right)
            assert_string_equal(time_format_rfc3339(document.sample.time.usec, written),
                                cases[i].written);
        sample_deinit(&document);
        free(text);
    }
}

static void test_unknown_fields(void **state)
{
    static const struct {
        const char *text;
        const char *path;
        const char *message;
    } cases[] = {
        {"{\"Text\": 1}", "Text", "unknown field; did you mean text?"},
        {"{\"flga\": 1}", "flga", "unknown field; did you mean flag?"},
        {"{\"part\": {\"nmae\": 1}}", "part.nmae", "unknown field; did you mean name?"},
        {"{\"parts\": [{\"numbers\": 1}]}", "parts[0].numbers",
         "unknown field; did you mean number?"},
        {"{\"zzzzzzzz\": null}", "zzzzzzzz", "unknown field"},
        {"{\"\": null}", "", "unknown field"},
        {"{\"\\u001b[1m\": null}", "\\x1b[1m", "unknown field"},
        {"{\"text\\u0000\": null}", "text\\x00", "unknown field; did you mean text?"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct sample_document document;
        const struct finding *finding;

        sample_read(&document, cases[i].text, strlen(cases[i].text));
        assert_int_equal(document.report.errors, 0);
        assert_int_equal(document.report.findings.count, 1);
        finding = &document.report.findings.items[0];
        assert_int_equal(finding->level, FINDING_WARNING);
        assert_int_equal(finding->reason, FINDING_UNKNOWN_FIELD);
        assert_string_equal(finding->path, cases[i].path);
        assert_string_equal(finding->message, cases[i].message);
        assert_int_equal(cases[i].text[finding->offset], '"');
        sample_deinit(&document);
    }
}

static void test_a_long_unknown_name(void **state)
{
    char *name = letters('n', 100000), *text = mem_printf("{\"%s\": 1}", name);
    struct sample_document document;

    sample_read(&document, text, strlen(text));
    assert_int_equal(document.report.warnings, 1);
    assert_true(strlen(document.report.findings.items[0].path) < 300);
    sample_deinit(&document);
    free(text);
    free(name);
}

/* All mistakes come out at once, and what is right beside them is read. */
static void test_goes_on_after_a_mistake(void **state)
{
    static const char text[] =
        "{\"text\": 1, \"flag\": 2, \"small\": 7, \"parts\": [1, {\"name\": 3},"
        " {\"name\": \"ok\"}], \"labels\": {\"a\": 1, \"b\": \"2\"}}";
    struct sample_document document;

    sample_read(&document, text, strlen(text));
    assert_int_equal(document.report.errors, 5);
    assert_int_equal(document.sample.small, 7);
    assert_string_equal(document.sample.parts.items[2].name, "ok");
    assert_string_equal(document.sample.labels.items[1].value, "2");
    sample_deinit(&document);
}

/* The table's order and its reverse, with unknown names between: every field is found. */
static void test_any_order(void **state)
{
    struct strbuf text = STRBUF_INIT;
    struct sample_document document;

    strbuf_add_char(&text, '{');
    for (size_t i = array_size(sample_fields); i-- > 0;)
        strbuf_printf(&text, "\"%s\": null, \"unknown%zu\": null%s", sample_fields[i].name, i,
                      i ? ", " : "}");
    sample_read(&document, text.text, text.length);
    assert_int_equal(document.report.warnings, array_size(sample_fields));
    assert_int_equal(document.report.errors, 0);
    sample_deinit(&document);
    strbuf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_repeated_names),
        cmocka_unit_test(test_a_repeated_port),
        cmocka_unit_test(test_many_repeated_names),
        cmocka_unit_test(test_integer_limits),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_bad_quantities),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_a_long_unknown_name),
        cmocka_unit_test(test_goes_on_after_a_mistake),
        cmocka_unit_test(test_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
