/* api/exec-plugin: how a plugin is found and run, and how it fails. */
#include "machine.h"

#include "exec-plugin.h"

struct run {
    struct machine *machine;
    struct kubeconfig *config;
    struct exec_plugin *plugin;
    unsigned done;
    struct exec_credential *credential;
    struct err err;
};

static void keep(void *owner, struct exec_credential *credential, const struct err *err)
{
    struct run *run = owner;

    run->done++;
    exec_credential_free(run->credential);
    run->credential = credential;
    run->err = *err;
}

static const char *const environment[] = {"PATH=/none::srv:/etc/hosts:/srv:/bin", "A=agent",
                                          "B=agent", NULL};

static void run_begin(struct run *run, struct machine *machine, const char *exec)
{
    char *text = mem_printf(CONFIG(SERVER, "exec: {apiVersion: " EXEC_V1 ", interactiveMode: "
                                           "Never, %s}"),
                            exec);
    struct exec_plugin_options options = {
        .helper = machine->helper, .environment = environment, .done = keep, .owner = run};

    *run = (struct run){.machine = machine, .config = read_config(&machine->place, text)};
    options.kubeconfig = run->config;
    run->plugin = exec_plugin_new(&options);
    free(text);
}

static void run_end(struct run *run)
{
    exec_credential_free(run->credential);
    exec_plugin_free(run->plugin);
    kubeconfig_free(run->config);
}

static void run_once(struct run *run)
{
    run->done = 0;
    assert_false(exec_plugin_runs(run->plugin));
    assert_int_equal(exec_plugin_run(run->plugin, NULL), 0);
    assert_true(exec_plugin_runs(run->plugin));
    turn_until(run->machine, run->done);
    assert_int_equal(run->done, 1);
    assert_false(exec_plugin_runs(run->plugin));
}

static void test_a_plugin_is_run(void **state)
{
    struct machine *machine = *state;
    struct run run;
    char *told;

    write_program("plugin", "env | grep -v -e PWD -e PATH -e '^_' | sort >/srv/told\n"
                            "echo \"$1,$2,$#\" >>/srv/told\ncat >>/srv/told\n"
                            "echo 'a hint' >&2\necho '" PRINTS("\"token\":\"abc\"") "'");
    run_begin(&run, machine,
              "command: /srv/plugin, args: [one, ''], env: [{name: B, value: own}, {name: C, "
              "value: 'x=y'}]");
    run_once(&run);
    assert_int_equal(run.err.code, 0);
    assert_string_equal(run.credential->token, "abc");
    told = read_srv("told");
    assert_string_equal(told,
                        "A=agent\nB=own\nC=x=y\n"
                        "KUBERNETES_EXEC_INFO={\"kind\":\"ExecCredential\",\"apiVersion\":"
                        "\"client.authentication.k8s.io/v1\",\"spec\":{\"interactive\":false}}\n"
                        "one,,2\n");
    free(told);
    run_once(&run);
    assert_string_equal(run.credential->token, "abc");
    run_end(&run);
    assert_logged(&machine->place, "/srv/plugin: a hint", true);
    assert_logged(&machine->place, "abc", false);
}

static void test_a_command_is_sought_in_path(void **state)
{
    struct machine *machine = *state;
    struct run run;

    write_program("plugin", "echo '" PRINTS("\"token\":\"abc\"") "'");
    run_begin(&run, machine, "command: plugin");
    run_once(&run);
    assert_string_equal(run.credential->token, "abc");
    assert_int_equal(unlink("/srv/plugin"), 0);
    run_once(&run);
    strip(&machine->place, run.err.text);
    assert_string_equal(run.err.text, "kc: exec: plugin is in no directory of PATH");
    assert_null(run.credential);
    run_end(&run);
}

static void test_failures(void **state)
{
    struct machine *machine = *state;
    static const struct {
        const char *script, *exec, *expected;
    } cases[] = {
        {"echo hu5h; echo 'no network' >&2; exit 3", "command: /srv/plugin",
         "kc: exec: /srv/plugin exited with status 3: no network"},
        {"kill -9 $$", "command: /srv/plugin",
         "kc: exec: /srv/plugin was ended by signal 9 (Killed)"},
        {"echo hu5h", "command: /srv/plugin",
         "kc: exec: what /srv/plugin prints is no credential: not JSON: lexical error: invalid "
         "char in json text"},
        {"head -c 200000 /dev/zero", "command: /srv/plugin",
         "kc: exec: what /srv/plugin prints is no credential: it is longer than 131072 bytes"},
        {"", "command: /srv/gone", "kc: exec: cannot run /srv/gone: No such file or directory"},
        {"", "command: /srv/gone, installHint: get it from x",
         "kc: exec: cannot run /srv/gone: No such file or directory; get it from x"},
        {"", "command: gone, installHint: get it from x",
         "kc: exec: gone is in no directory of PATH; get it from x"},
        {"", "command: /srv/open, installHint: x",
         "kc: exec: cannot run /srv/open: /srv/open can be written by others than root"},
    };

    write_program("open", "");
    assert_int_equal(chmod("/srv/open", 0777), 0);
    for (size_t i = 0; i < array_size(cases); i++) {
        struct run run;

        write_program("plugin", cases[i].script);
        run_begin(&run, machine, cases[i].exec);
        run_once(&run);
        strip(&machine->place, run.err.text);
        assert_string_equal(run.err.text, cases[i].expected);
        assert_null(run.credential);
        run_end(&run);
    }
    assert_logged(&machine->place, "hu5h", false);
}

static void test_what_cannot_be_begun(void **state)
{
    struct machine *machine = *state;
    static const char *const nothing[] = {NULL};
    struct exec_plugin_options options = {.helper = machine->helper, .environment = nothing};
    struct exec_plugin *plugin;
    struct err err;
    struct run run;

    run_begin(&run, machine, "command: plugin");
    options.kubeconfig = run.config;
    plugin = exec_plugin_new(&options);
    assert_int_equal(exec_plugin_run(plugin, &err), -ENOENT);
    strip(&machine->place, err.text);
    assert_string_equal(err.text, "kc: exec: plugin is in no directory of PATH");
    exec_plugin_free(plugin);
    run_end(&run);
}

static void test_freeing_ends_a_run(void **state)
{
    struct machine *machine = *state;
    struct run run;

    write_program("plugin", "touch /srv/begun; exec sleep 1000");
    run_begin(&run, machine, "command: /srv/plugin");
    assert_int_equal(exec_plugin_run(run.plugin, NULL), 0);
    turn_until(machine, access("/srv/begun", F_OK) == 0);
    run_end(&run);
    turn_until(machine, !child_helper_in_flight(machine->helper));
    assert_int_equal(run.done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_machine(test_a_plugin_is_run),    on_machine(test_a_command_is_sought_in_path),
        on_machine(test_failures),           on_machine(test_what_cannot_be_begun),
        on_machine(test_freeing_ends_a_run),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
