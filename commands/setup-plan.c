/* What is wrong, and which changes make it right. */
#include "nodeagent/base/mem.h"
#include "nodeagent/cni.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/program.h"
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILES_MAX = 256, /* in the private directory */
    LIST_BYTES_MAX = 1 << 20,
};

/* problems */

/* Networks of others in the private directory would be taken for the node's, or beside it. */
static void check_others(struct setup *setup)
{
    const char *directory = setup->options->conf_dir;
    _cleanup_(fd_close_at) int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct directory_listing listing;
    struct err err;

    if (fd < 0 && errno == ENOENT)
        return;
    if (fd < 0) {
        setup_wrong(setup, "cannot open %s: %m", directory);
        return;
    }
    if (directory_list(fd, ".", FILES_MAX, &setup->arena, &listing, &err) < 0) {
        setup_wrong(setup, "%s", err.text);
        return;
    }
    for (size_t i = 0; i < listing.count; i++) {
        const char *name = listing.items[i].name, *dot = strrchr(name, '.');

        if (!dot || !strcmp(name, SETUP_LIST) ||
            (strcmp(dot, ".conf") && strcmp(dot, ".conflist") && strcmp(dot, ".json")))
            continue;
        setup_wrong(setup,
                    "%s/%s is in the directory that is for %s alone: move it to where "
                    "networks are, or remove it",
                    directory, name, SETUP_LIST);
    }
}

/* A runtime (of a RuntimeClass) may look elsewhere. */
static void check_runtimes(struct setup *setup)
{
    struct containerd *containerd = &setup->containerd;
    const struct toml *toml = containerd->dumped ? &containerd->dump : &containerd->toml;

    array_for_each (statement, toml->statements) {
        const char **path = statement->path;
        size_t count = 0;
        const char *directory;

        while (path[count])
            count++;
        if (count < 2 || statement->kind < TOML_PAIR || strcmp(path[count - 1], "cni_conf_dir"))
            continue;
        directory = toml_string(toml, statement, &setup->arena);
        if (!str_empty(directory) && strcmp(directory, setup->options->conf_dir))
            setup_wrong(setup,
                        "pods of the runtime %s get their network from %s: take "
                        "cni_conf_dir of that runtime out of containerd's configuration",
                        path[count - 2], directory);
    }
}

