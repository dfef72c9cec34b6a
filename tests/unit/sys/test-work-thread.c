/* sys/work-thread: threads that hang, that are refused, and that outlive the pool. */
#include "work-fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_signals(struct task *task)
{
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    task->answer = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGCHLD);
    return 0;
}

static void test_signals_are_blocked(void **state)
{
    struct task_owner owner = {0};

    assert_int_equal(submit(&owner, *state, NULL, LIMIT, run_signals, NULL, NULL), 0);
    wait_done(&owner);
    assert_int_equal(owner.answer, 1);
}

static void test_a_stuck_thread_is_replaced(void **state)
{
    struct task_owner *stuck = mem_new(struct task_owner), behind = {0}, refused = {0}, other = {0},
                      after = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    struct err err;

    submit(stuck, stage, "pod-a", SHORT, run_gate, gate, NULL);
    submit(&behind, stage, "pod-a", LIMIT, run_answer, gate, NULL);
    wait_done(stuck);
    assert_int_equal(stuck->result, -ETIMEDOUT);
    assert_false(stuck->had_argument);
    free(stuck); /* the owner may go */
    assert_int_equal(behind.result, -EBUSY);
    assert_int_equal(work_stats(stage->work)->stuck, 1);
    assert_int_equal(work_stats(stage->work)->timed_out, 1);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MIN + 1);

    assert_int_equal(submit(&refused, stage, "pod-a", LIMIT, run_answer, gate, &err), -EBUSY);
    assert_string_equal(err.text, "worker pool: pod-a: an earlier job is stuck");
    assert_int_equal(submit(&other, stage, "pod-b", LIMIT, run_answer, gate, NULL), 0);
    wait_done(&other);

    gate_open(gate);
    wait_stuck(stage, 0);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MIN);
    assert_int_equal(submit(&after, stage, "pod-a", LIMIT, run_answer, gate, NULL), 0);
    wait_done(&after);
    assert_int_equal(after.answer, 42);
    assert_int_equal(gate_freed(gate), 4);
    gate_free(gate);
}

static void test_a_cancelled_job_can_be_stuck(void **state)
{
    struct task_owner owner = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    submit(&owner, stage, NULL, SHORT, run_gate, gate, NULL);
    gate_wait_inside(gate, 1);
    work_cancel(owner.job);
    wait_stuck(stage, 1);
    assert_int_equal(owner.done, 1);
    gate_open(gate);
    wait_stuck(stage, 0);
    assert_int_equal(gate_freed(gate), 1);
    gate_free(gate);
}

/* With too many threads stuck there is nobody left to run anything: whoever waits is told, instead
 * of waiting for what may never come. Then all recovers. */
static void test_stuck_threads_are_limited(void **state)
{
    enum { ALL = WORK_THREADS_MAX + WORK_STUCK_MAX };
    struct task_owner owners[ALL] = {0}, waiting[3] = {0}, refused = {0}, after = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    struct err err;

    for (unsigned i = 0; i < ALL; i++)
        submit(&owners[i], stage, NULL, SHORT, run_gate, gate, NULL);
    for (unsigned i = 0; i < array_size(waiting); i++)
        submit(&waiting[i], stage, i ? "pod-a" : NULL, LIMIT, run_answer, gate, NULL);
    waiting[0].cancel_too = &waiting[2];
    wait_stuck(stage, ALL);
    assert_int_equal(work_stats(stage->work)->threads, ALL);
    for (unsigned i = 0; i < array_size(waiting); i++) {
        assert_int_equal(waiting[i].done, 1);
        assert_int_equal(waiting[i].result, i == 2 ? -ECANCELED : -EBUSY);
    }
    assert_int_equal(work_stats(stage->work)->queued, 0);
    assert_int_equal(submit(&refused, stage, "pod-b", LIMIT, run_answer, NULL, &err), -EBUSY);
    assert_string_equal(err.text, "worker pool: pod-b: all 128 threads are stuck in earlier jobs");
    assert_int_equal(submit(&refused, stage, NULL, LIMIT, run_answer, NULL, &err), -EBUSY);
    assert_string_equal(err.text, "worker pool: all 128 threads are stuck in earlier jobs");
    gate_open(gate);
    wait_stuck(stage, 0);
    assert_int_equal(submit(&after, stage, "pod-a", LIMIT, run_answer, NULL, NULL), 0);
    wait_done(&after);
    assert_int_equal(gate_freed(gate), ALL + array_size(waiting));
    gate_free(gate);
}

