/* cni/thick: the plugin that runtimes call, with its configuration, network and messages. */
#include "cni-fixture.h"

#include "thick.h"

#include <sys/socket.h>
#include <sys/un.h>

#define SOCKET "/srv/agent.sock"
#define PLACES                                                                                     \
    "\"type\":\"nodeagent-cni\",\"confDir\":\"" CONF "\",\"binDirs\":[\"" BIN                      \
    "\"],\"cacheDir\":\"" CACHE "\",\"agentSocket\":\"" SOCKET "\""
#define STDIN "{\"cniVersion\":\"1.0.0\",\"name\":\"w\"," PLACES "}"
#define NETWORK                                                                                    \
    "{\"cniVersion\":\"0.3.1\",\"name\":\"net\",\"plugins\":[{\"type\":\"one\"},"                  \
    "{\"type\":\"two\",\"capabilities\":{\"portMappings\":true}}]}"

struct answer {
    int status;
    struct strbuf out;
    struct strbuf errors;
};

static void answer_deinit(struct answer *answer)
{
    strbuf_deinit(&answer->out);
    strbuf_deinit(&answer->errors);
}

static int call(struct answer *answer, const char *command, const char *input)
{
    const struct thick_call call = {
        .command = command,
        .container_id = "c1",
        .netns = NETNS,
        .ifname = "eth0",
        .args = "K8S_POD_NAME=p",
        .path = BIN,
        .input = input,
        .input_length = strlen(input),
    };

    strbuf_truncate(&answer->out, 0);
    strbuf_add(&answer->out, "");
    strbuf_truncate(&answer->errors, 0);
    strbuf_add(&answer->errors, "");
    answer->status = thick_run(&call, &answer->out, &answer->errors);
    return answer->status;
}

#define VERSIONS                                                                                   \
    "[ $CNI_COMMAND != VERSION ] || { echo '{\"supportedVersions\":[\"0.3.1\",\"1.1.0\"]}'; "      \
    "exit; }\n"

static void healthy(void)
{
    write_conf("10-net.conflist", NETWORK);
    write_plugin("one", VERSIONS ANSWER(RESULT_1_0));
    write_plugin("two", VERSIONS "echo said >&2\n" ANSWER(RESULT_1_0));
}

static int listen_as_agent(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

/* verbs */

static void test_check_41_add_check_del_without_an_agent(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    healthy();
    assert_int_equal(call(&answer, "ADD",
                          "{\"cniVersion\":\"0.4.0\",\"name\":\"w\"," PLACES
                          ",\"runtimeConfig\":{\"portMappings\":[{\"HostPort\":80}],\"dns\":{}}}"),
                     0);
    assert_string_equal(answer.out.text,
                        "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\","
                        "\"address\":\"10.1.2.3/24\",\"interface\":0}],"
                        "\"interfaces\":[{\"name\":\"eth0\",\"sandbox\":\"/n\"}]}");
    assert_string_equal(answer.errors.text, "said\n");
    assert_has(contents(RUN "/one.ADD.in"), "\"cniVersion\":\"0.3.1\",\"name\":\"net\"");
    assert_has(contents(RUN "/two.ADD.in"),
               "\"runtimeConfig\":{\"portMappings\":[{\"HostPort\":80}]}");
    assert_true(exists(CACHE "/results/net-c1-eth0"));
    /* The network's version knows no CHECK. */
    assert_int_equal(call(&answer, "CHECK", STDIN), 0);
    assert_false(exists(RUN "/one.CHECK.in"));
    /* The network is replaced; DEL is by what was recorded. */
    unlink(CONF "/10-net.conflist");
    assert_int_equal(call(&answer, "DEL", STDIN), 0);
    assert_string_equal(answer.out.text, "");
    assert_has(contents(RUN "/two.DEL.in"), "\"HostPort\":80");
    assert_int_equal(count_records(), 0);
    assert_int_equal(call(&answer, "DEL", STDIN), 0);
}

static void test_a_failure_is_an_error_object(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    healthy();
    write_plugin("two", "[ $CNI_COMMAND = DEL ] || { echo said >&2; "
                        "echo '{\"code\":11,\"msg\":\"m\",\"details\":\"d\"}'; exit 1; }");
    assert_int_equal(call(&answer, "ADD", STDIN), 1);
    assert_string_equal(answer.out.text,
                        "{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"plugin type=\\\"two\\\" "
                        "name=\\\"net\\\" failed (add): m; d\",\"details\":\"said\"}");
    assert_string_equal(log_text(), "one ADD\ntwo ADD\ntwo DEL\none DEL\n");
    assert_int_equal(count_records(), 0);
}

static void fails(const char *command, const char *input, unsigned code, const char *sentence)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    _cleanup_(mem_free_at) char *number = mem_printf("\"code\":%u,", code);

    assert_int_equal(call(&answer, command, input), 1);
    if (!strstr(answer.out.text, sentence) || !strstr(answer.out.text, number))
        fail_msg("\"%s\" with code %u is not in: %s", sentence, code, answer.out.text);
}

