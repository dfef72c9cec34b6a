/* agent/config-warn.c and config-gates.c: each thing without effect is named, once; no other. */
#include "config-fixture.h"
#include "config-private.h"

/* A value that is right, and not the default. */
static const char *another(const struct setting *setting)
{
    switch ((enum setting_kind)setting->kind) {
    case SETTING_BOOL:
        return str_equal(setting->normal, "true") ? "false" : "true";
    case SETTING_INT32:
    case SETTING_INT64:
        return "77";
    case SETTING_FLOAT:
        return "0.5";
    case SETTING_DURATION:
        return "77s";
    case SETTING_STRINGS:
        return "[x]";
    case SETTING_MAP:
    case SETTING_EVICTION:
        return "{x: '1'}";
    case SETTING_GATES:
        return "{x: true}";
    case SETTING_HEADERS:
        return "{x: [y]}";
    case SETTING_OBJECT:
        return "{x: y}";
    case SETTING_OBJECTS:
        return "[{x: y}]";
    case SETTING_TAINTS:
        return "[{key: x, effect: NoExecute}]";
    case SETTING_STRING:
    case SETTING_PATH:
        return "other";
    }
    return "";
}

/* Where the rules allow no such value, or not alone. */
static const struct other {
    const char *name;
    const char *field, *flag;           /* its value; without a flag's, the field's */
    const char *with_field, *with_flag; /* what it needs */
    unsigned more;                      /* warnings of that */
} others[] = {
    {"authorization.mode", "AlwaysAllow"},
    {"cgroupsPerQOS", "false", NULL, "enforceNodeAllocatable: [none]",
     "--enforce-node-allocatable=none", 1},
    {"configMapAndSecretChangeDetectionStrategy", "Get"},
    {"cpuManagerPolicy", "static"},
    {"cpuManagerPolicyOptions", "{x: '1'}", "x=1"},
    {"enforceNodeAllocatable", "[none]", "none"},
    {"evictionMinimumReclaim", "{memory.available: '1'}", "memory.available=1"},
    {"evictionSoft", "{memory.available: 0%}", "memory.available<0%"},
    {"evictionSoftGracePeriod", "{memory.available: 1m}", "memory.available=1m"},
    {"hairpinMode", "none"},
    {"image-credential-provider-bin-dir", NULL, NULL, NULL, "--image-credential-provider-config=/c",
     1},
    {"image-credential-provider-config", NULL, NULL, NULL, "--image-credential-provider-bin-dir=/b",
     1},
    {"imageGCHighThresholdPercent", "90"},
    {"imageMaximumGCAge", "1h"},
    {"imagePullCredentialsVerificationPolicy", "AlwaysVerify"},
    {"iptablesDropBit", "7"},
    {"iptablesMasqueradeBit", "7"},
    {"logging.format", "json"},
    {"memoryManagerPolicy", "Static"},
    {"memoryReservationPolicy", "TieredReservation"},
    {"preloadedImagesVerificationAllowlist", "[x]", NULL,
     "imagePullCredentialsVerificationPolicy: NeverVerifyAllowlistedImages", NULL, 1},
    {"qosReserved", "{memory: '1'}", "memory=1"},
    {"shutdownGracePeriodCriticalPods", "30s", NULL, "shutdownGracePeriod: 30s", NULL, 1},
    {"systemCgroups", "/s", NULL, "cgroupRoot: /x", "--cgroup-root=/x"},
    {"topologyManagerPolicy", "restricted"},
    {"topologyManagerPolicyOptions", "{x: '1'}", "x=1"},
    {"topologyManagerScope", "pod"},
    {"userNamespaces.idsPerPod", "131072"},
};

static const struct other never = {"runOnce"}; /* the default alone is right */
static const struct other usual = {NULL};

static const struct other *other_of(const struct setting *setting)
{
    const char *name = setting->field ? setting->field : setting->flag;

    for (size_t i = 0; i < array_size(others); i++)
        if (!strcmp(others[i].name, name))
            return &others[i];
    return strcmp(name, never.name) ? &usual : &never;
}

static void add_field(struct strbuf *text, const struct setting *setting, const char *value)
{
    const char *rest = setting->field, *dot;
    unsigned depth = 0;

    while ((dot = strchr(rest, '.'))) {
        strbuf_printf(text, "%.*s: {", (int)(dot - rest), rest);
        rest = dot + 1;
        depth++;
    }
    strbuf_printf(text, "%s: %s", rest, value);
    while (depth--)
        strbuf_add_char(text, '}');
    strbuf_add_char(text, '\n');
}

