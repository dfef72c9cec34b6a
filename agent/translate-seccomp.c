/*
 * Is a seccomp profile one that the runtime will take? The words are the OCI's; architectures and
 * system calls are as libseccomp knows them. Members that only some runtimes know are passed over.
 */
#include "translate-check.h"

#include "nodeagent/base/json.h"

#include <ctype.h>
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

enum {
    PROFILE_NODES_MAX = 100000, /* of a profile of a megabyte */
    ARCHITECTURE_NAME_MAX = 32,
    UNKNOWN_BYTES_MAX = 512,
    ERRNO_MAX = 4095, /* beyond it the kernel takes a result for an address */
    ARGUMENTS_MAX = 6,
};

static const struct json_limits profile_limits = {
    .bytes_max = SECCOMP_PROFILE_BYTES_MAX,
    .nodes_max = PROFILE_NODES_MAX,
};

struct check {
    struct strbuf *unknown;
    struct err *err;
};

/* Where in the document its members' names go on: "syscalls[3].args[0].". */
struct place {
    char text[64];
};

static struct place place_in(const struct place *outer, const char *list, size_t index)
{
    struct place place;

    snprintf(place.text, sizeof(place.text), "%.24s%.12s[%zu].", outer ? outer->text : "", list,
             index);
    return place;
}

static const struct json *member(const struct json *object, const char *name)
{
    const struct json *value = json_get(object, name);

    return value && value->type == JSON_NULL ? NULL : value;
}

static int expect_type(const struct check *check, const struct json *value, enum json_type type,
                       const char *place, const char *name)
{
    if (value->type == type)
        return 0;
    return err_set(check->err, -EINVAL, "%s%s: it is %s", place, name, json_type_name(value));
}

static int expect_object(const struct check *check, const struct json *value, const char *place)
{
    if (value->type == JSON_OBJECT)
        return 0;
    return err_set(check->err, -EINVAL, "%.*s: it is %s", (int)strlen(place) - 1, place,
                   json_type_name(value));
}

/* words */

static int check_word(const struct check *check, const struct json *object, const char *place,
                      const char *name, const char *const *words)
{
    const struct json *value = member(object, name);

    for (; value && value->type == JSON_STRING && *words; words++)
        if (json_text_is(value, *words))
            return 0;
    if (!value)
        return err_set(check->err, -EINVAL, "%s%s: it is missing", place, name);
    if (value->type != JSON_STRING)
        return expect_type(check, value, JSON_STRING, place, name);
    return err_set(check->err, -EINVAL, "%s%s: \"%.*s\" is unknown", place, name,
                   (int)MIN(value->length, 64u), value->text);
}

static int check_action(const struct check *check, const struct json *object, const char *place,
                        const char *name)
{
    static const char *const actions[] = {
        "SCMP_ACT_ALLOW",        "SCMP_ACT_ERRNO",
        "SCMP_ACT_KILL",         "SCMP_ACT_LOG",
        "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_TRAP",         "SCMP_ACT_NOTIFY",
        "SCMP_ACT_TRACE",        NULL,
    };

    return check_word(check, object, place, name, actions);
}

/* numbers, which are not negative and whole */

static int check_number(const struct check *check, const struct json *object, const char *place,
                        const char *name, uint64_t max)
{
    const struct json *value = member(object, name);
    uint64_t number = 0;

    if (!value)
        return 0;
    if (value->type != JSON_NUMBER)
        return expect_type(check, value, JSON_NUMBER, place, name);
    for (size_t i = 0; i < value->length; i++) {
        if (!isdigit((unsigned char)value->text[i]) ||
            __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(value->text[i] - '0'), &number) ||
            number > max)
            return err_set(check->err, -EINVAL, "%s%s: %.*s is not from 0 to %llu", place, name,
                           (int)MIN(value->length, 64u), value->text, (unsigned long long)max);
    }
    return 0;
}

/* architectures */

static bool architecture_is_known(const struct json *value)
{
    static const char prefix[] = "SCMP_ARCH_";
    char name[ARCHITECTURE_NAME_MAX];
    size_t length = value->length - MIN(value->length, (uint32_t)strlen(prefix));

    if (!length || length >= sizeof(name) || memcmp(value->text, prefix, strlen(prefix)) != 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        name[i] = (char)tolower((unsigned char)value->text[strlen(prefix) + i]);
        if (name[i] == value->text[strlen(prefix) + i] && isalpha((unsigned char)name[i]))
            return false; /* it is written in capitals */
    }
    name[length] = '\0';
    /* Later libraries know it. */
    return seccomp_arch_resolve_name(name) || str_equal(name, "loongarch64");
}

