/* The text of --help: flags with an effect one a line, then the names of the others. */
#include "config-private.h"

#include <stdio.h>
#include <string.h>

enum {
    LINE_MAX_COLUMNS = 88,
    FLAG_COLUMNS = 35,
};

static const char *example_of(const struct setting *setting)
{
    switch ((enum setting_kind)setting->kind) {
    case SETTING_BOOL:
        return "";
    case SETTING_INT32:
    case SETTING_INT64:
        return " N";
    case SETTING_PATH:
        return " PATH";
    case SETTING_DURATION:
        return " TIME";
    default:
        return " TEXT";
    }
}

static void print_flag(const struct setting *setting)
{
    bool is_short = !strcmp(setting->flag, "v");
    int length = printf("  %s%s%s", is_short ? "-" : "--", setting->flag, example_of(setting));

    printf("%*s %s", MAX(FLAG_COLUMNS - length, 0), "", setting->help);
    /* That of eviction is longer than a line; the manual has it. */
    if (setting->normal && *setting->normal && setting->kind != SETTING_EVICTION)
        printf(" [%s]", setting->normal);
    putchar('\n');
}

static void print_flags(uint8_t ours)
{
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];

        if (setting->flag && setting->help && (setting->traits & OUR_FLAG) == ours)
            print_flag(setting);
    }
}

static void print_names(void)
{
    int column = 0;

    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        int length = setting->flag ? (int)strlen(setting->flag) + 3 : 0;

        if (!setting->flag || setting->help)
            continue;
        if (column + length > LINE_MAX_COLUMNS)
            column = 0;
        if (!column)
            column = printf("%s ", i ? "\n" : "");
        column += printf(" --%s", setting->flag);
    }
    putchar('\n');
}

void config_print_help(void)
{
    printf("Usage: nodeagent run [FLAG]...\n"
           "       kubelet [FLAG]...\n"
           "\n"
           "Runs the pods of this node. Flags are the kubelet's, --name=value or --name value;\n"
           "they win over the fields of the same meaning in the file of --config.\n"
           "\n"
           "Of this agent only:\n");
    print_flags(OUR_FLAG);
    printf("\nAs the kubelet's; defaults in brackets:\n");
    print_flags(0);
    printf("\nAccepted without effect; one that is not at its default is warned of:");
    print_names();
    printf("\nnodeagentd(8) and docs/configuration.md say more.\n");
}
