/* Reading the node's resolv.conf and hosts. */
#include "node-files.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <stdlib.h>

#define NODE_HOSTS "/etc/hosts"

struct node_files *node_files_new(const struct config *config)
{
    struct node_files *files = mem_new(struct node_files);

    files->resolv_conf_path = mem_strdup(config->resolv_conf ? config->resolv_conf : "");
    return files;
}

void node_files_free(void *node_files)
{
    struct node_files *files = node_files;

    strbuf_deinit(&files->resolv_conf);
    strbuf_deinit(&files->hosts);
    free(files->resolv_conf_path);
    free(files);
}

int node_files_read(void *node_files)
{
    struct node_files *files = node_files;
    int r = 0;

    if (*files->resolv_conf_path)
        r = file_read(files->resolv_conf_path, NODE_FILE_MAX, &files->resolv_conf, &files->err);
    if (r < 0)
        return r;
    /* A node without a hosts file has an empty one. */
    r = file_read(NODE_HOSTS, NODE_FILE_MAX, &files->hosts, &files->err);
    return r == -ENOENT ? 0 : r;
}

int node_files_resolv_conf(const struct node_files *files, struct arena *arena,
                           struct resolv_conf *result, struct err *err)
{
    return resolv_conf_parse(arena, files->resolv_conf.text ? files->resolv_conf.text : "",
                             files->resolv_conf.length, result, err);
}
