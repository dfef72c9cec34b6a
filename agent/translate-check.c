/* Are the capabilities that a container names known? */
#include "translate-check.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

enum {
    CAPABILITY_NAME_MAX = 64, /* no name is nearly as long */
};

#define CAPABILITY_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define PREFIX "CAP_"

static const char *without_prefix(const char *name)
{
    return strncasecmp(name, PREFIX, strlen(PREFIX)) == 0 ? name + strlen(PREFIX) : name;
}

/* libcap also reads numbers, and lists as far as it knows them. */
static bool is_known(const char *name)
{
    char text[CAPABILITY_NAME_MAX] = PREFIX;
    cap_value_t value;

    if (strcasecmp(name, "ALL") == 0)
        return true;
    name = without_prefix(name);
    if (strlen(name) >= sizeof(text) - strlen(PREFIX) ||
        strspn(name, CAPABILITY_LETTERS) != strlen(name))
        return false;
    strcat(text, name);
    return cap_from_name(text, &value) == 0;
}

struct names {
    char text[CAP_LAST_CAP + 1][CAPABILITY_NAME_MAX]; /* as pods have them: "CHOWN" */
};

static void list_names(struct names *names)
{
    for (cap_value_t value = 0; value <= CAP_LAST_CAP; value++) {
        char *known = cap_to_name(value), *name = names->text[value];

        snprintf(name, CAPABILITY_NAME_MAX, "%s", known ? without_prefix(known) : "");
        for (; *name; name++)
            *name = (char)toupper((unsigned char)*name);
        cap_free(known);
    }
}

static int refuse(const struct container *container, const char *list, size_t index,
                  const char *name, struct err *err)
{
    struct str_guess guess = {.wanted = without_prefix(name)};
    struct names names;

    list_names(&names);
    for (size_t i = 0; i < array_size(names.text); i++)
        str_guess_try(&guess, names.text[i]);
    return err_set(err, -EINVAL,
                   "container %s: securityContext.capabilities.%s[%zu]: \"%s\" is not a "
                   "capability%s%s%s",
                   container->name, list, index, name, guess.best ? ", did you mean \"" : "",
                   guess.best ? guess.best : "", guess.best ? "\"?" : "");
}

static int check_list(const struct container *container, const char *name,
                      const struct string_list *list, struct err *err)
{
    for (size_t i = 0; i < list->count; i++)
        if (!is_known(list->items[i]))
            return refuse(container, name, i, list->items[i], err);
    return 0;
}

int translate_check_capabilities(const struct container *container, struct err *err)
{
    const struct capabilities *capabilities =
        container->security_context ? container->security_context->capabilities : NULL;
    int r;

    if (!capabilities)
        return 0;
    r = check_list(container, "add", &capabilities->add, err);
    return r < 0 ? r : check_list(container, "drop", &capabilities->drop, err);
}