/* Each field that has no effect is named, once, when it is not at its default. */
static void test_check_39_fields_without_effect(void **state)
{
    struct fixture *fixture = *state;
    char expected[128];

    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        const struct other *other = other_of(setting);
        struct strbuf text = STRBUF_INIT;

        if (!setting->field || setting->help || other == &never)
            continue;
        strbuf_add(&text, HEAD);
        add_field(&text, setting, other->field ? other->field : another(setting));
        strbuf_printf(&text, "%s\n", other->with_field ? other->with_field : "");
        write_at(fixture, "config.yaml", text.text);
        strbuf_deinit(&text);
        assert_reads(fixture, read_flags(fixture, fixture->option));
        if (setting->traits & QUIET) {
            assert_silent(fixture);
            continue;
        }
        snprintf(expected, sizeof(expected), "config.yaml:3:%zu: field %s is accepted, but has no",
                 strlen(setting->field) + 3, setting->field);
        if (!strchr(setting->field, '.'))
            assert_seen(fixture, expected);
        assert_seen(fixture, setting->field);
        assert_int_equal(occurrences(fixture->seen, "\n"), 1 + other->more);
    }
}

static void test_check_39_flags_without_effect(void **state)
{
    struct fixture *fixture = *state;
    char flag[160], expected[128];

    write_at(fixture, "config.yaml", HEAD);
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];
        const struct other *other = other_of(setting);

        if (!setting->flag || setting->help || setting->traits & QUIET || other == &never)
            continue;
        snprintf(flag, sizeof(flag), "--%s=%s", setting->flag,
                 other->flag    ? other->flag
                 : other->field ? other->field
                                : another(setting));
        snprintf(expected, sizeof(expected), "flag --%s is accepted, but has no effect here\n",
                 setting->flag);
        /* Once, although it is given twice; lists would grow. */
        assert_reads(fixture, read_flags(fixture, fixture->option, flag,
                                         other->with_flag ? other->with_flag : "-v=0",
                                         setting->kind == SETTING_STRINGS ? NULL : flag));
        assert_seen(fixture, expected);
        assert_int_equal(occurrences(fixture->seen, "\n"), 1 + other->more);
    }
}

/* Its default as a document has it. */
static void add_default(struct strbuf *text, const struct setting *setting)
{
    struct strbuf value = STRBUF_INIT;
    const char *at = setting->normal;

    switch ((enum setting_kind)setting->kind) {
    case SETTING_STRINGS:
        strbuf_printf(&value, "[%s]", at ? at : "");
        break;
    case SETTING_MAP:
    case SETTING_GATES:
    case SETTING_HEADERS:
    case SETTING_OBJECT:
        strbuf_add(&value, "{}");
        break;
    case SETTING_EVICTION:
        strbuf_add_char(&value, '{');
        for (; at && *at; at++)
            strbuf_printf(&value, *at == '<' ? ": " : *at == ',' ? ", " : "%c", *at);
        strbuf_add_char(&value, '}');
        break;
    case SETTING_OBJECTS:
    case SETTING_TAINTS:
        strbuf_add(&value, "[]");
        break;
    case SETTING_STRING:
    case SETTING_PATH:
        strbuf_printf(&value, "'%s'", at ? at : "");
        break;
    default:
        strbuf_add(&value, at ? at : "null");
    }
    add_field(text, setting, value.text);
    strbuf_deinit(&value);
}

/* Every field, alone and together with those that are in no object. */
static void test_check_39_defaults_are_silent(void **state)
{
    struct fixture *fixture = *state;
    struct strbuf all = STRBUF_INIT, one = STRBUF_INIT;

    strbuf_add(&all, HEAD);
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];

        if (!setting->field || setting->traits & OUR_FIELD)
            continue;
        strbuf_truncate(&one, 0);
        strbuf_add(&one, HEAD);
        add_default(&one, setting);
        if (!strchr(setting->field, '.'))
            add_default(&all, setting);
        write_at(fixture, "config.yaml", one.text);
        assert_reads(fixture, read_flags(fixture, fixture->option));
        assert_silent(fixture);
    }
    write_at(fixture, "config.yaml", all.text);
    assert_reads(fixture, read_flags(fixture, fixture->option));
    assert_silent(fixture);
    strbuf_deinit(&one);
    strbuf_deinit(&all);
}