#define WITH(members) "{\"cniVersion\":\"1.0.0\",\"name\":\"w\"," members "," PLACES "}"

static void test_check_38_bad_calls(void **state)
{
    healthy();
    fails("ADD", "", 6, "stdin:1:1: the JSON text ends too early");
    fails("ADD", "[]", 6, "stdin must be an object");
    fails("ADD", "{\"cniVersion\":\"2.0.0\"}", 1, "CNI 2.0.0 is not supported");
    fails("ADD", "{\"cniVersion\":1}", 1, "is not supported");
    fails("ADD", "{\"confDir\":\"x\"}", 7, "confDir must be an absolute path");
    fails("ADD", "{\"cacheDir\":1}", 7, "cacheDir must be an absolute path");
    fails("ADD", "{\"binDirs\":[]}", 7, "binDirs must be a list");
    fails("ADD", "{\"binDirs\":[\"/a\",\"\"]}", 7, "binDirs[1] must be an absolute path");
    fails("ADD", "{\"timeLimitSeconds\":0}", 7, "from 1 to 3600");
    fails("ADD", "{\"timeLimitSeconds\":\"1\"}", 7, "stdin:1:21: timeLimitSeconds");
    fails("ADD", "{\"builtIn\":{}}", 7, "builtIn.subnets must be a list");
    fails("ADD", "{\"builtIn\":{\"subnets\":[\"10.0.0.1/8\"]}}", 7, "must be a network");
    fails("ADD", "{\"builtIn\":{\"subnets\":[\"10.0.0.0/8\",\"11.0.0.0/8\"]}}", 7, "each family");
    fails("ADD", "{\"builtIn\":{\"subnets\":[\"10.0.0.0/8\"],\"bridge\":\"a/b\"}}", 7,
          "builtIn.bridge must not contain");
    fails("ADD", WITH("\"prevResult\":{}"), 7, "must be the first plugin of its list");
    fails("MOVE", STDIN, 4, "unknown CNI_COMMAND: MOVE");
    fails(NULL, STDIN, 4, "unknown CNI_COMMAND: it is not set");
    assert_false(exists(RUN "/log"));
}

static void test_version(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    assert_int_equal(call(&answer, "VERSION", ""), 0);
    assert_has(answer.out.text, "\"cniVersion\":\"1.1.0\"");
    assert_has(answer.out.text, "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]");
}

static void test_status(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    fails("STATUS", STDIN, 50, "no network is configured in " CONF);
    write_conf("00-bad.conf", "{");
    fails("STATUS", STDIN, 50, CONF "/00-bad.conf:1:2: the JSON text ends too early");
    healthy();
    assert_int_equal(call(&answer, "STATUS", STDIN), 0);
    assert_has(answer.errors.text, "nodeagent-cni: " CONF "/00-bad.conf:1:2: the JSON");
    assert_string_equal(answer.out.text, "");
    assert_string_equal(log_text(), "one VERSION\ntwo VERSION\n"); /* 0.3.1 has no STATUS */
    write_plugin("one", ANSWER(RESULT_1_0)); /* it does not understand, and may work */
    assert_int_equal(call(&answer, "STATUS", STDIN), 0);
    write_plugin("one", "echo '{\"supportedVersions\":[\"1.0.0\"]}'");
    fails("STATUS", STDIN, 50, "it does not know CNI 0.3.1");
    write_plugin("one", ANSWER(RESULT_1_0));
    unlink(BIN "/two");
    fails("STATUS", STDIN, 50, "failed to find plugin \\\"two\\\" in path");
}

