/* The networks of a directory: which file counts, and what is wrong with the others. */
#include "config.h"
#include "nodeagent/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct loading {
    struct cni_networks *networks;
    size_t network_space;
    size_t problem_space;
    size_t file_space;
};

static bool is_config(const struct directory_entry *entry)
{
    return entry->type != DT_DIR &&
           (str_has_suffix(entry->name, ".conf") || str_has_suffix(entry->name, ".conflist") ||
            str_has_suffix(entry->name, ".json"));
}

static void add_file(struct loading *loading, const char *path, const struct cni_network *network,
                     const char *problem)
{
    struct cni_networks *networks = loading->networks;

    networks->files.items = mem_grow(networks->files.items, networks->files.count,
                                     &loading->file_space, sizeof(struct cni_file));
    networks->files.items[networks->files.count++] = (struct cni_file){
        .path = mem_strdup(path),
        .network = network,
        .problem = problem,
    };
}

static void add_problem(struct loading *loading, const char *path, const char *sentence)
{
    struct cni_networks *networks = loading->networks;
    char *problem = mem_strdup(sentence);

    networks->problems.items = mem_grow(networks->problems.items, networks->problems.count,
                                        &loading->problem_space, sizeof(char *));
    networks->problems.items[networks->problems.count++] = problem;
    add_file(loading, path, NULL, problem);
}

static void add_network(struct loading *loading, struct cni_network *network)
{
    struct cni_networks *networks = loading->networks;
    struct err err;

    array_for_each (other, networks->items) {
        if (strcmp((*other)->name, network->name))
            continue;
        err_set(&err, -EEXIST,
                "%s: the network %s is already in %s; one of them must go or be renamed",
                network->place, network->name, (*other)->place);
        add_problem(loading, network->place, err.text);
        cni_network_free(network);
        return;
    }
    networks->items.items = mem_grow(networks->items.items, networks->items.count,
                                     &loading->network_space, sizeof(struct cni_network *));
    networks->items.items[networks->items.count++] = network;
    add_file(loading, network->place, network, NULL);
}

int cni_networks_load(struct cni_networks *networks, const char *directory, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct loading loading = {.networks = networks};
    struct directory_listing listing;
    int r;

    *networks = (struct cni_networks){0};
    r = config_directory_list(directory, &arena, &listing, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < listing.count; i++) {
        const char *path = arena_printf(&arena, "%s/%s", directory, listing.items[i].name);
        struct cni_network *network;
        struct err problem;

        if (!is_config(&listing.items[i]))
            continue;
        if (cni_network_load(&network, path, &problem) < 0)
            add_problem(&loading, path, problem.text);
        else
            add_network(&loading, network);
    }
    return 0;
}

void cni_networks_deinit(struct cni_networks *networks)
{
    array_for_each (network, networks->items)
        cni_network_free(*network);
    array_for_each (problem, networks->problems)
        free(*problem);
    array_for_each (file, networks->files)
        free(file->path);
    free(networks->items.items);
    free(networks->problems.items);
    free(networks->files.items);
    *networks = (struct cni_networks){0};
}

const struct cni_network *cni_networks_first(const struct cni_networks *networks)
{
    array_for_each (network, networks->items)
        if (!cni_network_has_plugin(*network, CNI_PROGRAM))
            return *network;
    return NULL;
}
