/*
 * Credentials as docker keeps them: config.json has them in "auths", .dockercfg is what "auths"
 * holds. Entries are kept in the order in which matching ones are tried.
 *
 * Nothing here is ever quoted in a sentence: any part of such a file may be a secret.
 */
#include "docker-config.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/json.h"
#include "nodeagent/base/map.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/objects/image.h"
#include "nodeagent/sys/files.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONFIG_BYTES_MAX = 1 << 20, /* as a Secret may have */
    CONFIG_NODES_MAX = 100000,
    KEY_BYTES_MAX = 1024,
    HOST_BYTES_MAX = 255,  /* what DNS allows; hosts that are longer match nothing */
    CREDENTIALS_MAX = 100, /* for one image: each costs an attempt to pull it */
};

#define HUB "docker.io"
#define HUB_KEY "index.docker.io" /* under which docker itself keeps the hub's credentials */

enum form { FORM_CONFIG_JSON, FORM_DOCKERCFG, FORM_EITHER };

struct place { /* what keys and images are compared as */
    char host[HOST_BYTES_MAX + 1];
    const char *port; /* "": none */
    const char *path; /* from its slash on, or "" */
};

struct entry {
    char *key; /* host[:port][/path]; NULL: it is never used */
    size_t order;
    const char *user;
    const char *password;
};

struct docker_config {
    struct arena arena;
    struct entry *entries; /* by key, backwards */
    size_t count;
};

/* keys */

/* "scheme://user@host:port/v1/path?query" to "host:port/path"; NULL: no key to look for. */
static char *normal_key(struct arena *arena, const char *text, size_t length)
{
    static const char *const schemes[] = {"https://", "http://"};
    const char *end, *slash, *at;

    for (size_t i = 0; i < array_size(schemes); i++) {
        size_t prefix = strlen(schemes[i]);

        if (length >= prefix && !memcmp(text, schemes[i], prefix)) {
            text += prefix;
            length -= prefix;
            break;
        }
    }
    if (length > KEY_BYTES_MAX || memchr(text, '\0', length))
        return NULL;
    text = arena_strndup(arena, text, length);
    end = text + strcspn(text, "#");
    slash = memchr(text, '/', (size_t)(end - text));
    if (!slash)
        slash = end;
    at = memrchr(text, '@', (size_t)(slash - text));
    if (at)
        text = at + 1;
    /* In the host a question mark stands for any character, behind it it begins a query. */
    end = slash + MIN(strcspn(slash, "?"), (size_t)(end - slash));

    const char *path = slash;

    if (end - path >= 4 && (!memcmp(path, "/v1/", 4) || !memcmp(path, "/v2/", 4)))
        path += 3;
    if (end - path == 1)
        path = end;
    return arena_printf(arena, "%.*s%.*s", (int)(slash - text), text, (int)(end - path), path);
}

/* False: there is no such host. `text` outlives the place. */
static bool split_place(struct arena *arena, const char *text, struct place *place)
{
    size_t authority = strcspn(text, "/");
    const char *colon = memrchr(text, ':', authority), *bracket = memrchr(text, ']', authority);
    size_t host = authority;

    place->path = text + authority;
    place->port = "";
    if (colon && (!bracket || bracket < colon)) {
        host = (size_t)(colon - text);
        place->port = arena_strndup(arena, colon + 1, authority - host - 1);
        if (bracket && text[0] == '[' && bracket + 1 == colon) {
            text++;
            host -= 2;
        }
    }
    if (!host || host > HOST_BYTES_MAX)
        return false;
    memcpy(place->host, text, host);
    place->host[host] = '\0';
    return true;
}

/* Label by label; both are at most HOST_BYTES_MAX long. */
static bool host_matches(const char *globs, const char *host)
{
    for (;;) {
        char glob[HOST_BYTES_MAX + 1], label[HOST_BYTES_MAX + 1];
        size_t glob_length = strcspn(globs, "."), length = strcspn(host, ".");

        memcpy(glob, globs, glob_length);
        glob[glob_length] = '\0';
        memcpy(label, host, length);
        label[length] = '\0';
        if (fnmatch(glob, label, 0) != 0)
            return false;
        globs += glob_length;
        host += length;
        if (!*globs || !*host)
            return *globs == *host;
        globs++;
        host++;
    }
}

static bool key_matches(struct arena *arena, const char *key, const struct place *image)
{
    struct place place;

    return split_place(arena, key, &place) && str_equal(place.port, image->port) &&
           str_has_prefix(image->path, place.path) && host_matches(place.host, image->host);
}

/* entries */

static bool take_text(struct arena *arena, const char *bytes, size_t length, const char **text)
{
    if (memchr(bytes, '\0', length) || utf8_check(bytes, length))
        return false;
    *text = arena_strndup(arena, bytes, length);
    return true;
}

static bool take_member(struct arena *arena, const struct json *object, const char *name,
                        const char **text)
{
    const struct json *value = json_get(object, name);

    *text = "";
    if (!value || value->type == JSON_NULL)
        return true;
    return value->type == JSON_STRING && take_text(arena, value->text, value->length, text);
}

