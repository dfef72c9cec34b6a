/*
 * agent/control: what clients of the local socket get, and what hostile ones cannot do. The loop
 * and the clients share a thread; there is no wheel driver, so patience ends when a test says so.
 */
#include "test.h"

#include "control.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/files.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    TURNS_MAX = 20000, /* of a conversation; a test that needs more hangs */
    BIG_BYTES = 3 << 20,
};

struct world {
    struct loop *loop;
    struct wheel *wheel;
    struct control *control;
    char directory[4096];
    struct control_client *follower; /* the newest */
    unsigned asked;
    unsigned gone;
    char pod[64];
};

/* the owner */

static char *json_of_size(size_t size)
{
    char *text = mem_alloc(size);

    memset(text, 'x', size);
    text[0] = text[size - 1] = '"';
    return text;
}

static void answer_big(struct control_client *client, size_t size)
{
    _cleanup_(mem_free_at) char *text = json_of_size(size);

    control_line(client, text, size);
}

static bool answer(void *owner, struct control_client *client,
                   const struct control_request *request)
{
    struct world *world = owner;

    world->asked++;
    snprintf(world->pod, sizeof(world->pod), "%s", request->pod ? request->pod : "(none)");
    if (!strcmp(request->command, "ps"))
        control_line(client, "{\"kind\":\"PodList\"}", 18);
    else if (!strcmp(request->command, "big"))
        answer_big(client, BIG_BYTES);
    else if (!strcmp(request->command, "too-big"))
        answer_big(client, CONTROL_PENDING_MAX);
    else if (!strcmp(request->command, "events"))
        control_line(client, "{\"kind\":\"EventList\"}", 20);
    else if (strcmp(request->command, "nothing") != 0)
        control_refuse(client, "no command \"%s\"", request->command);
    control_line(client, "{}", 2);
    if (request->follow)
        world->follower = client;
    return request->follow;
}

static void gone(void *owner, struct control_client *client)
{
    struct world *world = owner;

    world->gone++;
    if (client == world->follower)
        world->follower = NULL;
}

/* the world */

static int start(struct world *world, struct err *err)
{
    return control_new(&world->control, world->directory, world->loop, world->wheel, answer, gone,
                       world, err);
}

static int set_up(void **state)
{
    struct world *world = mem_new(struct world);
    struct err err;

    strcpy(world->directory, "/tmp/control-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    assert_int_equal(loop_new(&world->loop, NULL), 0);
    world->wheel = wheel_new(clock_boottime());
    assert_int_equal(start(world, &err), 0);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    control_free(world->control);
    wheel_free(world->wheel);
    loop_free(world->loop);
    assert_int_equal(rmdir(world->directory), 0); /* the socket is gone */
    free(world);
    return 0;
}

static void turn(struct world *world)
{
    struct wheel_timer *timer;

    assert_true(loop_turn(world->loop, 0, NULL) >= 0);
    /* What is due at once, like the end of a slow follower, and no patience. */
    while ((timer = wheel_pop(world->wheel, clock_boottime() + USEC_PER_MSEC)))
        timer->fire(timer);
}

static void turns(struct world *world, unsigned count)
{
    while (count--)
        turn(world);
}

static void lose_patience(struct world *world)
{
    usec_t later = clock_boottime() + CONTROL_PATIENCE_USEC + USEC_PER_MSEC;
    struct wheel_timer *timer;

    while ((timer = wheel_pop(world->wheel, later)))
        timer->fire(timer);
}

/* clients */

static struct sockaddr_un address_of(const struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof(address.sun_path), "%.90s/nodeagent.sock",
                          world->directory);

    assert_true(length < (int)sizeof(address.sun_path));
    return address;
}

static int join(struct world *world)
{
    struct sockaddr_un address = address_of(world);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void say_bytes(int fd, const char *text, size_t length)
{
    assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), length);
}

static void say(int fd, const char *text)
{
    say_bytes(fd, text, strlen(text));
}

/* All that comes until the server closes, or nothing more comes. */
static void hear(struct world *world, int fd, struct strbuf *heard, bool *closed)
{
    char chunk[64 * 1024];
    unsigned quiet = 0;

    *closed = false;
    for (unsigned i = 0; i < TURNS_MAX && quiet < 20; i++) {
        ssize_t length;

        turn(world);
        length = recv(fd, chunk, sizeof(chunk), 0);
        if (length == 0 || (length < 0 && errno == ECONNRESET)) {
            *closed = true;
            return;
        }
        if (length > 0)
            strbuf_add_bytes(heard, chunk, (size_t)length);
        quiet = length > 0 ? 0 : quiet + 1;
    }
}

