/*
 * Files: a KubeletConfiguration as YAML or JSON, and what only this agent has in a second document
 * of the same file, which a kubelet does not read. Drop-ins are applied to what was read so far.
 */
#include "config-private.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/yaml.h"
#include "nodeagent/objects/object.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KUBELET_VERSION "kubelet.config.k8s.io/v1beta1"
#define KUBELET_KIND "KubeletConfiguration"
#define OUR_VERSION "nodeagent.dev/v1alpha1"
#define OUR_KIND "NodeAgentConfiguration"

enum {
    NAME_QUOTED_MAX = 64, /* of an unknown field, in a warning */
};

struct config_file {
    struct config_reader *reader;
    enum file_role role;
    const char *name;
    const char *directory;
    struct json_places places;
    struct json_findings *findings;
    size_t documents;
    size_t warnings; /* logged, and beyond CONFIG_WARNINGS_MAX only counted */
};

/* findings */

_printf_(3, 4) static void warn_at(struct config_file *file, size_t offset, const char *format, ...)
{
    struct json_place place = json_places_find(&file->places, offset);
    va_list arguments;
    struct err err;

    if (file->warnings++ >= CONFIG_WARNINGS_MAX)
        return;
    va_start(arguments, format);
    err_setv(&err, -EINVAL, format, arguments);
    va_end(arguments);
    log_warning("%s:%u:%u: %s", file->name, place.line, place.column, err.text);
}

static void warn_of_duplicates(struct config_file *file)
{
    size_t count = MIN(file->findings->duplicate_count, (size_t)JSON_DUPLICATES_MAX);

    for (size_t i = 0; i < count; i++) {
        const struct json_duplicate *duplicate = &file->findings->duplicates[i];
        struct json_place first = json_places_find(&file->places, duplicate->earlier);

        warn_at(file, duplicate->offset,
                "%s: is set twice, first at line %u column %u; the last one wins", duplicate->path,
                first.line, first.column);
    }
}

static int conclude(struct config_file *file, const struct report *report, struct err *err)
{
    struct strbuf text = STRBUF_INIT;

    array_for_each (finding, report->findings) {
        struct json_place place = json_places_find(&file->places, finding->offset);

        if (finding->level == FINDING_WARNING)
            warn_at(file, finding->offset, "%s: %s", finding->path, finding->message);
        else if (text.length < ERR_TEXT_MAX)
            strbuf_printf(&text, "%s%s:%u:%u: %s: %s", text.length ? "; " : "", file->name,
                          place.line, place.column, finding->path, finding->message);
    }
    file->warnings +=
        report->warnings - (report->findings.count - MIN(report->errors, (size_t)FINDINGS_MAX));
    if (text.length)
        err_set(err, -EINVAL, "%s", text.text);
    strbuf_deinit(&text);
    return report->errors ? -EINVAL : 0;
}

/* documents */

/* The part of a field's name that follows `prefix`, or NULL. */
static const char *behind(const struct config_document *document, const struct setting *setting,
                          const char *prefix)
{
    size_t length = strlen(prefix);

    if (!setting->field || !(setting->traits & OUR_FIELD) == document->ours)
        return NULL;
    return strncmp(setting->field, prefix, length) ? NULL : setting->field + length;
}

static void unknown_field(struct config_document *document, const struct json_member *member,
                          const struct path *path, const char *prefix)
{
    struct str_guess guess = {.wanted = path->name};
    struct strbuf text = STRBUF_INIT;

    if (report_overflows(document->report, FINDING_WARNING, FINDING_UNKNOWN_FIELD))
        return;
    for (size_t i = 0; i < config_setting_count; i++) {
        const char *rest = behind(document, &config_settings[i], prefix);

        /* A guess is kept by its address: only whole names can be one. */
        if (rest && !strchr(rest, '.'))
            str_guess_try(&guess, rest);
    }
    strbuf_add(&text, prefix);
    strbuf_add_quoted(&text, member->name, member->name_length, NAME_QUOTED_MAX);
    report_at(document->report, FINDING_WARNING, FINDING_UNKNOWN_FIELD, text.text, member->offset,
              guess.best ? "unknown field; it is ignored; did you mean %s?"
                         : "unknown field; it is ignored",
              guess.best);
    strbuf_deinit(&text);
}

/* Members of the object at `prefix` ("" or "authentication."). */
static void decode_members(struct config_document *document, const struct json *json,
                           const struct path *path, const char *prefix);

