/*
 * Heights are of one measure for all probes: each is four times the one below it, from 1 ms to
 * 4 s. So lines may be compared, and a probe that became slow stands out.
 */
#include "sparkline.h"
#include "show.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>

static const struct {
    const char *verdict;
    char letter;
    enum colour colour;
} looks[] = {
    {"success", '\0', COLOUR_GREEN},
    {"warning", 'w', COLOUR_YELLOW},
    {"refused", 'R', COLOUR_RED},
    {"connect timeout", 'C', COLOUR_RED},
    {"no response in time", 'N', COLOUR_RED},
    {"bad status", 'S', COLOUR_RED},
    {"TLS", 'T', COLOUR_RED},
    {"exec exit", 'X', COLOUR_RED},
    {"exec timeout", 'K', COLOUR_RED},
    {"broken", 'B', COLOUR_RED},
    {"agent late", 'a', COLOUR_YELLOW},
    {"errored", 'e', COLOUR_YELLOW},
};

static bool is_utf8(void)
{
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
    bool utf8;

    if (!locale)
        return false;
    utf8 = !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");
    freelocale(locale);
    return utf8;
}

struct sparkline_style sparkline_style(void)
{
    return (struct sparkline_style){.colours = show_colours(), .utf8 = is_utf8()};
}

static const char *bar(bool utf8, usec_t duration)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    size_t height = 0;

    for (usec_t end = USEC_PER_MSEC; duration >= end && height + 1 < array_size(blocks); end *= 4)
        height++;
    return utf8 ? blocks[height] : plain[height];
}

void sparkline_add(struct strbuf *out, const struct sparkline_style *style, const char *verdict,
                   usec_t duration)
{
    enum colour colour = COLOUR_RED;
    char letter = '?';

    for (size_t i = 0; i < array_size(looks); i++)
        if (!strcmp(looks[i].verdict, verdict)) {
            letter = looks[i].letter;
            colour = looks[i].colour;
        }
    if (style->colours)
        strbuf_add(out, show_colour(colour));
    if (letter && !(style->colours && style->utf8))
        strbuf_add_char(out, letter);
    else
        strbuf_add(out, bar(style->utf8, duration));
    if (style->colours)
        strbuf_add(out, show_colour(COLOUR_NONE));
}