static void expect(struct world *world, int fd, const char *wanted, bool end)
{
    _cleanup_(strbuf_deinit) struct strbuf heard = STRBUF_INIT;
    bool closed;

    hear(world, fd, &heard, &closed);
    assert_string_equal(heard.text ? heard.text : "", wanted);
    assert_int_equal(closed, end);
}

static void expect_answer(struct world *world, const char *request, size_t length,
                          const char *wanted)
{
    int fd = join(world);

    say_bytes(fd, request, length);
    expect(world, fd, wanted, true);
    close(fd);
}

static void expect_ps(struct world *world)
{
    static const char request[] = "{\"command\": \"ps\"}\n";

    expect_answer(world, request, sizeof(request) - 1,
                  "{\"ok\":true}\n{\"kind\":\"PodList\"}\n{}\n");
}

static int follow(struct world *world)
{
    int fd = join(world);

    say(fd, "{\"command\":\"events\",\"follow\":true}\n");
    expect(world, fd, "{\"ok\":true}\n{\"kind\":\"EventList\"}\n{}\n", false);
    assert_non_null(world->follower);
    return fd;
}

/* what clients get */

static void test_requests_and_answers(void **state)
{
    static const struct {
        const char *request;
        const char *answer;
    } rows[] = {
        {"{\"command\":\"ps\"}\n", "{\"ok\":true}\n{\"kind\":\"PodList\"}\n{}\n"},
        {" {\"command\":\"ps\"} \r\n", "{\"ok\":true}\n{\"kind\":\"PodList\"}\n{}\n"},
        {"{\"command\":\"ps\"}\nand more\n", "{\"ok\":true}\n{\"kind\":\"PodList\"}\n{}\n"},
        {"{\"command\":\"ps\",\"later\":[1]}\n", "{\"ok\":true}\n{\"kind\":\"PodList\"}\n{}\n"},
        {"{\"command\":\"nothing\"}\n", "{\"ok\":true}\n{}\n"},
        {"{\"command\":\"f\xc3\xbc\\u001b\\\"\"}\n",
         "{\"ok\":false,\"error\":\"no command \\\"f\xc3\xbc?\\\"\\\"\"}\n"},
        {"{\"command\":\"dance\",\"follow\":true}\n",
         "{\"ok\":false,\"error\":\"no command \\\"dance\\\"\"}\n"},
    };

    for (size_t i = 0; i < array_size(rows); i++)
        expect_answer(*state, rows[i].request, strlen(rows[i].request), rows[i].answer);
}

static void test_what_is_no_request_is_told_so(void **state)
{
    static const char form[] = "{\"ok\":false,\"error\":\"the request must have a string "
                               "\\\"command\\\", and may have a string \\\"pod\\\" and a boolean "
                               "\\\"follow\\\"\"}\n";
    static const char *const rows[] = {
        "{}\n",
        "{\"command\":1}\n",
        "{\"command\":null}\n",
        "{\"command\":\"p\\u0000s\"}\n",
        "{\"command\":\"why\",\"pod\":1}\n",
        "{\"command\":\"why\",\"pod\":\"a\\u0000b\"}\n",
        "{\"command\":\"events\",\"follow\":\"yes\"}\n",
    };
    struct world *world = *state;

    for (size_t i = 0; i < array_size(rows); i++)
        expect_answer(world, rows[i], strlen(rows[i]), form);
    expect_answer(world, "[1]\n", 4,
                  "{\"ok\":false,\"error\":\"the request must be a JSON object, like "
                  "{\\\"command\\\": \\\"ps\\\"}\"}\n");
    assert_int_equal(world->asked, 0);
}

