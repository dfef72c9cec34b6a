/* What a watch asks for: paths with their queries. The caller frees them. */
#pragma once

#include <stdbool.h>

struct watch_query {
    const char *path;     /* "/api/v1/pods" */
    const char *selector; /* of fields; NULL: all */
    const char *version;  /* from which to go on; NULL: none is of any use */
};

/* `set`: it begins with all there are. */
char *watch_query_stream(const struct watch_query *query, bool set, unsigned seconds);

/* `next`: where the page begins, as the one before it said; NULL: it is the first. */
char *watch_query_page(const struct watch_query *query, const char *next);
