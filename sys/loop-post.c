/*
 * The hand-over between threads: a list under a mutex, and an eventfd that is readable as long as
 * somebody waits in it, or soon will be. The loop takes the whole list at once and works it off
 * under its budget, so other threads find the mutex free however slow the calls are.
 *
 * Who posts first writes to the eventfd, with the mutex free again: the loop, which wakes up at
 * once, would else have to wait for it. So what is written may come when all has been taken.
 */
#include "loop-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void inbox_sleep(struct loop_inbox *inbox)
{
    eventfd_t value;

    inbox->awake = false;
    assert_that(eventfd_read(inbox->wake_fd, &value) == 0 || errno == EAGAIN);
}

/* The next one to call, or NULL: then the descriptor is no longer readable. */
static struct loop_post *inbox_take(struct loop_inbox *inbox)
{
    struct loop_post *post;

    if (list_empty(&inbox->taken)) {
        pthread_mutex_lock(&inbox->lock);
        list_splice(&inbox->taken, &inbox->arrived);
        if (list_empty(&inbox->taken))
            inbox_sleep(inbox);
        pthread_mutex_unlock(&inbox->lock);
    }
    post = list_first(&inbox->taken, struct loop_post, link);
    if (post)
        list_unlink(&post->link);
    return post;
}

static void inbox_drain(void *data, int fd, uint32_t events)
{
    struct loop *loop = data;
    struct loop_budget budget = loop_budget_begin();

    do {
        struct loop_post *post = inbox_take(&loop->inbox);

        if (!post)
            return;
        post->call(post);
    } while (!loop->stopped && loop_budget_spend(&budget));
}

int loop_inbox_init(struct loop *loop, struct err *err)
{
    struct loop_inbox *inbox = &loop->inbox;
    int r;

    list_init(&inbox->taken);
    list_init(&inbox->arrived);
    inbox->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (inbox->wake_fd < 0)
        return err_set(err, -errno, "event loop: no descriptor to be woken by: %m");
    r = loop_watch_fd(loop, &inbox->source, LOOP_COMPLETIONS, inbox->wake_fd, EPOLLIN, inbox_drain,
                      loop, err);
    if (r < 0) {
        close(inbox->wake_fd);
        return r;
    }
    assert_that(pthread_mutex_init(&inbox->lock, NULL) == 0);
    return 0;
}

void loop_inbox_deinit(struct loop *loop)
{
    struct loop_inbox *inbox = &loop->inbox;

    inbox->source = loop_source_free(inbox->source);
    close(inbox->wake_fd);
    pthread_mutex_destroy(&inbox->lock);
}

void loop_post(struct loop *loop, struct loop_post *post)
{
    struct loop_inbox *inbox = &loop->inbox;
    bool awake;

    pthread_mutex_lock(&inbox->lock);
    assert_that(list_empty(&post->link));
    list_push_back(&inbox->arrived, &post->link);
    awake = inbox->awake;
    inbox->awake = true;
    pthread_mutex_unlock(&inbox->lock);
    if (!awake)
        assert_that(eventfd_write(inbox->wake_fd, 1) == 0);
}

void loop_post_cancel(struct loop *loop, struct loop_post *post)
{
    pthread_mutex_lock(&loop->inbox.lock);
    list_unlink(&post->link);
    pthread_mutex_unlock(&loop->inbox.lock);
}
