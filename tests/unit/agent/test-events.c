/* agent/events: the event recorder. The clocks are the test's own. */
#include "test.h"

#include "events.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONG_NAME = 253,
};

#define BOOT (1000 * USEC_PER_SEC)
#define WALL (1767323045 * USEC_PER_SEC) /* 2026-01-02T03:04:05Z */

static usec_t now; /* since the fixture began */

usec_t clock_monotonic(void)
{
    return BOOT + now;
}

usec_t clock_boottime(void)
{
    return BOOT + now;
}

usec_t clock_wall(void)
{
    return WALL + now;
}

static const struct event_object web = {
    .kind = "Pod", .name_space = "shop", .name = "web", .uid = "u-1"};

static int begin(void **state)
{
    now = 0;
    *state = events_new("node-a");
    return 0;
}

static int end(void **state)
{
    *state = events_free(*state);
    return 0;
}

/* What is written, parsed again. */
struct reading {
    struct strbuf text;
    struct arena arena;
    struct json *root;
};

static void read_back(struct reading *reading)
{
    static const struct json_limits limits = {.bytes_max = 4 << 20, .nodes_max = 100000};
    struct json_findings *findings;
    struct err err = {0};

    reading->arena = ARENA_INIT_DOCUMENT;
    findings = arena_new(&reading->arena, struct json_findings);
    assert_int_equal(json_parse(&reading->arena, reading->text.text, reading->text.length, &limits,
                                findings, &reading->root, &err),
                     0);
}

static const struct json *read_list(struct reading *reading, struct events *events)
{
    struct json_writer writer;

    *reading = (struct reading){0};
    json_writer_init(&writer, &reading->text, false);
    events_write_list(events, &writer);
    json_writer_deinit(&writer);
    read_back(reading);
    assert_true(json_text_is(json_get(reading->root, "kind"), "EventList"));
    assert_true(json_text_is(json_get(reading->root, "apiVersion"), "v1"));
    return json_get(reading->root, "items");
}

static const struct json *read_of(struct reading *reading, struct events *events, const char *uid,
                                  size_t max)
{
    struct json_writer writer;

    *reading = (struct reading){0};
    json_writer_init(&writer, &reading->text, false);
    events_write_of(events, uid, max, &writer);
    json_writer_deinit(&writer);
    read_back(reading);
    return reading->root;
}

static void read_end(struct reading *reading)
{
    arena_deinit(&reading->arena);
    strbuf_deinit(&reading->text);
}

static void assert_member(const struct json *event, const char *name, const char *text)
{
    const struct json *value = json_get(event, name);

    assert_non_null(value);
    assert_int_equal(value->length, strlen(text));
    assert_memory_equal(value->text, text, value->length);
}

static void assert_messages(const struct json *items, const char *const *messages, size_t count)
{
    assert_int_equal(items->length, count);
    for (size_t i = 0; i < count; i++)
        assert_member(&items->items[i], "message", messages[i]);
}

static size_t list_length(struct events *events)
{
    struct reading reading;
    size_t length = read_list(&reading, events)->length;

    read_end(&reading);
    return length;
}

/* what an event says */

static void keep_line(void *owner, const char *json, size_t length)
{
    strbuf_truncate(owner, 0);
    strbuf_add_bytes(owner, json, length);
}

