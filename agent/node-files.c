/* Reading the node's resolv.conf and hosts. */
#include "node-files.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <stdlib.h>

#define NODE_HOSTS "/etc/hosts"

struct node_reading *node_reading_new(const struct node_files *files, const struct config *config)
{
    usec_t now = clock_boottime();
    struct node_reading *reading;

    if (files->read && usec_sub(now, files->read) < NODE_FILES_USEC)
        return NULL;
    reading = mem_new(struct node_reading);
    reading->began = now;
    reading->path = mem_strdup(config->resolv_conf ? config->resolv_conf : "");
    return reading;
}

void node_reading_free(void *node_reading)
{
    struct node_reading *reading = node_reading;

    if (!reading)
        return;
    strbuf_deinit(&reading->resolv_conf);
    free(reading->path);
    free(reading);
}

int node_reading_run(void *node_reading)
{
    struct node_reading *reading = node_reading;

    return reading && *reading->path
               ? file_read(reading->path, NODE_FILE_MAX, &reading->resolv_conf, &reading->err)
               : 0;
}

void node_files_take(struct node_files *files, struct node_reading *reading)
{
    if (!reading || reading->began < files->read)
        return;
    strbuf_deinit(&files->resolv_conf);
    files->resolv_conf = reading->resolv_conf;
    reading->resolv_conf = STRBUF_INIT;
    files->read = reading->began;
}

void node_files_deinit(struct node_files *files)
{
    strbuf_deinit(&files->resolv_conf);
}

int node_files_resolv_conf(const struct node_files *files, struct arena *arena,
                           struct resolv_conf *result, struct err *err)
{
    return resolv_conf_parse(arena, files->resolv_conf.text ? files->resolv_conf.text : "",
                             files->resolv_conf.length, result, err);
}

int node_hosts_read(struct strbuf *text, struct err *err)
{
    int r = file_read(NODE_HOSTS, NODE_FILE_MAX, text, err);

    return r == -ENOENT ? 0 : r;
}