static void test_check_39_default_flags_are_silent(void **state)
{
    struct fixture *fixture = *state;
    char flag[320];

    write_at(fixture, "config.yaml", HEAD);
    for (size_t i = 0; i < config_setting_count; i++) {
        const struct setting *setting = &config_settings[i];

        if (!setting->flag || !setting->normal)
            continue;
        snprintf(flag, sizeof(flag), "--%s=%s", setting->flag, setting->normal);
        assert_reads(fixture, read_flags(fixture, fixture->option, flag));
        assert_silent(fixture);
    }
}

/* The same values in other words. */
static void test_other_words_for_defaults(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(
        fixture,
        read_file(fixture,
                  "evictionHard: {imagefs.inodesFree: 5%, imagefs.available: 15%, "
                  "memory.available: 100Mi, nodefs.available: 10%, nodefs.inodesFree: 5%}\n"
                  "authentication: {anonymous: {enabled: false}, webhook: {enabled: true, "
                  "cacheTTL: 2m0s}}\n"
                  "authorization: {mode: Webhook, webhook: {cacheAuthorizedTTL: 5m0s, "
                  "cacheUnauthorizedTTL: 30s}}\n"
                  "logging: {format: text, flushFrequency: 5000000000, verbosity: 0}\n"
                  "crashLoopBackOff: {maxContainerRestartPeriod: 5m0s}\n"));
    assert_silent(fixture);
    /* The last word counts: back at its default, there is nothing to warn of. */
    assert_reads(fixture, read_file(fixture, "port: 5\nevictionHard: {}\n", "--port=10250",
                                    "--eviction-hard=memory.available<100Mi,nodefs.available<10%,"
                                    "nodefs.inodesFree<5%",
                                    "--eviction-hard=imagefs.available<15%,imagefs.inodesFree<5%"));
    assert_silent(fixture);
}

/* Gates that decide about something, and those that hold here anyway, are not talked about. */
static void test_gates(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_flags(fixture, "--feature-gates=NodeSwap=true,AllBeta=true,"
                                              "GracefulNodeShutdown=false,"
                                              "RotateKubeletServerCertificate=true,"
                                              "PreventStaticPodAPIReferences=true"));
    assert_silent(fixture);
    assert_reads(fixture, read_flags(fixture, "--feature-gates=NodeSwap=false,New=true",
                                     "--feature-gates=Old=false"));
    assert_seen(fixture, "feature gates that have no effect here: NodeSwap, New, Old\n");
    assert_int_equal(occurrences(seen(fixture), "\n"), 1);
}

static void test_signals_without_effect(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_file(fixture, "evictionHard: {imagefs.available: 1%, "
                                             "nodefs.inodesFree: 5%, pid.available: '5', "
                                             "nodefs.available: 7%}\n"));
    assert_seen(fixture, "signals of evictionHard that have no effect here: imagefs.available, "
                         "pid.available\n");
    assert_int_equal(occurrences(seen(fixture), "\n"), 1);
}

/* Without --config the kubelet's servers are open by default; here they are not there. */
static void test_check_12_defaults_of_old(void **state)
{
    struct fixture *fixture = *state;

    assert_reads(fixture, read_flags(fixture, "--read-only-port=10255", "--anonymous-auth=true",
                                     "--authorization-mode=AlwaysAllow"));
    assert_silent(fixture);
    assert_reads(fixture, read_flags(fixture, "--read-only-port=0", "--anonymous-auth=false"));
    assert_silent(fixture);
    assert_reads(fixture, read_file(fixture, "", "--read-only-port=10255"));
    assert_seen(fixture, "flag --read-only-port is accepted");
}

/* Installers rely on flags that are deprecated: it is said, to who wants to know. */
static void test_deprecated(void **state)
{
    struct fixture *fixture = *state;

    log_set_threshold(fixture->log, LOG_LEVEL_DEBUG);
    assert_reads(fixture, read_flags(fixture, "--max-pods=5", "--seccomp-default", "-v=3",
                                     "--root-dir=/r", "--pod-log-dir=/l"));
    assert_seen(fixture, "Flag --max-pods has been deprecated, This parameter should be set via "
                         "the config file specified by the Kubelet's --config flag.");
    assert_int_equal(occurrences(seen(fixture), "deprecated"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_directory(test_check_39_fields_without_effect),
        with_directory(test_check_39_flags_without_effect),
        with_directory(test_check_39_defaults_are_silent),
        with_directory(test_check_39_default_flags_are_silent),
        with_directory(test_other_words_for_defaults),
        with_directory(test_gates),
        with_directory(test_signals_without_effect),
        with_directory(test_check_12_defaults_of_old),
        with_directory(test_deprecated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
