/* TOML: changing one value of a text, and leaving all else as it is. */
#include "setup-toml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* writing */

void toml_write_string(struct strbuf *out, const char *string)
{
    strbuf_add_char(out, '"');
    for (const char *c = string; *c; c++) {
        if (*c == '"' || *c == '\\')
            strbuf_add_char(out, '\\');
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            strbuf_printf(out, "\\u%04X", (unsigned)(unsigned char)*c);
        else
            strbuf_add_char(out, *c);
    }
    strbuf_add_char(out, '"');
}

static void write_part(struct strbuf *out, const char *part)
{
    static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    if (*part && !part[strspn(part, bare)])
        strbuf_add(out, part);
    else
        toml_write_string(out, part);
}

static void write_parts(struct strbuf *out, const char *const *path, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_add(out, i ? "." : "");
        write_part(out, path[i]);
    }
}

static size_t count_parts(const char *const *path)
{
    size_t count = 0;

    while (path[count])
        count++;
    return count;
}

void toml_write_path(struct strbuf *out, const char *const *path)
{
    write_parts(out, path, count_parts(path));
}

/* refusing */

static int refuse(const struct toml *toml, const struct toml_statement *statement,
                  const char *const *path, const char *why, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf name = STRBUF_INIT;

    toml_write_path(&name, path);
    return err_set(err, -ENOTSUP, "%s:%zu: %s cannot be changed here: %s", toml->place,
                   toml_line(toml, statement->key.start), name.text, why);
}

/* What stands in the way of a value at this path, whether there is one or not. */
static int check_way(const struct toml *toml, const char *const *path, struct err *err)
{
    const struct toml_statement *found = toml_find(toml, path);
    const char *value = found ? toml->text + found->value.start : NULL;

    if (found && *value != '"' && *value != '\'')
        return refuse(toml, found, path, "its value is not a string", err);
    array_for_each (statement, toml->statements) {
        const char *const *other = (const char *const *)statement->path;
        bool above = toml_path_has_prefix(path, other), below = toml_path_has_prefix(other, path);

        if (statement->kind == TOML_ARRAY_TABLE && above)
            return refuse(toml, statement, path, "it would be in an array of tables", err);
        if (below && !above)
            return refuse(toml, statement, path, "it is a table", err);
        if (below && statement->kind == TOML_TABLE)
            return refuse(toml, statement, path, "it is a table", err);
        if (below && statement != found)
            return refuse(toml, statement, path, "it stands twice", err);
        if (above && !below && statement->kind >= TOML_PAIR && !found)
            return refuse(toml, statement, path,
                          "what it belongs to is one value; write that as a table, [...]", err);
    }
    return 0;
}

/* changing */

static const char *line_end(const struct toml *toml)
{
    const char *end = toml->length ? memchr(toml->text, '\n', toml->length) : NULL;

    return end && end > toml->text && end[-1] == '\r' ? "\r\n" : "\n";
}

/* The text with something else between `start` and `end`. */
static void splice(const struct toml *toml, size_t start, size_t end, const struct strbuf *new,
                   struct strbuf *out)
{
    strbuf_add_bytes(out, toml->text, start);
    strbuf_add_bytes(out, new->text, new->length);
    strbuf_add_bytes(out, toml->text + end, toml->length - end);
}

static void put_line_after(const struct toml *toml, const struct toml_statement *statement,
                           struct strbuf *line, struct strbuf *out)
{
    _cleanup_(strbuf_deinit) struct strbuf whole = STRBUF_INIT;
    size_t end = statement->lines.end;
    bool ended = toml->text[end - 1] == '\n';

    strbuf_printf(&whole, "%s%s%s", ended ? "" : line_end(toml), line->text,
                  ended ? line_end(toml) : "");
    splice(toml, end, end, &whole, out);
}

/* The table that the value belongs into, or a pair "x.y = ..." that makes that table. */
static const struct toml_statement *find_neighbour(const struct toml *toml, const char *const *path,
                                                   enum toml_kind kind)
{
    size_t count = count_parts(path), wanted = kind == TOML_TABLE ? count - 1 : count;

    array_for_each (statement, toml->statements) {
        const char *const *other = (const char *const *)statement->path;
        size_t same = 0;

        while (other[same] && path[same] && !strcmp(other[same], path[same]))
            same++;
        if (statement->kind == kind && same == count - 1 && count_parts(other) == wanted)
            return statement;
    }
    return NULL;
}

static void put_beside(const struct toml *toml, const struct toml_statement *neighbour,
                       const char *name, const char *value, struct strbuf *out)
{
    _cleanup_(strbuf_deinit) struct strbuf line = STRBUF_INIT;
    size_t indent = strspn(toml->text + neighbour->lines.start, " \t");

    strbuf_add_bytes(&line, toml->text + neighbour->lines.start, indent);
    if (neighbour->kind == TOML_TABLE)
        strbuf_add(&line, "  ");
    else
        strbuf_add_bytes(&line, toml->text + neighbour->key.start,
                         neighbour->last - neighbour->key.start);
    write_part(&line, name);
    strbuf_add(&line, " = ");
    toml_write_string(&line, value);
    put_line_after(toml, neighbour, &line, out);
}

static void put_at_end(const struct toml *toml, const char *const *path, const char *value,
                       struct strbuf *out)
{
    size_t count = count_parts(path);
    const char *end = line_end(toml);

    strbuf_add_bytes(out, toml->text, toml->length);
    if (toml->length && toml->text[toml->length - 1] != '\n')
        strbuf_add(out, end);
    strbuf_printf(out, "%s[", toml->length ? end : "");
    write_parts(out, path, count - 1);
    strbuf_printf(out, "]%s  ", end);
    write_part(out, path[count - 1]);
    strbuf_add(out, " = ");
    toml_write_string(out, value);
    strbuf_add(out, end);
}

int toml_set(const struct toml *toml, const char *const *path, const char *value,
             struct strbuf *out, struct err *err)
{
    const struct toml_statement *found = toml_find(toml, path), *neighbour;
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    _cleanup_(strbuf_deinit) struct strbuf quoted = STRBUF_INIT;
    size_t count = count_parts(path);
    int r = check_way(toml, path, err);

    if (r < 0)
        return r;
    if (found && str_equal(toml_string(toml, found, &arena), value)) {
        strbuf_add_bytes(out, toml->text, toml->length);
        return 0;
    }
    toml_write_string(&quoted, value);
    neighbour = find_neighbour(toml, path, TOML_TABLE);
    if (!neighbour)
        neighbour = find_neighbour(toml, path, TOML_PAIR);
    if (found)
        splice(toml, found->value.start, found->value.end, &quoted, out);
    else if (neighbour)
        put_beside(toml, neighbour, path[count - 1], value, out);
    else
        put_at_end(toml, path, value, out);
    return 0;
}

int toml_unset(const struct toml *toml, const char *const *path, struct strbuf *out,
               struct err *err)
{
    const struct toml_statement *found = toml_find(toml, path);
    const struct strbuf nothing = STRBUF_INIT;
    int r = check_way(toml, path, err);

    if (r < 0)
        return r;
    if (found && found->kind == TOML_MEMBER)
        return refuse(toml, found, path, "it is in an inline table; take it out of that by hand",
                      err);
    if (found)
        splice(toml, found->lines.start, found->lines.end, &nothing, out);
    else
        strbuf_add_bytes(out, toml->text, toml->length);
    return 0;
}
