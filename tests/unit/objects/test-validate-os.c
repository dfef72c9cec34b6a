/* objects/validate-os: spec.os, and the options of Windows. */
#include "fixture.h"

static void test_lengths(void **state)
{
    static const struct {
        size_t domain, user;
        bool right;
    } cases[] = {
        {0, 104, true},  {0, 105, false}, {15, 1, true},    {253, 104, true},
        {255, 1, false}, {256, 1, false}, {5000, 1, false},
    };
    char *text = letters('a', 5000), *spec = letters('s', 65537);

    for (size_t i = 0; i < array_size(cases); i++)
        assert_made(POD_SPEC, "spec.securityContext.windowsOptions",
                    mem_printf("securityContext: {windowsOptions: {runAsUserName: '%.*s%s%.*s'}}",
                               (int)cases[i].domain, text, cases[i].domain ? "\\" : "",
                               (int)cases[i].user, text),
                    cases[i].right ? "" : "Invalid runAsUserName");
    assert_made(POD_SPEC, "spec.securityContext.windowsOptions",
                mem_printf("securityContext: {windowsOptions: {gmsaCredentialSpec: %s}}", spec + 1),
                "");
    assert_made(POD_SPEC, "spec.securityContext.windowsOptions",
                mem_printf("securityContext: {windowsOptions: {gmsaCredentialSpec: %s}}", spec),
                "Invalid gmsaCredentialSpec");
    free(spec);
    free(text);
}

