/*
 * Records lie in a list, oldest first, and each is a single allocation. A map leads from the hash
 * of what makes two events the same to the record; should two hashes ever be equal, the later
 * record is found and the earlier one is merely not counted any more.
 *
 * A subject is an object that was told about. It outlives its records for a while, so that an
 * object cannot win a new burst by having its records pushed out.
 */
#include "events.h"
#include "event-similar.h"
#include "nodeagent/base/list.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/objects/event.h"
#include "nodeagent/sys/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 253,
    STAMP_BYTES = 17,   /* "." and 16 digits */
    RECORD_EXTRA = 80,  /* bytes beside a record: its place in the map, and the allocator's */
    ID_DIGITS_MIN = 32, /* what is shorter is a number, or a word */
};

#define CUT_MARK "..."
#define COMBINED "(combined from similar events): "

_Static_assert(EVENTS_OBJECTS_MAX > EVENTS_MAX, "there must be an object without events");

struct subject {
    struct list idle;    /* in struct events, while it has no records */
    struct list records; /* oldest first */
    usec_t whole_at[2];  /* when Normal's and Warning's allowance will be whole again */
    const char *kind;
    const char *name_space;
    const char *name;
    const char *uid;
    char text[];
};

struct record {
    struct list link;
    struct list of_subject;
    struct subject *subject;
    uint64_t hash;
    uint64_t stamp; /* makes the name */
    usec_t first;
    usec_t last;
    size_t size;
    int32_t count;
    bool warning;
    bool combined; /* from messages that are not alike; it has the newest, and room for any */
    const char *field_path;
    const char *reason;
    const char *message;
    char text[];
};

/* What is being told of. */
struct telling {
    struct subject *subject;
    bool warning;
    bool combined;
    const char *field_path;
    const char *reason;
    const char *message;
};

struct events {
    char *node_name;
    struct list records; /* oldest first */
    size_t count;
    size_t bytes;
    struct map by_hash;
    struct map subjects;
    struct list idle; /* subjects without records, the longest so first */
    struct similar similar;
    uint64_t last_stamp;
    uint64_t quietened;
    struct strbuf scratch;
    void (*watcher)(void *owner, const char *json, size_t length);
    void *watcher_owner;
};

static const char *or_empty(const char *string)
{
    return string ? string : "";
}

static const char *place(char **at, const char *string)
{
    const char *copy = *at;

    *at = stpcpy(*at, string) + 1;
    return copy;
}

/* subjects */

/* An object without a UID goes by its names. */
static void subject_key(struct strbuf *key, const char *kind, const char *name_space,
                        const char *name, const char *uid)
{
    strbuf_truncate(key, 0);
    if (*uid)
        strbuf_add(key, uid);
    else
        strbuf_printf(key, "/%s/%s/%s", kind, name_space, name);
}

static struct subject *subject_new(const struct event_object *object)
{
    const char *kind = or_empty(object->kind), *name_space = or_empty(object->name_space),
               *name = or_empty(object->name), *uid = or_empty(object->uid);
    struct subject *subject = mem_alloc(sizeof(*subject) + strlen(kind) + strlen(name_space) +
                                        strlen(name) + strlen(uid) + 4);
    char *at = subject->text;

    *subject = (struct subject){0};
    subject->kind = place(&at, kind);
    subject->name_space = place(&at, name_space);
    subject->name = place(&at, name);
    subject->uid = place(&at, uid);
    list_init(&subject->idle);
    list_init(&subject->records);
    return subject;
}

static void subject_free(struct events *events, struct subject *subject)
{
    subject_key(&events->scratch, subject->kind, subject->name_space, subject->name, subject->uid);
    map_remove_bytes(&events->subjects, events->scratch.text, events->scratch.length);
    list_unlink(&subject->idle);
    free(subject);
}

static struct subject *subject_of(struct events *events, const struct event_object *object)
{
    struct subject *subject;

