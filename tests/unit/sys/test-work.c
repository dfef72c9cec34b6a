/* sys/work: results, keys, queues and cancelling, with real threads. */
#include "work-fixture.h"

#include <stdatomic.h>

static void test_results_come_back(void **state)
{
    struct stage *stage = *state;
    struct task_owner owner = {0};

    assert_int_equal(submit(&owner, stage, "pod-a", LIMIT, run_answer, NULL, NULL), 0);
    assert_int_equal(owner.done, 0);
    wait_done(&owner);
    assert_int_equal(owner.result, -ENOENT);
    assert_int_equal(owner.answer, 42);
    assert_int_equal(work_stats(stage->work)->finished, 1);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MIN);
    assert_int_equal(work_stats(stage->work)->busy, 0);
    assert_int_equal(work_stats(stage->work)->queued, 0);
}

/* the same key one at a time and in order, other keys and none beside it */

struct line {
    struct task_owner owner;
    atomic_int *running;
};

static atomic_int *running_here(struct task *task)
{
    return container_of(task->owner, struct line, owner)->running;
}

static int run_alone(struct task *task)
{
    bool alone = atomic_fetch_add(running_here(task), 1) == 0;

    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_fetch_sub(running_here(task), 1);
    return alone ? 0 : -EDEADLK;
}

static void test_a_key_runs_one_job_at_a_time(void **state)
{
    struct stage *stage = *state;
    struct line lines[2][20] = {0};
    atomic_int running[2] = {0};
    unsigned sequence[2] = {0};

    for (unsigned i = 0; i < array_size(lines[0]); i++)
        for (unsigned key = 0; key < 2; key++) {
            lines[key][i].running = &running[key];
            lines[key][i].owner.sequence = &sequence[key];
            assert_int_equal(submit(&lines[key][i].owner, stage, key ? "pod-b" : "pod-a", LIMIT,
                                    run_alone, NULL, NULL),
                             0);
        }
    for (unsigned key = 0; key < 2; key++)
        for (unsigned i = 0; i < array_size(lines[0]); i++) {
            wait_done(&lines[key][i].owner);
            assert_int_equal(lines[key][i].owner.result, 0);
            assert_int_equal(lines[key][i].owner.place, i + 1);
        }
}

static void test_grows_to_its_limit_and_queues(void **state)
{
    struct task_owner owners[WORK_THREADS_MAX + 8] = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    for (unsigned i = 0; i < array_size(owners); i++)
        assert_int_equal(submit(&owners[i], stage, NULL, LIMIT, run_gate, gate, NULL), 0);
    gate_wait_inside(gate, WORK_THREADS_MAX);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MAX);
    assert_int_equal(work_stats(stage->work)->busy, WORK_THREADS_MAX);
    assert_int_equal(work_stats(stage->work)->queued, 8);
    gate_open(gate);
    for (unsigned i = 0; i < array_size(owners); i++) {
        wait_done(&owners[i]);
        assert_int_equal(owners[i].result, 0);
    }
    assert_int_equal(gate_freed(gate), array_size(owners));
    /* Idle threads end, without waiting for it here: the wheel is told that time has passed. */
    for (struct wheel_timer *timer;
         (timer = wheel_pop(stage->wheel, clock_boottime() + 2 * WORK_IDLE_USEC));)
        timer->fire(timer);
    assert_int_equal(work_stats(stage->work)->threads, WORK_THREADS_MIN);
    gate_free(gate);
}

static void test_a_full_key_is_refused(void **state)
{
    struct task_owner owners[WORK_QUEUED_KEY_MAX + 1] = {0}, refused = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    struct err err;

    for (unsigned i = 0; i < array_size(owners); i++)
        assert_int_equal(submit(&owners[i], stage, "pod-a", LIMIT, run_gate, gate, NULL), 0);
    assert_int_equal(submit(&refused, stage, "pod-a", LIMIT, run_gate, gate, &err), -ENOBUFS);
    assert_string_equal(err.text, "worker pool: pod-a: 64 jobs are queued already");
    assert_int_equal(work_stats(stage->work)->refused, 1);
    gate_open(gate);
    for (unsigned i = 0; i < array_size(owners); i++)
        wait_done(&owners[i]);
    assert_int_equal(refused.done, 0);
    gate_free(gate);
}

