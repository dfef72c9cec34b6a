/*
 * containerd's configuration: what the file says, and what containerd makes of it, which it prints
 * itself. The file's version decides the names in it:
 *
 *     1, or none   plugins.cri.cni
 *     2            plugins."io.containerd.grpc.v1.cri".cni
 *     3 and later  plugins."io.containerd.cri.v1.runtime".cni, of containerd 2
 *
 * Up to containerd 1.7 an imported file with a plugin's table replaces that of the importing file;
 * since 2.0 they are merged, but 2.1 does so only for files of one version (measured: a drop-in of
 * version 3 undoes what a file of version 2 says). So a drop-in is for version 3, where it can be
 * of the same version as what imports it.
 */
#include "nodeagent/base/mem.h"
#include "nodeagent/cni.h"
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/files.h"
#include "setup.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROGRAM "containerd"
#define PROGRAM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PROGRAM_TIMEOUT (10 * USEC_PER_SEC) /* it takes 50 ms */

enum {
    VERSION_PLAIN = 2, /* of a file that is made without anybody to ask: 1.3 and later know it */
    VERSION_DROP_IN = 3,
    VERSION_MAX = 9,
};

static const char *const table_1[] = {"plugins", "cri", "cni", NULL};
static const char *const table_2[] = {"plugins", "io.containerd.grpc.v1.cri", "cni", NULL};
static const char *const table_3[] = {"plugins", "io.containerd.cri.v1.runtime", "cni", NULL};

static const char *const *table_of_version(int64_t version)
{
    if (version < 2)
        return table_1;
    return version == 2 ? table_2 : table_3;
}

static void fill_path(const char *const *table, const char *key,
                      const char *path[CONTAINERD_PATH_PARTS + 1])
{
    for (size_t i = 0; i < CONTAINERD_PATH_PARTS - 1; i++)
        path[i] = table[i];
    path[CONTAINERD_PATH_PARTS - 1] = key;
    path[CONTAINERD_PATH_PARTS] = NULL;
}

static const struct toml_statement *find_in(const struct toml *toml, const char *const *table,
                                            const char *key)
{
    const char *path[CONTAINERD_PATH_PARTS + 1];

    fill_path(table, key, path);
    return toml_find(toml, path);
}

/* the file */

static int read_version(const struct toml *toml, int64_t *version, struct err *err)
{
    static const char *const path[] = {"version", NULL};
    const struct toml_statement *found = toml_find(toml, path);
    char text[8] = "";

    *version = 1;
    if (!found)
        return 0;
    if (found->value.end - found->value.start < sizeof(text))
        memcpy(text, toml->text + found->value.start, found->value.end - found->value.start);
    if (str_to_i64(text, version) < 0 || *version < 0 || *version > VERSION_MAX)
        return err_set(err, -EINVAL, "%s:%zu: version must be a number from 1 to %d", toml->place,
                       toml_line(toml, found->key.start), VERSION_MAX);
    return 0;
}

static int read_file(struct containerd *containerd, struct err *err)
{
    char *target = realpath(containerd->config, NULL);
    int r = target ? 0 : -errno;
    struct stat status;

    containerd->exists = target != NULL;
    containerd->target = arena_strdup(containerd->arena, target ? target : containerd->config);
    free(target);
    if (r == -ENOENT && lstat(containerd->config, &status) < 0) {
        containerd->version = VERSION_PLAIN;
        return toml_parse(&containerd->toml, containerd->arena, containerd->config, "", 0, err);
    }
    if (r < 0)
        return err_set(err, r, "cannot read %s: %s", containerd->config, strerror(-r));
    r = file_read(containerd->target, TOML_BYTES_MAX, &containerd->text, err);
    if (r == 0)
        r = toml_parse(&containerd->toml, containerd->arena, containerd->config,
                       containerd->text.length ? containerd->text.text : "",
                       containerd->text.length, err);
    return r < 0 ? r : read_version(&containerd->toml, &containerd->version, err);
}

/* the drop-in */

