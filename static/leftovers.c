/*
 * The kubelet runs every file whose name does not begin with ".", so a backup of a manifest is a
 * second pod of the same name. Whoever writes such files means none of them to be a pod.
 */
#include "leftovers.h"
#include "nodeagent/base/macros.h"
#include "nodeagent/base/str.h"

#include <ctype.h>
#include <string.h>

/* What a name ends in. */
static const char *const suffixes[] = {
    "~",    /* most editors: the text before the last save */
    ".bak", /* sed -i.bak, cp by hand */
    ".old",
    ".orig",
    ".rej",  /* patch */
    ".save", /* nano */
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".swp",
    ".swo",
    ".swx", /* vi, when dot names are switched off */
    "___jb_tmp___",
    "___jb_old___", /* JetBrains */
    ".rpmnew",
    ".rpmsave",
    ".rpmorig", /* rpm */
    ".ucf-new",
    ".ucf-old",
    ".ucf-dist" /* ucf */
};

/* Names that GNU sed -i writes before it renames: "sed" and six letters or digits. */
static bool is_of_sed(const char *name)
{
    if (!str_has_prefix(name, "sed") || strlen(name) != strlen("sedXXXXXX"))
        return false;
    for (const char *c = name + strlen("sed"); *c; c++)
        if (!isalnum((unsigned char)*c))
            return false;
    return true;
}

bool leftover_is(const char *name)
{
    size_t length = strlen(name);

    if (name[0] == '.' || is_of_sed(name))
        return true;
    if (!strcmp(name, "4913")) /* vim tries whether it may write here */
        return true;
    if (length > 1 && name[0] == '#' && name[length - 1] == '#') /* emacs saves by itself */
        return true;
    if (strstr(name, ".dpkg-")) /* .dpkg-old, .dpkg-new, .dpkg-dist, .dpkg-tmp */
        return true;
    for (size_t i = 0; i < array_size(suffixes); i++)
        if (length > strlen(suffixes[i]) && str_has_suffix(name, suffixes[i]))
            return true;
    return false;
}
