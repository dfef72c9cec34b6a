/* nodeagent validate: the command line, the files and their documents. */
#include "validate.h"
#include "command.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/yaml.h"
#include "nodeagent/sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DIRECTORY_ENTRIES_MAX = 100000,
};

static void print_help(void)
{
    printf(
        "Usage: nodeagent validate [OPTION]... PATH...\n"
        "\n"
        "Checks Kubernetes objects as a 1.36 API server checks them when they are created, and\n"
        "says of every mistake where it is and what is allowed. PATH is a file with YAML or\n"
        "JSON documents, a directory of such files (names that begin with \".\" and\n"
        "sub-directories are passed over, as in a manifest directory), or - for standard input.\n"
        "\n"
        "  -o, --output FORMAT   text (default) or json\n"
        "      --strict          refuse unknown and duplicate fields, which otherwise are\n"
        "                        warnings\n"
        "  -h, --help            print this text\n"
        "\n"
        "Checked are Pod, Node, ConfigMap, Secret, Service, RuntimeClass, Lease and Event, also\n"
        "as items of lists; other kinds are named and not checked.\n"
        "\n"
        "Exit status: 0 all accepted, 1 something refused or unreadable, 2 wrong usage.\n");
}

/* texts */

static void validate_json_text(struct validate *validate, const struct source *source,
                               struct json_findings *findings)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct json *document;
    struct err err;

    if (json_parse(&arena, source->places.text, source->places.length, &json_limits_manifest,
                   findings, &document, &err) < 0)
        validate_unparsable(validate, source, findings->error_offset, &err);
    else
        validate_document(validate, source, document, findings);
    arena_deinit(&arena);
}

static void validate_yaml_text(struct validate *validate, const struct source *source,
                               struct json_findings *findings)
{
    struct yaml_stream stream = {.text = source->places.text, .length = source->places.length};
    size_t documents = 0;
    int result = 1;

    for (; result != 0; documents += result != 0) {
        struct arena arena = ARENA_INIT_DOCUMENT;
        struct json *document;
        struct err err;

        result = yaml_next(&stream, &arena, &json_limits_manifest, findings, &document, &err);
        if (result < 0)
            validate_unparsable(validate, source, findings->error_offset, &err);
        else if (result > 0)
            validate_document(validate, source, document, findings);
        arena_deinit(&arena);
    }
    if (!documents)
        output_note(validate, source->name, "no documents");
}

static void validate_text(struct validate *validate, const struct source *source)
{
    struct json_findings *findings = mem_new(struct json_findings);

    if (yaml_is_json(source->places.text, source->places.length))
        validate_json_text(validate, source, findings);
    else
        validate_yaml_text(validate, source, findings);
    free(findings);
}

/* files */

static void validate_contents(struct validate *validate, const char *name,
                              const struct strbuf *contents)
{
    struct source source = {.name = name};

    json_places_init(&source.places, contents->text ? contents->text : "", contents->length);
    validate_text(validate, &source);
    json_places_deinit(&source.places);
}

static void validate_file(struct validate *validate, const char *path)
{
    _cleanup_(strbuf_deinit) struct strbuf contents = STRBUF_INIT;
    struct err err;

    if (file_read(path, JSON_BYTES_MAX, &contents, &err) < 0)
        output_unreadable(validate, path, &err);
    else
        validate_contents(validate, path, &contents);
}

static void validate_stdin(struct validate *validate)
{
    _cleanup_(strbuf_deinit) struct strbuf contents = STRBUF_INIT;
    char chunk[64 * 1024];
    struct err err;
    ssize_t length;

    while ((length = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            err_set(&err, -errno, "standard input: cannot be read: %m");
        else
            strbuf_add_bytes(&contents, chunk, (size_t)length);
        if (contents.length > JSON_BYTES_MAX)
            err_set(&err, length = -EFBIG, "standard input: more than the %d bytes allowed",
                    JSON_BYTES_MAX);
        if (length < 0) {
            output_unreadable(validate, "-", &err);
            return;
        }
    }
    validate_contents(validate, "-", &contents);
}

static bool is_manifest(int directory, const struct directory_entry *entry)
{
    struct stat status;

    if (entry->name[0] == '.')
        return false;
    /* A broken link counts: reading it says what is wrong. */
    return fstatat(directory, entry->name, &status, 0) < 0 || S_ISREG(status.st_mode);
}

static void validate_directory(struct validate *validate, const char *path, int directory)
{
    struct arena arena = ARENA_INIT_DOCUMENT;
    struct directory_listing listing;
    size_t files = 0;
    struct err err;

    if (directory_list(directory, ".", DIRECTORY_ENTRIES_MAX, &arena, &listing, &err) < 0) {
        output_unreadable(validate, path, &err);
        listing.count = 0;
        files = 1;
    }
    for (size_t i = 0; i < listing.count; i++) {
        size_t length = strlen(path);

        if (!is_manifest(directory, &listing.items[i]))
            continue;
        files++;
        validate_file(validate, arena_printf(&arena, "%s%s%s", path,
                                             length && path[length - 1] == '/' ? "" : "/",
                                             listing.items[i].name));
    }
    if (!files)
        output_note(validate, path, "no manifests");
    arena_deinit(&arena);
}

static void validate_path(struct validate *validate, const char *path)
{
    _cleanup_(fd_close_at) int directory = -1;

    if (!strcmp(path, "-")) {
        validate_stdin(validate);
        return;
    }
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0)
        validate_directory(validate, path, directory);
    else
        validate_file(validate, path);
}

int command_validate(int argc, char **argv)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"strict", no_argument, NULL, OPTION_STRICT},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct validate validate = {0};
    int option;

    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":o:h", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            if (strcmp(optarg, "json") != 0 && strcmp(optarg, "text") != 0)
                return usage_error("validate", "-o takes text or json, not \"%.64s\"", optarg);
            validate.json = !strcmp(optarg, "json");
            break;
        case OPTION_STRICT:
            validate.strict = true;
            break;
        case 'h':
            print_help();
            return EXIT_GOOD;
        default:
            return option_error("validate", option, argv);
        }
    }
    if (optind == argc)
        return usage_error("validate", "name a file, a directory, or - for standard input");
    output_begin(&validate);
    for (int i = optind; i < argc; i++)
        validate_path(&validate, argv[i]);
    output_end(&validate);
    return validate.counts.refused || validate.counts.unreadable ? EXIT_BAD : EXIT_GOOD;
}