static void ignore_post(struct loop_post *post)
{
}

/* A loop that was busy elsewhere, and whose turn has no room for the result before the timer. */
static int run_with_a_late_loop(struct stage *stage, usec_t limit)
{
    struct loop_post busy[2 * LOOP_BUDGET_EVENTS];
    struct task_owner owner = {0};
    struct gate *gate = gate_new();

    for (unsigned i = 0; i < array_size(busy); i++) {
        loop_post_init(&busy[i], ignore_post);
        loop_post(stage->loop, &busy[i]);
    }
    submit(&owner, stage, "pod-a", limit, run_gate, gate, NULL);
    gate_wait_inside(gate, 1);
    gate_open(gate);
    usleep((useconds_t)(2 * limit));
    wait_done(&owner);
    wait_stuck(stage, 0);
    gate_free(gate);
    return owner.result;
}

static void test_a_late_loop_is_no_stuck_thread(void **state)
{
    usec_t limit = SHORT;
    int result;

    /* On a machine with much else to do the thread may really be late. */
    do
        result = run_with_a_late_loop(*state, limit);
    while (result == -ETIMEDOUT && (limit *= 4) < 10 * USEC_PER_SEC);
    assert_int_equal(result, 0);
}

static int run_slowly(struct task *task)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return 0;
}

/* In flight, waiting, behind a key: all are told, and threads that return in time are waited for.
 */
static void test_stopping_with_work_in_flight(void **state)
{
    struct task_owner owners[3 * WORK_THREADS_MAX] = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    for (unsigned i = 0; i < array_size(owners); i++)
        submit(&owners[i], stage, i % 3 ? NULL : "pod-a", LIMIT, run_slowly, gate, NULL);
    owners[0].cancel_too = &owners[3];
    owners[3].cancel_too = &owners[1];
    stage->work = work_free(stage->work);
    for (unsigned i = 0; i < array_size(owners); i++) {
        assert_int_equal(owners[i].done, 1);
        assert_int_equal(owners[i].result, -ECANCELED);
    }
    assert_int_equal(gate_freed(gate), array_size(owners));
    gate_free(gate);
}

/* A result that is on its way to the loop when the pool goes. */
static void test_stopping_with_a_result_posted(void **state)
{
    struct task_owner owner = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    gate->open = true;
    submit(&owner, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    stage->work = work_free(stage->work);
    assert_int_equal(owner.result, -ECANCELED);
    assert_int_equal(gate_freed(gate), 1);
    loop_turn(stage->loop, 0, NULL);
    gate_free(gate);
}

static void submit_again(void *data, void *argument, int result)
{
    struct task_owner *owner = data, again = {0};
    struct err err;

    owner->done++;
    assert_int_equal(submit(&again, owner->stage, NULL, LIMIT, run_answer, NULL, &err), -ESHUTDOWN);
}

static int run_nothing(void *argument)
{
    return 0;
}

static void test_stopping_refuses_new_work(void **state)
{
    struct stage *stage = *state;
    struct task_owner owner = {.stage = stage};

    assert_int_equal(work_submit(stage->work,
                                 &(struct work_order){
                                     .limit_usec = LIMIT,
                                     .run = run_nothing,
                                     .done = submit_again,
                                     .free = free,
                                     .owner = &owner,
                                 },
                                 NULL, NULL),
                     0);
    stage->work = work_free(stage->work);
    assert_int_equal(owner.done, 1);
}

/* The pool and the loop are long gone when the threads return. */
static void test_stopping_does_not_wait_for_ever(void **state)
{
    struct task_owner stuck = {0}, busy = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    usec_t begin = clock_monotonic();

    submit(&stuck, stage, "pod-a", SHORT, run_gate, gate, NULL);
    submit(&busy, stage, "pod-b", LIMIT, run_gate, gate, NULL);
    wait_done(&stuck);
    gate_wait_inside(gate, 2);
    stage->work = work_free(stage->work);
    assert_true(clock_monotonic() - begin < 10 * WORK_STOP_USEC);
    assert_int_equal(busy.result, -ECANCELED);
    assert_int_equal(gate_freed(gate), 0);
    wheel_driver_free(stage->driver);
    wheel_free(stage->wheel);
    loop_free(stage->loop);

    gate_open(gate);
    pthread_mutex_lock(&gate->lock);
    while (gate->freed < 2)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
    gate_free(gate);
    free(stage);
    assert_int_equal(stage_open(state), 0);
}

/* In a child process of another user, who may have only so many threads. A failure there must end
 * it, so these are not cmocka's assertions. */

static void allow_threads(unsigned count)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NPROC, &limit);
    limit.rlim_cur = count;
    assert_that(setrlimit(RLIMIT_NPROC, &limit) == 0);
}