/* Base64 of "user:password"; docker pads it, others do not. */
static bool decode_auth(struct arena *arena, const char *auth, struct entry *entry)
{
    size_t length = strlen(auth), digits = 0, decoded;
    char *text = arena_printf(arena, "%s===", auth);
    const char *colon;

    for (size_t i = 0; i < length; i++)
        digits += text[i] != '\r' && text[i] != '\n';
    if (text[length - 1] != '=')
        length += (4 - digits % 4) % 4;
    if (base64_decode(text, length, &decoded) < 0)
        return false;
    colon = memchr(text, ':', decoded);
    return colon && take_text(arena, text, (size_t)(colon - text), &entry->user) &&
           take_text(arena, colon + 1, decoded - (size_t)(colon + 1 - text), &entry->password);
}

/* NULL, or what is wrong. */
static const char *read_entry(struct arena *arena, const struct json_member *member,
                              struct entry *entry)
{
    const struct json *value = &member->value;
    const char *auth;

    entry->key = normal_key(arena, member->name, member->name_length);
    entry->user = entry->password = "";
    if (value->type == JSON_NULL)
        return NULL;
    if (value->type != JSON_OBJECT)
        return "the credentials of a registry must be an object";
    if (!take_member(arena, value, "username", &entry->user) ||
        !take_member(arena, value, "password", &entry->password) ||
        !take_member(arena, value, "auth", &auth))
        return "username, password and auth must be strings without NUL";
    if (*auth && !decode_auth(arena, auth, entry))
        return "auth must be user:password in base64";
    return NULL;
}

/* Backwards by key: the longer of two prefixes first, wildcards last. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int order = strcmp(right->key, left->key);

    return order ? order : (left->order > right->order) - (left->order < right->order);
}

static int read_entries(struct docker_config *config, const struct json *auths, size_t *offset,
                        struct err *err)
{
    struct map by_name = MAP_INIT; /* of two with one name the later one counts */
    const char *wrong = NULL;
    size_t kept = 0;

    config->entries = arena_array(&config->arena, struct entry, auths->length);
    for (size_t i = 0; i < auths->length && !wrong; i++) {
        const struct json_member *member = &auths->members[i];
        struct entry *entry = &config->entries[i], *earlier;

        entry->order = i;
        wrong = read_entry(&config->arena, member, entry);
        *offset = member->value.offset;
        earlier = map_put_bytes(&by_name, member->name, member->name_length, entry);
        if (earlier)
            earlier->key = NULL;
    }
    map_deinit(&by_name);
    if (wrong)
        return err_set(err, -EINVAL, "%s", wrong);
    for (size_t i = 0; i < auths->length; i++)
        if (config->entries[i].key)
            config->entries[kept++] = config->entries[i];
    config->count = kept;
    qsort(config->entries, kept, sizeof(*config->entries), compare_entries);
    return 0;
}

/* files */

/* Without "auths", and with members that are no credentials, it is a config.json. */
static enum form form_of(const struct json *root)
{
    if (json_get(root, "auths"))
        return FORM_CONFIG_JSON;
    for (size_t i = 0; i < root->length; i++)
        if (root->members[i].value.type != JSON_OBJECT && root->members[i].value.type != JSON_NULL)
            return FORM_CONFIG_JSON;
    return FORM_DOCKERCFG;
}

static int read_root(struct docker_config *config, const struct json *root, enum form form,
                     size_t *offset, struct err *err)
{
    const struct json *auths = root;

    if (root->type == JSON_NULL)
        return 0;
    *offset = root->offset;
    if (root->type != JSON_OBJECT)
        return err_set(err, -EINVAL, "it must be an object");
    if (form == FORM_EITHER)
        form = form_of(root);
    if (form == FORM_CONFIG_JSON)
        auths = json_get(root, "auths");
    if (!auths || auths->type == JSON_NULL)
        return 0;
    *offset = auths->offset;
    if (auths->type != JSON_OBJECT)
        return err_set(err, -EINVAL, "auths must be an object");
    return read_entries(config, auths, offset, err);
}

static struct docker_config *parse(const char *text, size_t length, enum form form, struct err *err)
{
    static const struct json_limits limits = {
        .bytes_max = CONFIG_BYTES_MAX,
        .nodes_max = CONFIG_NODES_MAX,
    };
    struct docker_config *config = mem_new(struct docker_config);
    struct json_findings *findings;
    struct json *root;
    size_t offset = 0;
    int r;

    config->arena = ARENA_INIT_DOCUMENT;
    findings = arena_new(&config->arena, struct json_findings);
    r = json_parse(&config->arena, text, length, &limits, findings, &root, err);
    if (r < 0)
        offset = findings->error_offset;
    else
        r = read_root(config, root, form, &offset, err);
    if (r < 0) {
        struct json_place place = json_place(text, length, offset);

        err_prefix(err, "%u:%u", place.line, place.column);
        return docker_config_free(config);
    }
    return config;
}

struct docker_config *docker_config_parse(const char *text, size_t length, struct err *err)
{
    return parse(text, length, FORM_EITHER, err);
}

