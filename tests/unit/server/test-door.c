/* server/door.c: who comes in at once, who waits, and who is closed. Time is the test's. */
#include "test.h"

#include "door.h"
#include "listener.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/server.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"
#include "nodeagent/sys/wheel.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    INSIDE_MAX = 100,
    CLIENTS_MAX = 200,
};

struct place {
    struct loop *loop;
    struct wheel *wheel;
    struct door *door;
    int socket;
    usec_t ahead; /* of the clock */
    bool refusing;
    unsigned taken, refused;
    in_addr_t last; /* who was taken */
    int clients[CLIENTS_MAX];
    unsigned client_count;
};

static bool take(void *owner, int fd, const struct sockaddr *address, socklen_t length)
{
    struct place *place = owner;

    assert_int_equal(length, sizeof(struct sockaddr_in));
    close(fd);
    if (place->refusing) {
        place->refused++;
        return false;
    }
    place->taken++;
    place->last = ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr);
    door_entered(place->door);
    return true;
}

static void open_door(struct place *place, bool handshakes)
{
    struct door_options options = {
        .inside_max = INSIDE_MAX,
        .handshakes = handshakes,
        .take = take,
        .owner = place,
    };
    struct err err;

    *place = (struct place){0};
    assert_int_equal(loop_new(&place->loop, &err), 0);
    options.loop = place->loop;
    options.wheel = place->wheel = wheel_new(clock_boottime());
    options.socket = place->socket = listener_open("127.0.0.1", 0, &err);
    assert_int_equal(door_new(&place->door, &options, &err), 0);
}

static void close_door(struct place *place)
{
    assert_null(door_free(place->door));
    close(place->socket);
    for (unsigned i = 0; i < place->client_count; i++)
        close(place->clients[i]);
    wheel_free(place->wheel);
    loop_free(place->loop);
}

static void turn(struct place *place)
{
    while (loop_turn(place->loop, USEC_PER_MSEC, NULL) > 0)
        ;
}

static void wait_for_window(struct place *place)
{
    struct wheel_timer *timer;

    place->ahead += SERVER_WINDOW_USEC + USEC_PER_SEC;
    timer = wheel_pop(place->wheel, usec_add(clock_boottime(), place->ahead));
    assert_non_null(timer);
    timer->fire(timer);
    turn(place);
}

static void come(struct place *place, unsigned char from, unsigned count)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(listener_port(place->socket)),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    struct sockaddr_in own = {.sin_family = AF_INET,
                              .sin_addr = {htonl(INADDR_LOOPBACK + from - 1)}};

    for (unsigned i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        place->clients[place->client_count++] = fd;
        turn(place);
    }
}

/* Closed by the door, be it after it was taken. */
static unsigned closed(const struct place *place)
{
    unsigned count = 0;
    char byte;

    for (unsigned i = 0; i < place->client_count; i++)
        count += recv(place->clients[i], &byte, 1, MSG_DONTWAIT) == 0;
    return count;
}

static void test_one_client_has_a_share(void **state)
{
    struct place place;

    open_door(&place, true);
    come(&place, 2, 3 * SERVER_HANDSHAKES_PER_CLIENT_MAX);
    assert_int_equal(place.taken, SERVER_HANDSHAKES_PER_CLIENT_MAX);
    assert_int_equal(closed(&place), 2 * SERVER_HANDSHAKES_PER_CLIENT_MAX);
    come(&place, 3, 1);
    assert_int_equal(place.taken, SERVER_HANDSHAKES_PER_CLIENT_MAX + 1);
    assert_int_equal(place.last, INADDR_LOOPBACK + 2);
    wait_for_window(&place); /* for those who wait */
    assert_int_equal(place.taken, 2 * SERVER_HANDSHAKES_PER_CLIENT_MAX + 1);
    come(&place, 2, 1); /* they have used it up */
    assert_int_equal(place.taken, 2 * SERVER_HANDSHAKES_PER_CLIENT_MAX + 1);
    close_door(&place);
}

static void test_a_window_has_room_for_so_many(void **state)
{
    struct place place;

    open_door(&place, true);
    for (unsigned i = 0; i < SERVER_HANDSHAKES_MAX; i++) {
        come(&place, (unsigned char)(i + 1), 1);
        assert_int_equal(place.taken, i + 1);
    }
    come(&place, 100, 1);
    assert_int_equal(place.taken, SERVER_HANDSHAKES_MAX);
    assert_int_equal(closed(&place), SERVER_HANDSHAKES_MAX);
    wait_for_window(&place);
    assert_int_equal(place.taken, SERVER_HANDSHAKES_MAX + 1);
    assert_int_equal(place.last, INADDR_LOOPBACK + 99);
    close_door(&place);
}

/* There was no handshake. */
static void test_who_is_refused_is_not_counted(void **state)
{
    struct place place;

    open_door(&place, true);
    place.refusing = true;
    come(&place, 2, 2 * SERVER_HANDSHAKES_MAX);
    assert_int_equal(place.refused, 2 * SERVER_HANDSHAKES_MAX);
    place.refusing = false;
    come(&place, 2, 1);
    assert_int_equal(place.taken, 1);
    close_door(&place);
}

static void test_without_handshakes_there_is_no_share(void **state)
{
    struct place place;

    open_door(&place, false);
    come(&place, 2, INSIDE_MAX);
    assert_int_equal(place.taken, INSIDE_MAX);
    come(&place, 3, 2); /* but there is room for so many */
    assert_int_equal(place.taken, INSIDE_MAX);
    door_left(place.door);
    turn(&place);
    assert_int_equal(place.taken, INSIDE_MAX + 1);
    door_left(place.door);
    turn(&place);
    assert_int_equal(place.taken, INSIDE_MAX + 2);
    close_door(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_client_has_a_share),
        cmocka_unit_test(test_a_window_has_room_for_so_many),
        cmocka_unit_test(test_who_is_refused_is_not_counted),
        cmocka_unit_test(test_without_handshakes_there_is_no_share),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
