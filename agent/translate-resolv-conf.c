/* The node's resolv.conf, read as the reference reads it. */
#include "translate-internal.h"

#include <errno.h>
#include <string.h>

enum {
    /* Of each list; what is behind it exceeds any limit of a pod's DNS. */
    RESOLV_ENTRIES_MAX = 64,
};

#define BLANKS " \t\v\f\r"

struct words {
    const char *next;
    const char *end;
};

/* The next word of the line, or 0: there is none. */
static size_t next_word(struct words *words, const char **word)
{
    while (words->next < words->end && strchr(BLANKS, *words->next))
        words->next++;
    *word = words->next;
    while (words->next < words->end && !strchr(BLANKS, *words->next))
        words->next++;
    return (size_t)(words->next - *word);
}

static bool word_is(const char *word, size_t length, const char *expected)
{
    return length == strlen(expected) && !memcmp(word, expected, length);
}

static void add(struct arena *arena, struct string_list *list, const char *word, size_t length)
{
    if (list->count < RESOLV_ENTRIES_MAX)
        strings_add(arena, list, arena_strndup(arena, word, length));
}

static int read_server(struct arena *arena, struct words *words, struct resolv_conf *result,
                       unsigned line, struct err *err)
{
    const char *word;
    size_t length = next_word(words, &word);

    if (!length)
        return err_set(err, -EINVAL, "resolv.conf:%u: nameserver list is empty", line);
    add(arena, &result->servers, word, length);
    return 0;
}

/* The last line counts. */
static void read_search(struct arena *arena, struct words *words, struct resolv_conf *result)
{
    const char *word;
    size_t length;

    result->searches = (struct string_list){0};
    while ((length = next_word(words, &word)))
        if (!word_is(word, length, "."))
            add(arena, &result->searches, word, word[length - 1] == '.' ? length - 1 : length);
}

void options_merge(struct arena *arena, struct string_list *options, const char *option)
{
    size_t length = strcspn(option, ":");

    for (size_t i = 0; i < options->count; i++)
        if (strcspn(options->items[i], ":") == length &&
            !memcmp(options->items[i], option, length)) {
            options->items[i] = option;
            return;
        }
    if (options->count < RESOLV_ENTRIES_MAX)
        strings_add(arena, options, option);
}

static void read_options(struct arena *arena, struct words *words, struct resolv_conf *result)
{
    const char *word;
    size_t length;

    while ((length = next_word(words, &word)))
        options_merge(arena, &result->options, arena_strndup(arena, word, length));
}

int resolv_conf_parse(struct arena *arena, const char *text, size_t length,
                      struct resolv_conf *result, struct err *err)
{
    const char *end = text + length;
    int r = 0;

    *result = (struct resolv_conf){0};
    for (unsigned line = 1; text < end && r == 0; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        struct words words = {text, newline ? newline : end};
        const char *word;
        size_t word_length = next_word(&words, &word);

        if (word_is(word, word_length, "nameserver"))
            r = read_server(arena, &words, result, line, err);
        else if (word_is(word, word_length, "search"))
            read_search(arena, &words, result);
        else if (word_is(word, word_length, "options"))
            read_options(arena, &words, result);
        text = newline ? newline + 1 : end;
    }
    return r;
}