static void test_the_report_of_a_status(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    healthy();
    write_conf("10-net.conflist", "{\"cniVersion\":\"1.1.0\",\"name\":\"net\",\"plugins\":"
                                  "[{\"type\":\"one\"}]}");
    assert_int_equal(call(&answer, "STATUS", WITH("\"report\":true")), 0);
    assert_has(answer.out.text, "\"network\":\"net\",\"file\":\"" CONF "/10-net.conflist\"");
    assert_has(answer.out.text, "{\"type\":\"one\",\"verb\":\"STATUS\",");
    write_plugin("one", VERSIONS "echo '{\"code\":51,\"msg\":\"full\"}'; exit 1");
    fails("STATUS", WITH("\"report\":true"), 51, "full");
}

static void test_check_24_gc(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    healthy();
    assert_int_equal(call(&answer, "ADD", STDIN), 0);
    fails("GC", STDIN, 7, "a complete list");
    fails("GC", WITH("\"cni.dev/valid-attachments\":null"), 7, "a complete list");
    fails("GC", WITH("\"cni.dev/valid-attachments\":[{\"containerID\":\"c1\"}]"), 7, "complete");
    assert_int_equal(count_records(), 1);
    assert_int_equal(call(&answer, "GC",
                          WITH("\"cni.dev/valid-attachments\":[{\"containerID\":\"c1\","
                               "\"ifname\":\"eth0\"}]")),
                     0);
    assert_int_equal(count_records(), 1);
    assert_int_equal(call(&answer, "GC", WITH("\"cni.dev/valid-attachments\":[]")), 0);
    assert_int_equal(count_records(), 0);
}

#define VALID_NONE "\"cni.dev/valid-attachments\":[]"
#define NOTHING "{\"stale\":0,\"deleted\":0}"

static void test_the_report_of_a_gc(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    healthy();
    assert_int_equal(call(&answer, "ADD", STDIN), 0);
    assert_int_equal(call(&answer, "GC", WITH(VALID_NONE ",\"report\":true,\"spareSeconds\":60")),
                     0);
    assert_has(answer.out.text, "{\"attachments\":" NOTHING);
    assert_int_equal(call(&answer, "GC", WITH(VALID_NONE ",\"report\":true")), 0);
    assert_string_equal(answer.out.text,
                        "{\"attachments\":{\"stale\":1,\"deleted\":1},\"namespaces\":" NOTHING
                        ",\"reservations\":" NOTHING ",\"rules\":" NOTHING "}\n");
    assert_int_equal(call(&answer, "ADD", STDIN), 0);
    write_plugin("one", "exit 1");
    assert_int_equal(call(&answer, "GC", WITH(VALID_NONE ",\"report\":true")), EXIT_FAILURE);
    assert_has(answer.out.text, "{\"attachments\":{\"stale\":1,\"deleted\":0}");
    assert_has(answer.out.text, "}\n{\"cniVersion\":");
    assert_int_equal(call(&answer, "GC", WITH(VALID_NONE)), EXIT_FAILURE);
    assert_has_not(answer.out.text, "attachments");
    fails("GC", WITH("\"report\":1"), 7, "report must be true or false");
    fails("GC", WITH("\"spareSeconds\":-1"), 7, "spareSeconds must be a number from 0 to 3600");
}

/* which network */

static void test_networks(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    fails("ADD", STDIN, 11, "no network is configured in " CONF);
    healthy();
    write_conf("00-self.conflist", "{\"name\":\"x\",\"plugins\":[{\"type\":\"nodeagent-cni\"}]}");
    assert_int_equal(call(&answer, "ADD", STDIN), 0);
    assert_true(exists(CACHE "/results/net-c1-eth0"));
    write_conf("01-w.conf", "{\"name\":\"w\",\"type\":\"one\"}");
    fails("ADD", STDIN, 7, "one of them must be renamed");
}

#define BUILT_IN WITH("\"builtIn\":{\"subnets\":[\"10.5.0.0/24\",\"fd05::/64\"]}")

