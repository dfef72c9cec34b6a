/* objects/validate-security: security contexts. */
#include "fixture.h"

static void test_lengths(void **state)
{
    char *profile = letters('p', 4096), *name = letters('n', 1000);

    assert_made(POD_SPEC, "spec.securityContext.appArmorProfile",
                mem_printf("securityContext: {appArmorProfile: {type: Localhost, localhostProfile: "
                           "%s}}",
                           profile + 1),
                "");
    assert_made(POD_SPEC, "spec.securityContext.appArmorProfile",
                mem_printf("securityContext: {appArmorProfile: {type: Localhost, localhostProfile: "
                           "%s}}",
                           profile),
                "TooLong localhostProfile");
    for (size_t length = 252; length <= 1000; length += length < 256 ? 1 : 372) {
        char *text = mem_printf("hostNetwork: true, hostIPC: true, securityContext: {sysctls: "
                                "[{name: %.*s}]}",
                                (int)length, name);

        assert_made(POD_SPEC, "spec.securityContext.sysctls", text,
                    length > 253 ? "Invalid [0].name" : "");
    }
    free(name);
    free(profile);
}

static void test_containers(void **state)
{
    static const struct finding_case cases[] = {
        {"securityContext: {}", ""},
        {"securityContext: {runAsUser: 0, runAsGroup: 2147483647}", ""},
        {"securityContext: {runAsUser: -1, runAsGroup: 2147483648}",
         "Invalid runAsUser, Invalid runAsGroup"},
        {"securityContext: {runAsNonRoot: true, runAsUser: 0}", ""},
        {"securityContext: {procMount: Default}", ""},
        {"securityContext: {procMount: ''}", "NotSupported procMount"},
        {"securityContext: {procMount: Unmasked}", "Invalid procMount"},
        {"securityContext: {privileged: true}", ""},
        {"securityContext: {privileged: true, allowPrivilegeEscalation: false}", "Invalid "},
        {"securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [CAP_SYS_ADMIN]}}",
         "Invalid "},
        {"securityContext: {allowPrivilegeEscalation: false, capabilities: {add: [SYS_ADMIN]}}",
         ""},
        {"securityContext: {allowPrivilegeEscalation: true, privileged: true}", ""},
        {"securityContext: {allowPrivilegeEscalation: false, privileged: true, capabilities: {add: "
         "[A, CAP_SYS_ADMIN]}}",
         "Invalid , Invalid "},
        {"securityContext: {seLinuxOptions: {user: \"any thing\"}}", ""},
        {"securityContext: {windowsOptions: {gmsaCredentialSpec: ''}}",
         "Invalid windowsOptions.gmsaCredentialSpec"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"securityContext: {runAsUser: -1}", "-1 must be from 0 to 2147483647"},
        {"securityContext: {procMount: Unmasked}", "Unmasked needs hostUsers: false in the pod"},
        {"securityContext: {privileged: true, allowPrivilegeEscalation: false}",
         "allowPrivilegeEscalation must not be false when privileged is true"},
        {0},
    };

    assert_cases(POD_CONTAINER, "spec.containers[0].securityContext", cases);
    assert_sentences(POD_CONTAINER, sentences);
}

