/* TOML: splitting a text into statements, and the values of them. */
#include "setup-toml.h"
#include "nodeagent/base/mem.h"

#include <errno.h>
#include <string.h>

struct scan {
    struct toml *toml;
    struct arena *arena;
    struct err *err;
    size_t at;
    size_t depth;
    size_t space;                        /* of the statements */
    struct strbuf part;                  /* a string that is being decoded */
    const char *path[TOML_PATH_MAX + 1]; /* of what is being scanned */
    size_t table;                        /* parts of it that are the table's */
};

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* NUL at the end, which the text does not have elsewhere. */
static char peek(const struct scan *scan, size_t ahead)
{
    size_t at = scan->at + ahead;

    return at < scan->toml->length ? scan->toml->text[at] : '\0';
}

size_t toml_line(const struct toml *toml, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset; i++)
        line += toml->text[i] == '\n';
    return line;
}

static int wrong(struct scan *scan, const char *what)
{
    return err_set(scan->err, -EINVAL, "%s:%zu: %s", scan->toml->place,
                   toml_line(scan->toml, scan->at), what);
}

/* white space */

static void skip_blanks(struct scan *scan)
{
    while (is_blank(peek(scan, 0)))
        scan->at++;
}

static size_t line_end(const struct scan *scan)
{
    if (peek(scan, 0) == '\n')
        return 1;
    return peek(scan, 0) == '\r' && peek(scan, 1) == '\n' ? 2 : 0;
}

static void skip_comment(struct scan *scan)
{
    if (peek(scan, 0) == '#')
        while (peek(scan, 0) && !line_end(scan))
            scan->at++;
}

/* What may stand between the items of an array. */
static void skip_lines(struct scan *scan)
{
    size_t start;

    do {
        start = scan->at;
        skip_blanks(scan);
        skip_comment(scan);
        scan->at += line_end(scan);
    } while (scan->at != start);
}

/* strings */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void add_utf8(struct strbuf *out, uint32_t code)
{
    if (code >= 0x10000) {
        strbuf_add_char(out, (char)(0xf0 | code >> 18));
        strbuf_add_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
    } else if (code >= 0x800) {
        strbuf_add_char(out, (char)(0xe0 | code >> 12));
    }
    if (code >= 0x800)
        strbuf_add_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
    else if (code >= 0x80)
        strbuf_add_char(out, (char)(0xc0 | code >> 6));
    strbuf_add_char(out, (char)(code >= 0x80 ? 0x80 | (code & 0x3f) : code));
}