static void decode_member(struct config_document *document, const struct json_member *member,
                          const struct path *parent, const char *prefix)
{
    struct arena *arena = &document->report->arena;
    char *name = arena_strndup(arena, member->name, member->name_length);
    const char *within = arena_printf(arena, "%s%s.", prefix, name);
    struct path path = path_name(parent, name);
    /* "a.b" is one name, not b in a; and what follows a NUL is no part of a C string. */
    bool simple = strcspn(name, ".") == member->name_length, known = false;

    for (size_t i = 0; simple && i < config_setting_count; i++) {
        const char *rest = behind(document, &config_settings[i], prefix);

        if (!rest)
            continue;
        if (!strcmp(rest, name)) {
            config_set_json(document, &config_settings[i], &member->value, &path);
            return;
        }
        known = known || behind(document, &config_settings[i], within);
    }
    if (!known)
        unknown_field(document, member, &path, prefix);
    else
        decode_members(document, &member->value, &path, within);
}

static void reset_members(struct config_document *document, const char *prefix)
{
    for (size_t i = 0; i < config_setting_count; i++)
        if (behind(document, &config_settings[i], prefix))
            config_set_default(document->reader, &config_settings[i]);
}

static void decode_members(struct config_document *document, const struct json *json,
                           const struct path *path, const char *prefix)
{
    if (json->type == JSON_NULL) {
        if (document->role == FILE_DROP_IN)
            reset_members(document, prefix);
        return;
    }
    if (json->type != JSON_OBJECT) {
        report_error(document->report, path, FINDING_TYPE, "must be an object, not %s",
                     json_type_name(json));
        return;
    }
    for (uint32_t i = 0; i < json->length; i++) {
        const struct json_member *member = &json->members[i];
        const struct json name = {
            .type = JSON_STRING, .text = member->name, .length = member->name_length};

        if (!*prefix && (json_text_is(&name, "kind") || json_text_is(&name, "apiVersion")))
            continue;
        decode_member(document, member, path, prefix);
    }
}

static int decode(struct config_file *file, const struct json *root, bool ours, struct err *err)
{
    struct report report;
    struct config_document document = {
        .reader = file->reader,
        .role = file->role,
        .file = file->name,
        .directory = file->directory,
        .places = &file->places,
        .report = &report,
        .ours = ours,
    };
    int r;

    report_init(&report, root);
    decode_members(&document, root, NULL, "");
    r = conclude(file, &report, err);
    report_deinit(&report);
    return r;
}

static int wrong_kind(struct config_file *file, const struct json *root, struct err *err)
{
    struct json_place place = json_places_find(&file->places, root->offset);

    return err_set(err, -EINVAL,
                   "%s:%u:%u: the first document must have kind: " KUBELET_KIND
                   " and apiVersion: " KUBELET_VERSION,
                   file->name, place.line, place.column);
}

static int take_document(struct config_file *file, const struct json *root, struct err *err)
{
    bool first = !file->documents++;
    struct object_type type = {0};

    if (root->type == JSON_OBJECT)
        type = object_type_of(root, file->reader->arena);
    warn_of_duplicates(file);
    if (str_equal(type.api_version, KUBELET_VERSION) && str_equal(type.kind, KUBELET_KIND) && first)
        return decode(file, root, false, err);
    if (first)
        return wrong_kind(file, root, err);
    if (str_equal(type.api_version, OUR_VERSION) && str_equal(type.kind, OUR_KIND))
        return decode(file, root, true, err);
    warn_at(file, root->offset,
            "this document is ignored; after the first one only " OUR_KIND " of " OUR_VERSION
            " is read");
    return 0;
}

/* files */

static int unparsable(struct config_file *file, struct err *err)
{
    struct json_place place = json_places_find(&file->places, file->findings->error_offset);

    return err_prefix(err, "%s:%u:%u", file->name, place.line, place.column);
}

static int take_json(struct config_file *file, struct err *err)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json *root;
    int r = json_parse(&arena, file->places.text, file->places.length, &json_limits_manifest,
                       file->findings, &root, err);

    r = r < 0 ? unparsable(file, err) : take_document(file, root, err);
    arena_deinit(&arena);
    return r;
}

