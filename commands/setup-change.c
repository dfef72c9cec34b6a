/* Changes to files: printing them, making them, taking them back. */
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/files.h"
#include "setup.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKUPS_MAX = 100, /* of one file, each with another content */
};

/* printing */

static size_t line_length(const char *text)
{
    size_t length = strcspn(text, "\n");

    return length + (text[length] == '\n');
}

static void print_lines(char sign, const char *text, const char *end)
{
    while (text < end) {
        _cleanup_(strbuf_deinit) struct strbuf line = STRBUF_INIT;
        size_t length = line_length(text);

        strbuf_add_quoted(&line, text, strcspn(text, "\r\n"), length);
        printf("    %c %s\n", sign, line.length ? line.text : "");
        text += length;
    }
}

static const char *last_line(const char *start, const char *end)
{
    end--;
    while (end > start && end[-1] != '\n')
        end--;
    return end;
}

/* What lies between the lines that both begin and both end with. */
void change_print(const struct setup_change *change)
{
    const char *before = change->before ? change->before : "",
               *after = change->after ? change->after : "", *before_end = strchr(before, '\0'),
               *after_end = strchr(after, '\0');

    while (*before && line_length(before) == line_length(after) &&
           !memcmp(before, after, line_length(before))) {
        size_t length = line_length(before);

        before += length;
        after += length;
    }
    while (before_end > before && after_end > after) {
        const char *b = last_line(before, before_end), *a = last_line(after, after_end);

        if (before_end - b != after_end - a || memcmp(b, a, (size_t)(before_end - b)))
            break;
        before_end = b;
        after_end = a;
    }
    print_lines('-', before, before_end);
    print_lines('+', after, after_end);
}

/* making */

/* The directory of a path, open, and made when it has to be. */
static int open_parent(const char *path, const char **name, struct err *err)
{
    _cleanup_(mem_free_at) char *copy = mem_strdup(path);

    *name = strrchr(path, '/') + 1;
    return directory_open(dirname(copy), 0755, err);
}

static int put_file(const struct setup_change *change, const char *path, const char *text,
                    struct err *err)
{
    const struct file_contents contents = {
        .bytes = text,
        .length = strlen(text),
        .mode = change->mode,
        .owner = change->owner,
        .group = change->group,
    };
    const char *name;
    _cleanup_(fd_close_at) int directory = open_parent(path, &name, err);

    return directory < 0 ? directory : file_replace(directory, name, &contents, err);
}

static int remove_file(const char *path, struct err *err)
{
    return unlink(path) == 0 || errno == ENOENT
               ? 0
               : err_set(err, -errno, "cannot remove %s: %m", path);
}

static int put_link(const struct setup_change *change, struct err *err)
{
    const char *name;
    _cleanup_(fd_close_at) int directory = open_parent(change->path, &name, err);

    return directory < 0 ? directory : file_link_replace(directory, name, change->link, err);
}

int change_make(const struct setup_change *change, struct err *err)
{
    int r = 0;

    if (change->backup)
        r = put_file(change, change->backup, change->before, err);
    if (r < 0)
        return r;
    if (change->link)
        return put_link(change, err);
    return change->after ? put_file(change, change->path, change->after, err)
                         : remove_file(change->path, err);
}

int change_take_back(const struct setup_change *change, struct err *err)
{
    return change->before ? put_file(change, change->path, change->before, err)
                          : remove_file(change->path, err);
}

/* backups */

static const char *backup_name(struct arena *arena, const char *path, size_t number)
{
    return number ? arena_printf(arena, "%s" SETUP_BACKUP ".%zu", path, number)
                  : arena_printf(arena, "%s" SETUP_BACKUP, path);
}

const char *backup_newest(struct arena *arena, const char *path)
{
    const char *newest = NULL;

    for (size_t i = 0; i < BACKUPS_MAX; i++) {
        const char *name = backup_name(arena, path, i);

        if (access(name, F_OK) < 0)
            break;
        newest = name;
    }
    return newest;
}

const char *backup_place(struct arena *arena, const char *path, const struct strbuf *text,
                         struct err *err)
{
    const char *newest = backup_newest(arena, path), *name;
    _cleanup_(strbuf_deinit) struct strbuf kept = STRBUF_INIT;

    if (newest && file_read(newest, TOML_BYTES_MAX, &kept, err) < 0)
        return NULL;
    if (newest && kept.length == text->length && !memcmp(kept.text, text->text, kept.length))
        return newest;
    for (size_t i = 0; i < BACKUPS_MAX; i++) {
        name = backup_name(arena, path, i);
        if (access(name, F_OK) < 0)
            return name;
    }
    err_set(err, -EEXIST, "%s has %d backups, %s to %s; remove those that nobody needs", path,
            BACKUPS_MAX, backup_name(arena, path, 0), backup_name(arena, path, BACKUPS_MAX - 1));
    return NULL;
}
