/* api/credentials: what is sent, and when that changes. */
#include "machine.h"

#include "nodeagent/api/credentials.h"

/* What a client sees. */
struct client {
    struct machine *machine;
    struct kubeconfig *config;
    struct credentials *credentials;
    unsigned changes;
};

static const char *const environment[] = {"PATH=/bin:/usr/bin", NULL};

static void on_change(void *owner)
{
    struct client *client = owner;

    client->changes++;
}

static void client_begin_with(struct client *client, struct machine *machine, const char *text)
{
    struct credentials_options options = {
        .wheel = machine->wheel,
        .work = machine->work,
        .helper = machine->helper,
        .environment = environment,
        .changed = on_change,
        .owner = client,
    };

    *client = (struct client){.machine = machine, .config = read_config(&machine->place, text)};
    options.kubeconfig = client->config;
    client->credentials = credentials_new(&options);
}

static void client_begin(struct client *client, struct machine *machine, const char *user)
{
    char *text = mem_printf(CONFIG(SERVER ", certificate-authority: ca.crt", "%s"), user);

    client_begin_with(client, machine, text);
    free(text);
}

static void client_end(struct client *client)
{
    credentials_free(client->credentials);
    kubeconfig_free(client->config);
}

/* As a client does: asks, and waits to be called. */
static int ask(struct client *client, struct credential *credential, struct err *err)
{
    int r;

    for (;;) {
        unsigned changes = client->changes;

        r = credentials_get(client->credentials, credential, err);
        if (r != -EAGAIN)
            return r;
        turn_until(client->machine, client->changes > changes);
    }
}

static void assert_sends(struct client *client, const char *authorization)
{
    struct credential credential;
    struct err err;

    if (ask(client, &credential, &err) < 0)
        fail_msg("%s", err.text);
    if (!str_equal(credential.authorization, authorization))
        fail_msg("%s, not %s", credential.authorization ? credential.authorization : "nothing",
                 authorization);
}

static void assert_fails(struct client *client, const char *expected)
{
    struct credential credential;
    struct err err = {0};

    assert_true(ask(client, &credential, &err) < 0);
    strip(&client->machine->place, err.text);
    assert_string_equal(err.text, expected);
}

static uint64_t generation(struct client *client)
{
    struct credential credential;

    assert_int_equal(ask(client, &credential, NULL), 0);
    return credential.generation;
}

/* what does not change */

