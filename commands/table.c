/* Tables as kubectl writes them: columns three spaces apart, the last one as long as it is. */
#include "nodeagent/base/mem.h"
#include "show.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_GAP = 3,
};

/* Characters of valid UTF-8. Wide ones count as one: names are ASCII, messages come last. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void table_init(struct table *table, const char *const *headers)
{
    *table = (struct table){.arena = ARENA_INIT_DOCUMENT, .headers = headers};
    for (; headers[table->columns]; table->columns++)
        table->widths[table->columns] = width_of(headers[table->columns]);
    assert_that(table->columns <= TABLE_COLUMNS_MAX);
}

void table_deinit(struct table *table)
{
    arena_deinit(&table->arena);
    free(table->cells);
    table->cells = NULL;
    table->count = table->space = 0;
}

static void put_cell(struct table *table, enum colour colour, const char *text, size_t width)
{
    size_t column = table->count % table->columns;

    table->cells = mem_grow(table->cells, table->count, &table->space, sizeof(*table->cells));
    table->cells[table->count++] = (struct table_cell){
        .text = arena_strdup(&table->arena, text),
        .width = width,
        .colour = colour,
    };
    table->widths[column] = MAX(table->widths[column], width);
}

void table_cell(struct table *table, enum colour colour, const char *text)
{
    _cleanup_(strbuf_deinit) struct strbuf escaped = STRBUF_INIT;

    show_text(&escaped, text ? text : "");
    put_cell(table, colour, escaped.text ? escaped.text : "",
             escaped.text ? width_of(escaped.text) : 0);
}

void table_cell_drawn(struct table *table, const char *text, size_t width)
{
    put_cell(table, COLOUR_NONE, text, width);
}

size_t table_rows(const struct table *table)
{
    return table->count / table->columns;
}

static void add_cell(const struct table *table, size_t column, const struct table_cell *cell,
                     bool colours, struct strbuf *out)
{
    bool coloured = colours && cell->colour != COLOUR_NONE;

    if (coloured)
        strbuf_add(out, show_colour(cell->colour));
    strbuf_add(out, cell->text);
    if (coloured)
        strbuf_add(out, show_colour(COLOUR_NONE));
    if (column + 1 == table->columns)
        strbuf_add_char(out, '\n');
    else
        strbuf_printf(out, "%*s", (int)(table->widths[column] - cell->width + COLUMN_GAP), "");
}

void table_write(struct table *table, bool headers, struct strbuf *out)
{
    bool colours = show_colours();

    for (size_t i = 0; headers && i < table->columns; i++) {
        struct table_cell header = {.text = table->headers[i],
                                    .width = width_of(table->headers[i])};

        add_cell(table, i, &header, false, out);
    }
    for (size_t i = 0; i < table->count; i++)
        add_cell(table, i % table->columns, &table->cells[i], colours, out);
    table->count = 0;
    arena_deinit(&table->arena);
}