    subject_key(&events->scratch, or_empty(object->kind), or_empty(object->name_space),
                or_empty(object->name), or_empty(object->uid));
    subject = map_get_bytes(&events->subjects, events->scratch.text, events->scratch.length);
    if (subject)
        return subject;
    subject = subject_new(object);
    map_put_bytes(&events->subjects, events->scratch.text, events->scratch.length, subject);
    if (map_count(&events->subjects) > EVENTS_OBJECTS_MAX)
        subject_free(events, list_first(&events->idle, struct subject, idle));
    return subject;
}

/* A bucket as a point in time: what is missing in it lies between now and then. */
static bool subject_may_tell(struct subject *subject, bool warning)
{
    usec_t now = clock_boottime(), whole_at = MAX(subject->whole_at[warning], now);

    if (whole_at - now > (EVENTS_BURST - 1) * EVENTS_REFILL_USEC)
        return false;
    subject->whole_at[warning] = whole_at + EVENTS_REFILL_USEC;
    return true;
}

/*
 * Messages quote the ids of sandboxes and containers, which are others with each attempt. What
 * differs in them alone is the same again: a network that fails is one event that counts.
 */
static size_t id_length(const char *text)
{
    size_t length = strspn(text, "0123456789abcdef");

    return length >= ID_DIGITS_MIN ? length : 0;
}

static void add_without_ids(struct strbuf *key, const char *message)
{
    while (*message) {
        size_t id = id_length(message);

        if (id)
            strbuf_printf(key, "#%zu", id);
        else
            strbuf_add_char(key, *message);
        message += MAX(id, (size_t)1);
    }
}

/* Then one fits into the other's place. */
static bool are_alike(const char *a, const char *b)
{
    while (*a && *b) {
        size_t id = id_length(a);

        if (id != id_length(b) || (!id && *a != *b))
            return false;
        a += MAX(id, (size_t)1);
        b += MAX(id, (size_t)1);
    }
    return *a == *b;
}

/* records */

static uint64_t record_hash(struct strbuf *key, const struct telling *telling)
{
    strbuf_truncate(key, 0);
    strbuf_add_bytes(key, &telling->subject, sizeof(telling->subject));
    strbuf_add_char(key, telling->warning ? 'W' : 'N');
    strbuf_add_bytes(key, telling->reason, strlen(telling->reason) + 1);
    if (!telling->combined) {
        strbuf_add_bytes(key, telling->field_path, strlen(telling->field_path) + 1);
        add_without_ids(key, telling->message);
    }
    return map_hash(key->text, key->length);
}

static bool is_of(const struct record *record, const struct telling *telling)
{
    return record->subject == telling->subject && record->warning == telling->warning &&
           record->combined == telling->combined && str_equal(record->reason, telling->reason) &&
           (record->combined || (str_equal(record->field_path, telling->field_path) &&
                                 are_alike(record->message, telling->message)));
}

static struct record *record_find(const struct events *events, uint64_t hash,
                                  const struct telling *telling)
{
    struct record *record = map_get_bytes(&events->by_hash, &hash, sizeof(hash));

    return record && is_of(record, telling) ? record : NULL;
}

static struct record *record_new(struct events *events, uint64_t hash,
                                 const struct telling *telling)
{
    size_t room = telling->combined ? EVENT_MESSAGE_MAX : strlen(telling->message);
    size_t size =
        sizeof(struct record) + strlen(telling->field_path) + strlen(telling->reason) + room + 3;
    struct record *record = mem_alloc(size);
    char *at = record->text;
    usec_t now = clock_wall();

    events->last_stamp = MAX(now * 1000, events->last_stamp + 1);
    *record = (struct record){
        .subject = telling->subject,
        .hash = hash,
        .stamp = events->last_stamp,
        .first = now,
        .size = size + RECORD_EXTRA,
        .warning = telling->warning,
        .combined = telling->combined,
    };
    record->field_path = place(&at, telling->field_path);
    record->reason = place(&at, telling->reason);
    record->message = place(&at, telling->message);
    map_put_bytes(&events->by_hash, &hash, sizeof(hash), record);
    list_init(&record->link);
    list_init(&record->of_subject);
    list_unlink(&telling->subject->idle);
    events->count++;
    events->bytes += record->size;
    return record;
}