static void test_an_event_in_full(void **state)
{
    struct event_object object = web;
    struct strbuf line = STRBUF_INIT;

    object.field_path = "spec.containers{c}";
    events_watch(*state, keep_line, &line);
    events_add(*state, &object, true, "Failed", "Error: \"no\"\nluck");
    assert_string_equal(
        line.text,
        "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"web.1886caf21c963200\","
        "\"namespace\":\"shop\"},\"involvedObject\":{\"kind\":\"Pod\",\"namespace\":\"shop\","
        "\"name\":\"web\",\"uid\":\"u-1\",\"apiVersion\":\"v1\",\"fieldPath\":"
        "\"spec.containers{c}\"},\"reason\":\"Failed\",\"message\":\"Error: \\\"no\\\"\\nluck\","
        "\"source\":{\"component\":\"kubelet\",\"host\":\"node-a\"},"
        "\"firstTimestamp\":\"2026-01-02T03:04:05Z\",\"lastTimestamp\":\"2026-01-02T03:04:05Z\","
        "\"count\":1,\"type\":\"Warning\",\"reportingComponent\":\"kubelet\","
        "\"reportingInstance\":\"node-a\"}");
    strbuf_truncate(&line, 0);
    events_watch(*state, NULL, NULL);
    events_add(*state, &web, false, "Pulled", "m");
    assert_int_equal(line.length, 0);
    strbuf_deinit(&line);
}

static void test_objects_without_a_namespace_or_uid(void **state)
{
    const struct event_object node = {.kind = "Node", .name = "node-a"}, nothing = {0};
    struct reading reading;
    const struct json *items;

    events_add(*state, &node, false, "Starting", NULL);
    events_add(*state, &node, false, "Starting", "");
    events_add(*state, &nothing, false, "Odd", "m");
    items = read_list(&reading, *state);
    assert_int_equal(items->length, 2);
    assert_member(json_get(&items->items[0], "metadata"), "namespace", "default");
    assert_member(json_get(&items->items[0], "involvedObject"), "name", "node-a");
    assert_null(json_get(json_get(&items->items[0], "involvedObject"), "uid"));
    assert_member(&items->items[0], "count", "2");
    assert_member(&items->items[0], "type", "Normal");
    read_end(&reading);
}

static void test_names_stay_legal(void **state)
{
    char name[LONG_NAME + 1], expected[LONG_NAME + 1];
    struct event_object object = {.kind = "Pod", .name = name, .uid = "u-2"};
    struct reading reading;
    const struct json *items;

    memset(name, 'a', LONG_NAME);
    name[LONG_NAME] = '\0';
    name[LONG_NAME - 18] = '.';
    events_add(*state, &object, false, "R", "m");
    memset(expected, 'a', LONG_NAME);
    strcpy(expected + LONG_NAME - 18, ".1886caf21c963200");
    items = read_list(&reading, *state);
    assert_member(json_get(&items->items[0], "metadata"), "name", expected);
    read_end(&reading);
}

static void test_names_are_unique(void **state)
{
    struct reading reading;
    const struct json *items;

    events_add(*state, &web, false, "R", "one");
    events_add(*state, &web, false, "R", "two");
    now -= USEC_PER_SEC;
    events_add(*state, &web, false, "R", "three");
    items = read_list(&reading, *state);
    assert_member(json_get(&items->items[0], "metadata"), "name", "web.1886caf21c963200");
    assert_member(json_get(&items->items[1], "metadata"), "name", "web.1886caf21c963201");
    assert_member(json_get(&items->items[2], "metadata"), "name", "web.1886caf21c963202");
    read_end(&reading);
}

static void test_messages_are_cut_and_repaired(void **state)
{
    char message[EVENT_MESSAGE_MAX + 2], expected[EVENT_MESSAGE_MAX + 1];
    const char *texts[] = {expected, "bro?ken", expected};
    struct reading reading;

    memset(message, 'm', sizeof(message));
    message[EVENT_MESSAGE_MAX] = '\0';
    memcpy(expected, message, sizeof(expected));
    events_add(*state, &web, false, "R", message);
    events_add(*state, &web, false, "R", "bro\xc3ken");
    assert_messages(read_list(&reading, *state), texts, 2);
    read_end(&reading);

    /* The cut would be in the middle of a character. */
    memcpy(message + EVENT_MESSAGE_MAX - 4, "\xc3\xa4mmm", 6);
    strcpy(expected + EVENT_MESSAGE_MAX - 4, "...");
    events_add(*state, &web, false, "Other", message);
    texts[0] = texts[2];
    assert_messages(read_of(&reading, *state, "u-1", 1), texts, 1);
    read_end(&reading);
}

