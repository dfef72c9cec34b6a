/*
 * A text that is understood can be changed in one place: it is understood again, says what it was
 * to say, and every other byte is as it was; doing it again changes nothing; and what was put in
 * can be taken out.
 */
#include "fuzz.h"

#include "setup-toml.h"

#include <string.h>

#define VALUE "/n\"\\"

static const char *const path[] = {"p", "q.r", "cni", "conf_dir", NULL};

static size_t same_start(const struct toml *a, const struct toml *b)
{
    size_t same = 0;

    while (same < MIN(a->length, b->length) && a->text[same] == b->text[same])
        same++;
    return same;
}

static size_t same_end(const struct toml *a, const struct toml *b)
{
    size_t same = 0;

    while (same < MIN(a->length, b->length) &&
           a->text[a->length - same - 1] == b->text[b->length - same - 1])
        same++;
    return same;
}

static size_t count_pairs(const struct toml *toml)
{
    size_t count = 0;

    array_for_each (statement, toml->statements)
        count += statement->kind >= TOML_PAIR;
    return count;
}

static void check_statements(const struct toml *toml)
{
    array_for_each (statement, toml->statements) {
        assert_that(*statement->path);
        assert_that(statement->lines.start <= statement->key.start);
        assert_that(statement->key.start <= statement->last);
        assert_that(statement->last < statement->key.end);
        assert_that(statement->lines.end <= toml->length);
        if (statement->kind < TOML_PAIR)
            continue;
        assert_that(statement->key.end < statement->value.start);
        assert_that(statement->value.start < statement->value.end);
        assert_that(statement->value.end <= statement->lines.end);
    }
}

static void check_unset(const struct toml *set, struct arena *arena, size_t pairs)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct toml unset;

    assert_that(toml_unset(set, path, &text, NULL) == 0);
    assert_that(toml_parse(&unset, arena, "u", text.text, text.length, NULL) == 0);
    assert_that(!toml_find(&unset, path));
    assert_that(count_pairs(&unset) == pairs);
}

static void check_set(const struct toml *before, struct arena *arena)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT, again = STRBUF_INIT;
    const struct toml_statement *found = toml_find(before, path);
    size_t kept = before->length - (found ? found->value.end - found->value.start : 0);
    struct toml after;
    struct err err = {0};
    int r = toml_set(before, path, VALUE, &text, &err);

    if (r < 0) {
        check_sentence(&err, r);
        return;
    }
    assert_that(toml_parse(&after, arena, "a", text.text, text.length, NULL) == 0);
    assert_that(str_equal(toml_string(&after, toml_find(&after, path), arena), VALUE));
    assert_that(same_start(before, &after) + same_end(before, &after) >= kept);
    assert_that(count_pairs(&after) == count_pairs(before) + !found);
    assert_that(toml_set(&after, path, VALUE, &again, NULL) == 0);
    assert_that(bytes_equal(text.text, text.length, again.text, again.length));
    if (!found)
        check_unset(&after, arena, count_pairs(before));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct toml toml;
    struct err err = {0};
    int r = toml_parse(&toml, &arena, "x", (const char *)data, size, &err);

    if (r < 0) {
        check_sentence(&err, r);
        return 0;
    }
    check_statements(&toml);
    check_set(&toml, &arena);
    array_for_each (statement, toml.statements) {
        struct toml_strings strings;

        if (statement->kind < TOML_PAIR)
            continue;
        toml_string(&toml, statement, &arena);
        toml_strings(&toml, statement, &arena, &strings);
    }
    return 0;
}