static void test_seccomp(void **state)
{
    static const struct finding_case cases[] = {
        {"securityContext: {seccompProfile: {type: RuntimeDefault}}", ""},
        {"securityContext: {seccompProfile: {type: Unconfined}}", ""},
        {"securityContext: {seccompProfile: {type: Localhost, localhostProfile: a/b}}", ""},
        {"securityContext: {seccompProfile: {type: Localhost, localhostProfile: ''}}", ""},
        {"securityContext: {seccompProfile: {}}", "Required type"},
        {"securityContext: {seccompProfile: {type: localhost}}", "NotSupported type"},
        {"securityContext: {seccompProfile: {type: Localhost}}", "Required localhostProfile"},
        {"securityContext: {seccompProfile: {type: Localhost, localhostProfile: /a}}",
         "Invalid localhostProfile"},
        {"securityContext: {seccompProfile: {type: Localhost, localhostProfile: a/..}}",
         "Invalid localhostProfile"},
        {"securityContext: {seccompProfile: {type: Unconfined, localhostProfile: ''}}",
         "Invalid localhostProfile"},
        {"securityContext: {seccompProfile: {type: x, localhostProfile: a}}",
         "Invalid localhostProfile, NotSupported type"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"securityContext: {seccompProfile: {type: localhost}}",
         "\"localhost\" is not supported; use Localhost, RuntimeDefault or Unconfined (did you "
         "mean Localhost?)"},
        {"securityContext: {seccompProfile: {type: Unconfined, localhostProfile: a}}",
         "is for type Localhost only"},
        {"securityContext: {seccompProfile: {type: Localhost}}", "must be set for type Localhost"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.securityContext.seccompProfile", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_app_armor(void **state)
{
    static const struct finding_case cases[] = {
        {"securityContext: {appArmorProfile: {type: RuntimeDefault}}", ""},
        {"securityContext: {appArmorProfile: {type: Localhost, localhostProfile: a b}}", ""},
        {"securityContext: {appArmorProfile: {}}", "Required type"},
        {"securityContext: {appArmorProfile: {type: x, localhostProfile: \" \"}}",
         "NotSupported type"},
        {"securityContext: {appArmorProfile: {type: Localhost}}", "Required localhostProfile"},
        {"securityContext: {appArmorProfile: {type: Localhost, localhostProfile: ''}}",
         "Required localhostProfile"},
        {"securityContext: {appArmorProfile: {type: Localhost, localhostProfile: \" a\"}}",
         "Invalid localhostProfile"},
        {"securityContext: {appArmorProfile: {type: Localhost, localhostProfile: \"a\\n\"}}",
         "Invalid localhostProfile"},
        {"securityContext: {appArmorProfile: {type: Unconfined, localhostProfile: ''}}",
         "Invalid localhostProfile"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.securityContext.appArmorProfile", cases);
}

static void test_pods(void **state)
{
    static const struct finding_case cases[] = {
        {"securityContext: {fsGroup: 0, runAsUser: 1, runAsGroup: 2, supplementalGroups: [0, "
         "2147483647]}",
         ""},
        {"securityContext: {fsGroup: -1, runAsUser: -1, runAsGroup: -1, supplementalGroups: [1, "
         "-1]}",
         "Invalid securityContext.fsGroup, Invalid securityContext.runAsUser, Invalid "
         "securityContext.runAsGroup, Invalid securityContext.supplementalGroups[1]"},
        {"shareProcessNamespace: true", ""},
        {"shareProcessNamespace: true, hostPID: true",
         "Invalid securityContext.shareProcessNamespace"},
        {"shareProcessNamespace: false, hostPID: true", ""},
        {"securityContext: {fsGroupChangePolicy: OnRootMismatch, supplementalGroupsPolicy: Strict, "
         "seLinuxChangePolicy: Recursive}",
         ""},
        {"securityContext: {fsGroupChangePolicy: '', supplementalGroupsPolicy: x, "
         "seLinuxChangePolicy: MountOption}",
         "NotSupported securityContext.fsGroupChangePolicy, NotSupported "
         "securityContext.supplementalGroupsPolicy, NotSupported "
         "securityContext.seLinuxChangePolicy"},
        {"hostUsers: false", ""},
        {"hostUsers: true, hostNetwork: true, hostPID: true, hostIPC: true", ""},
        {"hostUsers: false, hostNetwork: true, hostPID: true, hostIPC: true",
         "Forbidden hostNetwork, Forbidden HostPID, Forbidden HostIPC"},
        {"securityContext: {windowsOptions: {runAsUserName: \"\"}}",
         "Invalid securityContext.windowsOptions.runAsUserName"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"hostUsers: false, hostPID: true", "must not be true when hostUsers is false"},
        {"shareProcessNamespace: true, hostPID: true",
         "shareProcessNamespace and hostPID must not both be true"},
        {0},
    };

    assert_cases(POD_SPEC, "spec", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_sysctls(void **state)
{
    static const struct finding_case cases[] = {
        {"securityContext: {sysctls: [{name: net.core.somaxconn, value: '1'}, {name: "
         "net/ipv4/conf/eth0.1/forwarding}, {name: kernel.shm_rmid_forced}, {name: a-b_c}]}",
         ""},
        {"securityContext: {sysctls: [{}]}", "Required [0].name"},
        {"securityContext: {sysctls: [{name: A}, {name: a..b}, {name: .a}, {name: a.}, {name: _a}, "
         "{name: a-}, {name: a b}]}",
         "Invalid [0].name, Invalid [1].name, Invalid [2].name, Invalid [3].name, Invalid "
         "[4].name, Invalid [5].name, Invalid [6].name"},
        {"securityContext: {sysctls: [{name: a}, {name: b}, {name: a}]}", "Duplicate [2].name"},
        {"hostNetwork: true, securityContext: {sysctls: [{name: net.core.somaxconn}, {name: "
         "net/core/x}, {name: kernel.sem}, {name: netx.a}]}",
         "Invalid [0].name, Invalid [1].name"},
        {"hostIPC: true, securityContext: {sysctls: [{name: kernel.sem}, {name: kernel.shmall}, "
         "{name: kernel/msgmax}, {name: fs.mqueue.x}, {name: net.a}, {name: kernel.sema}]}",
         "Invalid [0].name, Invalid [1].name, Invalid [2].name, Invalid [3].name"},
        {"hostNetwork: true, securityContext: {sysctls: [{name: net.ipv4.conf.eth0/1.x}]}",
         "Invalid [0].name"},
        {0},
    };
    static const struct sentence_case sentences[] = {
        {"securityContext: {sysctls: [{name: A}]}",
         "\"A\" must be a kernel parameter such as net.core.somaxconn"},
        {"hostNetwork: true, securityContext: {sysctls: [{name: net.a}]}",
         "\"net.a\" would change the host: hostNetwork is true"},
        {"securityContext: {sysctls: [{name: a}, {name: a}]}", "\"a\" is set twice"},
        {0},
    };

    assert_cases(POD_SPEC, "spec.securityContext.sysctls", cases);
    assert_sentences(POD_SPEC, sentences);
}

static void test_unmasked_proc(void **state)
{
    static const struct finding_case cases[] = {
        {"false", ""},
        {"true", "Invalid containers[0].securityContext.procMount"},
        {0},
    };

    assert_cases("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {hostUsers: %s, "
                 "containers: [{name: a, image: a, securityContext: {procMount: Unmasked}}]}}",
                 "spec", cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_containers), cmocka_unit_test(test_seccomp),
        cmocka_unit_test(test_app_armor),  cmocka_unit_test(test_pods),
        cmocka_unit_test(test_sysctls),    cmocka_unit_test(test_unmasked_proc),
        cmocka_unit_test(test_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
