/* The directory of a node's certificates. */
#include "nodeagent/api/certificate_request.h"
#include "nodeagent/api/certificate_store.h"
#include "nodeagent/api/secret.h"
#include "nodeagent/base/time.h"
#include "nodeagent/sys/files.h"
#include "self-signed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    DIRECTORY_MODE = 0700,
    KEY_MODE = 0600,
    PUBLIC_MODE = 0644,
};

#define SELF_SIGNED "kubelet"

/* names */

static void name_file(char name[NAME_MAX + 1], const char *pair, const char *rest)
{
    snprintf(name, NAME_MAX + 1, "%s%s", pair, rest);
}

static void name_dated(char name[NAME_MAX + 1], const char *pair, int64_t now)
{
    time_t seconds = (time_t)(now / (int64_t)USEC_PER_SEC);
    char date[32];
    struct tm parts;

    gmtime_r(&seconds, &parts);
    strftime(date, sizeof(date), "-%Y-%m-%d-%H-%M-%S.pem", &parts);
    name_file(name, pair, date);
}

static bool is_dated(const char *name, const char *pair)
{
    static const char shape[] = "-0000-00-00-00-00-00.pem";

    if (!str_has_prefix(name, pair) || strlen(name + strlen(pair)) != strlen(shape))
        return false;
    name += strlen(pair);
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != shape[i])
            return false;
    return true;
}

/* Where the link leads to; "": there is none. */
static void read_link(const struct certificate_store *store, char target[PATH_MAX])
{
    char name[NAME_MAX + 1];
    ssize_t length;

    name_file(name, store->pair, "-current.pem");
    length = readlinkat(store->directory, name, target, PATH_MAX - 1);
    target[MAX(length, 0)] = '\0';
}

/* loading */

int certificate_directory_open(const char *path, struct err *err)
{
    _cleanup_(fd_close_at) int opened = directory_open(path, DIRECTORY_MODE, err);
    int r = opened < 0 ? opened : file_remove_temporaries(opened, ".", err), directory = opened;

    if (r < 0)
        return r;
    opened = -1;
    return directory;
}

static int load_files(int directory, const char *path, const char *const names[2],
                      struct certificate *certificate, struct err *err)
{
    _cleanup_(secret_deinit) struct strbuf chain = STRBUF_INIT, key = STRBUF_INIT;
    struct certificate_text texts[2];
    struct strbuf *buffers[2] = {&chain, &key};
    char shown[2][PATH_MAX];

    for (size_t i = 0; i < 2; i++) {
        int r;

        secret_init(buffers[i], CERTIFICATE_TEXT_MAX);
        r = file_read_beneath(directory, names[i], FILE_LINKS_BENEATH, CERTIFICATE_TEXT_MAX,
                              buffers[i], err);
        if (r < 0)
            return r;
        snprintf(shown[i], sizeof(shown[i]), "%s/%s", path, names[i]);
        texts[i] = (struct certificate_text){shown[i], buffers[i]->text, buffers[i]->length};
    }
    return certificate_parse(certificate, &texts[0], &texts[1], err);
}

/* The kubelet's own links lead to whole paths, which no directory is above of. */
static int load_current(const struct certificate_store *store, struct certificate *certificate,
                        struct err *err)
{
    char name[NAME_MAX + 1], target[PATH_MAX];

    read_link(store, target);
    if (*target == '/')
        return certificate_read(certificate, target, target, err);
    name_file(name, store->pair, "-current.pem");
    return load_files(store->directory, store->path, (const char *const[2]){name, name},
                      certificate, err);
}

static int load_legacy(int directory, const char *path, const char *pair,
                       struct certificate *certificate, struct err *err)
{
    char chain[NAME_MAX + 1], key[NAME_MAX + 1];

    name_file(chain, pair, ".crt");
    name_file(key, pair, ".key");
    return load_files(directory, path, (const char *const[2]){chain, key}, certificate, err);
}

int certificate_store_load(const struct certificate_store *store, const char *chain_path,
                           const char *key_path, struct certificate *certificate, struct err *err)
{
    struct err failure;
    int r;

    *certificate = (struct certificate){0};
    r = load_current(store, certificate, &failure);
    if (r == -ENOENT && chain_path)
        r = certificate_read(certificate, chain_path, key_path, &failure);
    if (r == -ENOENT)
        r = load_legacy(store->directory, store->path, store->pair, certificate, &failure);
    if (r == -ENOENT)
        return err_set(err, r, "%s: there is no %s-current.pem in it that leads anywhere",
                       store->path, store->pair);
    return r < 0 ? err_set(err, r, "%s", failure.text) : 0;
}

/* saving */

static int write_file(int directory, const char *name, const struct strbuf *text, mode_t mode,
                      struct err *err)
{
    return file_replace(directory, name,
                        &(struct file_contents){
                            .bytes = text->text,
                            .length = text->length,
                            .mode = mode,
                            .owner = FILE_OWNER_KEEP,
                            .group = FILE_GROUP_KEEP,
                        },
                        err);
}