static void test_what_stands_in_the_kubeconfig(void **state)
{
    struct machine *machine = *state;
    static const struct {
        const char *user, *authorization;
    } cases[] = {
        {"token: abc", "Bearer abc"},
        {"username: me, password: 'hu5h'", "Basic bWU6aHU1aA=="},
        {"username: me", "Basic bWU6"},
        {"", NULL},
        {"client-certificate: node.crt, client-key: node.key", NULL},
        {"client-certificate: node.crt, client-key: node.key, token: abc", "Bearer abc"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        bool certified = strstr(cases[i].user, "client");
        struct credential credential;
        struct client client;

        client_begin(&client, machine, cases[i].user);
        assert_int_equal(credentials_get(client.credentials, &credential, NULL), 0);
        assert_true(str_equal(credential.authorization, cases[i].authorization));
        assert_string_equal(credential.authority, machine->place.other.certificate);
        assert_true(
            str_equal(credential.certificate, certified ? machine->place.node.certificate : NULL));
        assert_true(str_equal(credential.key, certified ? machine->place.node.key : NULL));
        credentials_refused(client.credentials, clock_boottime());
        assert_int_equal(credentials_get(client.credentials, &credential, NULL), 0);
        client_end(&client);
    }
}

static void test_over_http_nothing_is_sent(void **state)
{
    struct machine *machine = *state;
    struct credential credential;
    struct client client;

    client_begin_with(&client, machine, CONFIG("server: 'http://api'", "tokenFile: token"));
    assert_int_equal(credentials_get(client.credentials, &credential, NULL), 0);
    assert_null(credential.authorization);
    client_end(&client);
}

/* files */

static void test_a_token_file(void **state)
{
    struct machine *machine = *state;
    struct client client;

    client_begin(&client, machine, "tokenFile: token, token: first");
    assert_sends(&client, "Bearer first");
    turn_until(machine, client.changes == 1);
    assert_sends(&client, "Bearer t0ken");
    write_file(&machine->place, "token", "second");
    pass(machine, 60 * USEC_PER_SEC);
    turn_until(machine, client.changes == 2);
    assert_sends(&client, "Bearer second");
    write_file(&machine->place, "token", "\n");
    pass(machine, 60 * USEC_PER_SEC);
    turn_for(machine, 100 * USEC_PER_MSEC);
    assert_sends(&client, "Bearer second");
    assert_int_equal(generation(&client), 0);
    client_end(&client);
}

static void test_a_token_that_is_refused(void **state)
{
    struct machine *machine = *state;
    struct credential credential;
    struct client client;
    struct err err;
    usec_t began;

    client_begin(&client, machine, "tokenFile: token");
    turn_for(machine, 50 * USEC_PER_MSEC);
    write_file(&machine->place, "token", "second");
    began = clock_boottime();
    credentials_refused(client.credentials, began);
    assert_int_equal(credentials_get(client.credentials, &credential, &err), -EAGAIN);
    assert_non_null(
        strstr(err.text, "/token: is being read, as the token from before was refused"));
    assert_sends(&client, "Bearer second");
    credentials_refused(client.credentials, began);
    assert_int_equal(credentials_get(client.credentials, &credential, NULL), 0);
    write_file(&machine->place, "token", "");
    credentials_refused(client.credentials, clock_boottime());
    assert_sends(&client, "Bearer t0ken"); /* the kubeconfig's: there is no other */
    client_end(&client);
}

static void test_a_certificate_that_is_replaced(void **state)
{
    struct machine *machine = *state;
    struct credential credential;
    struct client client;

    client_begin(&client, machine, "client-certificate: node.crt, client-key: node.key");
    pass(machine, 300 * USEC_PER_SEC);
    turn_for(machine, 100 * USEC_PER_MSEC);
    assert_int_equal(client.changes, 0);
    assert_int_equal(generation(&client), 0);
    write_file(&machine->place, "node.crt", machine->place.other.certificate);
    write_file(&machine->place, "node.key", machine->place.other.key);
    pass(machine, 300 * USEC_PER_SEC);
    turn_until(machine, client.changes == 1);
    assert_int_equal(ask(&client, &credential, NULL), 0);
    assert_string_equal(credential.certificate, machine->place.other.certificate);
    assert_string_equal(credential.key, machine->place.other.key);
    assert_int_equal(credential.generation, 1);
    write_file(&machine->place, "ca.crt", machine->place.node.certificate);
    pass(machine, 300 * USEC_PER_SEC);
    turn_until(machine, client.changes == 2);
    assert_int_equal(ask(&client, &credential, NULL), 0);
    assert_string_equal(credential.authority, machine->place.node.certificate);
    assert_int_equal(credential.generation, 2);
    client_end(&client);
}

static void test_a_certificate_that_follows(void **state)
{
    struct machine *machine = *state;
    char *both = mem_printf("%s%s", machine->place.node.certificate, machine->place.node.key);
    struct credential credential;
    struct client client;

    machine->place.options.certificate_follows = true;
    client_begin(&client, machine,
                 "client-certificate: kubelet-client-current.pem, client-key: "
                 "kubelet-client-current.pem");
    assert_int_equal(credentials_get(client.credentials, &credential, NULL), -EAGAIN);
    pass(machine, USEC_PER_SEC);
    assert_int_equal(credentials_get(client.credentials, &credential, NULL), -EAGAIN);
    write_file(&machine->place, "kubelet-client-current.pem", both);
    pass(machine, USEC_PER_SEC);
    turn_until(machine, client.changes == 1);
    assert_int_equal(ask(&client, &credential, NULL), 0);
    assert_string_equal(credential.certificate, both);
    assert_string_equal(credential.key, both);
    assert_int_equal(credential.generation, 1);
    client_end(&client);
    free(both);
}

/* plugins */

#define PLUGIN                                                                                     \
    "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: "        \
    "/srv/plugin}"
/* Its tokens are numbered. */
#define COUNT "echo >>/srv/runs; n=$(wc -l </srv/runs); "

static void test_a_plugin_without_an_end(void **state)
{
    struct machine *machine = *state;
    struct credential credential;
    struct client client;
    struct err err;
    usec_t began;

    write_program("plugin", COUNT "echo '" PRINTS("\"token\":\"'$n'\"") "'");
    client_begin(&client, machine, PLUGIN);
    assert_int_equal(client.changes, 0);
    assert_int_equal(credentials_get(client.credentials, &credential, &err), -EAGAIN);
    assert_non_null(strstr(err.text, "kc: exec: the plugin for credentials has not answered yet"));
    assert_int_equal(credentials_get(client.credentials, &credential, &err), -EAGAIN);
    assert_sends(&client, "Bearer 1");
    pass(machine, 3600 * USEC_PER_SEC);
    assert_sends(&client, "Bearer 1");
    /* Many refusals share one run. */
    began = clock_boottime();
    for (int i = 0; i < 3; i++)
        credentials_refused(client.credentials, began);
    assert_int_equal(credentials_get(client.credentials, &credential, &err), -EAGAIN);
    assert_sends(&client, "Bearer 2");
    for (int i = 0; i < 3; i++)
        credentials_refused(client.credentials, began);
    assert_sends(&client, "Bearer 2");
    assert_int_equal(generation(&client), 0);
    client_end(&client);
}

static void test_a_plugin_whose_tokens_expire(void **state)
{
    struct machine *machine = *state;
    struct client client;
    char expected[32];

    for (unsigned i = 1; i <= 12; i++) {
        char time[TIME_TEXT_MAX], *script;

        time_format_rfc3339((int64_t)(clock_wall() + 5 * USEC_PER_SEC), time);
        script = mem_printf(COUNT "echo '" PRINTS("\"token\":\"'$n'\",\"expirationTimestamp\":"
                                                  "\"%s\"") "'",
                            time);
        write_program("plugin", script);
        free(script);
        if (i == 1)
            client_begin(&client, machine, PLUGIN);
        snprintf(expected, sizeof(expected), "Bearer %u", i);
        assert_sends(&client, expected);
        pass(machine, 3 * USEC_PER_SEC);
        assert_sends(&client, expected);
        pass(machine, 2 * USEC_PER_SEC);
    }
    client_end(&client);
}

/* By this machine's clock, that is. */
static void test_a_token_that_has_expired_serves_for_a_moment(void **state)
{
    struct machine *machine = *state;
    struct client client;

    write_program("plugin", COUNT "echo '" PRINTS("\"token\":\"'$n'\",\"expirationTimestamp\":"
                                                  "\"2000-01-01T00:00:00Z\"") "'");
    client_begin(&client, machine, PLUGIN);
    assert_sends(&client, "Bearer 1");
    pass(machine, USEC_PER_SEC);
    assert_sends(&client, "Bearer 2");
    client_end(&client);
}

static void test_a_plugin_that_fails(void **state)
{
    struct machine *machine = *state;
    struct client client;
    char *runs;

    write_program("plugin",
                  COUNT "[ $n -gt 2 ] || exit 1; echo '" PRINTS("\"token\":\"hu5h\"") "'");
    client_begin(&client, machine, PLUGIN);
    assert_fails(&client, "kc: exec: /srv/plugin exited with status 1");
    assert_fails(&client, "kc: exec: /srv/plugin exited with status 1");
    runs = read_srv("runs");
    assert_string_equal(runs, "\n");
    free(runs);
    pass(machine, 5 * USEC_PER_SEC);
    assert_fails(&client, "kc: exec: /srv/plugin exited with status 1");
    pass(machine, 5 * USEC_PER_SEC);
    assert_sends(&client, "Bearer hu5h");
    /* A token that was refused is sent nevertheless when there is no other. */
    write_program("plugin", "exit 7");
    credentials_refused(client.credentials, clock_boottime());
    assert_sends(&client, "Bearer hu5h");
    assert_logged(&machine->place, "kc: exec: /srv/plugin exited with status 7", true);
    assert_logged(&machine->place, "hu5h", false);
    client_end(&client);
}

static void test_a_plugin_that_cannot_be_begun(void **state)
{
    struct machine *machine = *state;
    struct client client;

    client_begin(&client, machine,
                 "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, "
                 "command: gone, installHint: get it}");
    assert_fails(&client, "kc: exec: gone is in no directory of PATH; get it");
    client_end(&client);
}

static void print_pair(const struct pair *pair)
{
    char *printed = printed_pair(pair->certificate, pair->key),
         *script = mem_printf("cat <<'END'\n%s\nEND\n", printed);

    write_program("plugin", script);
    free(script);
    free(printed);
}

static void test_a_plugin_with_certificates(void **state)
{
    struct machine *machine = *state;
    struct credential credential;
    struct client client;

    print_pair(&machine->place.node);
    client_begin(&client, machine, PLUGIN);
    assert_int_equal(ask(&client, &credential, NULL), 0);
    assert_null(credential.authorization);
    assert_string_equal(credential.certificate, machine->place.node.certificate);
    assert_string_equal(credential.key, machine->place.node.key);
    assert_int_equal(credential.generation, 1);
    credentials_refused(client.credentials, clock_boottime());
    assert_int_equal(generation(&client), 1);
    print_pair(&machine->place.other);
    credentials_refused(client.credentials, clock_boottime());
    assert_int_equal(ask(&client, &credential, NULL), 0);
    assert_string_equal(credential.certificate, machine->place.other.certificate);
    assert_int_equal(credential.generation, 2);
    client_end(&client);
}

static void test_freeing_while_a_plugin_runs(void **state)
{
    struct machine *machine = *state;
    struct credential credential;
    struct client client;

    write_program("plugin", "exec sleep 1000");
    client_begin(&client, machine, PLUGIN);
    assert_int_equal(credentials_get(client.credentials, &credential, NULL), -EAGAIN);
    client_end(&client);
    turn_until(machine, !child_helper_in_flight(machine->helper));
    assert_int_equal(client.changes, 0);
    assert_null(credentials_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(test_what_stands_in_the_kubeconfig),
        on_machine(test_over_http_nothing_is_sent),
        on_machine(test_a_token_file),
        on_machine(test_a_token_that_is_refused),
        on_machine(test_a_certificate_that_is_replaced),
        on_machine(test_a_certificate_that_follows),
        on_machine(test_a_plugin_without_an_end),
        on_machine(test_a_plugin_whose_tokens_expire),
        on_machine(test_a_token_that_has_expired_serves_for_a_moment),
        on_machine(test_a_plugin_that_fails),
        on_machine(test_a_plugin_that_cannot_be_begun),
        on_machine(test_a_plugin_with_certificates),
        on_machine(test_freeing_while_a_plugin_runs),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
