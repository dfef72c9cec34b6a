/* agent/translate-seccomp: profiles that the runtime would take. */
#include "translation.h"

#include "translate-check.h"

static void assert_profile(const char *json, const char *sentence)
{
    struct err err = {0};
    int r = seccomp_profile_check(json, strlen(json), NULL, &err);

    if ((r < 0) != !!sentence)
        fail_msg("%s: %s", json, r < 0 ? err.text : "it was taken");
    if (sentence && strcmp(err.text, sentence) != 0)
        fail_msg("%s\nexpected: %s\nfound:    %s", json, sentence, err.text);
}

#define ALLOW "\"defaultAction\": \"SCMP_ACT_ALLOW\""

static void test_good_profiles(void **state)
{
    static const char *const profiles[] = {
        "{" ALLOW "}",
        "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38, \"architectures\": "
        "[\"SCMP_ARCH_X86_64\", \"SCMP_ARCH_X86\", \"SCMP_ARCH_X32\", \"SCMP_ARCH_AARCH64\", "
        "\"SCMP_ARCH_MIPSEL64N32\", \"SCMP_ARCH_LOONGARCH64\"], \"syscalls\": [{\"names\": "
        "[\"read\", \"openat2\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{\"index\": 5, "
        "\"value\": 18446744073709551615, \"valueTwo\": 0, \"op\": \"SCMP_CMP_MASKED_EQ\"}]}, "
        "{\"names\": [\"clone\"], \"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1}]}",
        /* null is absent; others' members are passed over */
        "{" ALLOW
        ", \"architectures\": null, \"syscalls\": null, \"archMap\": [{}], \"comment\": 1}",
        "{" ALLOW ", \"syscalls\": [{\"names\": [], \"action\": \"SCMP_ACT_KILL_PROCESS\", "
        "\"args\": null, \"includes\": {}}]}",
    };

    for (size_t i = 0; i < array_size(profiles); i++)
        assert_profile(profiles[i], NULL);
}

#define CALL(text) "{" ALLOW ", \"syscalls\": [{\"names\": [\"read\"], " text "}]}"
#define ARG(text) CALL("\"action\": \"SCMP_ACT_LOG\", \"args\": [{" text "}]")