static void test_the_built_in_network(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    write_plugin("bridge", ANSWER(RESULT_1_0));
    write_plugin("portmap", ANSWER(RESULT_1_0));
    assert_int_equal(call(&answer, "ADD", BUILT_IN), 0);
    assert_has(contents(RUN "/bridge.ADD.in"),
               "\"bridge\":\"nodeagent0\",\"isGateway\":true,\"ipMasq\":true,\"hairpinMode\":true,"
               "\"ipam\":{\"type\":\"host-local\",\"dataDir\":\"" CACHE
               "/networks\",\"ranges\":[[{\"subnet\":\"10.5.0.0/24\"}],"
               "[{\"subnet\":\"fd05::/64\"}]],\"routes\":[{\"dst\":\"0.0.0.0/0\"},"
               "{\"dst\":\"::/0\"}]}");
    assert_true(exists(CACHE "/results/nodeagent-built-in-c1-eth0"));
    assert_int_equal(call(&answer, "DEL", BUILT_IN), 0);
    unlink(RUN "/log");
    write_conf("00-bad.conf", "{");
    fails("ADD", BUILT_IN, 7, "00-bad.conf:1:2");
    healthy();
    assert_int_equal(call(&answer, "ADD", BUILT_IN), 0);
    assert_string_equal(log_text(), "one ADD\ntwo ADD\n");
}

static void test_programs_where_the_runtime_has_them(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};

    healthy();
    assert_int_equal(call(&answer, "ADD",
                          "{\"cniVersion\":\"1.0.0\",\"confDir\":\"" CONF "\",\"cacheDir\":\"" CACHE
                          "\",\"agentSocket\":\"/srv/none\"}"),
                     0);
    assert_has(contents(RUN "/one.ADD.env"), "CNI_PATH=" BIN "\n");
}

/* the agent */

static void test_the_agent_is_told(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    _cleanup_(fd_close_at) int fd = listen_as_agent();
    char text[65536] = "";

    healthy();
    write_conf("99-bad.conf", "{");
    assert_int_equal(call(&answer, "ADD", STDIN), 0);
    assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
    assert_has(text,
               "{\"verb\":\"ADD\",\"containerId\":\"c1\",\"ifName\":\"eth0\",\"netns\":\"" NETNS
               "\",\"args\":\"K8S_POD_NAME=p\",\"network\":\"net\",\"file\":\"" CONF
               "/10-net.conflist\",\"usec\":");
    assert_has(text, "\"plugins\":[{\"type\":\"one\",\"verb\":\"ADD\",\"usec\":");
    assert_has(text, "\"addresses\":[\"10.1.2.3\"],\"problems\":[\"" CONF "/99-bad.conf:1:2");
    assert_has_not(text, "\"failure\"");
    write_plugin("two", "exit 1");
    fails("DEL", STDIN, 999, "failed (del)");
    memset(text, 0, sizeof(text));
    assert_true(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT) > 0);
    assert_has(text, "\"failed\":true");
    assert_has(text, "\"failure\":{\"code\":999,\"plugin\":\"two\",\"message\":\"plugin type");
}

/* An agent that hangs holds nobody up. */
static void test_an_agent_that_does_not_read(void **state)
{
    _cleanup_(answer_deinit) struct answer answer = {0};
    usec_t began = clock_monotonic();
    int fd = listen_as_agent();

    healthy();
    for (int i = 0; i < 2000; i++)
        assert_int_equal(call(&answer, "DEL", STDIN), 0);
    assert_true(clock_monotonic() - began < 60 * USEC_PER_SEC);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_place(test_check_41_add_check_del_without_an_agent),
        in_place(test_a_failure_is_an_error_object),
        in_place(test_check_38_bad_calls),
        in_place(test_version),
        in_place(test_status),
        in_place(test_the_report_of_a_status),
        in_place(test_check_24_gc),
        in_place(test_the_report_of_a_gc),
        in_place(test_networks),
        in_place(test_the_built_in_network),
        in_place(test_programs_where_the_runtime_has_them),
        in_place(test_the_agent_is_told),
        in_place(test_an_agent_that_does_not_read),
    };

    prepare();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
