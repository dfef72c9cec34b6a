/* agent/network-socket: datagrams come in, bounded, and only root can send them. */
#include "test.h"

#include "network-calls.h"
#include "network-socket.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct place {
    char directory[64];
    char path[80];
    struct loop *loop;
    struct network_socket *socket;
    int sender;
    unsigned heard;
    size_t length;
};

static void on_heard(void *owner, const char *bytes, size_t length)
{
    struct place *place = owner;

    place->heard++;
    place->length = length;
    assert_int_equal(bytes[length - 1], 'x');
}

static void open_socket(struct place *place)
{
    struct err err;

    if (network_socket_new(&place->socket, place->directory, place->loop, on_heard, place, &err) <
        0)
        fail_msg("%s", err.text);
}

static void set_up(struct place *place)
{
    struct err err;

    *place = (struct place){.directory = "/tmp/nodeagent-test-XXXXXX"};
    assert_non_null(mkdtemp(place->directory));
    snprintf(place->path, sizeof(place->path), "%s/cni.sock", place->directory);
    assert_int_equal(loop_new(&place->loop, &err), 0);
    place->sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    open_socket(place);
}

static void tear_down(struct place *place)
{
    network_socket_free(place->socket);
    loop_free(place->loop);
    close(place->sender);
    assert_int_equal(rmdir(place->directory), 0);
}

static void say(struct place *place, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static char bytes[2 * NETWORK_CALL_MAX];
    struct err err;

    memset(bytes, 'x', sizeof(bytes));
    strcpy(address.sun_path, place->path);
    assert_int_equal(
        sendto(place->sender, bytes, length, 0, (struct sockaddr *)&address, sizeof(address)),
        length);
    loop_turn(place->loop, 0, &err);
}

static void test_what_is_said_is_heard(void **state)
{
    struct place place;

    (void)state;
    set_up(&place);
    say(&place, 1);
    say(&place, NETWORK_CALL_MAX);
    assert_int_equal(place.heard, 2);
    assert_int_equal(place.length, NETWORK_CALL_MAX);
    say(&place, NETWORK_CALL_MAX + 1); /* it would be half of something */
    assert_int_equal(place.heard, 2);
    tear_down(&place);
}

static void test_only_root(void **state)
{
    struct place place;
    struct stat status;

    (void)state;
    set_up(&place);
    assert_int_equal(stat(place.path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    tear_down(&place);
}

static void test_what_a_killed_agent_left(void **state)
{
    struct place place;
    struct err err;

    (void)state;
    set_up(&place);
    network_socket_free(place.socket);
    assert_int_equal(access(place.path, F_OK), -1);
    close(open(place.path, O_CREAT | O_CLOEXEC | O_WRONLY, 0600));
    open_socket(&place);
    say(&place, 1);
    assert_int_equal(place.heard, 1);
    network_socket_free(place.socket);
    place.socket = NULL;
    assert_int_equal(mkdir(place.path, 0700), 0);
    assert_int_equal(
        network_socket_new(&place.socket, place.directory, place.loop, on_heard, &place, &err),
        -EISDIR);
    assert_string_equal(err.text + strlen(place.directory),
                        "/cni.sock: a stale one cannot be removed: Is a directory");
    assert_int_equal(rmdir(place.path), 0);
    tear_down(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_said_is_heard),
        cmocka_unit_test(test_only_root),
        cmocka_unit_test(test_what_a_killed_agent_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