/* counting */

static void test_the_same_again_is_counted(void **state)
{
    const char *messages[] = {"two", "one"};
    struct strbuf line = STRBUF_INIT;
    struct reading reading;
    const struct json *items;

    events_watch(*state, keep_line, &line);
    events_add(*state, &web, false, "R", "one");
    events_add(*state, &web, false, "R", "two");
    now += 60 * USEC_PER_SEC;
    events_add(*state, &web, false, "R", "one");
    assert_non_null(strstr(line.text, "\"count\":2"));
    items = read_list(&reading, *state);
    assert_messages(items, messages, 2);
    assert_member(&items->items[1], "count", "2");
    assert_member(&items->items[1], "firstTimestamp", "2026-01-02T03:04:05Z");
    assert_member(&items->items[1], "lastTimestamp", "2026-01-02T03:05:05Z");
    read_end(&reading);
    strbuf_deinit(&line);
}

#define SANDBOX_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SANDBOX_B "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void test_the_same_with_another_id_is_counted(void **state)
{
    const char *messages[] = {"sandbox \"" SANDBOX_A "\": no",  "sandbox \"" SANDBOX_B "\": yes",
                              "sandbox \"" SANDBOX_B "0\": no", "sandbox \"beef\": no",
                              "sandbox \"cafe\": no",           "sandbox \"" SANDBOX_B "\": no"};
    struct reading reading;
    const struct json *items;

    for (size_t i = 0; i < array_size(messages); i++)
        events_add(*state, &web, true, "R", messages[i]);
    items = read_list(&reading, *state);
    assert_messages(items, messages + 1, 5);
    assert_member(&items->items[4], "count", "2");
    read_end(&reading);
}

static void test_what_differs_is_another(void **state)
{
    struct event_object object = web;

    events_add(*state, &object, false, "R", "m");
    events_add(*state, &object, true, "R", "m");
    events_add(*state, &object, false, "Q", "m");
    events_add(*state, &object, false, "R", "n");
    events_add(*state, &object, false, "Rm", "");
    object.field_path = "spec.containers{c}";
    events_add(*state, &object, false, "R", "m");
    object.uid = "u-2";
    events_add(*state, &object, false, "R", "m");
    assert_int_equal(list_length(*state), 7);
}

/* combining */

/* check 46 */
static void test_what_is_similar_is_combined(void **state)
{
    struct event_object object = web;
    struct strbuf line = STRBUF_INIT;
    struct reading reading;
    const struct json *items, *last;
    char message[32];

    events_watch(*state, keep_line, &line);
    for (int i = 1; i <= 12; i++) {
        snprintf(message, sizeof(message), "probe %d failed", i);
        object.field_path = i % 2 ? "spec.containers{a}" : "spec.containers{b}";
        events_add(*state, &object, true, "Unhealthy", message);
    }
    items = read_list(&reading, *state);
    assert_int_equal(items->length, 10);
    assert_member(&items->items[8], "message", "probe 9 failed");
    last = &items->items[9];
    assert_member(last, "message", "(combined from similar events): probe 12 failed");
    assert_member(last, "count", "3");
    assert_member(last, "reportingComponent", "");
    read_end(&reading);
    assert_non_null(strstr(line.text, "probe 12 failed"));

    /* One that has an event of its own still counts there; another reason, too. */
    object.field_path = "spec.containers{a}";
    events_add(*state, &object, true, "Unhealthy", "probe 1 failed");
    assert_null(strstr(line.text, "combined"));
    events_add(*state, &object, true, "Other", "probe 13 failed");
    assert_null(strstr(line.text, "combined"));
    object.uid = "u-2";
    events_add(*state, &object, true, "Unhealthy", "probe 13 failed");
    assert_null(strstr(line.text, "combined"));
    strbuf_deinit(&line);
}