static int scan_code_point(struct scan *scan, size_t digits)
{
    uint32_t code = 0;

    for (size_t i = 0; i < digits; i++, scan->at++) {
        int value = hex_value(peek(scan, 0));

        if (value < 0)
            return wrong(scan, "a \\u in a string needs 4 hexadecimal digits, a \\U 8");
        code = code << 4 | (uint32_t)value;
    }
    if (!code || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return wrong(scan, "a \\u in a string names no character");
    add_utf8(&scan->part, code);
    return 0;
}

static int scan_escape(struct scan *scan)
{
    static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
    char c = peek(scan, 1);
    const char *found = c ? strchr(names, c) : NULL;

    if (!found && c != 'u' && c != 'U')
        return wrong(scan, "a string has an escape that is none of \\b \\t \\n \\f \\r \\\" \\\\ "
                           "\\u \\U");
    scan->at += 2;
    if (!found)
        return scan_code_point(scan, c == 'u' ? 4 : 8);
    strbuf_add_char(&scan->part, values[found - names]);
    return 0;
}

/* "..." or '...'; what it says is left in `part`. */
static int scan_short_string(struct scan *scan)
{
    char quote = peek(scan, 0);

    strbuf_truncate(&scan->part, 0);
    strbuf_add_bytes(&scan->part, "", 0);
    for (scan->at++; peek(scan, 0) != quote;) {
        unsigned char c = (unsigned char)peek(scan, 0);
        int r;

        if (!c || c == '\n' || c == '\r')
            return wrong(scan, "a string does not end in its line");
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return wrong(scan, "a string has a control character");
        if (c != '\\' || quote == '\'') {
            strbuf_add_char(&scan->part, (char)c);
            scan->at++;
        } else if ((r = scan_escape(scan)) < 0) {
            return r;
        }
    }
    scan->at++;
    return 0;
}

/* Three quotes to three quotes, before which two more may belong to the string. */
static int scan_long_string(struct scan *scan)
{
    char quote = peek(scan, 0);

    for (scan->at += 3; peek(scan, 0);) {
        size_t quotes = 0;

        while (quotes < 5 && peek(scan, quotes) == quote)
            quotes++;
        scan->at += MAX(quotes, (size_t)1);
        if (quotes >= 3)
            return 0;
        if (!quotes && quote == '"' && scan->toml->text[scan->at - 1] == '\\' && peek(scan, 0))
            scan->at++;
    }
    return wrong(scan, "a string of several lines does not end");
}

static bool at_long_string(const struct scan *scan)
{
    char c = peek(scan, 0);

    return (c == '"' || c == '\'') && peek(scan, 1) == c && peek(scan, 2) == c;
}

/* names */

static int scan_part(struct scan *scan, const char **part)
{
    char c = peek(scan, 0);
    size_t start = scan->at;
    int r;

    if (at_long_string(scan))
        return wrong(scan, "a name is a string of several lines");
    if (c == '"' || c == '\'') {
        r = scan_short_string(scan);
        *part = r < 0 ? NULL : arena_strndup(scan->arena, scan->part.text, scan->part.length);
        return r;
    }
    while (is_bare(peek(scan, 0)))
        scan->at++;
    if (scan->at == start)
        return wrong(scan, "a name is expected here");
    *part = arena_strndup(scan->arena, scan->toml->text + start, scan->at - start);
    return 0;
}

/* Puts its parts behind the first `count` of the path; returns how many there are then. */
static int scan_key(struct scan *scan, size_t count, struct toml_statement *statement)
{
    statement->key.start = scan->at;
    for (;;) {
        int r;

        if (count == TOML_PATH_MAX)
            return wrong(scan, "a name has more than 16 parts");
        statement->last = scan->at;
        r = scan_part(scan, &scan->path[count++]);
        if (r < 0)
            return r;
        statement->key.end = scan->at;
        skip_blanks(scan);
        if (peek(scan, 0) != '.')
            break;
        scan->at++;
        skip_blanks(scan);
    }
    scan->path[count] = NULL;
    return (int)count;
}

/* statements */

static int add_statement(struct scan *scan, struct toml_statement *statement, size_t count)
{
    struct toml *toml = scan->toml;

    if (toml->statements.count == TOML_STATEMENTS_MAX)
        return wrong(scan, "there are more than 16384 statements");
    if (toml->statements.count == scan->space) {
        size_t space = scan->space ? 2 * scan->space : 64;
        struct toml_statement *items = arena_array(scan->arena, struct toml_statement, space);

        if (scan->space)
            memcpy(items, toml->statements.items, scan->space * sizeof(*items));
        toml->statements.items = items;
        scan->space = space;
    }
    statement->path = arena_array(scan->arena, const char *, count + 1);
    memcpy(statement->path, scan->path, count * sizeof(*statement->path));
    toml->statements.items[toml->statements.count++] = *statement;
    return 0;
}

static int scan_value(struct scan *scan, size_t count);

/* NAME = VALUE. With a count of 0 its names do not matter: it is in an array. */
static int scan_pair(struct scan *scan, enum toml_kind kind, size_t count, bool keep)
{
    struct toml_statement statement = {.kind = kind};
    size_t index = scan->toml->statements.count;
    int parts, r;

    parts = scan_key(scan, count, &statement);
    if (parts < 0)
        return parts;
    if (peek(scan, 0) != '=')
        return wrong(scan, "\"=\" is expected after a name");
    scan->at++;
    skip_blanks(scan);
    if (keep && (r = add_statement(scan, &statement, (size_t)parts)) < 0)
        return r;
    statement.value.start = scan->at;
    r = scan_value(scan, keep ? (size_t)parts : 0);
    if (r < 0 || !keep)
        return r;
    scan->toml->statements.items[index].value =
        (struct toml_range){statement.value.start, scan->at};
    return 0;
}

/* Without line ends, as TOML 1.0 has it. */
static int scan_inline_table(struct scan *scan, size_t count)
{
    int r;

    scan->at++;
    skip_blanks(scan);
    if (peek(scan, 0) == '}') {
        scan->at++;
        return 0;
    }
    for (;;) {
        r = scan_pair(scan, TOML_MEMBER, count, count > 0);
        if (r < 0)
            return r;
        skip_blanks(scan);
        if (peek(scan, 0) == '}')
            break;
        if (peek(scan, 0) != ',')
            return wrong(scan, "\",\" or \"}\" is expected in an inline table");
        scan->at++;
        skip_blanks(scan);
    }
    scan->at++;
    return 0;
}

static int scan_array(struct scan *scan)
{
    int r;

    for (scan->at++;; scan->at++) {
        skip_lines(scan);
        if (peek(scan, 0) == ']')
            break;
        r = scan_value(scan, 0);
        if (r < 0)
            return r;
        skip_lines(scan);
        if (peek(scan, 0) == ']')
            break;
        if (peek(scan, 0) != ',')
            return wrong(scan, "\",\" or \"]\" is expected in an array");
    }
    scan->at++;
    return 0;
}

/* A number, a date, true, false: whatever it is, it has no structure. */
static int scan_word(struct scan *scan)
{
    size_t start = scan->at;

    while (is_bare(peek(scan, 0)) || (peek(scan, 0) && strchr("+.:", peek(scan, 0))))
        scan->at++;
    return scan->at > start ? 0 : wrong(scan, "a value is expected here");
}

/* `count` parts of the path are its name; 0: it has none, being in an array. */
static int scan_value(struct scan *scan, size_t count)
{
    char c = peek(scan, 0);
    int r;

    if (at_long_string(scan))
        return scan_long_string(scan);
    if (c == '"' || c == '\'')
        return scan_short_string(scan);
    if (c != '[' && c != '{')
        return scan_word(scan);
    if (scan->depth == TOML_DEPTH_MAX)
        return wrong(scan, "values are nested more than 16 deep");
    scan->depth++;
    r = c == '[' ? scan_array(scan) : scan_inline_table(scan, count);
    scan->depth--;
    return r;
}

/* [NAME] or [[NAME]] */
static int scan_header(struct scan *scan)
{
    bool array = peek(scan, 1) == '[';
    struct toml_statement statement = {.kind = array ? TOML_ARRAY_TABLE : TOML_TABLE};
    int count;

    scan->at += array ? 2 : 1;
    skip_blanks(scan);
    count = scan_key(scan, 0, &statement);
    if (count < 0)
        return count;
    if (peek(scan, 0) != ']' || (array && peek(scan, 1) != ']'))
        return wrong(scan, "the name of a table does not end in \"]\"");
    scan->at += array ? 2 : 1;
    scan->table = (size_t)count;
    return add_statement(scan, &statement, (size_t)count);
}

static int scan_line(struct scan *scan)
{
    size_t start = scan->at, index = scan->toml->statements.count;
    int r = 0;

    skip_blanks(scan);
    if (peek(scan, 0) == '[')
        r = scan_header(scan);
    else if (peek(scan, 0) && peek(scan, 0) != '#' && !line_end(scan))
        r = scan_pair(scan, TOML_PAIR, scan->table, true);
    if (r < 0)
        return r;
    skip_blanks(scan);
    skip_comment(scan);
    if (peek(scan, 0) && !line_end(scan))
        return wrong(scan, "there is more in the line than one statement");
    scan->at += line_end(scan);
    for (; index < scan->toml->statements.count; index++)
        scan->toml->statements.items[index].lines = (struct toml_range){start, scan->at};
    return 0;
}

int toml_parse(struct toml *toml, struct arena *arena, const char *place, const char *text,
               size_t length, struct err *err)
{
    struct scan scan = {.toml = toml, .arena = arena, .err = err};
    int r = 0;

    *toml = (struct toml){.place = place, .text = text, .length = length};
    if (length > TOML_BYTES_MAX)
        return err_set(err, -EFBIG, "%s: more than the %d bytes allowed", place, TOML_BYTES_MAX);
    if (length && (memchr(text, '\0', length) || utf8_check(text, length)))
        return err_set(err, -EINVAL, "%s: is not a text in UTF-8", place);
    while (r == 0 && scan.at < length)
        r = scan_line(&scan);
    strbuf_deinit(&scan.part);
    return r;
}

/* reading */

static bool paths_equal(const char *const *a, const char *const *b)
{
    while (*a && *b && !strcmp(*a, *b)) {
        a++;
        b++;
    }
    return !*a && !*b;
}

bool toml_path_has_prefix(const char *const *path, const char *const *prefix)
{
    for (; *prefix; path++, prefix++)
        if (!*path || strcmp(*path, *prefix))
            return false;
    return true;
}

const struct toml_statement *toml_find(const struct toml *toml, const char *const *path)
{
    array_for_each (statement, toml->statements)
        if (statement->kind >= TOML_PAIR && paths_equal((const char *const *)statement->path, path))
            return statement;
    return NULL;
}

/* The scanner has been here before, so there is nothing that it could find wrong. */
static const char *decode(const struct toml *toml, struct toml_range *at, struct arena *arena)
{
    struct toml copy = *toml;
    struct err err;
    struct scan scan = {.toml = &copy, .err = &err, .at = at->start};
    const char *string = NULL;
    char c = peek(&scan, 0);

    if ((c == '"' || c == '\'') && !at_long_string(&scan)) {
        assert_that(scan_short_string(&scan) == 0);
        string = arena_strndup(arena, scan.part.text, scan.part.length);
    }
    at->start = scan.at;
    strbuf_deinit(&scan.part);
    return string;
}

const char *toml_string(const struct toml *toml, const struct toml_statement *statement,
                        struct arena *arena)
{
    struct toml_range at = statement->value;

    return decode(toml, &at, arena);
}

int toml_strings(const struct toml *toml, const struct toml_statement *statement,
                 struct arena *arena, struct toml_strings *strings)
{
    struct toml copy = *toml;
    struct scan scan = {.toml = &copy, .at = statement->value.start};
    size_t space = 0;

    *strings = (struct toml_strings){0};
    if (peek(&scan, 0) != '[')
        return -EINVAL;
    for (scan.at++;; scan.at++) {
        struct toml_range at;
        const char *string;

        skip_lines(&scan);
        if (peek(&scan, 0) == ']')
            return 0;
        at.start = scan.at;
        string = decode(toml, &at, arena);
        if (!string)
            return -EINVAL;
        if (strings->items.count == space) {
            const char **grown = arena_array(arena, const char *, 2 * space + 4);

            if (space)
                memcpy(grown, strings->items.items, space * sizeof(*grown));
            strings->items.items = grown;
            space = 2 * space + 4;
        }
        strings->items.items[strings->items.count++] = string;
        scan.at = at.start;
        skip_lines(&scan);
        if (peek(&scan, 0) == ']')
            return 0;
    }
}