static bool has_plugin(const struct toml_strings *directories, const char *name)
{
    array_for_each (directory, directories->items) {
        _cleanup_(mem_free_at) char *path = mem_printf("%s/%s", *directory, name);

        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static void check_loopback(struct setup *setup)
{
    static const char *const path[] = {"plugins", "io.containerd.cri.v1.runtime", "cni",
                                       "use_internal_loopback", NULL};
    const struct toml *dump = &setup->containerd.dump;
    const struct toml_statement *internal = toml_find(dump, path);
    struct toml_strings directories;

    containerd_bin_dirs(&setup->containerd, &directories);
    if ((internal && dump->text[internal->value.start] == 't') ||
        has_plugin(&directories, "loopback"))
        return;
    setup_wrong(setup,
                "there is no plugin loopback in %s, which containerd needs for each pod: "
                "install the CNI plugins there",
                directories.items.items[0]);
}

void plan_problems(struct setup *setup)
{
    struct containerd *containerd = &setup->containerd;
    const char *template;
    struct err err;

    if (containerd_ask(containerd, containerd->exists ? containerd->config : NULL, &err) < 0) {
        setup_wrong(setup, "%s; mend it first", err.text);
        setup->blocked = true;
        return;
    }
    if (containerd_cri_disabled(containerd)) {
        setup_wrong(setup,
                    "%s: disabled_plugins names the CRI plugin, without which containerd "
                    "runs no pods: take it out of the list",
                    containerd->config);
        setup->blocked = true;
        return;
    }
    template = containerd_value(containerd, "conf_template");
    if (!str_empty(template))
        setup_wrong(setup,
                    "containerd writes no network from its conf_template %s into a "
                    "directory that has one: install the network in another way, or allow one "
                    "with --built-in, and take conf_template out of containerd's configuration",
                    template);
    check_runtimes(setup);
    check_others(setup);
    check_loopback(setup);
}

/* changes */

static void add_change(struct setup *setup, struct setup_change change)
{
    assert_that(setup->change_count < SETUP_CHANGES_MAX);
    setup->changes[setup->change_count++] = change;
}

static int plan_list(struct setup *setup, struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf wanted = STRBUF_INIT;
    const char *found_dir = containerd_value(&setup->containerd, "conf_dir");
    bool exists;
    int r = file_read(setup->list, LIST_BYTES_MAX, &setup->list_text, err);

    if (r < 0 && r != -ENOENT)
        return r;
    exists = r == 0;
    if (str_empty(found_dir) || !strcmp(found_dir, setup->options->conf_dir) ||
        !strcmp(found_dir, CNI_CONF_DIR))
        found_dir = NULL;
    list_write(setup->options, &setup->list_text, found_dir, &wanted);
    if (exists && str_equal(setup->list_text.text, wanted.text)) {
        setup_good(setup, "%s names %s", setup->list, CNI_PROGRAM);
        return 0;
    }
    add_change(setup, (struct setup_change){
                          .wrong = arena_printf(
                              &setup->arena,
                              exists ? "%s is not as it should be" : "there is no %s", setup->list),
                          .path = setup->list,
                          .before = exists ? setup->list_text.text : NULL,
                          .after = arena_strdup(&setup->arena, wanted.text),
                          .mode = 0644,
                          .owner = FILE_OWNER_KEEP,
                          .group = FILE_GROUP_KEEP,
                      });
    return 0;
}

static const char *first_directory(const struct toml_strings *directories)
{
    array_for_each (directory, directories->items)
        if (access(*directory, F_OK) == 0)
            return *directory;
    return directories->items.items[0];
}

/* A link: it is right after an upgrade, too, and installers of plugins leave it alone. */
static int plan_link(struct setup *setup, struct err *err)
{
    _cleanup_(mem_free_at) char *found = NULL, *program = NULL;
    struct toml_strings directories;
    const char *directory;
    int r;

    containerd_bin_dirs(&setup->containerd, &directories);
    directory = first_directory(&directories);
    if (has_plugin(&directories, CNI_PROGRAM)) {
        setup_good(setup, "containerd finds %s", CNI_PROGRAM);
        return 0;
    }
    r = program_find(CNI_PROGRAM, "cni", NODEAGENT_LIBEXEC, &found, err);
    if (r < 0)
        return r;
    program = realpath(found, NULL);
    if (!program)
        return err_set(err, -errno, "cannot find %s: %m", found);
    add_change(setup, (struct setup_change){
                          .wrong = arena_printf(&setup->arena,
                                                "containerd finds no %s, which should be in %s",
                                                CNI_PROGRAM, directory),
                          .path = arena_printf(&setup->arena, "%s/%s", directory, CNI_PROGRAM),
                          .link = arena_strdup(&setup->arena, program),
                      });
    return 0;
}

/* A file that is there keeps its mode and owner. */
static struct setup_change change_of(const char *path, const struct strbuf *before,
                                     const char *after)
{
    struct setup_change change = {
        .path = path,
        .after = after,
        .mode = 0644,
        .owner = FILE_OWNER_KEEP,
        .group = FILE_GROUP_KEEP,
    };
    struct stat status;

    if (!before || stat(path, &status) < 0)
        return change;
    change.before = before->length ? before->text : "";
    change.mode = status.st_mode & 07777;
    change.owner = status.st_uid;
    change.group = status.st_gid;
    return change;
}

/* The text of containerd's file with another conf_dir, or with none (NULL). */
static const char *edited(struct setup *setup, const struct toml *toml, const char *conf_dir,
                          struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const char *path[CONTAINERD_PATH_PARTS + 1];
    int r;

    containerd_conf_dir_path(&setup->containerd, path);
    r = conf_dir ? toml_set(toml, path, conf_dir, &text, err) : toml_unset(toml, path, &text, err);
    return r < 0 ? NULL : arena_strndup(&setup->arena, text.text, text.length);
}

static const char *plain(struct setup *setup)
{
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;

    containerd_write_plain(&setup->containerd, setup->options->conf_dir, &text);
    return arena_strdup(&setup->arena, text.text);
}

static int plan_config(struct setup *setup, struct err *err)
{
    struct containerd *containerd = &setup->containerd;
    const char *wanted = setup->options->conf_dir, *now = containerd_value(containerd, "conf_dir"),
               *path = containerd->drop_in ? containerd->drop_in : containerd->target;
    bool exists = containerd->drop_in ? containerd->drop_in_exists : containerd->exists;
    const struct toml *toml = containerd->drop_in ? &containerd->drop_in_toml : &containerd->toml;
    const struct strbuf *before =
        containerd->drop_in ? &containerd->drop_in_text : &containerd->text;
    struct setup_change change;
    const char *after;

    if (str_equal(now, wanted)) {
        setup_good(setup, "containerd's conf_dir is %s", wanted);
        return 0;
    }
    after = exists ? edited(setup, toml, wanted, err) : plain(setup);
    if (!after)
        return err->code;
    if (exists && !strcmp(after, toml->text)) {
        setup_wrong(setup,
                    "%s says that conf_dir is %s, but containerd makes %s of it: look into the "
                    "files that it imports, and take conf_dir out of them",
                    path, wanted, now ? now : "nothing");
        return 0;
    }
    change = change_of(path, exists ? before : NULL, after);
    if (path == containerd->target && exists) {
        change.backup = backup_place(&setup->arena, path, &containerd->text, err);
        if (!change.backup)
            return err->code;
    }
    change.wrong = arena_printf(&setup->arena, "containerd's conf_dir is %s, not %s",
                                str_empty(now) ? CNI_CONF_DIR : now, wanted);
    add_change(setup, change);
    return 0;
}

int plan_changes(struct setup *setup, struct err *err)
{
    int r = plan_list(setup, err);

    if (r == 0)
        r = plan_link(setup, err);
    return r < 0 ? r : plan_config(setup, err);
}

/* undoing */

/* Byte by byte what it was, if nobody has changed it since; or else what conf_dir was. */
static const char *restored(struct setup *setup, struct err *err)
{
    struct containerd *containerd = &setup->containerd;
    const char *backup = backup_newest(&setup->arena, containerd->target), *again, *conf_dir = NULL,
               *path[CONTAINERD_PATH_PARTS + 1];
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    const struct toml_statement *found;
    struct toml toml;

    if (!backup)
        return edited(setup, &containerd->toml, NULL, err);
    if (file_read(backup, TOML_BYTES_MAX, &text, err) < 0 ||
        toml_parse(&toml, &setup->arena, backup, text.length ? text.text : "", text.length, err) <
            0)
        return NULL;
    again = edited(setup, &toml, setup->options->conf_dir, err);
    if (again && !strcmp(again, containerd->text.text))
        return arena_strndup(&setup->arena, toml.text, toml.length);
    containerd_conf_dir_path(containerd, path);
    found = toml_find(&toml, path);
    if (found)
        conf_dir = toml_string(&toml, found, &setup->arena);
    if (str_equal(conf_dir, setup->options->conf_dir))
        conf_dir = NULL;
    return edited(setup, &containerd->toml, conf_dir, err);
}

static int undo_file(struct setup *setup, const char *path, const struct strbuf *text, bool main,
                     struct err *err)
{
    struct containerd *containerd = &setup->containerd;
    bool ours = str_equal(text->text, plain(setup));
    const char *after = NULL;

    if (!ours)
        after = main ? restored(setup, err) : edited(setup, &containerd->drop_in_toml, NULL, err);
    if (!ours && !after)
        return err->code;
    add_change(setup, change_of(path, text, after));
    return 0;
}

int plan_undo(struct setup *setup, struct err *err)
{
    struct containerd *containerd = &setup->containerd;
    const char *conf_dir = setup->options->conf_dir, *path[CONTAINERD_PATH_PARTS + 1];
    const struct toml_statement *found;
    int r = 0;

    containerd_conf_dir_path(containerd, path);
    found = toml_find(&containerd->drop_in_toml, path);
    if (found && str_equal(toml_string(&containerd->drop_in_toml, found, &setup->arena), conf_dir))
        r = undo_file(setup, containerd->drop_in, &containerd->drop_in_text, false, err);
    if (r == 0 && str_equal(containerd_own_conf_dir(containerd), conf_dir))
        r = undo_file(setup, containerd->target, &containerd->text, true, err);
    return r;
}

/* making them */

/* Before the file is replaced: would containerd load it at all? */
static int try_candidate(struct setup *setup, const struct setup_change *change, struct err *err)
{
    struct containerd *containerd = &setup->containerd;
    const char *slash = strrchr(containerd->config, '/');
    struct setup_change candidate = *change;
    struct err ignored;
    int r;

    /* Beside the file as it was named, since imports are relative to that. */
    candidate.path = arena_printf(&setup->arena, "%.*s/.nodeagent-candidate",
                                  (int)(slash - containerd->config), containerd->config);
    candidate.before = NULL;
    candidate.backup = NULL;
    r = change_make(&candidate, err);
    if (r == 0)
        r = containerd_ask(containerd, candidate.path, err);
    change_take_back(&candidate, &ignored);
    return r < 0 ? err_prefix(err, "%s is as it was, since what it was to become does not do",
                              change->path)
                 : 0;
}

/* Afterwards: does it do what it should? Of two files that are undone the last shows it. */
static int look_again(struct setup *setup, const struct setup_change *change, struct err *err)
{
    struct containerd *containerd = &setup->containerd;
    bool last = change == &setup->changes[setup->change_count - 1];
    const char *now, *wanted = setup->options->conf_dir;
    int r = containerd_ask(containerd, containerd->exists ? containerd->config : NULL, err);

    if (r < 0 || !containerd->dumped || !last)
        return r;
    now = containerd_value(containerd, "conf_dir");
    if (str_equal(now, wanted) == (setup->options->mode == SETUP_DO))
        return 0;
    return err_set(err, -EPERM,
                   "containerd makes %s of conf_dir with it: a file that %s imports may say so, or "
                   "this containerd does not read all of a file of version %d (\"containerd config "
                   "migrate\" prints a newer one)",
                   now ? now : "nothing", containerd->config, (int)containerd->version);
}

int plan_carry_out(struct setup *setup, const struct setup_change *change, struct err *err)
{
    struct containerd *containerd = &setup->containerd;
    bool kept = change->backup && access(change->backup, F_OK) == 0;
    struct err reason;
    int r = 0;

    if (change->path == containerd->target && change->after && containerd->program)
        r = try_candidate(setup, change, err);
    if (r < 0)
        return r;
    r = change_make(change, err);
    if (r < 0)
        return r;
    if (change->path == containerd->target)
        containerd->exists = change->after != NULL;
    r = look_again(setup, change, &reason);
    if (r == 0)
        return 0;
    if (change_take_back(change, err) < 0)
        return err_prefix(err, "%s; and it could not be put back", reason.text);
    if (change->backup && !kept)
        unlink(change->backup);
    return err_set(err, r, "%s is as it was: %s", change->path, reason.text);
}
