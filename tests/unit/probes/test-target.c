/* probes/target: ports, hosts, URLs and commands. P19 to P21 and P36 of the reference's checks. */
#include "test.h"

#include "target.h"

#include <string.h>

static struct arena arena = ARENA_INIT(1024, 1024);

static int tear_down(void **state)
{
    arena_deinit(&arena);
    return 0;
}

static struct container_port ports[] = {
    {.name = "web", .container_port = 8080},
    {.name = "web", .container_port = 9090}, /* the first counts */
    {.name = "grpc", .container_port = 50051},
};

static struct env_source elsewhere;

static struct env_var variables[] = {
    {.name = "A", .value = "valueA"},
    {.name = "NEST", .value = "$(A)"},
    {.name = "EMPTY"},
    {.name = "FROM", .value_from = &elsewhere},
};

static const struct container container = {
    .ports = {ports, array_size(ports)},
    .env = {variables, array_size(variables)},
};

static void test_ports(void **state)
{
    static const struct {
        struct int_or_string port;
        unsigned expected;
        const char *error;
    } cases[] = {
        {{.number = 80}, 80},
        {{.number = 1}, 1},
        {{.number = 65535}, 65535},
        {{.string = "web"}, 8080},
        {{.string = "grpc"}, 50051},
        {{.string = "8080"}, 8080}, /* P20 */
        {{.number = 0}, 0, "invalid port number: 0"},
        {{.number = -1}, 0, "invalid port number: -1"},
        {{.number = 65536}, 0, "invalid port number: 65536"},
        {{.string = "70000"}, 0, "invalid port number: 70000"},
        {{.string = "other"}, 0, "strconv.Atoi: parsing \"other\": invalid syntax"}, /* P19 */
        {{.string = "80x"}, 0, "strconv.Atoi: parsing \"80x\": invalid syntax"},
        {{.string = ""}, 0, "strconv.Atoi: parsing \"\": invalid syntax"},
        {{.string = "99999999999999999999"},
         0,
         "strconv.Atoi: parsing \"99999999999999999999\": value out of range"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct tcp_socket_action tcp = {.port = cases[i].port};
        struct handler handler = {.tcp_socket = &tcp};
        struct probe_order order = {&handler, &container, .ip = "10.0.0.1"};
        struct target target;
        struct err err;
        int r = target_tcp(&target, &arena, &order, &err);

        assert_int_equal(r < 0, cases[i].error != NULL);
        if (r < 0)
            assert_string_equal(err.text, cases[i].error);
        else
            assert_int_equal(target.port, cases[i].expected);
    }
}

/* Without a container no port has a name. */
static void test_no_container(void **state)
{
    struct tcp_socket_action tcp = {.port = {.string = "web"}};
    struct handler handler = {.tcp_socket = &tcp};
    struct probe_order order = {&handler, .ip = "10.0.0.1"};
    struct target target;
    struct err err;

    assert_true(target_tcp(&target, &arena, &order, &err) < 0);
}

static void test_hosts(void **state)
{
    static const struct {
        const char *host, *ip;
        const char *authority; /* NULL: there is none */
        const char *expected;
    } cases[] = {
        {NULL, "10.0.0.1", "10.0.0.1:80", "10.0.0.1"},
        {"", "10.0.0.1", "10.0.0.1:80", "10.0.0.1"},
        {"localhost", "10.0.0.1", "localhost:80", "localhost"},
        {"localhost", NULL, "localhost:80", "localhost"},
        {NULL, "fd00::1", "[fd00::1]:80", "fd00::1"}, /* P21 */
        {"::1", "10.0.0.1", "[::1]:80", "::1"},
        {NULL, NULL, NULL, NULL},
        {"", "", NULL, NULL},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct tcp_socket_action tcp = {.port = {.number = 80}, .host = cases[i].host};
        struct handler handler = {.tcp_socket = &tcp};
        struct probe_order order = {&handler, .ip = cases[i].ip};
        struct target target;
        struct err err;
        int r = target_tcp(&target, &arena, &order, &err);

        assert_int_equal(r == 0, cases[i].authority != NULL);
        if (r < 0) {
            assert_string_equal(err.text,
                                "the pod has no address yet, and the probe names no host");
            continue;
        }
        assert_string_equal(target.authority, cases[i].authority);
        assert_string_equal(target.shown, cases[i].authority);
        assert_string_equal(target.host, cases[i].expected);
    }
}

static void test_urls(void **state)
{
    static const struct {
        struct http_get_action get;
        const char *ip;
        const char *url;   /* NULL: it has no host */
        const char *shown; /* NULL: as the URL */
    } cases[] = {
        {{.path = "/", .port = {.number = 80}}, "10.0.0.1", "http://10.0.0.1:80/"},
        {{.port = {.string = "web"}}, "10.0.0.1", "http://10.0.0.1:8080/"},
        {{.path = "/", .port = {.number = 80}, .scheme = "HTTP"},
         "fd00::1",
         "http://[fd00::1]:80/"},
        {{.path = "/a?b", .port = {.number = 443}, .scheme = "HTTPS"},
         "10.0.0.1",
         "https://10.0.0.1:443/a?b"},
        {{.path = "x", .port = {.number = 1}, .host = "db"}, NULL, "http://db:1/x"},
        {{.path = "//foo", .port = {.number = 1}}, "10.0.0.1", "http://10.0.0.1:1"},
        {{.path = "//u:p@h/z", .port = {.number = 1}},
         "10.0.0.1",
         "http://10.0.0.1:1/z",
         "http://u:***@10.0.0.1:1/z"},
        {{.path = "//u@h/z", .port = {.number = 1}},
         "10.0.0.1",
         "http://10.0.0.1:1/z",
         "http://u@10.0.0.1:1/z"},
        {{.path = "a:b?c", .port = {.number = 1}}, "10.0.0.1", NULL, "http:b?c"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        struct http_get_action get = cases[i].get;
        struct handler handler = {.http_get = &get};
        struct probe_order order = {&handler, &container, .ip = cases[i].ip};
        struct target target;
        struct err err;

        assert_int_equal(target_http(&target, &arena, &order, &err), 0);
        assert_int_equal(target.hostless, !cases[i].url);
        if (cases[i].url)
            assert_string_equal(target.url, cases[i].url);
        assert_string_equal(target.shown, cases[i].shown ? cases[i].shown : cases[i].url);
    }
}

static void test_a_host_that_is_none(void **state)
{
    struct http_get_action get = {.port = {.number = 80}, .host = "[::1]"};
    struct handler handler = {.http_get = &get};
    struct probe_order order = {&handler, .ip = "10.0.0.1"};
    struct target target;
    struct err err;

    assert_true(target_http(&target, &arena, &order, &err) < 0);
    assert_string_equal(err.text, "parse \"http://[[::1]]:80/\": invalid IP-literal");
}

static void test_grpc(void **state)
{
    struct grpc_action grpc = {.port = 50051};
    struct handler handler = {.grpc = &grpc};
    struct probe_order order = {&handler, .ip = "fd00::1"};
    struct target target;
    struct err err;

    assert_int_equal(target_grpc(&target, &arena, &order, &err), 0);
    assert_string_equal(target.authority, "[fd00::1]:50051");
    assert_string_equal(target.url, "http://[fd00::1]:50051/grpc.health.v1.Health/Check");
    order.ip = NULL;
    assert_true(target_grpc(&target, &arena, &order, &err) < 0);
    order.ip = "10.0.0.1";
    grpc.port = 0;
    assert_true(target_grpc(&target, &arena, &order, &err) < 0);
    assert_string_equal(err.text, "invalid port number: 0");
}

static void test_commands(void **state)
{
    static const struct {
        const char *argument, *expected;
    } cases[] = {
        {"plain", "plain"}, {"$(A) $(B)", "valueA $(B)"}, /* P36 */
        {"$$(A)", "$(A)"},  {"$(NEST)", "$(A)"},          {"x$(EMPTY)y", "xy"}, {"x$(FROM)y", "xy"},
        {"$A", "$A"},
    };

    for (size_t i = 0; i < array_size(cases); i++) {
        const char *arguments[] = {"sh", cases[i].argument};
        struct exec_action exec = {.command = {arguments, array_size(arguments)}};
        struct handler handler = {.exec = &exec};
        struct probe_order order = {&handler, &container};
        struct string_list command;
        struct err err;

        assert_int_equal(target_command(&command, &arena, &order, &err), 0);
        assert_int_equal(command.count, 2);
        assert_string_equal(command.items[0], "sh");
        assert_string_equal(command.items[1], cases[i].expected);
        assert_string_equal(target_command_text(&arena, &command),
                            arena_printf(&arena, "sh %s", cases[i].expected));
    }
}

static void test_a_command_that_is_too_long(void **state)
{
    static char value[100000];
    static struct env_var long_one[] = {{.name = "A", .value = value}};
    const struct container with = {.env = {long_one, 1}};
    const char *arguments[] = {"$(A)$(A)"};
    struct exec_action exec = {.command = {arguments, 1}};
    struct handler handler = {.exec = &exec};
    struct probe_order order = {&handler, &with};
    struct string_list command;
    struct err err;

    memset(value, 'x', sizeof(value) - 1);
    assert_true(target_command(&command, &arena, &order, &err) < 0);
    assert_string_equal(
        err.text,
        "an argument of the probe's command is too long once expanded: at most 131072 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_no_container),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_a_host_that_is_none),
        cmocka_unit_test(test_grpc),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_a_command_that_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
