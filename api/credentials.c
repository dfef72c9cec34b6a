/*
 * What to send now. A plugin is run when somebody asks and there is nothing that is still good, or
 * after a refusal; files are read on their own clock.
 */
#include "nodeagent/api/credentials.h"
#include "exec-plugin.h"
#include "nodeagent/api/credential_file.h"
#include "nodeagent/base/base64.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* After a plugin failed, whoever asks is told so for a while. */
#define PLUGIN_RETRY (5 * USEC_PER_SEC)
/* What a plugin says serves so long, even if it has expired by this machine's clock. */
#define PLUGIN_USE_MIN (1 * USEC_PER_SEC)

struct credentials {
    struct credentials_options options;
    struct credential_file token;
    struct credential_file pair;
    struct credential_file authority;
    struct exec_plugin *plugin; /* or NULL */
    struct exec_credential *printed;
    usec_t obtained; /* `printed`, by boottime */
    usec_t failed;   /* a plugin last, by boottime */
    struct err why;  /* the last run of the plugin failed; code 0: it did not */
    char *authorization;
    uint64_t generation;
};

/* what is sent */

static const char *token_of(const struct credentials *credentials)
{
    if (credentials->printed)
        return credentials->printed->token;
    return credentials->token.texts[0] ? credentials->token.texts[0]
                                       : credentials->options.kubeconfig->user.token;
}

static void make_authorization(struct credentials *credentials)
{
    const struct kubeconfig_user *user = &credentials->options.kubeconfig->user;
    struct strbuf pair = STRBUF_INIT, text = STRBUF_INIT;
    const char *token = token_of(credentials);

    free(credentials->authorization);
    credentials->authorization = NULL;
    if (token) {
        credentials->authorization = mem_printf("Bearer %s", token);
    } else if (user->name) {
        strbuf_printf(&pair, "%s:%s", user->name, user->password);
        strbuf_add(&text, "Basic ");
        base64_encode(&text, pair.text, pair.length);
        credentials->authorization = strbuf_take(&text);
    }
    strbuf_deinit(&pair);
}

static void fill(const struct credentials *credentials, struct credential *credential)
{
    const struct kubeconfig *config = credentials->options.kubeconfig;
    const struct exec_credential *printed = credentials->printed;
    const struct credential_file *pair = &credentials->pair, *authority = &credentials->authority;

    *credential = (struct credential){
        .authorization = credentials->authorization,
        .authority = authority->paths[0] ? authority->texts[0] : config->server.authority.text,
        .certificate = pair->paths[0] ? pair->texts[0] : config->user.certificate.text,
        .key = pair->paths[0] ? pair->texts[1] : config->user.key.text,
        .generation = credentials->generation,
    };
    if (printed) {
        credential->certificate = printed->certificate;
        credential->key = printed->key;
    }
}

static void tell(struct credentials *credentials)
{
    make_authorization(credentials);
    credentials->options.changed(credentials->options.owner);
}

/* files */

static void token_changed(struct credential_file *file)
{
    tell(container_of(file, struct credentials, token));
}

static void pair_changed(struct credential_file *file)
{
    struct credentials *credentials = container_of(file, struct credentials, pair);
    bool awaited = !credentials->options.kubeconfig->user.certificate.text;

    if (!awaited || credentials->generation)
        log_notice("%s: there is another client certificate; connections to the API server are "
                   "made anew",
                   file->paths[0]);
    credentials->generation++;
    tell(credentials);
}

static void authority_changed(struct credential_file *file)
{
    struct credentials *credentials = container_of(file, struct credentials, authority);

    log_notice("%s: there are other authorities; connections to the API server are made anew",
               file->paths[0]);
    credentials->generation++;
    tell(credentials);
}

static void begin_file(struct credentials *credentials, struct credential_file *file,
                       enum credential_kind kind, credential_file_fn *changed)
{
    file->kind = kind;
    file->wheel = credentials->options.wheel;
    file->work = credentials->options.work;
    file->changed = changed;
}

static void begin_files(struct credentials *credentials)
{
    const struct kubeconfig *config = credentials->options.kubeconfig;
    const struct kubeconfig_user *user = &config->user;
    const struct kubeconfig_pem *authority = &config->server.authority;

    begin_file(credentials, &credentials->token, CREDENTIAL_TOKEN, token_changed);
    begin_file(credentials, &credentials->pair, CREDENTIAL_PAIR, pair_changed);
    begin_file(credentials, &credentials->authority, CREDENTIAL_AUTHORITY, authority_changed);
    if (user->token_file) {
        credentials->token.paths[0] = user->token_file;
        credential_file_begin(&credentials->token, user->token, NULL);
    }
    if (user->certificate.file && user->key.file) {
        credentials->pair.paths[0] = user->certificate.file;
        credentials->pair.paths[1] = user->key.file;
        credential_file_begin(&credentials->pair, user->certificate.text, user->key.text);
    }
    if (config->server.secure && authority->file) {
        credentials->authority.paths[0] = authority->file;
        credential_file_begin(&credentials->authority, authority->text, NULL);
    }
}