static void test_a_full_pool_is_refused(void **state)
{
    enum { ALL = WORK_THREADS_MAX + WORK_QUEUED_MAX };
    struct task_owner *owners = mem_zalloc(ALL * sizeof(*owners)), refused = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();
    struct err err;

    for (unsigned i = 0; i < ALL; i++)
        assert_int_equal(submit(&owners[i], stage, NULL, LIMIT, run_gate, gate, NULL), 0);
    assert_int_equal(submit(&refused, stage, NULL, LIMIT, run_gate, gate, &err), -ENOBUFS);
    assert_string_equal(err.text, "worker pool: 8192 jobs are queued already, 0 threads are stuck");
    gate_open(gate);
    for (unsigned i = 0; i < ALL; i++)
        wait_done(&owners[i]);
    assert_int_equal(gate_freed(gate), ALL);
    free(owners);
    gate_free(gate);
}

static void test_cancelling_queued_jobs(void **state)
{
    struct task_owner first = {0}, second = {0}, third = {0}, last = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    submit(&first, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    submit(&second, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    submit(&third, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    submit(&last, stage, "pod-a", LIMIT, run_answer, gate, NULL);
    second.cancel_too = &third;
    work_cancel(second.job);
    assert_int_equal(second.result, -ECANCELED);
    assert_int_equal(third.result, -ECANCELED);
    assert_false(second.had_argument);
    assert_int_equal(gate_freed(gate), 2);
    gate_open(gate);
    wait_done(&last);
    assert_int_equal(first.result, 0);
    assert_int_equal(last.answer, 42);
    assert_int_equal(second.done, 1);
    gate_free(gate);
}

/* One that may run, but for which there is no thread: the next of its key takes its place. */
static void test_cancelling_a_waiting_job(void **state)
{
    struct task_owner busy[WORK_THREADS_MAX] = {0}, waiting = {0}, behind = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    for (unsigned i = 0; i < array_size(busy); i++)
        submit(&busy[i], stage, NULL, LIMIT, run_gate, gate, NULL);
    submit(&waiting, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    submit(&behind, stage, "pod-a", LIMIT, run_answer, gate, NULL);
    work_cancel(waiting.job);
    assert_int_equal(waiting.result, -ECANCELED);
    gate_open(gate);
    wait_done(&behind);
    assert_int_equal(behind.answer, 42);
    for (unsigned i = 0; i < array_size(busy); i++)
        wait_done(&busy[i]);
    gate_free(gate);
}

static void test_cancelling_a_running_job(void **state)
{
    struct task_owner running = {0}, next = {0};
    struct stage *stage = *state;
    struct gate *gate = gate_new();

    submit(&running, stage, "pod-a", LIMIT, run_gate, gate, NULL);
    gate_wait_inside(gate, 1);
    work_cancel(running.job);
    assert_int_equal(running.result, -ECANCELED);
    assert_false(running.had_argument);
    assert_int_equal(gate_freed(gate), 0); /* the thread has it */
    submit(&next, stage, "pod-a", LIMIT, run_answer, gate, NULL);
    assert_int_equal(loop_turn(stage->loop, 0, NULL), 0);
    assert_int_equal(next.done, 0); /* the key is still in use */
    gate_open(gate);
    wait_done(&next);
    assert_int_equal(gate_freed(gate), 2);
    assert_int_equal(running.done, 1);
    gate_free(gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_results_come_back),
        stage_test(test_a_key_runs_one_job_at_a_time),
        stage_test(test_grows_to_its_limit_and_queues),
        stage_test(test_a_full_key_is_refused),
        stage_test(test_a_full_pool_is_refused),
        stage_test(test_cancelling_queued_jobs),
        stage_test(test_cancelling_a_waiting_job),
        stage_test(test_cancelling_a_running_job),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