static int check_architectures(const struct check *check, const struct json *root)
{
    const struct json *list = member(root, "architectures");

    if (!list)
        return 0;
    if (list->type != JSON_ARRAY)
        return expect_type(check, list, JSON_ARRAY, "", "architectures");
    for (uint32_t i = 0; i < list->length; i++) {
        const struct json *value = &list->items[i];

        if (value->type != JSON_STRING || !architecture_is_known(value))
            return err_set(check->err, -EINVAL, "architectures[%u]: \"%.*s\" is unknown", i,
                           value->type == JSON_STRING ? (int)MIN(value->length, 64u) : 0,
                           value->type == JSON_STRING ? value->text : "");
    }
    return 0;
}

/* system calls */

static void note_name(const struct check *check, const struct json *value)
{
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)MIN(value->length, 64u), value->text);
    if (!check->unknown || seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR ||
        check->unknown->length > UNKNOWN_BYTES_MAX)
        return;
    strbuf_add(check->unknown, check->unknown->length ? ", " : "");
    strbuf_add_quoted(check->unknown, name, strlen(name), sizeof(name));
}

static int check_names(const struct check *check, const struct json *call, const char *place)
{
    const struct json *list = member(call, "names");

    if (!list)
        return err_set(check->err, -EINVAL, "%snames: it is missing", place);
    if (list->type != JSON_ARRAY)
        return expect_type(check, list, JSON_ARRAY, place, "names");
    for (uint32_t i = 0; i < list->length; i++) {
        const struct json *value = &list->items[i];

        if (value->type != JSON_STRING || !value->length)
            return err_set(check->err, -EINVAL, "%snames[%u]: it is no name", place, i);
        note_name(check, value);
    }
    return 0;
}

static int check_argument(const struct check *check, const struct json *argument, const char *place)
{
    static const char *const operators[] = {
        "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
        "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL,
    };
    int r = expect_object(check, argument, place);

    if (r == 0)
        r = check_number(check, argument, place, "index", ARGUMENTS_MAX - 1);
    if (r == 0)
        r = check_number(check, argument, place, "value", UINT64_MAX);
    if (r == 0)
        r = check_number(check, argument, place, "valueTwo", UINT64_MAX);
    return r < 0 ? r : check_word(check, argument, place, "op", operators);
}

static int check_arguments(const struct check *check, const struct json *call,
                           const struct place *outer)
{
    const struct json *list = member(call, "args");
    int r = 0;

    if (!list)
        return 0;
    if (list->type != JSON_ARRAY)
        return expect_type(check, list, JSON_ARRAY, outer->text, "args");
    for (uint32_t i = 0; i < list->length && r == 0; i++) {
        struct place place = place_in(outer, "args", i);

        r = check_argument(check, &list->items[i], place.text);
    }
    return r;
}

static int check_call(const struct check *check, const struct json *call, size_t index)
{
    struct place place = place_in(NULL, "syscalls", index);
    int r = expect_object(check, call, place.text);

    if (r == 0)
        r = check_names(check, call, place.text);
    if (r == 0)
        r = check_action(check, call, place.text, "action");
    if (r == 0)
        r = check_number(check, call, place.text, "errnoRet", ERRNO_MAX);
    return r < 0 ? r : check_arguments(check, call, &place);
}

static int check_calls(const struct check *check, const struct json *root)
{
    const struct json *list = member(root, "syscalls");
    int r = 0;

    if (!list)
        return 0;
    if (list->type != JSON_ARRAY)
        return expect_type(check, list, JSON_ARRAY, "", "syscalls");
    for (uint32_t i = 0; i < list->length && r == 0; i++)
        r = check_call(check, &list->items[i], i);
    return r;
}

/* the profile */

static int check_profile(const struct check *check, const struct json *root)
{
    int r;

    if (root->type != JSON_OBJECT)
        return err_set(check->err, -EINVAL, "a profile is an object, not %s", json_type_name(root));
    r = check_action(check, root, "", "defaultAction");
    if (r == 0)
        r = check_number(check, root, "", "defaultErrnoRet", ERRNO_MAX);
    if (r == 0)
        r = check_architectures(check, root);
    return r < 0 ? r : check_calls(check, root);
}

int seccomp_profile_check(const char *json, size_t length, struct strbuf *unknown, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct check check = {unknown, err};
    struct json_findings findings = {0};
    struct json *root = NULL;
    struct json_place place;
    int r = json_parse(&arena, json, length, &profile_limits, &findings, &root, err);

    if (r == 0)
        return check_profile(&check, root);
    place = json_place(json, length, findings.error_offset);
    return err_prefix(err, "%u:%u", place.line, place.column);
}
