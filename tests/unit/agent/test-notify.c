/* agent/notify: telling the service manager. */
#include "test.h"

#include "notify.h"

#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/wheel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char name[] = "@nodeagent-test-notify";

static int listen_there(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path + 1, name + 1, sizeof(name) - 2);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1)),
                     0);
    return fd;
}

static void assert_heard(int fd, const char *expected)
{
    char text[64] = "";
    ssize_t length = recv(fd, text, sizeof(text) - 1, 0);

    assert_true(length >= 0);
    assert_string_equal(text, expected);
}

static void test_it_is_told(void **state)
{
    int fd = listen_there();
    usec_t now = clock_boottime();
    struct wheel *wheel = wheel_new(now);
    struct wheel_timer *timer;
    struct notify *notify;

    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "2000000", 1);
    unsetenv("WATCHDOG_PID");
    notify = notify_new(wheel);
    notify_say(notify, "READY=1");
    assert_heard(fd, "READY=1");
    assert_null(wheel_pop(wheel, now));
    timer = wheel_pop(wheel, now + 1500 * USEC_PER_MSEC);
    assert_non_null(timer);
    timer->fire(timer);
    assert_heard(fd, "WATCHDOG=1");
    notify_free(notify);

    setenv("WATCHDOG_PID", "1", 1); /* somebody else is watched */
    notify = notify_new(wheel);
    assert_null(wheel_pop(wheel, now + 100 * USEC_PER_SEC));
    notify_free(notify);
    wheel_free(wheel);
    close(fd);
}

/* Nobody listens, or nobody reads: the agent goes on. */
static void test_it_never_waits(void **state)
{
    struct wheel *wheel = wheel_new(clock_boottime());
    struct notify *notify;
    int fd;

    unsetenv("NOTIFY_SOCKET");
    notify = notify_new(wheel);
    notify_say(notify, "READY=1");
    notify_free(notify);
    setenv("NOTIFY_SOCKET", name, 1);
    fd = listen_there();
    notify = notify_new(wheel);
    for (int i = 0; i < 10000; i++)
        notify_say(notify, "READY=1");
    notify_free(notify);
    wheel_free(wheel);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_told),
        cmocka_unit_test(test_it_never_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