/* What somebody put there as a file is not thrown away. */
static int check_link(const struct certificate_store *store, const char *name, struct err *err)
{
    struct stat status;

    if (fstatat(store->directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        S_ISLNK(status.st_mode))
        return 0;
    return err_set(err, -EEXIST,
                   "%s/%s is a file and should be a link to the newest certificate; move it away",
                   store->path, name);
}

int certificate_store_save(const struct certificate_store *store,
                           const struct certificate *certificate, int64_t now, struct err *err)
{
    _cleanup_(secret_deinit) struct strbuf text = STRBUF_INIT;
    char link[NAME_MAX + 1], name[NAME_MAX + 1];
    int r;

    assert_that(certificate->chain_length && certificate->key.length);
    name_file(link, store->pair, "-current.pem");
    name_dated(name, store->pair, now);
    r = check_link(store, link, err);
    if (r < 0)
        return r;
    secret_init(&text, certificate->chain_length + certificate->key.length);
    strbuf_add_bytes(&text, certificate->chain, certificate->chain_length);
    strbuf_add_bytes(&text, certificate->key.text, certificate->key.length);
    r = write_file(store->directory, name, &text, KEY_MODE, err);
    if (r == 0)
        r = file_link_replace(store->directory, link, name, err);
    /* A token to ask with once more may be gone when the power is back. */
    if (r == 0 && fsync(store->directory) < 0)
        r = err_set(err, -errno, "cannot put %s on disk: %s", store->path, strerror(errno));
    return r;
}

/* keys */

static int make_key(int directory, const char *name, struct strbuf *key, struct err *err)
{
    int r = certificate_key_make(key, err);

    if (r == 0)
        r = write_file(directory, name, key, KEY_MODE, err);
    if (r < 0)
        secret_deinit(key);
    return r;
}

/* Reads the key, or makes it when it is missing. */
static int take_key(int directory, const char *name, struct strbuf *key, struct err *err)
{
    struct err failure;
    int r;

    secret_init(key, CERTIFICATE_KEY_MAX);
    r = file_read_beneath(directory, name, FILE_LINKS_BENEATH, CERTIFICATE_KEY_MAX, key, &failure);
    if (r == 0)
        return 0;
    secret_deinit(key);
    return r == -ENOENT ? make_key(directory, name, key, err) : err_set(err, r, "%s", failure.text);
}

/* tidying */

static int remove_file(const struct certificate_store *store, const char *name, struct err *err)
{
    if (unlinkat(store->directory, name, 0) == 0 || errno == ENOENT)
        return 0;
    return err_set(err, -errno, "cannot remove %s/%s: %s", store->path, name, strerror(errno));
}

static int remove_old(const struct certificate_store *store, struct err *err)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
    struct directory_listing listing;
    char target[PATH_MAX];
    const char *current;
    size_t kept = 1; /* the current one, however old it is */
    int r = directory_list(store->directory, ".", CERTIFICATE_DIRECTORY_ENTRIES_MAX, &arena,
                           &listing, err);

    if (r < 0)
        return r;
    read_link(store, target);
    current = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    for (size_t i = listing.count; r == 0 && i-- > 0;) {
        const char *name = listing.items[i].name;

        if (is_dated(name, store->pair) && !str_equal(name, current) && kept++ >= CERTIFICATES_KEPT)
            r = remove_file(store, name, err);
    }
    return r;
}

int certificate_store_tidy(const struct certificate_store *store, struct err *err)
{
    char name[NAME_MAX + 1];
    int r;

    name_file(name, store->pair, ".key.tmp");
    r = remove_file(store, name, err);
    return r < 0 ? r : remove_old(store, err);
}

/* signed by nobody */

static int make_self_signed(int directory, const char *host, int64_t now, struct err *err)
{
    _cleanup_(secret_deinit) struct strbuf key = STRBUF_INIT;
    _cleanup_(strbuf_deinit) struct strbuf pem = STRBUF_INIT;
    int r = take_key(directory, SELF_SIGNED ".key", &key, err);

    if (r == 0)
        r = self_signed_make(host, &key, now, &pem, err);
    return r < 0 ? r : write_file(directory, SELF_SIGNED ".crt", &pem, PUBLIC_MODE, err);
}

static bool is_missing(int directory, const char *name)
{
    return faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

int certificate_self_signed(int directory, const char *path, const char *host, int64_t now,
                            struct certificate *certificate, struct err *err)
{
    int r = 0;

    *certificate = (struct certificate){0};
    if (is_missing(directory, SELF_SIGNED ".crt"))
        r = make_self_signed(directory, host, now, err);
    else if (is_missing(directory, SELF_SIGNED ".key"))
        r = err_set(err, -ENOENT,
                    "%s: there is a " SELF_SIGNED ".crt in it without its " SELF_SIGNED
                    ".key; remove it, and both are made anew",
                    path);
    return r < 0 ? r : load_legacy(directory, path, SELF_SIGNED, certificate, err);
}