static void open_without_threads(struct stage *stage)
{
    struct err err = {0};

    stage->wheel = wheel_new(clock_boottime());
    assert_that(loop_new(&stage->loop, NULL) == 0);
    assert_that(wheel_driver_new(&stage->driver, stage->wheel, stage->loop, NULL) == 0);
    allow_threads(1);
    assert_that(work_new(&stage->work, stage->loop, stage->wheel, &err) == -EAGAIN);
    assert_that(strstr(err.text, "no thread can be started"));
    /* As many as it needs at the start; a sanitizer may have one of its own. */
    for (unsigned count = 2; work_new(&stage->work, stage->loop, stage->wheel, &err) < 0; count++)
        allow_threads(count);
}

static void run_without_threads(void)
{
    struct task_owner owners[WORK_THREADS_MAX] = {0};
    struct gate *gate = gate_new();
    struct stage stage;

    open_without_threads(&stage);
    for (unsigned i = 0; i < array_size(owners); i++)
        assert_that(submit(&owners[i], &stage, NULL, LIMIT, run_gate, gate, NULL) == 0);
    assert_that(work_stats(stage.work)->threads >= WORK_THREADS_MIN);
    assert_that(work_stats(stage.work)->queued > 0);
    allow_threads(2 * WORK_THREADS_MAX);
    for (struct wheel_timer *timer;
         (timer = wheel_pop(stage.wheel, clock_boottime() + 2 * WORK_RETRY_USEC));)
        timer->fire(timer);
    assert_that(work_stats(stage.work)->queued == 0);
    gate_open(gate);
    for (unsigned i = 0; i < array_size(owners); i++)
        while (!owners[i].done)
            assert_that(loop_turn(stage.loop, 10 * USEC_PER_SEC, NULL) >= 0);
    work_free(stage.work);
    wheel_driver_free(stage.driver);
    wheel_free(stage.wheel);
    loop_free(stage.loop);
    gate_free(gate);
}

static void test_the_system_refuses_threads(void **state)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        /* An id of its own, so that nobody else's threads count. Root has no limit. */
        uid_t user = 1000000000 + (uid_t)getpid();

        if (getuid() == 0)
            assert_that(setresuid(user, user, user) == 0);
        run_without_threads();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_system_refuses_threads),
        stage_test(test_signals_are_blocked),
        stage_test(test_a_stuck_thread_is_replaced),
        stage_test(test_a_cancelled_job_can_be_stuck),
        stage_test(test_stuck_threads_are_limited),
        stage_test(test_a_late_loop_is_no_stuck_thread),
        stage_test(test_stopping_with_work_in_flight),
        stage_test(test_stopping_with_a_result_posted),
        stage_test(test_stopping_refuses_new_work),
        stage_test(test_stopping_does_not_wait_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