static void test_containers_with_one_message_are_not_similar(void **state)
{
    struct event_object object = web;
    char field_path[32];

    for (int i = 1; i <= 12; i++) {
        object.field_path = field_path;
        snprintf(field_path, sizeof(field_path), "spec.containers{c%d}", i);
        events_add(*state, &object, false, "Created", "Container created");
    }
    assert_int_equal(list_length(*state), 12);
}

static void test_combined_messages_are_cut(void **state)
{
    char message[EVENT_MESSAGE_MAX + 1];
    struct strbuf line = STRBUF_INIT;

    memset(message, 'm', EVENT_MESSAGE_MAX);
    message[EVENT_MESSAGE_MAX] = '\0';
    events_watch(*state, keep_line, &line);
    for (int i = 0; i < 11; i++) {
        message[0] = (char)('a' + i);
        events_add(*state, &web, true, "R", i == 9 ? "a short one" : message);
    }
    assert_non_null(strstr(line.text, "\"message\":\"(combined from similar events): kmmm"));
    assert_non_null(strstr(line.text, "mmm...\""));
    assert_non_null(strstr(line.text, "\"count\":2"));
    strbuf_deinit(&line);
}

/* reading by object */

static void test_the_newest_of_an_object(void **state)
{
    const char *messages[] = {"two", "three"}, *all[] = {"one", "two", "three"};
    struct event_object other = web;
    struct reading reading;

    other.uid = "u-2";
    events_add(*state, &web, false, "R", "one");
    events_add(*state, &other, false, "R", "other");
    events_add(*state, &web, false, "R", "two");
    events_add(*state, &web, false, "R", "three");
    assert_messages(read_of(&reading, *state, "u-1", 2), messages, 2);
    read_end(&reading);
    assert_messages(read_of(&reading, *state, "u-1", SIZE_MAX), all, 3);
    read_end(&reading);
    assert_messages(read_of(&reading, *state, "u-1", 0), NULL, 0);
    read_end(&reading);
    assert_messages(read_of(&reading, *state, "u-3", 5), NULL, 0);
    read_end(&reading);
}

/* limits */

/* Objects enough that none floods. */
static void add_many(struct events *events, size_t from, size_t count, const char *text)
{
    for (size_t i = from; i < from + count; i++) {
        char uid[32];
        const struct event_object object = {
            .kind = "Pod", .name_space = "many", .name = "p", .uid = uid};

        snprintf(uid, sizeof(uid), "many-%zu", i);
        events_add(events, &object, false, "R", text);
    }
}

static void test_the_oldest_make_room(void **state)
{
    const char *message[] = {"first"};
    struct reading reading;
    const struct json *items;

    add_many(*state, 0, EVENTS_MAX, "m");
    events_add(*state, &web, false, "R", "first");
    assert_int_equal(list_length(*state), EVENTS_MAX);
    items = read_list(&reading, *state);
    assert_member(json_get(&items->items[0], "involvedObject"), "uid", "many-1");
    read_end(&reading);

    /* The same one that was pushed out is a new one. */
    add_many(*state, 0, 1, "m");
    items = read_of(&reading, *state, "many-0", 9);
    assert_int_equal(items->length, 1);
    assert_member(&items->items[0], "count", "1");
    read_end(&reading);

    /* Far more objects than are remembered. */
    add_many(*state, EVENTS_MAX, 3 * EVENTS_OBJECTS_MAX, "m");
    assert_int_equal(list_length(*state), EVENTS_MAX);
    assert_int_equal(read_of(&reading, *state, "u-1", 9)->length, 0);
    read_end(&reading);
    events_add(*state, &web, false, "R", "first");
    assert_messages(read_of(&reading, *state, "u-1", 9), message, 1);
    read_end(&reading);
}

