/* sys/loop: turns, sources, posts from threads, and thousands of sockets. */
#include "test.h"

#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int loop_open(void **state)
{
    struct rlimit limit;
    struct loop *loop;
    struct err err;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_int_equal(loop_new(&loop, &err), 0);
    *state = loop;
    return 0;
}

static int loop_close(void **state)
{
    assert_null(loop_free(*state));
    assert_null(loop_free(NULL));
    return 0;
}

static void sleep_usec(usec_t usec)
{
    usec_t until = clock_monotonic() + usec;

    while (clock_monotonic() < until)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* descriptors */

struct probe {
    struct loop *loop;
    struct loop_source *source;
    int fd;
    unsigned calls;
    unsigned *sequence;
    unsigned place;
    usec_t slow;
    bool frees;
    bool stops;
};

static void probe_called(void *data, int fd, uint32_t events)
{
    struct probe *probe = data;

    assert_int_equal(fd, probe->fd);
    assert_true(events & EPOLLIN);
    probe->calls++;
    if (probe->sequence)
        probe->place = ++*probe->sequence;
    if (probe->slow)
        sleep_usec(probe->slow);
    if (probe->frees)
        probe->source = loop_source_free(probe->source);
    if (probe->stops)
        loop_stop(probe->loop, 7);
}

/* Readable from the start, and for ever. */
static void probe_open(struct probe *probe, struct loop *loop, enum loop_class class)
{
    *probe = (struct probe){.loop = loop, .fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
    assert_true(probe->fd >= 0);
    assert_int_equal(
        loop_watch_fd(loop, &probe->source, class, probe->fd, EPOLLIN, probe_called, probe, NULL),
        0);
}

static void probe_close(struct probe *probe)
{
    probe->source = loop_source_free(probe->source);
    close(probe->fd);
}

static void test_fd_is_level_triggered(void **state)
{
    struct loop *loop = *state;
    struct probe probe;
    eventfd_t value;

    probe_open(&probe, loop, LOOP_API);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(loop_turn(loop, USEC_PER_SEC, NULL), 1);
        assert_int_equal(probe.calls, i);
    }
    eventfd_read(probe.fd, &value);
    assert_int_equal(loop_turn(loop, 0, NULL), 0);
    assert_int_equal(loop_turns(loop)->count, 3);
    probe_close(&probe);
}

static void test_fd_can_be_silenced_and_freed(void **state)
{
    struct loop *loop = *state;
    struct probe probe;
    struct err err;

    probe_open(&probe, loop, LOOP_API);
    assert_int_equal(loop_change_fd(probe.source, 0, NULL), 0);
    assert_int_equal(loop_turn(loop, 0, NULL), 0);
    assert_int_equal(loop_change_fd(probe.source, EPOLLIN, NULL), 0);
    assert_int_equal(loop_change_fd(probe.source, 1u << 15, &err), -EINVAL);
    probe.frees = true;
    assert_int_equal(loop_turn(loop, USEC_PER_SEC, NULL), 1);
    assert_int_equal(loop_turn(loop, 0, NULL), 0);
    assert_int_equal(probe.calls, 1);
    probe_close(&probe);
}

static void test_bad_descriptors_are_refused(void **state)
{
    struct loop_source *source = NULL;
    struct loop *loop = *state;
    struct probe probe;
    struct err err;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_int_equal(
        loop_watch_fd(loop, &source, LOOP_API, file, EPOLLIN, probe_called, &probe, &err), -EPERM);
    assert_non_null(strstr(err.text, "cannot be watched"));
    close(file);
    assert_int_equal(loop_watch_signal(loop, &source, LOOP_API, SIGUSR1, NULL, NULL, NULL), 0);
    source = loop_source_free(source);
    assert_null(loop_source_free(source));
}

/* All that are ready are called once, the classes in order, before any is called again. */
static void test_a_turn_calls_each_once_in_order(void **state)
{
    struct loop *loop = *state;
    struct probe probes[LOOP_CLASS_COUNT];
    unsigned sequence = 0;

    for (unsigned i = 0; i < LOOP_CLASS_COUNT; i++) {
        probe_open(&probes[i], loop, (enum loop_class)(LOOP_CLASS_COUNT - 1 - i));
        probes[i].sequence = &sequence;
    }
    for (unsigned turn = 1; turn <= 3; turn++) {
        assert_int_equal(loop_turn(loop, USEC_PER_SEC, NULL), 1);
        for (unsigned i = 0; i < LOOP_CLASS_COUNT; i++) {
            assert_int_equal(probes[i].calls, turn);
            assert_int_equal(probes[i].place, turn * LOOP_CLASS_COUNT - i);
        }
    }
    for (unsigned i = 0; i < LOOP_CLASS_COUNT; i++)
        probe_close(&probes[i]);
}

static void test_stop_ends_the_turn(void **state)
{
    struct loop *loop = *state;
    struct probe first, second;

    probe_open(&first, loop, LOOP_COMPLETIONS);
    probe_open(&second, loop, LOOP_CLIENTS);
    first.stops = true;
    assert_int_equal(loop_run(loop, NULL), 7);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
    first.stops = false;
    second.stops = true;
    assert_int_equal(loop_run(loop, NULL), 7);
    assert_int_equal(second.calls, 1);
    loop_stop(loop, 9); /* before it runs */
    assert_int_equal(loop_run(loop, NULL), 9);
    probe_close(&first);
    probe_close(&second);
}

static void test_late_turns_are_counted(void **state)
{
    struct loop *loop = *state;
    struct probe probe;

    probe_open(&probe, loop, LOOP_API);
    loop_turn(loop, 0, NULL);
    probe.slow = LOOP_LATE_USEC + 20 * USEC_PER_MSEC;
    assert_int_equal(loop_turn(loop, 0, NULL), 1);
    assert_true(loop_turns(loop)->late >= 1);
    assert_true(loop_turns(loop)->last > LOOP_LATE_USEC);
    assert_true(loop_turns(loop)->longest >= loop_turns(loop)->last);
    assert_int_equal(loop_turns(loop)->count, 2);
    probe_close(&probe);
}

/* signals */

static void signal_called(void *data, int signal)
{
    *(int *)data = signal;
}

static void test_signals_arrive(void **state)
{
    struct loop *loop = *state;
    struct loop_source *source;
    int signal = 0;

    assert_int_equal(
        loop_watch_signal(loop, &source, LOOP_CLIENTS, SIGUSR1, signal_called, &signal, NULL), 0);
    raise(SIGUSR1);
    assert_int_equal(loop_turn(loop, USEC_PER_SEC, NULL), 1);
    assert_int_equal(signal, SIGUSR1);
    assert_int_equal(loop_turn(loop, 0, NULL), 0);
    loop_source_free(source);
}

/* posts */

enum {
    THREADS = 8,
    POSTS = 2000, /* of each thread */
};

struct poster {
    struct loop *loop;
    struct loop_post post;
    struct counted_post {
        struct loop_post post;
        unsigned *count;
    } posts[POSTS];
    bool again;
    unsigned count;
};

static void count_post(struct loop_post *post)
{
    ++*container_of(post, struct counted_post, post)->count;
}

static void *post_all(void *data)
{
    struct poster *poster = data;

    for (unsigned i = 0; i < POSTS; i++)
        loop_post(poster->loop, &poster->posts[i].post);
    return NULL;
}

static struct poster *poster_new(struct loop *loop)
{
    struct poster *poster = mem_new(struct poster);

    poster->loop = loop;
    for (unsigned i = 0; i < POSTS; i++) {
        poster->posts[i].count = &poster->count;
        loop_post_init(&poster->posts[i].post, count_post);
    }
    return poster;
}

static void test_posts_from_many_threads(void **state)
{
    struct poster *posters[THREADS];
    struct loop *loop = *state;
    pthread_t threads[THREADS];
    unsigned sum = 0;

    for (unsigned i = 0; i < THREADS; i++) {
        posters[i] = poster_new(loop);
        assert_int_equal(pthread_create(&threads[i], NULL, post_all, posters[i]), 0);
    }
    while (sum < THREADS * POSTS) {
        unsigned before = sum;

        assert_int_equal(loop_turn(loop, 10 * USEC_PER_SEC, NULL), 1);
        sum = 0;
        for (unsigned i = 0; i < THREADS; i++)
            sum += posters[i]->count;
        assert_true(sum - before <= LOOP_BUDGET_EVENTS);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        free(posters[i]);
    }
    /* The last one may have been called just as the budget ended. */
    loop_turn(loop, 0, NULL);
    assert_int_equal(loop_turn(loop, 0, NULL), 0);
}

static void post_again(struct loop_post *post)
{
    struct poster *poster = container_of(post, struct poster, post);

    poster->count++;
    if (poster->again)
        loop_post(poster->loop, post);
}

static void test_posting_again_and_cancelling(void **state)
{
    struct poster *poster = poster_new(*state);
    struct probe probe;

    probe_open(&probe, *state, LOOP_CLIENTS);
    loop_post_init(&poster->post, post_again);
    poster->again = true;
    loop_post(poster->loop, &poster->post);
    assert_int_equal(loop_turn(poster->loop, 0, NULL), 1);
    assert_true(poster->count >= 1 && poster->count <= LOOP_BUDGET_EVENTS);
    assert_int_equal(probe.calls, 1); /* a flood does not starve the last class */
    poster->count = 0;
    loop_post_cancel(poster->loop, &poster->post);
    loop_post_cancel(poster->loop, &poster->post);
    loop_turn(poster->loop, 0, NULL);
    assert_int_equal(poster->count, 0);
    probe_close(&probe);
    free(poster);
}

/* sets */

enum {
    SOCKETS = 8000,
};

struct crowd {
    struct loop *loop;
    struct loop_set *set;
    size_t count;
    struct member {
        struct loop_socket socket;
        struct crowd *crowd;
        int peer;
        unsigned calls;
        uint32_t events;
        bool removed;
    } * members;
    size_t remove_ahead; /* others that each callback removes */
    bool keep;           /* leave what is there to be read */
    usec_t slow;
    unsigned calls;
};

static void member_ready(struct loop_socket *socket, uint32_t events)
{
    struct member *member = container_of(socket, struct member, socket);
    struct crowd *crowd = member->crowd;
    size_t at = (size_t)(member - crowd->members);
    char byte;

    assert_false(member->removed);
    crowd->calls++;
    member->calls++;
    member->events = events;
    if (!crowd->keep)
        assert_int_equal(read(socket->fd, &byte, 1), 1);
    if (crowd->slow)
        sleep_usec(crowd->slow);
    for (size_t i = 1; i <= crowd->remove_ahead; i++) {
        struct member *other = &crowd->members[(at + i) % crowd->count];

        loop_set_remove(&other->socket);
        other->removed = true;
    }
}

static void crowd_open(struct crowd *crowd, struct loop *loop, size_t count)
{
    *crowd = (struct crowd){.loop = loop, .count = count};
    crowd->members = mem_zalloc(count * sizeof(*crowd->members));
    assert_int_equal(loop_set_new(&crowd->set, loop, LOOP_API, NULL), 0);
    for (size_t i = 0; i < count; i++) {
        struct member *member = &crowd->members[i];
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
                         0);
        member->crowd = crowd;
        member->peer = fds[1];
        assert_int_equal(
            loop_set_add(crowd->set, &member->socket, fds[0], EPOLLIN, member_ready, NULL), 0);
        assert_int_equal(write(member->peer, "x", 1), 1);
    }
}

