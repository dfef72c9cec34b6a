/* probes/history: the last results are kept, and all are counted. */
#include "test.h"

#include "history.h"

#include <stdlib.h>
#include <string.h>

static void add(struct history *history, enum probe_verdict verdict, usec_t duration)
{
    struct history_entry entry = {
        .began = history->count * USEC_PER_SEC,
        .late = (uint32_t)history->count,
        .ended = (uint32_t)duration,
        .verdict = (uint8_t)verdict,
    };

    history_add(history, &entry);
}

static char *written(const struct history *history)
{
    struct strbuf text = STRBUF_INIT;
    struct json_writer writer;

    json_writer_init(&writer, &text, false);
    history_write(history, 0, &writer);
    json_writer_deinit(&writer);
    return text.text;
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;

    for (; (text = strstr(text, part)); text++)
        count++;
    return count;
}

static void test_the_last_results_are_kept(void **state)
{
    static struct history history;
    char *text;

    for (unsigned i = 0; i < PROBE_HISTORY + 5; i++)
        add(&history, PROBE_SUCCESS, 1000);
    text = written(&history);
    assert_int_equal(count_of(text, "\"verdict\""), PROBE_HISTORY);
    assert_non_null(strstr(text, "[{\"time\":\"1970-01-01T00:00:05.000000Z\""));
    assert_int_equal(history.late_longest, PROBE_HISTORY + 4);
    free(text);
}

static void test_all_are_counted_by_what_they_are(void **state)
{
    static struct history history;

    for (enum probe_verdict verdict = 0; verdict < PROBE_VERDICTS; verdict++)
        add(&history, verdict, 6000);
    assert_int_equal(history.successful, 2);
    assert_int_equal(history.failed, PROBE_AGENT_LATE - PROBE_REFUSED);
    assert_int_equal(history.agent_late, 1);
    assert_int_equal(history.errored, 1);
    assert_int_equal(history.duration, 12000);
}

static void test_durations_fall_into_the_references_buckets(void **state)
{
    static const struct {
        usec_t duration;
        unsigned bucket;
    } cases[] = {
        {0, 0}, {5000, 0}, {5001, 1}, {10000000, 10}, {10000001, 11}, {UINT32_MAX, 11},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct history history = {.count = 0};

        add(&history, PROBE_SUCCESS, cases[i].duration);
        assert_int_equal(history.buckets[cases[i].bucket], 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_results_are_kept),
        cmocka_unit_test(test_all_are_counted_by_what_they_are),
        cmocka_unit_test(test_durations_fall_into_the_references_buckets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