static void test_systems(void **state)
{
    static const struct finding_case cases[] = {
        {"os: {name: linux}", ""},
        {"os: {name: windows}", ""},
        {"os: {}", "Required os.name"},
        {"os: {name: Linux}", "NotSupported os"},
        {"os: {name: plan9}, securityContext: {windowsOptions: {}}", "NotSupported os"},
        {"os: {name: linux}, securityContext: {windowsOptions: {}}",
         "Forbidden securityContext.windowsOptions"},
        {"securityContext: {windowsOptions: {}}", ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"os: {name: Linux}",
         "\"Linux\" is not supported; use linux or windows (did you mean linux?)"},
        {"os: {name: linux}, securityContext: {windowsOptions: {}}",
         "must not be set when os.name is linux"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_pods_on_windows(void **state)
{
    static const struct finding_case cases[] = {
        {"os: {name: windows}, securityContext: {runAsNonRoot: true, windowsOptions: "
         "{runAsUserName: a}}, hostNetwork: false, hostPID: false",
         ""},
        {"os: {name: windows}, securityContext: {appArmorProfile: {type: Unconfined}, "
         "seLinuxOptions: {}, seccompProfile: {type: Unconfined}, fsGroup: 1, fsGroupChangePolicy: "
         "Always, runAsUser: 1, runAsGroup: 1, supplementalGroupsPolicy: Merge, "
         "seLinuxChangePolicy: Recursive, sysctls: [{name: a}], supplementalGroups: []}",
         "Forbidden securityContext.appArmorProfile, Forbidden securityContext.seLinuxOptions, "
         "Forbidden securityContext.seccompProfile, Forbidden securityContext.fsGroup, Forbidden "
         "securityContext.fsGroupChangePolicy, Forbidden securityContext.runAsUser, Forbidden "
         "securityContext.runAsGroup, Forbidden securityContext.supplementalGroupsPolicy, "
         "Forbidden securityContext.seLinuxChangePolicy, Forbidden securityContext.sysctls, "
         "Forbidden securityContext.supplementalGroups"},
        {"os: {name: windows}, hostUsers: true, shareProcessNamespace: false, hostPID: true, "
         "hostIPC: true, resources: {limits: {gpu: -1}}",
         "Forbidden hostUsers, Forbidden shareProcessNamespace, Forbidden hostPID, Forbidden "
         "hostIPC, Forbidden resources"},
        {"os: {name: windows}, securityContext: {sysctls: []}", ""},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
}

static void test_containers(void **state)
{
    static const struct finding_case cases[] = {
        {"linux", ""},
        {"windows", ""},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {os: {name: %s}, "
                 "containers: [{name: a, image: a}]}}",
                 "spec", cases);
}

static void test_containers_on_linux(void **state)
{
    static const struct finding_case cases[] = {
        {"securityContext: {windowsOptions: {}}", "Forbidden windowsOptions"},
        {"securityContext: {runAsUser: 1, procMount: Default}", ""},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {os: {name: linux}, "
                 "containers: [{name: a, image: a}, {name: b, image: a, %s}]}}",
                 "spec.containers[1].securityContext", cases);
}

static void test_containers_on_windows(void **state)
{
    static const struct finding_case cases[] = {
        {"securityContext: {windowsOptions: {}, runAsNonRoot: false}", ""},
        {"securityContext: {appArmorProfile: {type: Unconfined}, seLinuxOptions: {}, "
         "seccompProfile: {type: Unconfined}, capabilities: {}, readOnlyRootFilesystem: false, "
         "privileged: false, allowPrivilegeEscalation: true, procMount: Default, runAsUser: 1, "
         "runAsGroup: 1}",
         "Forbidden appArmorProfile, Forbidden seLinuxOptions, Forbidden seccompProfile, Forbidden "
         "capabilities, Forbidden readOnlyRootFilesystem, Forbidden privileged, Forbidden "
         "allowPrivilegeEscalation, Forbidden procMount, Forbidden runAsUser, Forbidden "
         "runAsGroup"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {os: {name: windows}, "
                 "containers: [{name: a, image: a}], initContainers: [{name: i, image: a, %s}]}}",
                 "spec.initContainers[0].securityContext", cases);
}

static void test_user_names(void **state)
{
    static const struct finding_case cases[] = {
        {"securityContext: {windowsOptions: {runAsUserName: Administrator}}", ""},
        {"securityContext: {windowsOptions: {runAsUserName: 'a b'}}", ""},
        {"securityContext: {windowsOptions: {runAsUserName: 'DOMAIN\\user'}}", ""},
        {"securityContext: {windowsOptions: {runAsUserName: 'a.b.example\\user'}}", ""},
        {"securityContext: {windowsOptions: {runAsUserName: 'NT AUTHORITY\\SYSTEM'}}", ""},
        {"securityContext: {windowsOptions: {runAsUserName: '.a'}}", ""},
        {"securityContext: {windowsOptions: {runAsUserName: 'a.\\b'}}", ""},
        {"securityContext: {windowsOptions: {runAsUserName: ''}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: '...'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: ' '}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a\\b\\c'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: '\\a'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a\\'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: '.a\\b'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a*\\b'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a/b'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a@b'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a\"b'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a:b'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a[b'}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: \"a\\nb\"}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: \"a\\x7f\"}}", "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'a?very?long?domain?name\\u'}}",
         "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {runAsUserName: 'netbios_is_15_long\\u'}}",
         "Invalid runAsUserName"},
        {"securityContext: {windowsOptions: {gmsaCredentialSpecName: a.b, gmsaCredentialSpec: "
         "any}}",
         ""},
        {"securityContext: {windowsOptions: {gmsaCredentialSpecName: '', gmsaCredentialSpec: ''}}",
         "Invalid gmsaCredentialSpecName, Invalid gmsaCredentialSpec"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"securityContext: {windowsOptions: {runAsUserName: ''}}",
         "\"\" must be a Windows user, optionally with a domain: DOMAIN\\user"},
        {"securityContext: {windowsOptions: {gmsaCredentialSpec: ''}}",
         "must have 1 to 65536 bytes"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.securityContext.windowsOptions", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_host_processes(void **state)
{
    static const struct finding_case cases[] = {
        {"hostNetwork: true, securityContext: {windowsOptions: {hostProcess: true}}, containers: "
         "[{name: a, image: a}]",
         ""},
        {"securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: a, image: "
         "a}]",
         "Invalid hostNetwork"},
        {"hostNetwork: true, containers: [{name: a, image: a, securityContext: {windowsOptions: "
         "{hostProcess: true}}}, {name: b, image: a}]",
         "Invalid "},
        {"hostNetwork: true, containers: [{name: a, image: a, securityContext: {windowsOptions: "
         "{hostProcess: true}}}], initContainers: [{name: b, image: a, securityContext: "
         "{windowsOptions: {hostProcess: true}}}]",
         ""},
        {"hostNetwork: true, securityContext: {windowsOptions: {hostProcess: false}}, containers: "
         "[{name: a, image: a, securityContext: {windowsOptions: {hostProcess: true}}}]",
         "Invalid containers[0].securityContext.windowsOptions.hostProcess"},
        {"securityContext: {windowsOptions: {hostProcess: false}}, containers: [{name: a, image: "
         "a, securityContext: {windowsOptions: {hostProcess: false}}}]",
         ""},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"hostNetwork: true, containers: [{name: a, image: a, securityContext: {windowsOptions: "
         "{hostProcess: true}}}, {name: b, image: a}]",
         "either all containers must be host processes, or none"},
        {"securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: a, image: "
         "a}]",
         "must be true for host processes"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", "spec", cases);
    assert_sentences("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {%s}}", sentences);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_systems),
        cmocka_unit_test(test_pods_on_windows),
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_containers_on_linux),
        cmocka_unit_test(test_containers_on_windows),
        cmocka_unit_test(test_user_names),
        cmocka_unit_test(test_host_processes),
        cmocka_unit_test(test_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