static void record_free(struct events *events, struct record *record)
{
    struct subject *subject = record->subject;

    if (map_get_bytes(&events->by_hash, &record->hash, sizeof(record->hash)) == record)
        map_remove_bytes(&events->by_hash, &record->hash, sizeof(record->hash));
    list_unlink(&record->link);
    list_unlink(&record->of_subject);
    if (list_empty(&subject->records))
        list_push_back(&events->idle, &subject->idle);
    events->count--;
    events->bytes -= record->size;
    free(record);
}

/* The newest ids are shown, or the newest of what was combined. */
static void record_count(struct events *events, struct record *record, const char *message)
{
    strcpy(record->text + (record->message - record->text), message);
    if (record->count < INT32_MAX)
        record->count++;
    record->last = clock_wall();
    list_unlink(&record->link);
    list_push_back(&events->records, &record->link);
    list_unlink(&record->of_subject);
    list_push_back(&record->subject->records, &record->of_subject);
}

/* The object's name and a stamp; of a long name just so much that the whole is a legal one. */
static void record_name(const struct record *record, char name[NAME_MAX_BYTES + 1])
{
    size_t length = MIN(strlen(record->subject->name), (size_t)NAME_MAX_BYTES - STAMP_BYTES);

    while (length && strchr(".-", record->subject->name[length - 1]))
        length--;
    snprintf(name, NAME_MAX_BYTES + 1, "%.*s.%" PRIx64, (int)length, record->subject->name,
             record->stamp);
}

static void record_write(const struct events *events, const struct record *record,
                         struct json_writer *writer)
{
    const struct subject *subject = record->subject;
    char name[NAME_MAX_BYTES + 1];
    struct event event = {
        .object.kind = &object_kind_event,
        .object.metadata.name = name,
        .object.metadata.name_space = *subject->name_space ? subject->name_space : "default",
        .involved_object.kind = subject->kind,
        .involved_object.name_space = subject->name_space,
        .involved_object.name = subject->name,
        .involved_object.uid = subject->uid,
        .involved_object.api_version = "v1",
        .involved_object.field_path = record->field_path,
        .reason = record->reason,
        .message = record->message,
        .source.component = "kubelet",
        .source.host = events->node_name,
        .first_timestamp = {.usec = (int64_t)record->first, .set = true},
        .last_timestamp = {.usec = (int64_t)record->last, .set = true},
        .count = record->count,
        .type = record->warning ? "Warning" : "Normal",
        .reporting_component = record->combined ? NULL : "kubelet",
        .reporting_instance = record->combined ? NULL : events->node_name,
    };

    record_name(record, name);
    object_encode(&event.object, writer);
}

/* the recorder */

struct events *events_new(const char *node_name)
{
    struct events *events = mem_new(struct events);

    events->node_name = mem_strdup(node_name);
    list_init(&events->records);
    list_init(&events->idle);
    similar_init(&events->similar);
    return events;
}

struct events *events_free(struct events *events)
{
    if (!events)
        return NULL;
    list_for_each_safe (node, &events->records)
        record_free(events, list_entry(node, struct record, link));
    list_for_each_safe (node, &events->idle)
        subject_free(events, list_entry(node, struct subject, idle));
    map_deinit(&events->by_hash);
    map_deinit(&events->subjects);
    similar_deinit(&events->similar);
    strbuf_deinit(&events->scratch);
    free(events->node_name);
    free(events);
    return NULL;
}