/* Whatever the bytes are: one line that refuses, and it is JSON itself. */
static void test_garbage_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
        {"\n", 1},
        {"\0\0\0\n", 4},
        {"\xff\xfe{\n", 4},
        {"GET / HTTP/1.1\r\n", 16},
        {"{\"command\":\"ps\"\n", 16},
        {"[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4]\n", 71},
    };
    struct world *world = *state;

    for (size_t i = 0; i < array_size(rows); i++) {
        _cleanup_(strbuf_deinit) struct strbuf heard = STRBUF_INIT;
        _cleanup_(fd_close_at) int fd = join(world);
        _cleanup_(arena_deinit) struct arena arena = ARENA_INIT_DOCUMENT;
        struct json_findings findings;
        struct json *document;
        bool closed;

        say_bytes(fd, rows[i].bytes, rows[i].length);
        hear(world, fd, &heard, &closed);
        assert_true(closed);
        assert_int_equal(json_parse(&arena, heard.text, heard.length, &json_limits_manifest,
                                    &findings, &document, NULL),
                         0);
        assert_true(str_has_prefix(heard.text, "{\"ok\":false,\"error\":\"the request is no JSON"));
    }
    assert_int_equal(world->asked, 0);
    expect_ps(world);
}

static void test_the_pod_is_passed_on(void **state)
{
    struct world *world = *state;
    int fd = join(world);

    say(fd, "{\"command\":\"ps\",\"pod\":\"shop/w\\u00fc\"}\n");
    turns(world, 5);
    assert_string_equal(world->pod, "shop/w\xc3\xbc");
    close(fd);
    expect_ps(world);
    assert_string_equal(world->pod, "(none)");
}

static void test_a_request_may_come_in_pieces(void **state)
{
    struct world *world = *state;
    int fd = join(world);

    for (const char *c = "{\"command\":\"ps\"}\n"; *c; c++) {
        say_bytes(fd, c, 1);
        turn(world);
    }
    expect(world, fd, "{\"ok\":true}\n{\"kind\":\"PodList\"}\n{}\n", true);
    close(fd);
}

static void test_a_client_may_close_its_sending_side(void **state)
{
    struct world *world = *state;
    int fd = join(world);

    say(fd, "{\"command\":\"events\",\"follow\":true}\n");
    shutdown(fd, SHUT_WR);
    expect(world, fd, "{\"ok\":true}\n{\"kind\":\"EventList\"}\n{}\n", false);
    control_line_to_followers(world->control, "1", 1);
    expect(world, fd, "1\n", false);
    close(fd);
}

static void test_big_answers_go_out_in_pieces(void **state)
{
    struct world *world = *state;
    _cleanup_(strbuf_deinit) struct strbuf heard = STRBUF_INIT;
    int fd = join(world);
    bool closed;

    say(fd, "{\"command\":\"big\"}\n");
    hear(world, fd, &heard, &closed);
    assert_true(closed);
    assert_int_equal(heard.length, 12 + BIG_BYTES + 1 + 3);
    for (size_t i = 13; i < 13 + BIG_BYTES - 2; i++)
        if (heard.text[i] != 'x')
            fail_msg("byte %zu is %02x", i, heard.text[i]);
    close(fd);
}

/* following */

