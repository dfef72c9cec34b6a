/* Writing what a watch asks for. */
#include "watch-query.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"

#include <ctype.h>
#include <string.h>

/* A page is read in one turn of the loop: 500 pods like tests/data/pod-typical.json take 34 ms
 * (./dev bench), a hundred take 7, and may have 640 KiB each. */
#define PAGE_OBJECTS "100"

static void add(struct strbuf *path, const char *name, const char *value)
{
    strbuf_add_char(path, strchr(path->text, '?') ? '&' : '?');
    strbuf_printf(path, "%s=", name);
    for (const char *c = value; *c; c++)
        if (isalnum((unsigned char)*c) || strchr("-._~", *c))
            strbuf_add_char(path, *c);
        else
            strbuf_printf(path, "%%%02X", (unsigned char)*c);
}

static struct strbuf begin(const struct watch_query *query)
{
    struct strbuf path = STRBUF_INIT;

    strbuf_add(&path, query->path);
    if (query->selector)
        add(&path, "fieldSelector", query->selector);
    return path;
}

char *watch_query_stream(const struct watch_query *query, bool set, unsigned seconds)
{
    struct strbuf path = begin(query);

    add(&path, "watch", "true");
    add(&path, "allowWatchBookmarks", "true");
    strbuf_printf(&path, "&timeoutSeconds=%u", seconds);
    if (set) {
        add(&path, "sendInitialEvents", "true");
        add(&path, "resourceVersionMatch", "NotOlderThan");
    }
    if (query->version)
        add(&path, "resourceVersion", query->version);
    return strbuf_take(&path);
}

/* Without a version the server tells what is. "0" would do for it to tell what was, some time ago:
 * to somebody who has just begun a pod that was bound meanwhile, and runs, would be gone. A version
 * alone would be that very one, where there are pages: it is too old to go on from. */
char *watch_query_page(const struct watch_query *query, const char *next)
{
    struct strbuf path = begin(query);

    add(&path, "limit", PAGE_OBJECTS);
    if (next) {
        add(&path, "continue", next);
    } else if (query->version) {
        add(&path, "resourceVersion", query->version);
        add(&path, "resourceVersionMatch", "NotOlderThan");
    }
    return strbuf_take(&path);
}
