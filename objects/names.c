/* Formats of names, keys, ports and paths in the API. */
#include "nodeagent/objects/names.h"
#include "nodeagent/base/str.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    LABEL_MAX = 63,
    SUBDOMAIN_MAX = 253,
    CONFIG_KEY_MAX = 253,
    PORT_NAME_MAX = 15,
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static bool in_set(char c, const char *set)
{
    return c && strchr(set, c);
}

/* Not empty, begins and ends with one of `ends`, all between from `middle`. */
static bool is_word(const char *string, size_t length, const char *ends, const char *middle)
{
    if (!length || !in_set(string[0], ends) || !in_set(string[length - 1], ends))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!in_set(string[i], middle))
            return false;
    return true;
}

const char *name_check_label(const char *string)
{
    size_t length = string ? strlen(string) : 0;

    if (length > LABEL_MAX || !is_word(string, length, LOWER DIGIT, LOWER DIGIT "-"))
        return "must be a DNS label: at most 63 lower-case letters, digits and \"-\", beginning "
               "and ending with a letter or digit";
    return NULL;
}

static bool is_subdomain(const char *string, size_t length)
{
    const char *end = string + length;

    if (length > SUBDOMAIN_MAX)
        return false;
    for (;;) {
        const char *dot = memchr(string, '.', (size_t)(end - string));
        size_t part = (size_t)((dot ? dot : end) - string);

        if (!is_word(string, part, LOWER DIGIT, LOWER DIGIT "-"))
            return false;
        if (!dot)
            return true;
        string = dot + 1;
    }
}

const char *name_check_subdomain(const char *string)
{
    if (!string || !is_subdomain(string, strlen(string)))
        return "must be a DNS subdomain: at most 253 lower-case letters, digits, \"-\" and "
               "\".\", each part beginning and ending with a letter or digit";
    return NULL;
}

static const char *check_qualified(const char *string, bool any_case_prefix)
{
    const char *complaint = "must be a qualified name: at most 63 letters, digits, \"-\", \"_\" "
                            "and \".\", beginning and ending with a letter or digit, with an "
                            "optional DNS subdomain and \"/\" before it";
    const char *slash = string ? strchr(string, '/') : NULL, *name;
    char prefix[SUBDOMAIN_MAX + 1];
    size_t length;

    if (str_empty(string))
        return complaint;
    name = slash ? slash + 1 : string;
    length = strlen(name);
    if (length > LABEL_MAX || !is_word(name, length, LOWER UPPER DIGIT, LOWER UPPER DIGIT "-_."))
        return complaint;
    if (!slash)
        return NULL;
    length = (size_t)(slash - string);
    if (length > SUBDOMAIN_MAX)
        return complaint;
    for (size_t i = 0; i < length; i++)
        prefix[i] = any_case_prefix ? (char)tolower((unsigned char)string[i]) : string[i];
    return is_subdomain(prefix, length) ? NULL : complaint;
}

const char *name_check_qualified(const char *string)
{
    return check_qualified(string, false);
}

const char *name_check_annotation_key(const char *string)
{
    return check_qualified(string, true);
}

const char *name_check_label_value(const char *string)
{
    size_t length = string ? strlen(string) : 0;

    if (length && (length > LABEL_MAX ||
                   !is_word(string, length, LOWER UPPER DIGIT, LOWER UPPER DIGIT "-_.")))
        return "must be a label value: empty, or at most 63 letters, digits, \"-\", \"_\" and "
               "\".\", beginning and ending with a letter or digit";
    return NULL;
}

const char *name_check_config_key(const char *string)
{
    size_t length = string ? strlen(string) : 0;

    if (!length || length > CONFIG_KEY_MAX || strspn(string, LOWER UPPER DIGIT "-_.") != length)
        return "must be a key: 1 to 253 letters, digits, \"-\", \"_\" and \".\"";
    if (!strcmp(string, ".") || str_has_prefix(string, ".."))
        return "must not be \".\" or begin with \"..\"";
    return NULL;
}

const char *name_check_env(const char *string)
{
    const char *complaint = "must be a variable's name: printable ASCII characters other "
                            "than \"=\"";

    if (str_empty(string))
        return complaint;
    for (const char *c = string; *c; c++)
        if (*c < 0x20 || *c > 0x7e || *c == '=')
            return complaint;
    return NULL;
}

const char *name_check_port_name(const char *string)
{
    size_t length = string ? strlen(string) : 0;

    if (!length || length > PORT_NAME_MAX ||
        !is_word(string, length, LOWER DIGIT, LOWER DIGIT "-") || strstr(string, "--") ||
        !strpbrk(string, LOWER))
        return "must be a port's name: at most 15 lower-case letters, digits and single \"-\", "
               "at least one letter, no \"-\" at either end";
    return NULL;
}

const char *name_check_port_number(int64_t number)
{
    return number < 1 || number > 65535 ? "must be a port from 1 to 65535" : NULL;
}

const char *name_check_http_header(const char *string)
{
    if (str_empty(string) || strspn(string, LOWER UPPER DIGIT "-") != strlen(string))
        return "must be an HTTP header's name: letters, digits and \"-\"";
    return NULL;
}

bool path_has_dot_dot(const char *path)
{
    while (path) {
        if (path[0] == '.' && path[1] == '.' && (path[2] == '/' || !path[2]))
            return true;
        path = strchr(path, '/');
        path = path ? path + 1 : NULL;
    }
    return false;
}

const char *name_check_relative_path(const char *string)
{
    if (string && *string == '/')
        return "must be a relative path";
    return path_has_dot_dot(string) ? "must not contain \"..\"" : NULL;
}

const char *name_check_user_id(int64_t id)
{
    return id < 0 || id > INT32_MAX ? "must be from 0 to 2147483647" : NULL;
}