static void test_followers_get_lines(void **state)
{
    struct world *world = *state;
    int one = follow(world), two = follow(world);

    control_line_to_followers(world->control, "{\"n\":1}", 7);
    control_line(world->follower, "{\"n\":2}", 7);
    control_line_to_followers(world->control, "{\"n\":3}", 7);
    expect(world, one, "{\"n\":1}\n{\"n\":3}\n", false);
    expect(world, two, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n", false);
    lose_patience(world); /* who has read everything may stay */
    control_line_to_followers(world->control, "4", 1);
    expect(world, one, "4\n", false);
    close(one);
    turns(world, 3);
    assert_int_equal(world->gone, 1);
    expect(world, two, "4\n", false);
    close(two);
    turns(world, 3);
    assert_int_equal(world->gone, 2);
    control_line_to_followers(world->control, "5", 1);
}

static void test_a_follower_that_goes_on_sending_changes_nothing(void **state)
{
    struct world *world = *state;
    int fd = follow(world);
    char noise[4096] = {0};

    while (send(fd, noise, sizeof(noise), MSG_NOSIGNAL) > 0)
        turn(world);
    assert_int_equal(loop_turn(world->loop, 0, NULL), 0); /* the loop does not even notice */
    control_line_to_followers(world->control, "1", 1);
    expect(world, fd, "1\n", false);
    close(fd);
}

static void test_a_follower_that_does_not_read_is_closed(void **state)
{
    struct world *world = *state;
    int slow = follow(world), quick = follow(world);
    _cleanup_(mem_free_at) char *line = json_of_size(10000);

    for (size_t sent = 0; sent < 2 * CONTROL_FOLLOWER_PENDING_MAX; sent += 10000) {
        _cleanup_(strbuf_deinit) struct strbuf heard = STRBUF_INIT;
        bool closed;

        control_line_to_followers(world->control, line, 10000);
        hear(world, quick, &heard, &closed);
        assert_int_equal(heard.length, 10001);
        assert_false(closed);
    }
    assert_int_equal(world->gone, 1);
    close(slow);
    close(quick);
}

static void test_many_lines_before_the_next_turn_are_bounded_too(void **state)
{
    struct world *world = *state;
    int fd = follow(world);

    for (size_t sent = 0; sent < 2 * CONTROL_FOLLOWER_PENDING_MAX; sent += 3)
        control_line_to_followers(world->control, "11", 2);
    assert_non_null(world->follower); /* not from within the call */
    turns(world, 3);
    assert_int_equal(world->gone, 1);
    close(fd);
    expect_ps(world);
}

static void test_the_end_does_not_call_back(void **state)
{
    struct world *world = *state;
    int fd = follow(world), asking = join(world), listening = join(world);

    say(asking, "{\"comm");
    say(listening, "{\"command\":\"big\"}\n");
    turns(world, 5);
    world->control = control_free(world->control);
    assert_int_equal(world->gone, 0);
    assert_null(control_free(NULL));
    close(fd);
    close(asking);
    close(listening);
}

/* hostile clients */

static void test_too_long_requests_are_refused(void **state)
{
    struct world *world = *state;
    char text[CONTROL_REQUEST_MAX + 100];
    int fd = join(world);

    memset(text, ' ', sizeof(text));
    say_bytes(fd, text, sizeof(text));
    expect(world, fd, "{\"ok\":false,\"error\":\"the request is longer than 4096 bytes\"}\n", true);
    close(fd);

    /* the longest that is allowed */
    memcpy(text, "{\"command\":\"ps\"}", 16);
    text[CONTROL_REQUEST_MAX - 1] = '\n';
    expect_answer(world, text, CONTROL_REQUEST_MAX, "{\"ok\":true}\n{\"kind\":\"PodList\"}\n{}\n");
}

static void test_a_request_without_its_end_is_refused(void **state)
{
    struct world *world = *state;
    int fd = join(world);

    say(fd, "{\"command\":\"ps\"}");
    shutdown(fd, SHUT_WR);
    expect(world, fd, "{\"ok\":false,\"error\":\"the request must end in a line break\"}\n", true);
    close(fd);
    assert_int_equal(world->asked, 0);
}

static void test_clients_that_vanish_leave_nothing(void **state)
{
    struct world *world = *state;
    const char *const said[] = {"", "{\"comm", "{\"command\":\"ps\"}\n", "{\"command\":\"big\"}\n",
                                "{\"command\":\"events\",\"follow\":true}\n"};

    for (size_t i = 0; i < 100; i++) {
        int fd = join(world);

        say(fd, said[i % array_size(said)]);
        turns(world, (unsigned)(i % 3));
        close(fd);
        turns(world, 2);
    }
    turns(world, 3);
    expect_ps(world);
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        close(join(world));
    turns(world, 3);
    expect_ps(world);
}

static void test_who_says_nothing_is_closed(void **state)
{
    struct world *world = *state;
    int silent = join(world), slow = join(world);

    say(slow, "{\"command\"");
    turns(world, 3);
    lose_patience(world);
    expect(world, silent, "", true);
    expect(world, slow, "", true);
    close(silent);
    close(slow);
}

static void test_who_reads_nothing_is_closed(void **state)
{
    struct world *world = *state;
    _cleanup_(strbuf_deinit) struct strbuf heard = STRBUF_INIT;
    int fd = join(world), follower = follow(world);
    bool closed;

    say(fd, "{\"command\":\"big\"}\n");
    turns(world, 5);
    for (size_t i = 0; i < 100; i++) {
        char line[4096] = "";

        memset(line, '1', sizeof(line));
        control_line_to_followers(world->control, line, sizeof(line));
    }
    turns(world, 5);
    lose_patience(world);
    assert_int_equal(world->gone, 1);
    hear(world, fd, &heard, &closed);
    assert_true(closed);
    assert_true(heard.length < BIG_BYTES);
    close(fd);
    close(follower);
    expect_ps(world);
}

static void test_one_client_more_is_told_so(void **state)
{
    struct world *world = *state;
    int fds[CONTROL_CLIENTS_MAX];
    int fd;

    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fds[i] = join(world);
        turn(world);
    }
    fd = join(world);
    say(fd, "{\"command\":\"ps\"}\n");
    expect(world, fd,
           "{\"ok\":false,\"error\":\"too many clients ask the agent at once; try again\"}\n",
           true);
    close(fd);
    close(fds[7]);
    turns(world, 2);
    expect_ps(world);
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (i != 7)
            close(fds[i]);
    turns(world, 2);
}

