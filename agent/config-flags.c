/*
 * The command line, read as the kubelet reads it: --name=value or --name value, a bare boolean is
 * true and takes a value only with "=", "_" in a name is "-". It is cut into uses of flags first,
 * since --config must be known before anything is applied.
 */
#include "config-private.h"

#include <errno.h>
#include <string.h>

struct arguments {
    struct config_reader *reader;
    char **next;
    const char *stray; /* the first that is no flag */
};

static void add_use(struct config_reader *reader, const struct setting *setting, const char *text)
{
    reader->flags.items[reader->flags.count++] =
        (struct flag_use){setting, arena_strdup(reader->arena, text)};
}

static const struct setting *find_flag(const char *name)
{
    for (size_t i = 0; i < config_setting_count; i++)
        if (config_settings[i].flag && !strcmp(config_settings[i].flag, name))
            return &config_settings[i];
    return NULL;
}

static int unknown_flag(const char *name, struct err *err)
{
    struct str_guess guess = {.wanted = name};

    for (size_t i = 0; i < config_setting_count; i++)
        if (config_settings[i].flag)
            str_guess_try(&guess, config_settings[i].flag);
    return err_set(err, -EINVAL,
                   guess.best ? "unknown flag: --%.128s; did you mean --%s?"
                              : "unknown flag: --%.128s",
                   name, guess.best);
}

/* The value of a flag that was cut at "=", or of the next argument. */
static int take_value(struct arguments *arguments, const struct setting *setting,
                      const char *argument, const char *value, struct err *err)
{
    if (!value && setting->kind == SETTING_BOOL)
        value = "true";
    else if (!value && !(value = *arguments->next++))
        return err_set(err, -EINVAL, "flag needs an argument: %.128s", argument);
    add_use(arguments->reader, setting, value);
    return 0;
}

static int parse_long(struct arguments *arguments, const char *argument, struct err *err)
{
    struct arena *arena = arguments->reader->arena;
    size_t length = strcspn(argument + 2, "=");
    char *name = arena_strndup(arena, argument + 2, length);
    const char *value = argument[2 + length] ? argument + 2 + length + 1 : NULL;
    const struct setting *setting;

    if (!length || *name == '-')
        return err_set(err, -EINVAL, "bad flag syntax: %.128s", argument);
    for (char *c = name; *c; c++)
        if (*c == '_')
            *c = '-';
    setting = find_flag(name);
    if (!setting)
        return unknown_flag(name, err);
    return take_value(arguments, setting, argument, value, err);
}

/* -v 4, -v=4, -v4 and -h. */
static int parse_short(struct arguments *arguments, const char *argument, struct err *err)
{
    const char *value = argument + 2;

    if (!strcmp(argument, "-h"))
        return take_value(arguments, find_flag("help"), argument, NULL, err);
    if (argument[1] != 'v')
        return err_set(err, -EINVAL, "unknown shorthand flag: '%c' in %.128s", argument[1],
                       argument);
    if (*value == '=')
        value++;
    return take_value(arguments, find_flag("v"), argument, *value ? value : NULL, err);
}

static int parse_all(struct arguments *arguments, struct err *err)
{
    const char *argument;
    int r = 0;

    while (r == 0 && (argument = *arguments->next)) {
        arguments->next++;
        if (!strcmp(argument, "--")) {
            if (!arguments->stray)
                arguments->stray = *arguments->next;
            break;
        }
        if (argument[0] != '-' || !argument[1]) {
            if (!arguments->stray)
                arguments->stray = argument;
        } else if (argument[1] == '-') {
            r = parse_long(arguments, argument, err);
        } else {
            r = parse_short(arguments, argument, err);
        }
    }
    return r;
}

int config_parse_flags(struct config_reader *reader, int argc, char **argv, struct err *err)
{
    struct arguments arguments = {.reader = reader, .next = argv + (argc > 0)};

    reader->flags.items = arena_array(reader->arena, struct flag_use, (size_t)argc + 1);
    if (parse_all(&arguments, err) < 0)
        return err_prefix(err, "failed to parse kubelet flag");
    if (arguments.stray)
        return err_set(err, -EINVAL, "unknown command %.128s", arguments.stray);
    return 0;
}

/* Besides a boolean --version takes "raw", which prints the same here. */
static const char *text_of(const struct flag_use *use)
{
    return !strcmp(use->setting->flag, "version") && !strcmp(use->text, "raw") ? "true" : use->text;
}

int config_apply_flags(struct config_reader *reader, struct err *err)
{
    array_for_each (use, reader->flags) {
        if (config_set_text(reader, use->setting, text_of(use), err) < 0)
            return err_prefix(err,
                              "failed to parse kubelet flag: invalid argument \"%.128s\" for "
                              "\"--%s\" flag",
                              use->text, use->setting->flag);
        config_value(reader, use->setting)->source = FROM_FLAG;
    }
    return 0;
}
