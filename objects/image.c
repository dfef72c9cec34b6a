/* Image names by the grammar of the distribution project's references. */
#include "nodeagent/objects/image.h"

#include <ctype.h>
#include <string.h>

enum {
    PATH_MAX_BYTES = 255,
    TAG_MAX = 128,
    IDENTIFIER_HEX = 64, /* such a bare name is an image id, not a repository */
};

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

/* Lower-case words joined by ".", "_", "__" or any number of "-". */
static bool is_path_component(const char *text, size_t length)
{
    size_t i = 0;

    while (i < length && is_lower_or_digit(text[i])) {
        while (i < length && is_lower_or_digit(text[i]))
            i++;
        if (i == length)
            return true;
        if (text[i] == '.') {
            i++;
        } else if (text[i] == '_') {
            i += i + 1 < length && text[i + 1] == '_' ? 2 : 1;
        } else {
            while (i < length && text[i] == '-')
                i++;
        }
    }
    return false;
}

static bool is_path(const char *text, size_t length)
{
    const char *end = text + length;

    for (;;) {
        const char *slash = memchr(text, '/', (size_t)(end - text));

        if (!is_path_component(text, (size_t)((slash ? slash : end) - text)))
            return false;
        if (!slash)
            return true;
        text = slash + 1;
    }
}

static bool is_host(const char *text, size_t length)
{
    bool word_start = true;

    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        for (size_t i = 1; i < length - 1; i++)
            if (!isxdigit((unsigned char)text[i]) && text[i] != ':')
                return false;
        return true;
    }
    for (size_t i = 0; i < length; i++) {
        bool word_end = i + 1 == length || text[i + 1] == '.';

        if (text[i] == '.' && !word_start) {
            word_start = true;
            continue;
        }
        if (!is_alnum(text[i]) && (text[i] != '-' || word_start || word_end))
            return false;
        word_start = false;
    }
    return length && !word_start;
}

static bool is_domain(const char *text, size_t length)
{
    const char *colon = memrchr(text, ':', length);
    size_t host = length;

    if (colon && text[length - 1] != ']') {
        host = (size_t)(colon - text);
        if (host + 1 == length)
            return false;
        for (size_t i = host + 1; i < length; i++)
            if (!isdigit((unsigned char)text[i]))
                return false;
    }
    return is_host(text, host);
}

/* What stands before the first slash is a registry when it looks like a host. */
static bool names_registry(const char *text, size_t length)
{
    bool upper = false;

    for (size_t i = 0; i < length; i++)
        upper |= isupper((unsigned char)text[i]) != 0;
    return upper || memchr(text, '.', length) || memchr(text, ':', length) ||
           (length == strlen("localhost") && !memcmp(text, "localhost", length));
}

static bool is_tag(const char *text, size_t length)
{
    if (!length || length > TAG_MAX || !(is_alnum(text[0]) || text[0] == '_'))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!is_alnum(text[i]) && !memchr("_.-", text[i], 3))
            return false;
    return true;
}

static bool is_lower_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isdigit((unsigned char)text[i]) && (text[i] < 'a' || text[i] > 'f'))
            return false;
    return true;
}

/* The algorithms that the API server and the runtimes know. */
static bool is_digest(const char *text, size_t length)
{
    static const struct {
        const char *prefix;
        size_t hex;
    } algorithms[] = {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}};

    for (size_t i = 0; i < array_size(algorithms); i++) {
        size_t prefix = strlen(algorithms[i].prefix);

        if (length == prefix + algorithms[i].hex && !memcmp(text, algorithms[i].prefix, prefix))
            return is_lower_hex(text + prefix, algorithms[i].hex);
    }
    return false;
}

static bool is_identifier(const char *text, size_t length)
{
    return length == IDENTIFIER_HEX && is_lower_hex(text, length);
}

static bool take_domain(struct image_name *name, const char *text, size_t length)
{
    const char *slash = memchr(text, '/', length);

    if (slash && names_registry(text, (size_t)(slash - text))) {
        name->domain = (struct image_part){text, (size_t)(slash - text)};
        length -= name->domain.length + 1;
        text = slash + 1;
    }
    name->path = (struct image_part){text, length};
    return !name->domain.length || is_domain(name->domain.text, name->domain.length);
}

bool image_name_parse(const char *image, struct image_name *name)
{
    const char *at = strchr(image, '@'), *colon, *slash;
    size_t length = at ? (size_t)(at - image) : strlen(image);

    *name = (struct image_name){0};
    if (at) {
        name->digest = (struct image_part){at + 1, strlen(at + 1)};
        if (!is_digest(name->digest.text, name->digest.length))
            return false;
    }
    if (is_identifier(image, strlen(image)))
        return false;
    colon = memrchr(image, ':', length);
    slash = memrchr(image, '/', length);
    if (colon && (!slash || colon > slash)) {
        name->tag = (struct image_part){colon + 1, length - (size_t)(colon + 1 - image)};
        if (!is_tag(name->tag.text, name->tag.length))
            return false;
        length = (size_t)(colon - image);
    }
    return take_domain(name, image, length) && name->path.length <= PATH_MAX_BYTES &&
           is_path(name->path.text, name->path.length);
}

const char *image_default_pull_policy(const char *image)
{
    struct image_name name;

    if (!image_name_parse(image, &name))
        return "IfNotPresent";
    if (name.tag.length == strlen("latest") && !memcmp(name.tag.text, "latest", name.tag.length))
        return "Always";
    return name.tag.length || name.digest.length ? "IfNotPresent" : "Always";
}
