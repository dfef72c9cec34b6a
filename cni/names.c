/* The formats of names and versions in CNI. */
#include "names.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum {
    VERSION_PARTS = 3,
    VERSION_DIGITS = 5,
    VERSION_BASE = 100000,
};

const char *const cni_versions[] = {
    "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", CNI_VERSION_NEWEST, NULL,
};

const char *cni_name_check(const char *string)
{
    if (str_empty(string) || !isalnum((unsigned char)*string))
        return "must begin with a letter or digit";
    if (strlen(string) > CNI_NAME_MAX)
        return "must have at most 200 characters";
    for (const char *c = string; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
            return "must consist of letters, digits, \"_\", \".\" and \"-\"";
    return NULL;
}

const char *cni_ifname_check(const char *string)
{
    if (str_empty(string) || strlen(string) > CNI_IFNAME_MAX)
        return "must have 1 to 15 characters";
    if (!strcmp(string, ".") || !strcmp(string, ".."))
        return "must not be \".\" or \"..\"";
    for (const char *c = string; *c; c++)
        if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
            return "must not contain \"/\", \":\" or white space";
    return NULL;
}

const char *cni_type_check(const char *string)
{
    if (str_empty(string) || !strcmp(string, ".") || !strcmp(string, "..") || strchr(string, '/'))
        return "must be the name of a program, without \"/\"";
    return strlen(string) < CNI_TYPE_MAX ? NULL : "must have at most 127 characters";
}

const char *cni_args_check(const char *string)
{
    if (string && utf8_check(string, strlen(string)))
        return "must be UTF-8";
    while (string && *string) {
        size_t pair = strcspn(string, ";"), name = strcspn(string, "=");

        if (!name || name >= pair || memchr(string + name + 1, '=', pair - name - 1))
            return "must be pairs NAME=VALUE with \";\" between them, each with one \"=\"";
        string += pair;
        string += *string == ';';
    }
    return NULL;
}

/* versions */

int64_t cni_version_number(const char *version)
{
    int64_t number = 0;
    int parts = 0;

    for (;; version++) {
        size_t digits = strspn(version, "0123456789");
        int64_t part = 0;

        if (!digits || digits > VERSION_DIGITS)
            return -EINVAL;
        for (; digits; digits--)
            part = part * 10 + (*version++ - '0');
        number = number * VERSION_BASE + part;
        parts++;
        if (!*version)
            break;
        if (*version != '.' || parts == VERSION_PARTS)
            return -EINVAL;
    }
    for (; parts < VERSION_PARTS; parts++)
        number *= VERSION_BASE;
    return number;
}

const char *cni_version_known(const char *version)
{
    for (size_t i = 0; cni_versions[i]; i++)
        if (!strcmp(cni_versions[i], version))
            return cni_versions[i];
    return NULL;
}

bool cni_version_at_least(const char *version, const char *least)
{
    return cni_version_number(version) >= cni_version_number(least);
}