/* "DIRECTORY/PATTERN" of which our name is one; imports are relative to the file that has them. */
static const char *place_in(const struct containerd *containerd, const char *import)
{
    const char *slash = strrchr(containerd->config, '/'), *pattern;

    if (*import != '/')
        import = arena_printf(containerd->arena, "%.*s/%s", (int)(slash - containerd->config),
                              containerd->config, import);
    pattern = strrchr(import, '/') + 1;
    if (strcspn(import, "*?[") < (size_t)(pattern - import) || !strpbrk(pattern, "*?[") ||
        fnmatch(pattern, SETUP_DROP_IN, 0) != 0)
        return NULL;
    return arena_printf(containerd->arena, "%.*s%s", (int)(pattern - import), import,
                        SETUP_DROP_IN);
}

static int read_drop_in(struct containerd *containerd, struct err *err)
{
    static const char *const path[] = {"imports", NULL};
    const struct toml_statement *found = toml_find(&containerd->toml, path);
    struct toml_strings imports = {0};
    int r;

    if (!found || containerd->version < VERSION_DROP_IN)
        return 0;
    if (toml_strings(&containerd->toml, found, containerd->arena, &imports) < 0)
        return err_set(err, -EINVAL, "%s:%zu: imports must be a list of strings",
                       containerd->config, toml_line(&containerd->toml, found->key.start));
    array_for_each (import, imports.items)
        if (!containerd->drop_in)
            containerd->drop_in = place_in(containerd, *import);
    if (!containerd->drop_in || access(containerd->drop_in, F_OK) < 0)
        return 0;
    r = file_read(containerd->drop_in, TOML_BYTES_MAX, &containerd->drop_in_text, err);
    if (r < 0)
        return r;
    containerd->drop_in_exists = true;
    return toml_parse(&containerd->drop_in_toml, containerd->arena, containerd->drop_in,
                      containerd->drop_in_text.length ? containerd->drop_in_text.text : "",
                      containerd->drop_in_text.length, err);
}

/* the program */

static const char *find_program(struct arena *arena)
{
    const char *path = getenv("PATH");

    if (!path)
        path = PROGRAM_PATH;
    while (*path) {
        size_t length = strcspn(path, ":");
        const char *program = arena_printf(arena, "%.*s/%s", (int)length, path, PROGRAM);

        if (*path == '/' && access(program, X_OK) == 0)
            return program;
        path += length;
        path += *path == ':';
    }
    return NULL;
}

/* The last line of what it wrote says what it died of. */
static int objection(const struct containerd *containerd, const char *config,
                     const struct child_result *result, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf line = STRBUF_INIT;
    const char *text = result->errors.bytes;
    size_t end = result->outcome == CHILD_EXITED ? result->errors.length : 0, start;

    while (end && text[end - 1] == '\n')
        end--;
    for (start = end; start && text[start - 1] != '\n';)
        start--;
    if (end == start)
        return err_set(err, -EPROTO, "%s", result->err.text);
    strbuf_add_quoted(&line, text + start, end - start, ERR_TEXT_MAX / 2);
    return err_set(err, -EPROTO, "%s does not load %s: %s", containerd->program, config, line.text);
}

int containerd_ask(struct containerd *containerd, const char *config, struct err *err)
{
    const char *const dump[] = {containerd->program, "--config", config, "config", "dump", NULL},
                      *const plain[] = {containerd->program, "config", "default", NULL},
                      *const environment[] = {"PATH=" PROGRAM_PATH, NULL};
    const struct child_request request = {
        .argv = config ? dump : plain,
        .environment = environment,
        .stdout_max = CHILD_OUTPUT_MAX,
        .stderr_max = CHILD_OUTPUT_MAX,
        .timeout = PROGRAM_TIMEOUT,
    };
    _cleanup_(strbuf_deinit) struct strbuf storage = STRBUF_INIT;
    struct child_result result;
    int r;

    if (!containerd->program)
        return 0;
    containerd->dumped = false;
    child_run(&request, &storage, &result);
    if (result.err.code < 0)
        return objection(containerd, config, &result, err);
    if (result.out.dropped)
        return err_set(err, -E2BIG, "%s prints a configuration of more than %d bytes",
                       containerd->program, CHILD_OUTPUT_MAX);
    strbuf_truncate(&containerd->dump_text, 0);
    strbuf_add_bytes(&containerd->dump_text, result.out.bytes, result.out.length);
    r = toml_parse(&containerd->dump, containerd->arena, "what containerd makes of it",
                   containerd->dump_text.text, containerd->dump_text.length, err);
    if (r < 0)
        return r;
    containerd->dumped = true;
    containerd->dump_table = find_in(&containerd->dump, table_3, "conf_dir") ? table_3 : table_2;
    if (!containerd->exists)
        r = read_version(&containerd->dump, &containerd->version, err);
    containerd->table = table_of_version(containerd->version);
    return r;
}