static void test_answers_that_nobody_reads_are_bounded_together(void **state)
{
    static const char sentence[] =
        "{\"ok\":false,\"error\":\"too much waits for clients that read slowly, or the answer is "
        "longer than 64 MiB; try again\"}\n";
    struct world *world = *state;
    int fds[CONTROL_PENDING_MAX / BIG_BYTES];
    int fd;

    expect_answer(world, "{\"command\":\"too-big\"}\n", 22, sentence);
    for (size_t i = 0; i < array_size(fds); i++) {
        fds[i] = join(world);
        say(fds[i], "{\"command\":\"big\"}\n");
        turns(world, 3);
    }
    fd = join(world);
    say(fd, "{\"command\":\"big\"}\n");
    for (unsigned refused = 0; !refused;) {
        char text[sizeof(sentence)] = "";

        turns(world, 3);
        if (recv(fd, text, sizeof(text) - 1, 0) > 0 && !strcmp(text, sentence))
            refused = 1;
        else
            say(fd = join(world), "{\"command\":\"big\"}\n");
    }
    expect_ps(world); /* which is short */
    lose_patience(world);
    for (size_t i = 0; i < array_size(fds); i++)
        close(fds[i]);
    close(fd);
    expect_answer(world, "{\"command\":\"nothing\"}\n", 22, "{\"ok\":true}\n{}\n");
}

static void test_without_descriptors_clients_wait(void **state)
{
    struct world *world = *state;
    int waiting = join(world), free_fd = dup(waiting);
    struct rlimit before, none;
    struct wheel_timer *timer;

    say(waiting, "{\"command\":\"nothing\"}\n");
    close(free_fd); /* the lowest that is free: no descriptor from here on */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)free_fd, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turns(world, 3);
    assert_int_equal(loop_turn(world->loop, 0, NULL), 0); /* it does not spin */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    timer = wheel_pop(world->wheel, clock_boottime() + CONTROL_ACCEPT_PAUSE_USEC + USEC_PER_MSEC);
    assert_non_null(timer);
    timer->fire(timer);
    expect(world, waiting, "{\"ok\":true}\n{}\n", true);
    close(waiting);
}

