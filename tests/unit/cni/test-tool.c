/* cni/tool: programs of the system. */
#include "cni-fixture.h"
#include "tool.h"

static void test_finding(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(512, 512);

    assert_has(tool_find("sha512sum", &arena), "/bin/sha512sum");
    assert_null(tool_find("no-such-program", &arena));
}

static void test_running(void **state)
{
    _cleanup_(arena_deinit) struct arena arena = ARENA_INIT(512, 512);
    const char *const cat[] = {"/bin/cat", NULL}, *const missing[] = {"/missing", NULL},
                      *const fails[] = {"/bin/sh", "-c", "echo no >&2; exit 3", NULL},
                      *const floods[] = {"/bin/sh", "-c", "head -c 1000000 /dev/zero", NULL};
    const char *output;
    struct err err = {0};

    assert_int_equal(tool_run(cat, "text", &arena, &output, &err), 0);
    assert_string_equal(output, "text");
    assert_int_equal(tool_run(fails, NULL, &arena, &output, &err), 3);
    assert_string_equal(err.text, "/bin/sh exited with status 3: no");
    assert_int_equal(tool_run(missing, NULL, &arena, &output, &err), -ENOENT);
    assert_int_equal(tool_run(floods, NULL, &arena, &output, &err), -EMSGSIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finding),
        cmocka_unit_test(test_running),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