struct docker_config *docker_config_free(struct docker_config *config)
{
    if (!config)
        return NULL;
    arena_deinit(&config->arena);
    free(config);
    return NULL;
}

/* NULL with code 0: there is no such file. */
static struct docker_config *load(const char *directory, const char *name, enum form form,
                                  struct err *err)
{
    _cleanup_(mem_free_at) char *path = mem_printf("%s/%s", directory, name);
    _cleanup_(strbuf_deinit) struct strbuf text = STRBUF_INIT;
    struct docker_config *config;
    int r;

    *err = (struct err){0};
    r = file_read(path, CONFIG_BYTES_MAX, &text, err);
    if (r == -ENOENT || r == -ENOTDIR)
        err->code = 0;
    if (r < 0)
        return NULL;
    config = parse(text.text ? text.text : "", text.length, form, err);
    if (!config)
        err_prefix(err, "%s", path);
    return config;
}

struct docker_config *docker_config_load(const char *root_dir, const char *home, struct err *err)
{
    const char *user = str_empty(home) ? NULL : home;
    _cleanup_(mem_free_at) char *user_docker = user ? mem_printf("%s/.docker", user) : NULL;
    const struct {
        const char *directory;
        const char *name;
        enum form form;
    } files[] = {
        {root_dir, "config.json", FORM_CONFIG_JSON},
        {".", "config.json", FORM_CONFIG_JSON},
        {user_docker, "config.json", FORM_CONFIG_JSON},
        {"/.docker", "config.json", FORM_CONFIG_JSON},
        {root_dir, ".dockercfg", FORM_DOCKERCFG},
        {".", ".dockercfg", FORM_DOCKERCFG},
        {user, ".dockercfg", FORM_DOCKERCFG},
        {"", ".dockercfg", FORM_DOCKERCFG},
    };
    struct docker_config *config = NULL;
    struct err broken;

    if (err)
        err->code = 0;
    for (size_t i = 0; i < array_size(files) && !config; i++) {
        if (!files[i].directory)
            continue;
        config = load(files[i].directory, files[i].name, files[i].form, &broken);
        if (broken.code && err && !err->code)
            *err = broken;
    }
    return config;
}

/* matching */

/* "docker.io/library/busybox": the whole name without tag and digest. */
static const char *repository_of(struct arena *arena, const struct image_name *name)
{
    const char *domain =
        name->domain.length ? arena_strndup(arena, name->domain.text, name->domain.length) : HUB;
    bool on_hub = str_equal(domain, HUB) || str_equal(domain, HUB_KEY),
         single = !memchr(name->path.text, '/', name->path.length);

    return arena_printf(arena, "%s/%s%.*s", on_hub ? HUB : domain,
                        on_hub && single ? "library/" : "", (int)name->path.length,
                        name->path.text);
}

static void add(struct docker_credentials *credentials, struct arena *arena,
                const struct entry *entry)
{
    if (credentials->count == CREDENTIALS_MAX)
        return;
    credentials->items[credentials->count++] = (struct docker_credential){
        .user = arena_strdup(arena, entry->user),
        .password = arena_strdup(arena, entry->password),
    };
}

struct docker_credentials docker_config_match(const struct docker_config *config, const char *image,
                                              struct arena *arena)
{
    struct docker_credentials credentials = {0};
    struct image_name name;
    struct place place;

    if (!image_name_parse(image, &name) || !split_place(arena, repository_of(arena, &name), &place))
        return credentials;
    credentials.items =
        arena_array(arena, struct docker_credential, MIN(config->count, (size_t)CREDENTIALS_MAX));
    for (size_t i = 0; i < config->count; i++)
        if (key_matches(arena, config->entries[i].key, &place))
            add(&credentials, arena, &config->entries[i]);
    if (!credentials.count && str_equal(place.host, HUB) && !*place.port)
        for (size_t i = 0; i < config->count; i++)
            if (str_equal(config->entries[i].key, HUB_KEY))
                add(&credentials, arena, &config->entries[i]);
    return credentials;
}

/* lists */

static void add_copies(struct docker_credentials *to, const struct docker_credentials *from,
                       struct arena *arena)
{
    for (size_t i = 0; i < from->count; i++)
        to->items[to->count++] = (struct docker_credential){
            .user = arena_strdup(arena, from->items[i].user),
            .password = arena_strdup(arena, from->items[i].password),
        };
}

struct docker_credentials docker_credentials_join(const struct docker_credentials *first,
                                                  const struct docker_credentials *second,
                                                  struct arena *arena)
{
    struct docker_credentials joined = {
        .items = arena_array(arena, struct docker_credential, first->count + second->count),
    };

    add_copies(&joined, first, arena);
    add_copies(&joined, second, arena);
    return joined;
}

struct docker_credentials docker_credentials_copy(const struct docker_credentials *credentials,
                                                  struct arena *arena)
{
    struct docker_credentials none = {0};

    return docker_credentials_join(credentials, &none, arena);
}

bool docker_credentials_equal(const struct docker_credentials *a,
                              const struct docker_credentials *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = str_equal(a->items[i].user, b->items[i].user) &&
               str_equal(a->items[i].password, b->items[i].password);
    return same;
}
