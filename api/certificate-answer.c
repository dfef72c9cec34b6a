/* Reading objects of kind CertificateSigningRequest. */
#include "nodeagent/api/certificate.h"
#include "nodeagent/api/certificate_answer.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <string.h>

#define KIND "CertificateSigningRequest"

enum {
    CONDITIONS_MAX = 64,     /* there are three types */
    MESSAGE_SHOWN_MAX = 300, /* of what somebody wrote there */
};

/* members, which may be missing, but not of another type */

static int get_as(const struct json *object, const char *name, enum json_type type,
                  const struct json **value, struct err *err)
{
    const struct json *found = object ? json_get(object, name) : NULL;

    *value = found && found->type != JSON_NULL ? found : NULL;
    if (*value && found->type != type)
        return err_set(err, -EINVAL, KIND ": %s must not be %s", name, json_type_name(found));
    return 0;
}

static int get_text(const struct json *object, const char *name, struct arena *arena,
                    const char **text, struct err *err)
{
    const struct json *value;
    int r = get_as(object, name, JSON_STRING, &value, err);

    *text = r == 0 && value ? arena_strndup(arena, value->text, value->length) : "";
    return r;
}

/* The bytes that a member holds as base64; *bytes is NULL when there is none. */
static int get_bytes(const struct json *object, const char *name, char **bytes, size_t *length,
                     struct err *err)
{
    const struct json *value;
    int r = get_as(object, name, JSON_STRING, &value, err);

    *bytes = NULL;
    if (r < 0 || !value || !value->length)
        return r;
    if (value->length > 2 * CERTIFICATE_TEXT_MAX)
        return err_set(err, -EFBIG, KIND ": %s has more than %d bytes", name,
                       2 * CERTIFICATE_TEXT_MAX);
    *bytes = mem_strndup(value->text, value->length);
    return base64_decode(*bytes, value->length, length) < 0
               ? err_set(err, -EINVAL, KIND ": %s is no base64", name)
               : 0;
}

static int check_kind(const struct json *object, struct err *err)
{
    const struct json *kind = object->type == JSON_OBJECT ? json_get_string(object, "kind") : NULL;

    if (kind && json_text_is(kind, KIND))
        return 0;
    return err_set(err, -EINVAL, "the API server's answer is no " KIND ", but %s%s",
                   json_type_name(object), object->type == JSON_OBJECT ? " of another kind" : "");
}

/* conditions */

struct decision {
    const char *type;
    enum certificate_state state;
};

static const struct decision decisions[] = {
    {"Approved", CERTIFICATE_APPROVED},
    {"Failed", CERTIFICATE_FAILED},
    {"Denied", CERTIFICATE_DENIED},
};

static const char *said(struct arena *arena, const char *reason, const char *message)
{
    size_t length = utf8_cut(message, MIN(strlen(message), (size_t)MESSAGE_SHOWN_MAX));

    return arena_printf(arena, "%s%s%.*s", reason, *message ? ": " : "", (int)length, message);
}

static int read_condition(struct certificate_answer *answer, struct arena *arena,
                          const struct json *condition, struct err *err)
{
    const char *type = NULL, *reason = NULL, *message = NULL;
    int r =
        condition->type == JSON_OBJECT
            ? get_text(condition, "type", arena, &type, err)
            : err_set(err, -EINVAL, KIND ": a condition must not be %s", json_type_name(condition));

    if (r == 0)
        r = get_text(condition, "reason", arena, &reason, err);
    if (r == 0)
        r = get_text(condition, "message", arena, &message, err);
    if (r < 0)
        return r;
    for (const struct decision *one = decisions; one < decisions + array_size(decisions); one++)
        if (str_equal(one->type, type) && answer->state < one->state) {
            answer->state = one->state;
            answer->message = said(arena, reason, message);
        }
    return 0;
}

static int read_conditions(struct certificate_answer *answer, struct arena *arena,
                           const struct json *status, struct err *err)
{
    const struct json *conditions;
    int r = get_as(status, "conditions", JSON_ARRAY, &conditions, err);

    if (r < 0 || !conditions)
        return r;
    if (conditions->length > CONDITIONS_MAX)
        return err_set(err, -E2BIG, KIND ": it has more than %d conditions", CONDITIONS_MAX);
    for (uint32_t i = 0; r == 0 && i < conditions->length; i++)
        r = read_condition(answer, arena, &conditions->items[i], err);
    return r;
}

static int read_chain(struct certificate_answer *answer, struct arena *arena,
                      const struct json *status, struct err *err)
{
    _cleanup_(mem_free_at) char *bytes = NULL;
    int r = get_bytes(status, "certificate", &bytes, &answer->chain_length, err);

    if (r < 0 || !bytes)
        return r;
    answer->chain = arena_strndup(arena, bytes, answer->chain_length);
    answer->state = CERTIFICATE_ISSUED;
    return 0;
}

/* the sentence */

static const char *explain(const struct certificate_answer *answer, struct arena *arena,
                           const char *signer)
{
    switch (answer->state) {
    case CERTIFICATE_PENDING:
        return arena_printf(arena,
                            "certificate request %s waits for approval (kubectl certificate "
                            "approve %s)",
                            answer->name, answer->name);
    case CERTIFICATE_APPROVED:
        return arena_printf(arena,
                            "certificate request %s is approved and waits for its signer, %s",
                            answer->name, signer);
    case CERTIFICATE_ISSUED:
        return arena_printf(arena, "certificate request %s is fulfilled", answer->name);
    case CERTIFICATE_DENIED:
        return arena_printf(arena, "certificate request %s was denied: %s", answer->name,
                            answer->message);
    case CERTIFICATE_FAILED:
        return arena_printf(arena, "certificate request %s was not signed by %s: %s", answer->name,
                            signer, answer->message);
    }
    return "";
}

int certificate_answer_read(struct certificate_answer *answer, struct arena *arena,
                            const struct json *object, struct err *err)
{
    const struct json *metadata, *spec, *status;
    const char *signer;
    int r = check_kind(object, err);

    *answer = (struct certificate_answer){.message = ""};
    if (r == 0)
        r = get_as(object, "metadata", JSON_OBJECT, &metadata, err);
    if (r == 0)
        r = get_as(object, "spec", JSON_OBJECT, &spec, err);
    if (r == 0)
        r = get_as(object, "status", JSON_OBJECT, &status, err);
    if (r == 0)
        r = get_text(metadata, "name", arena, &answer->name, err);
    if (r == 0)
        r = get_text(spec, "signerName", arena, &signer, err);
    if (r == 0)
        r = read_conditions(answer, arena, status, err);
    if (r == 0 && answer->state == CERTIFICATE_APPROVED)
        r = read_chain(answer, arena, status, err);
    if (r == 0)
        answer->message = explain(answer, arena, signer);
    return r;
}