static void test_bytes_are_limited(void **state)
{
    char message[EVENT_MESSAGE_MAX + 1], *huge = mem_alloc(EVENTS_BYTES_MAX + 1);
    struct event_object object = web;

    memset(message, 'm', EVENT_MESSAGE_MAX);
    message[EVENT_MESSAGE_MAX] = '\0';
    add_many(*state, 0, EVENTS_MAX, message);
    assert_in_range(list_length(*state), 400, EVENTS_BYTES_MAX / EVENT_MESSAGE_MAX);

    /* The newest always stays. */
    memset(huge, 'f', EVENTS_BYTES_MAX);
    huge[EVENTS_BYTES_MAX] = '\0';
    object.field_path = huge;
    events_add(*state, &object, false, "R", "m");
    assert_int_equal(list_length(*state), 1);
    events_add(*state, &web, false, "R", "m");
    assert_int_equal(list_length(*state), 1);
    free(huge);
}

/* flooding */

static void count_call(void *owner, const char *json, size_t length)
{
    ++*(unsigned *)owner;
}

static void add_distinct(struct events *events, bool warning, unsigned count)
{
    static unsigned number;

    for (unsigned i = 0; i < count; i++) {
        char message[32];

        snprintf(message, sizeof(message), "message %u", number++);
        events_add(events, &web, warning, "R", message);
    }
}

static void test_a_flood_is_quietened(void **state)
{
    unsigned told = 0;

    events_watch(*state, count_call, &told);
    add_distinct(*state, true, EVENTS_BURST + 10);
    assert_int_equal(told, EVENTS_BURST);
    assert_int_equal(events_quietened(*state), 10);

    /* The other type has an allowance of its own. */
    add_distinct(*state, false, 1);
    assert_int_equal(told, EVENTS_BURST + 1);

    now += EVENTS_REFILL_USEC;
    add_distinct(*state, true, 2);
    assert_int_equal(told, EVENTS_BURST + 2);

    now += 1000 * EVENTS_REFILL_USEC;
    add_distinct(*state, true, EVENTS_BURST + 1);
    assert_int_equal(told, 2 * EVENTS_BURST + 2);
}

/* check 47 */
static void test_a_flood_of_one_is_counted(void **state)
{
    struct reading reading;
    const struct json *items;
    unsigned told = 0;

    events_watch(*state, count_call, &told);
    for (int i = 0; i < 100; i++)
        events_add(*state, &web, true, "R", "m");
    assert_int_equal(told, EVENTS_BURST);
    assert_int_equal(events_quietened(*state), 100 - EVENTS_BURST);
    items = read_list(&reading, *state);
    assert_int_equal(items->length, 1);
    assert_member(&items->items[0], "count", "100");
    read_end(&reading);
}

static void test_a_flood_is_remembered_without_its_events(void **state)
{
    struct reading reading;

    add_distinct(*state, true, EVENTS_BURST);
    add_many(*state, 0, EVENTS_MAX, "m");
    assert_int_equal(read_of(&reading, *state, "u-1", 9)->length, 0);
    read_end(&reading);
    add_distinct(*state, true, 1);
    assert_int_equal(events_quietened(*state), 1);
    assert_int_equal(list_length(*state), EVENTS_MAX);
}

static void test_nothing_is_freed(void **state)
{
    assert_null(events_free(NULL));
}

#define test_with_events(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_events(test_an_event_in_full),
        test_with_events(test_objects_without_a_namespace_or_uid),
        test_with_events(test_names_stay_legal),
        test_with_events(test_names_are_unique),
        test_with_events(test_messages_are_cut_and_repaired),
        test_with_events(test_the_same_again_is_counted),
        test_with_events(test_the_same_with_another_id_is_counted),
        test_with_events(test_what_differs_is_another),
        test_with_events(test_what_is_similar_is_combined),
        test_with_events(test_containers_with_one_message_are_not_similar),
        test_with_events(test_combined_messages_are_cut),
        test_with_events(test_the_newest_of_an_object),
        test_with_events(test_the_oldest_make_room),
        test_with_events(test_bytes_are_limited),
        test_with_events(test_a_flood_is_quietened),
        test_with_events(test_a_flood_of_one_is_counted),
        test_with_events(test_a_flood_is_remembered_without_its_events),
        cmocka_unit_test(test_nothing_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