int containerd_look(struct containerd *containerd, const struct setup_options *options,
                    struct arena *arena, struct err *err)
{
    int r;

    *containerd = (struct containerd){.arena = arena, .config = options->config};
    containerd->program = options->containerd ? options->containerd : find_program(arena);
    r = read_file(containerd, err);
    containerd->table = table_of_version(containerd->version);
    return r < 0 ? r : read_drop_in(containerd, err);
}

void containerd_deinit(struct containerd *containerd)
{
    strbuf_deinit(&containerd->text);
    strbuf_deinit(&containerd->drop_in_text);
    strbuf_deinit(&containerd->dump_text);
}

/* what it says */

const char *containerd_own_conf_dir(const struct containerd *containerd)
{
    const struct toml_statement *found = find_in(&containerd->toml, containerd->table, "conf_dir");

    return found ? toml_string(&containerd->toml, found, containerd->arena) : NULL;
}

/* Where a value is, and in which text. */
static const struct toml_statement *find_value(const struct containerd *containerd, const char *key,
                                               const struct toml **toml)
{
    const struct toml_statement *found = NULL;

    *toml = &containerd->dump;
    if (containerd->dumped)
        return find_in(*toml, containerd->dump_table, key);
    *toml = &containerd->drop_in_toml;
    found = find_in(*toml, containerd->table, key);
    if (found)
        return found;
    *toml = &containerd->toml;
    return find_in(*toml, containerd->table, key);
}

const char *containerd_value(const struct containerd *containerd, const char *key)
{
    const struct toml *toml;
    const struct toml_statement *found = find_value(containerd, key, &toml);

    return found ? toml_string(toml, found, containerd->arena) : NULL;
}

/* One directory in bin_dir counts more than the list, which it had not in 1.x. */
void containerd_bin_dirs(const struct containerd *containerd, struct toml_strings *directories)
{
    const struct toml *toml;
    const struct toml_statement *found = find_value(containerd, "bin_dirs", &toml);
    const char *one = containerd_value(containerd, "bin_dir");

    *directories = (struct toml_strings){0};
    if (str_empty(one) && found)
        toml_strings(toml, found, containerd->arena, directories);
    if (!str_empty(one) || !directories->items.count) {
        directories->items.items = arena_array(containerd->arena, const char *, 1);
        directories->items.items[0] = str_empty(one) ? CNI_BIN_DIR : one;
        directories->items.count = 1;
    }
}

bool containerd_cri_disabled(const struct containerd *containerd)
{
    static const char *const path[] = {"disabled_plugins", NULL},
                             *const names[] = {"cri", "io.containerd.grpc.v1.cri",
                                               "io.containerd.cri.v1.runtime", NULL};
    const struct toml *toml = containerd->dumped ? &containerd->dump : &containerd->toml;
    const struct toml_statement *found = toml_find(toml, path);
    struct toml_strings plugins = {0};

    if (containerd->dumped && !containerd_value(containerd, "conf_dir"))
        return true;
    if (found)
        toml_strings(toml, found, containerd->arena, &plugins);
    array_for_each (plugin, plugins.items)
        if (str_one_of(*plugin, names))
            return true;
    return false;
}

/* what it is to say */

void containerd_conf_dir_path(const struct containerd *containerd,
                              const char *path[CONTAINERD_PATH_PARTS + 1])
{
    fill_path(containerd->table, "conf_dir", path);
}

void containerd_write_plain(const struct containerd *containerd, const char *conf_dir,
                            struct strbuf *out)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    const char *path[CONTAINERD_PATH_PARTS + 1];
    char start[128];
    struct toml toml;
    struct err err;
    int r;

    snprintf(start, sizeof(start), "# Made by \"nodeagent setup containerd\".\nversion = %d\n",
             (int)containerd->version);
    containerd_conf_dir_path(containerd, path);
    r = toml_parse(&toml, &arena, "a new file", start, strlen(start), &err);
    if (r == 0)
        r = toml_set(&toml, path, conf_dir, out, &err);
    assert_that(r == 0);
}