static void crowd_close(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++) {
        loop_set_remove(&crowd->members[i].socket);
        close(crowd->members[i].socket.fd);
        close(crowd->members[i].peer);
    }
    assert_null(loop_set_free(crowd->set));
    assert_null(loop_set_free(NULL));
    free(crowd->members);
}

static void test_8000_sockets_at_once(void **state)
{
    struct rlimit limit;
    struct crowd crowd;
    unsigned before;

    getrlimit(RLIMIT_NOFILE, &limit);
    crowd_open(&crowd, *state, MIN(SOCKETS, (limit.rlim_cur - 64) / 2));
    while (crowd.calls < crowd.count) {
        before = crowd.calls;
        assert_int_equal(loop_turn(crowd.loop, USEC_PER_SEC, NULL), 1);
        assert_true(crowd.calls > before && crowd.calls - before <= LOOP_BUDGET_EVENTS);
    }
    for (size_t i = 0; i < crowd.count; i++)
        assert_int_equal(crowd.members[i].calls, 1);
    assert_int_equal(loop_turn(crowd.loop, 0, NULL), 0);
    crowd_close(&crowd);
}

static void test_callbacks_may_remove_others(void **state)
{
    struct crowd crowd;

    crowd_open(&crowd, *state, 100);
    crowd.remove_ahead = 9; /* of the same batch */
    while (loop_turn(crowd.loop, 0, NULL) > 0)
        ;
    assert_int_equal(crowd.calls, 10);
    crowd_close(&crowd);
}