static void test_bad_profiles(void **state)
{
    static const struct {
        const char *json;
        const char *sentence;
    } cases[] = {
        {"[]", "a profile is an object, not a list"},
        {"{}", "defaultAction: it is missing"},
        {"{\"defaultAction\": 1}", "defaultAction: it is a number"},
        {"{\"defaultAction\": \"SCMP_ACT_ALOW\"}", "defaultAction: \"SCMP_ACT_ALOW\" is unknown"},
        {"{\"defaultAction\": \"SCMP_ACT_ALLOWED\"}",
         "defaultAction: \"SCMP_ACT_ALLOWED\" is unknown"},
        {"{" ALLOW ", \"defaultErrnoRet\": -1}", "defaultErrnoRet: -1 is not from 0 to 4095"},
        {"{" ALLOW ", \"defaultErrnoRet\": 4096}", "defaultErrnoRet: 4096 is not from 0 to 4095"},
        {"{" ALLOW ", \"defaultErrnoRet\": \"1\"}", "defaultErrnoRet: it is a string"},
        {"{" ALLOW ", \"architectures\": {}}", "architectures: it is an object"},
        {"{" ALLOW ", \"architectures\": [\"SCMP_ARCH_X86_64\", \"x86_64\"]}",
         "architectures[1]: \"x86_64\" is unknown"},
        {"{" ALLOW ", \"architectures\": [\"SCMP_ARCH_x86_64\"]}",
         "architectures[0]: \"SCMP_ARCH_x86_64\" is unknown"},
        {"{" ALLOW ", \"architectures\": [\"SCMP_ARCH_VAX\"]}",
         "architectures[0]: \"SCMP_ARCH_VAX\" is unknown"},
        {"{" ALLOW ", \"architectures\": [\"SCMP_ARCH_\"]}",
         "architectures[0]: \"SCMP_ARCH_\" is unknown"},
        {"{" ALLOW ", \"architectures\": [\"SCMP_ARCH_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]}",
         "architectures[0]: \"SCMP_ARCH_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\" is unknown"},
        {"{" ALLOW ", \"architectures\": [7]}", "architectures[0]: \"\" is unknown"},
        {"{" ALLOW ", \"syscalls\": {}}", "syscalls: it is an object"},
        {"{" ALLOW ", \"syscalls\": [1]}", "syscalls[0]: it is a number"},
        {"{" ALLOW ", \"syscalls\": [{}]}", "syscalls[0].names: it is missing"},
        {"{" ALLOW ", \"syscalls\": [{\"names\": \"read\"}]}", "syscalls[0].names: it is a string"},
        {"{" ALLOW ", \"syscalls\": [{\"names\": [\"read\", 1]}]}",
         "syscalls[0].names[1]: it is no name"},
        {"{" ALLOW ", \"syscalls\": [{\"names\": [\"\"]}]}", "syscalls[0].names[0]: it is no name"},
        {"{" ALLOW ", \"syscalls\": [{\"names\": [\"read\"]}]}",
         "syscalls[0].action: it is missing"},
        {CALL("\"action\": \"ALLOW\""), "syscalls[0].action: \"ALLOW\" is unknown"},
        {CALL("\"action\": \"SCMP_ACT_ERRNO\", \"errnoRet\": 1.5"),
         "syscalls[0].errnoRet: 1.5 is not from 0 to 4095"},
        {CALL("\"action\": \"SCMP_ACT_LOG\", \"args\": 1"), "syscalls[0].args: it is a number"},
        {CALL("\"action\": \"SCMP_ACT_LOG\", \"args\": [1]"),
         "syscalls[0].args[0]: it is a number"},
        {ARG("\"index\": 6"), "syscalls[0].args[0].index: 6 is not from 0 to 5"},
        {ARG("\"value\": 18446744073709551616"),
         "syscalls[0].args[0].value: 18446744073709551616 is not from 0 to 18446744073709551615"},
        {ARG("\"valueTwo\": -1"),
         "syscalls[0].args[0].valueTwo: -1 is not from 0 to 18446744073709551615"},
        {ARG("\"index\": 0"), "syscalls[0].args[0].op: it is missing"},
        {ARG("\"op\": \"==\""), "syscalls[0].args[0].op: \"==\" is unknown"},
    };

    for (size_t i = 0; i < array_size(cases); i++)
        assert_profile(cases[i].json, cases[i].sentence);
}

static void test_what_is_no_json(void **state)
{
    struct err err = {0};

    assert_true(seccomp_profile_check("{\n \"a\" 1}", 9, NULL, &err) < 0);
    if (!str_has_prefix(err.text, "2:"))
        fail_msg("%s", err.text);
    assert_true(seccomp_profile_check("", 0, NULL, &err) < 0);
}

/* Runtimes pass them over, so we only tell. */
static void test_unknown_calls(void **state)
{
    static const char json[] = "{" ALLOW ", \"syscalls\": [{\"names\": [\"read\", \"raed\", "
                               "\"of\\u0007later\"], \"action\": \"SCMP_ACT_ALLOW\"}]}";
    struct strbuf unknown = STRBUF_INIT;
    struct err err = {0};

    assert_int_equal(seccomp_profile_check(json, strlen(json), &unknown, &err), 0);
    assert_string_equal(unknown.text, "raed, of\\x07later");
    strbuf_deinit(&unknown);
}

static void test_limits(void **state)
{
    struct strbuf json = STRBUF_INIT, unknown = STRBUF_INIT;
    struct err err = {0};

    strbuf_add(&json,
               "{" ALLOW ", \"syscalls\": [{\"action\": \"SCMP_ACT_ALLOW\", \"names\": [\"x0\"");
    for (int i = 1; i < 10000; i++)
        strbuf_printf(&json, ", \"none%d\"", i);
    strbuf_add(&json, "]}]}");
    assert_int_equal(seccomp_profile_check(json.text, json.length, &unknown, &err), 0);
    assert_in_range(unknown.length, 500, 600);
    while (json.length <= SECCOMP_PROFILE_BYTES_MAX)
        strbuf_add(&json, "                                                ");
    assert_true(seccomp_profile_check(json.text, json.length, NULL, &err) < 0);
    strbuf_deinit(&unknown);
    strbuf_deinit(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_profiles),   cmocka_unit_test(test_bad_profiles),
        cmocka_unit_test(test_what_is_no_json), cmocka_unit_test(test_unknown_calls),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
