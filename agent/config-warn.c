/* Warnings of what is accepted without effect: one each, if it is not at its default. */
#include "config-private.h"
#include "nodeagent/sys/log.h"

#include <string.h>

/* Nothing is evicted yet: signals count as far as they are kept back from pods. */
static void warn_of_signals(const struct config_reader *reader)
{
    static const char *const used[] = {"memory.available", "nodefs.available", NULL};
    const struct setting *setting = config_setting_of("evictionHard");
    const char *usual = arena_printf(reader->arena, ",%s,", setting->normal);
    struct strbuf names = STRBUF_INIT;

    array_for_each (pair, config_value(reader, setting)->map)
        if (!str_one_of(pair->name, used) &&
            !strstr(usual, arena_printf(reader->arena, ",%s<%s,", pair->name, pair->value)))
            strbuf_printf(&names, "%s%s", names.length ? ", " : "", pair->name);
    if (names.length)
        log_warning("signals of evictionHard that have no effect here: %s", names.text);
    strbuf_deinit(&names);
}

void config_warn(const struct config_reader *reader)
{
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        const struct setting_value *value = config_value(reader, setting);

        if (value->source == FROM_FLAG && setting->field &&
            !(setting->traits & (LASTING | OUR_FLAG)))
            log_debug("Flag --%s has been deprecated, This parameter should be set via the config "
                      "file specified by the Kubelet's --config flag.",
                      setting->flag);
        if (setting->help || setting->traits & QUIET || config_is_default(reader, setting))
            continue;
        if (value->source == FROM_FLAG)
            log_warning("flag --%s is accepted, but has no effect here", setting->flag);
        else
            log_warning("%s: field %s is accepted, but has no effect here", value->place,
                        setting->field);
    }
    config_warn_of_gates(reader);
    warn_of_signals(reader);
    config_warn_of_serving(reader);
}