static int take_yaml(struct config_file *file, struct err *err)
{
    struct yaml_stream stream = {.text = file->places.text, .length = file->places.length};
    int more = 1, r = 0;

    while (more && r == 0) {
        struct arena arena = ARENA_INIT_DOCUMENT;
        struct json *root;

        more = yaml_next(&stream, &arena, &json_limits_manifest, file->findings, &root, err);
        if (more < 0)
            r = unparsable(file, err);
        else if (more > 0)
            r = take_document(file, root, err);
        arena_deinit(&arena);
    }
    if (r == 0 && !file->documents)
        r = err_set(err, -EINVAL, "kubelet config file \"%s\" was empty", file->name);
    return r;
}

static int take_text(struct config_file *file, struct err *err)
{
    int r;

    file->findings = mem_new(struct json_findings);
    if (yaml_is_json(file->places.text, file->places.length))
        r = take_json(file, err);
    else
        r = take_yaml(file, err);
    free(file->findings);
    if (file->warnings > CONFIG_WARNINGS_MAX)
        log_warning("%s: %zu more warnings", file->name, file->warnings - CONFIG_WARNINGS_MAX);
    return r;
}

static const char *directory_of(struct arena *arena, const char *path)
{
    const char *whole = config_clean_path(arena, NULL, path), *slash = strrchr(whole, '/');

    return slash == whole ? "/" : arena_strndup(arena, whole, (size_t)(slash - whole));
}

/* Between the installation of a package and kubeadm's turn this is the one line of each start. */
static int not_loaded(const char *path, enum file_role role, struct err *err)
{
    struct err cause = *err;

    if (cause.code == -ENOENT && role == FILE_MAIN)
        err_set(err, cause.code, "%s; write it, or run kubeadm init or kubeadm join, which do",
                cause.text);
    return err_prefix(err, "failed to load kubelet config file, path: %s, error", path);
}

int config_read_file(struct config_reader *reader, const char *path, enum file_role role,
                     struct err *err)
{
    _cleanup_(strbuf_deinit) struct strbuf contents = STRBUF_INIT;
    struct config_file file = {
        .reader = reader,
        .role = role,
        .name = path,
        .directory = directory_of(reader->arena, path),
    };
    int r = file_read(path, CONFIG_FILE_MAX, &contents, err);

    if (r == 0) {
        json_places_init(&file.places, contents.text ? contents.text : "", contents.length);
        r = take_text(&file, err);
        json_places_deinit(&file.places);
    }
    return r < 0 ? not_loaded(path, role, err) : 0;
}

/* drop-ins */

struct drop_ins {
    struct config_reader *reader;
    size_t count;
    unsigned depth;
};

static int walk(struct drop_ins *drop_ins, const char *path, struct err *err);

static bool is_directory(int directory, const struct directory_entry *entry)
{
    struct stat status;

    if (entry->type != DT_UNKNOWN)
        return entry->type == DT_DIR;
    return fstatat(directory, entry->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

static int take_entry(struct drop_ins *drop_ins, int directory, const char *path,
                      const struct directory_entry *entry, struct err *err)
{
    const char *child = arena_printf(drop_ins->reader->arena, "%s/%s", path, entry->name);

    if (is_directory(directory, entry))
        return walk(drop_ins, child, err);
    if (!str_has_suffix(entry->name, ".conf"))
        return 0;
    if (++drop_ins->count > CONFIG_DROP_INS_MAX)
        return err_set(err, -E2BIG, "%s: there are more than %d drop-ins", child,
                       CONFIG_DROP_INS_MAX);
    return config_read_file(drop_ins->reader, child, FILE_DROP_IN, err);
}

static int walk(struct drop_ins *drop_ins, const char *path, struct err *err)
{
    _cleanup_(fd_close_at) int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct directory_listing listing = {0};
    int r;

    if (directory < 0)
        return err_set(err, -errno, "cannot open %s: %m", path);
    if (drop_ins->depth == CONFIG_DROP_IN_DEPTH_MAX)
        return err_set(err, -E2BIG, "%s: more than %d directories in one another", path,
                       CONFIG_DROP_IN_DEPTH_MAX);
    drop_ins->depth++;
    r = directory_list(directory, ".", CONFIG_DROP_INS_MAX, drop_ins->reader->arena, &listing, err);
    for (size_t i = 0; r == 0 && i < listing.count; i++)
        r = take_entry(drop_ins, directory, path, &listing.items[i], err);
    drop_ins->depth--;
    return r;
}

int config_read_directory(struct config_reader *reader, const char *path, struct err *err)
{
    struct drop_ins drop_ins = {.reader = reader};

    if (walk(&drop_ins, config_clean_path(reader->arena, NULL, path), err) < 0)
        return err_prefix(err, "failed to merge kubelet configs");
    return 0;
}