/* All are ready all the time and callbacks are so slow that no batch is finished. */
static void test_slow_callbacks_starve_nobody(void **state)
{
    struct crowd crowd;

    crowd_open(&crowd, *state, 20);
    crowd.keep = true;
    crowd.slow = LOOP_BUDGET_USEC + USEC_PER_MSEC;
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(loop_turn(crowd.loop, 0, NULL), 1);
    assert_int_equal(crowd.calls, 40);
    for (size_t i = 0; i < crowd.count; i++)
        assert_int_equal(crowd.members[i].calls, 2);
    crowd_close(&crowd);
}

/* What was changed after the kernel reported it is not called for. */
static void test_changes_reach_the_batch(void **state)
{
    struct crowd crowd;

    crowd_open(&crowd, *state, 3);
    crowd.keep = true;
    crowd.slow = LOOP_BUDGET_USEC + USEC_PER_MSEC;
    assert_int_equal(loop_turn(crowd.loop, 0, NULL), 1);
    assert_int_equal(crowd.members[0].calls, 1);
    assert_int_equal(loop_set_change(&crowd.members[1].socket, EPOLLOUT, NULL), 0);
    assert_int_equal(loop_set_change(&crowd.members[2].socket, 0, NULL), 0);
    shutdown(crowd.members[2].peer, SHUT_RDWR);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(loop_turn(crowd.loop, 0, NULL), 1);
    assert_int_equal(crowd.members[1].events, EPOLLOUT);
    assert_int_equal(crowd.members[2].calls, 0);
    assert_int_equal(loop_set_change(&crowd.members[2].socket, EPOLLIN, NULL), 0);
    assert_int_equal(loop_set_change(&crowd.members[2].socket, EPOLLIN, NULL), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(loop_turn(crowd.loop, 0, NULL), 1);
    assert_true(crowd.members[2].events & EPOLLHUP);
    crowd_close(&crowd);
}

static void test_sets_refuse_what_epoll_refuses(void **state)
{
    struct loop_socket socket;
    struct crowd crowd;
    struct err err;

    crowd_open(&crowd, *state, 1);
    assert_int_equal(
        loop_set_add(crowd.set, &socket, crowd.members[0].socket.fd, EPOLLIN, member_ready, &err),
        -EEXIST);
    assert_int_equal(loop_set_add(crowd.set, &socket, -1, EPOLLIN, member_ready, &err), -EBADF);
    loop_set_remove(&socket); /* it is in none */
    crowd_close(&crowd);
}

static void stop_the_loop(struct loop_socket *socket, uint32_t events)
{
    struct member *member = container_of(socket, struct member, socket);

    member->crowd->calls++;
    loop_stop(member->crowd->loop, 3);
}

static void test_stop_ends_the_batch(void **state)
{
    struct crowd crowd;

    crowd_open(&crowd, *state, 10);
    for (size_t i = 0; i < crowd.count; i++)
        crowd.members[i].socket.ready = stop_the_loop;
    assert_int_equal(loop_run(crowd.loop, NULL), 3);
    assert_int_equal(crowd.calls, 1);
    crowd_close(&crowd);
}

/* No descriptors left: everything that needs one says so. */
static void test_without_descriptors(void **state)
{
    struct rlimit before, none;
    struct loop_source *source;
    struct loop_set *set;
    struct loop *loop;
    struct err err = {0};

    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    assert_int_equal(loop_new(&loop, &err), -EMFILE);
    assert_int_equal(loop_set_new(&set, *state, LOOP_API, &err), -EMFILE);
    assert_int_equal(loop_watch_signal(*state, &source, LOOP_API, SIGUSR2, NULL, NULL, &err),
                     -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_non_null(strstr(err.text, "signal 12 cannot be watched"));
}

#define loop_test(name) cmocka_unit_test_setup_teardown(name, loop_open, loop_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        loop_test(test_fd_is_level_triggered),
        loop_test(test_fd_can_be_silenced_and_freed),
        loop_test(test_bad_descriptors_are_refused),
        loop_test(test_a_turn_calls_each_once_in_order),
        loop_test(test_stop_ends_the_turn),
        loop_test(test_late_turns_are_counted),
        loop_test(test_signals_arrive),
        loop_test(test_posts_from_many_threads),
        loop_test(test_posting_again_and_cancelling),
        loop_test(test_8000_sockets_at_once),
        loop_test(test_callbacks_may_remove_others),
        loop_test(test_slow_callbacks_starve_nobody),
        loop_test(test_changes_reach_the_batch),
        loop_test(test_sets_refuse_what_epoll_refuses),
        loop_test(test_stop_ends_the_batch),
        loop_test(test_without_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
