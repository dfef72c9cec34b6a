/* Keeping and telling results. */
#include "history.h"

const usec_t probe_bucket_ends[PROBE_BUCKETS] = {
    5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

static void count_duration(struct history *history, usec_t duration)
{
    unsigned bucket = 0;

    while (bucket < PROBE_BUCKETS && duration > probe_bucket_ends[bucket])
        bucket++;
    history->buckets[bucket]++;
    history->duration += duration;
}

void history_add(struct history *history, const struct history_entry *entry)
{
    history->entries[history->count++ % PROBE_HISTORY] = *entry;
    history->late_longest = MAX(history->late_longest, entry->late);
    if (probe_succeeded(entry->verdict)) {
        history->successful++;
        count_duration(history, entry->ended);
    } else if (probe_failed(entry->verdict)) {
        history->failed++;
    } else if (entry->verdict == PROBE_AGENT_LATE) {
        history->agent_late++;
    } else {
        history->errored++;
    }
}

static void write_entry(const struct history_entry *entry, int64_t ahead,
                        struct json_writer *writer)
{
    char text[TIME_TEXT_MAX];

    json_write_object(writer);
    json_write_string_member(writer, "time",
                             time_format_rfc3339_micro((int64_t)entry->began + ahead, text));
    json_write_string_member(writer, "verdict", probe_verdict_name(entry->verdict));
    json_write_int_member(writer, "code", entry->code);
    json_write_int_member(writer, "lateMicroseconds", entry->late);
    json_write_int_member(writer, "connectedMicroseconds", entry->connected);
    json_write_int_member(writer, "firstByteMicroseconds", entry->first_byte);
    json_write_int_member(writer, "totalMicroseconds", entry->ended);
    json_write_object_end(writer);
}

void history_write(const struct history *history, int64_t ahead, struct json_writer *writer)
{
    uint64_t first = history->count > PROBE_HISTORY ? history->count - PROBE_HISTORY : 0;

    json_write_array(writer);
    for (uint64_t i = first; i < history->count; i++)
        write_entry(&history->entries[i % PROBE_HISTORY], ahead, writer);
    json_write_array_end(writer);
}