/* The mode keeps strangers out, and should somebody change it, the server does. */
static void test_others_are_turned_away(void **state)
{
    struct world *world = *state;
    struct sockaddr_un address = address_of(world);
    _cleanup_(fd_close_at) int refused = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat status;
    int fd;

    assert_int_equal(stat(address.sun_path, &status), 0);
    assert_int_equal(status.st_mode, S_IFSOCK | 0600);
    if (geteuid() != 0)
        return; /* who is not root cannot be somebody else */
    assert_int_equal(chmod(world->directory, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    assert_int_equal(connect(refused, (struct sockaddr *)&address, sizeof(address)), -1);
    assert_int_equal(errno, EACCES);
    assert_int_equal(seteuid(0), 0);

    assert_int_equal(chmod(address.sun_path, 0666), 0);
    assert_int_equal(seteuid(65534), 0);
    fd = join(world);
    assert_int_equal(seteuid(0), 0);
    expect(world, fd, "{\"ok\":false,\"error\":\"only root may ask the agent\"}\n", true);
    close(fd);
    assert_int_equal(world->asked, 0);
}

/* the file */

static void test_a_live_socket_is_an_error(void **state)
{
    struct world *world = *state;
    struct control *second;
    struct err err;

    assert_int_equal(control_new(&second, world->directory, world->loop, world->wheel, answer, NULL,
                                 world, &err),
                     -EADDRINUSE);
    assert_non_null(strstr(err.text, world->directory));
    assert_non_null(strstr(err.text, "another agent listens on it; stop that one"));
    expect_ps(world);
}

static void test_a_stale_socket_is_replaced(void **state)
{
    struct world *world = *state;
    struct sockaddr_un address = address_of(world);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct err err;

    world->control = control_free(world->control);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    assert_int_equal(start(world, &err), 0);
    expect_ps(world);
}

static void test_anothers_socket_is_left_alone(void **state)
{
    struct world *world = *state;
    struct sockaddr_un address = address_of(world);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat status;

    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    world->control = control_free(world->control);
    assert_int_equal(stat(address.sun_path, &status), 0);
    unlink(address.sun_path);
    close(fd);
}

static void test_what_is_no_socket_is_not_removed(void **state)
{
    struct world *world = *state;
    struct sockaddr_un address = address_of(world);
    struct err err;

    world->control = control_free(world->control);
    close(open(address.sun_path, O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(start(world, &err), -EEXIST);
    assert_non_null(strstr(err.text, "is not a socket; remove it"));
    unlink(address.sun_path);
    world->control = NULL;
}

static void test_two_that_start_at_once(void **state)
{
    struct world *world = *state;
    int lock = open(world->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct err err;

    world->control = control_free(world->control);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    assert_int_equal(start(world, &err), -EADDRINUSE);
    assert_non_null(strstr(err.text, "another agent is starting in this run directory"));
    world->control = NULL;
    close(lock);
    assert_int_equal(start(world, &err), 0);
}

static void test_a_run_directory_that_is_not_there(void **state)
{
    struct world *world = *state;
    struct control *control;
    struct err err;

    assert_int_equal(
        control_new(&control, "/nonexistent", world->loop, world->wheel, answer, gone, world, &err),
        -ENOENT);
    assert_string_equal(err.text, "/nonexistent: the run directory cannot be opened: No such file "
                                  "or directory");
}

static void test_a_deep_run_directory(void **state)
{
    struct world *world = *state;
    _cleanup_(mem_free_at) char *top = mem_strdup(world->directory);
    _cleanup_(fd_close_at) int directory = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), deep;
    struct err err;

    world->control = control_free(world->control);
    for (size_t i = 0; i < 50; i++)
        strcat(world->directory, "/deep");
    assert_int_equal(directory_make(directory, world->directory + strlen(top) + 1, 0700, &err), 0);
    assert_int_equal(start(world, &err), 0);
    deep = open(world->directory, O_PATH | O_CLOEXEC);
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/nodeagent.sock", deep);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    say(fd, "{\"command\":\"nothing\"}\n");
    expect(world, fd, "{\"ok\":true}\n{}\n", true);
    close(fd);
    close(deep);
    world->control = control_free(world->control);
    assert_int_equal(tree_remove(directory, "deep", &err), 0);
    strcpy(world->directory, top);
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(test_requests_and_answers),
        test(test_what_is_no_request_is_told_so),
        test(test_garbage_is_refused),
        test(test_the_pod_is_passed_on),
        test(test_a_request_may_come_in_pieces),
        test(test_a_client_may_close_its_sending_side),
        test(test_big_answers_go_out_in_pieces),
        test(test_followers_get_lines),
        test(test_a_follower_that_goes_on_sending_changes_nothing),
        test(test_a_follower_that_does_not_read_is_closed),
        test(test_many_lines_before_the_next_turn_are_bounded_too),
        test(test_the_end_does_not_call_back),
        test(test_too_long_requests_are_refused),
        test(test_a_request_without_its_end_is_refused),
        test(test_clients_that_vanish_leave_nothing),
        test(test_who_says_nothing_is_closed),
        test(test_who_reads_nothing_is_closed),
        test(test_one_client_more_is_told_so),
        test(test_answers_that_nobody_reads_are_bounded_together),
        test(test_without_descriptors_clients_wait),
        test(test_others_are_turned_away),
        test(test_a_live_socket_is_an_error),
        test(test_a_stale_socket_is_replaced),
        test(test_anothers_socket_is_left_alone),
        test(test_what_is_no_socket_is_not_removed),
        test(test_two_that_start_at_once),
        test(test_a_run_directory_that_is_not_there),
        test(test_a_deep_run_directory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