/* the plugin */

static bool same_certificate(const struct exec_credential *a, const struct exec_credential *b)
{
    return str_equal(a ? a->certificate : NULL, b ? b->certificate : NULL) &&
           str_equal(a ? a->key : NULL, b ? b->key : NULL);
}

static void plugin_failed(struct credentials *credentials, const struct err *err)
{
    if (strcmp(credentials->why.text, err->text) != 0)
        log_failure(LOG_LEVEL_WARNING, NULL, err);
    credentials->failed = clock_boottime();
    credentials->why = *err;
    if (err->code == -EAGAIN) /* of a system call; to who asks it says that there is more to come */
        credentials->why.code = -EIO;
}

static void plugin_done(void *owner, struct exec_credential *credential, const struct err *err)
{
    struct credentials *credentials = owner;

    if (credential) {
        if (!same_certificate(credentials->printed, credential))
            credentials->generation++;
        exec_credential_free(credentials->printed);
        credentials->printed = credential;
        credentials->obtained = clock_boottime();
        credentials->why = (struct err){0};
    } else {
        plugin_failed(credentials, err);
    }
    tell(credentials);
}

static bool has_failed_lately(const struct credentials *credentials)
{
    return credentials->why.code && clock_boottime() < usec_add(credentials->failed, PLUGIN_RETRY);
}

/* Whether it runs now. */
static bool run_plugin(struct credentials *credentials)
{
    struct err err;

    if (exec_plugin_runs(credentials->plugin))
        return true;
    if (has_failed_lately(credentials))
        return false;
    if (exec_plugin_run(credentials->plugin, &err) == 0)
        return true;
    plugin_failed(credentials, &err);
    return false;
}

static bool is_good(const struct credentials *credentials)
{
    return credentials->printed &&
           (clock_wall() < credentials->printed->expires ||
            clock_boottime() < usec_add(credentials->obtained, PLUGIN_USE_MIN));
}

static int get_printed(struct credentials *credentials, struct err *err)
{
    if (!exec_plugin_runs(credentials->plugin) && is_good(credentials))
        return 0;
    if (run_plugin(credentials))
        return err_set(err, -EAGAIN, "%s: exec: the plugin for credentials has not answered yet",
                       credentials->options.kubeconfig->path);
    return err_set(err, credentials->why.code, "%s", credentials->why.text);
}

/* the whole */

struct credentials *credentials_new(const struct credentials_options *options)
{
    struct credentials *credentials = mem_new(struct credentials);
    const struct exec_plugin_options plugin = {
        .kubeconfig = options->kubeconfig,
        .helper = options->helper,
        .environment = options->environment,
        .done = plugin_done,
        .owner = credentials,
    };

    credentials->options = *options;
    begin_files(credentials);
    if (options->kubeconfig->user.exec)
        credentials->plugin = exec_plugin_new(&plugin);
    make_authorization(credentials);
    return credentials;
}

struct credentials *credentials_free(struct credentials *credentials)
{
    if (!credentials)
        return NULL;
    credential_file_end(&credentials->token);
    credential_file_end(&credentials->pair);
    credential_file_end(&credentials->authority);
    exec_plugin_free(credentials->plugin);
    exec_credential_free(credentials->printed);
    free(credentials->authorization);
    free(credentials);
    return NULL;
}

/* To the server, who has no certificate yet would be nobody. */
static bool is_awaited(const struct credential_file *file)
{
    return file->paths[0] && !file->texts[0];
}

int credentials_get(struct credentials *credentials, struct credential *credential, struct err *err)
{
    int r = credentials->plugin ? get_printed(credentials, err) : 0;

    if (credentials->token.fetching)
        r = err_set(err, -EAGAIN, "%s: is being read, as the token from before was refused",
                    credentials->token.paths[0]);
    if (is_awaited(&credentials->pair))
        r = err_set(err, -EAGAIN, "%s: is not there yet", credentials->pair.paths[0]);
    if (r < 0)
        return r;
    fill(credentials, credential);
    return 0;
}

void credentials_refused(struct credentials *credentials, usec_t began)
{
    if (credentials->token.paths[0])
        credential_file_refuse(&credentials->token, began);
    if (credentials->plugin && credentials->printed && credentials->obtained < began)
        run_plugin(credentials);
}