/* Messages quote runtimes, registries and containers. */
static const char *clean_message(const char *prefix, const char *message,
                                 char text[EVENT_MESSAGE_MAX + 1])
{
    size_t before = strlen(prefix), max = EVENT_MESSAGE_MAX - before;
    size_t length = strnlen(message, max + 1);
    bool whole = length <= max;

    if (!whole)
        length = utf8_cut(message, max - strlen(CUT_MARK));
    memcpy(text, prefix, before);
    memcpy(text + before, message, length);
    utf8_repair(text, before + length);
    strcpy(text + before + length, whole ? "" : CUT_MARK);
    return text;
}

/* By names and not by addresses: this is remembered for longer than a subject. */
static bool is_one_too_many(struct events *events, const struct telling *telling)
{
    const struct subject *subject = telling->subject;
    struct strbuf *key = &events->scratch;
    uint64_t kind, message;

    subject_key(key, subject->kind, subject->name_space, subject->name, subject->uid);
    strbuf_printf(key, "/%c/%s", telling->warning ? 'W' : 'N', telling->reason);
    kind = map_hash(key->text, key->length);
    strbuf_truncate(key, 0);
    add_without_ids(key, telling->message);
    message = map_hash(key->text, key->length);
    return similar_add(&events->similar, kind, message, clock_boottime());
}

static void make_room(struct events *events)
{
    while (events->count > 1 && (events->count > EVENTS_MAX || events->bytes > EVENTS_BYTES_MAX))
        record_free(events, list_first(&events->records, struct record, link));
}

static void tell(struct events *events, const struct record *record)
{
    struct json_writer writer;

    if (!events->watcher)
        return;
    strbuf_truncate(&events->scratch, 0);
    json_writer_init(&writer, &events->scratch, false);
    record_write(events, record, &writer);
    json_writer_deinit(&writer);
    events->watcher(events->watcher_owner, events->scratch.text, events->scratch.length);
}

void events_add(struct events *events, const struct event_object *object, bool warning,
                const char *reason, const char *message)
{
    char text[EVENT_MESSAGE_MAX + 1];
    struct telling telling = {
        .subject = subject_of(events, object),
        .warning = warning,
        .field_path = or_empty(object->field_path),
        .reason = reason,
        .message = clean_message("", or_empty(message), text),
    };
    bool may_tell = subject_may_tell(telling.subject, warning);
    struct record *record;
    uint64_t hash;

    telling.combined = is_one_too_many(events, &telling);
    if (telling.combined)
        clean_message(COMBINED, or_empty(message), text);
    hash = record_hash(&events->scratch, &telling);
    record = record_find(events, hash, &telling);
    if (!record && may_tell)
        record = record_new(events, hash, &telling);
    if (record)
        record_count(events, record, telling.message);
    make_room(events);
    if (may_tell)
        tell(events, record);
    else
        events->quietened++;
}

/* reading */

void events_write_list(struct events *events, struct json_writer *writer)
{
    json_write_object(writer);
    json_write_string_member(writer, "apiVersion", "v1");
    json_write_string_member(writer, "kind", "EventList");
    json_write_name(writer, "metadata");
    json_write_object(writer);
    json_write_object_end(writer);
    json_write_name(writer, "items");
    json_write_array(writer);
    list_for_each (node, &events->records)
        record_write(events, list_entry(node, struct record, link), writer);
    json_write_array_end(writer);
    json_write_object_end(writer);
}

void events_write_of(struct events *events, const char *uid, size_t max, struct json_writer *writer)
{
    struct subject *subject = map_get(&events->subjects, uid);

    json_write_array(writer);
    if (subject) {
        size_t count = list_count(&subject->records);

        list_for_each (node, &subject->records)
            if (count-- <= max)
                record_write(events, list_entry(node, struct record, of_subject), writer);
    }
    json_write_array_end(writer);
}

uint64_t events_quietened(const struct events *events)
{
    return events->quietened;
}

void events_watch(struct events *events, void (*call)(void *owner, const char *json, size_t length),
                  void *owner)
{
    events->watcher = call;
    events->watcher_owner = owner;
}
