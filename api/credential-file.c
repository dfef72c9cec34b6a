/* Reading files of credentials again and again. */
#include "nodeagent/api/credential_file.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/work.h"
#include "pem.h"
#include "token.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The pool's half of a reading. */
struct reading {
    enum credential_kind kind;
    char *paths[CREDENTIAL_TEXTS];
    struct strbuf texts[CREDENTIAL_TEXTS];
    struct err err;
};

/* on a thread */

static void reading_free(void *argument)
{
    struct reading *reading = argument;

    for (size_t i = 0; i < CREDENTIAL_TEXTS; i++) {
        free(reading->paths[i]);
        strbuf_deinit(&reading->texts[i]);
    }
    free(reading);
}

static int read_pem(struct reading *reading, size_t place)
{
    int r = pem_read(reading->paths[place], &reading->texts[place], &reading->err);

    strbuf_add(&reading->texts[place], "");
    return r;
}

static int read_authority(struct reading *reading)
{
    int r = read_pem(reading, 0);

    if (r < 0)
        return r;
    r = pem_check_authority(reading->texts[0].text, &reading->err);
    return r < 0 ? err_prefix(&reading->err, "%s", reading->paths[0]) : 0;
}

/* Both in one file are read in one go: it may be replaced at any time. */
static int read_pair(struct reading *reading)
{
    int r = read_pem(reading, 0);

    if (r == 0 && strcmp(reading->paths[0], reading->paths[1]) != 0)
        r = read_pem(reading, 1);
    else if (r == 0)
        strbuf_add(&reading->texts[1], reading->texts[0].text);
    if (r < 0)
        return r;
    r = pem_check_pair(reading->texts[0].text, reading->texts[1].text, &reading->err);
    return r < 0 ? err_prefix(&reading->err, "%s", reading->paths[0]) : 0;
}

static int reading_run(void *argument)
{
    struct reading *reading = argument;

    switch (reading->kind) {
    case CREDENTIAL_TOKEN:
        return token_read(reading->paths[0], &reading->texts[0], &reading->err);
    case CREDENTIAL_PAIR:
        return read_pair(reading);
    case CREDENTIAL_AUTHORITY:
        return read_authority(reading);
    }
    return -EINVAL;
}

/* on the loop */

static usec_t period_of(const struct credential_file *file)
{
    if (file->period)
        return file->period;
    if (file->kind == CREDENTIAL_TOKEN)
        return CREDENTIAL_TOKEN_PERIOD;
    return str_has_suffix(file->paths[0], "/" CREDENTIAL_ROTATED_NAME) ? CREDENTIAL_ROTATED_PERIOD
                                                                       : CREDENTIAL_PEM_PERIOD;
}

static void arm(struct credential_file *file, usec_t delay)
{
    wheel_arm(file->wheel, &file->timer, usec_add(file->began, delay));
}

/* A trouble that goes on is told once; that what is awaited is not there yet is none. */
static void failed(struct credential_file *file, const struct err *err)
{
    usec_t retry = file->read ? CREDENTIAL_RETRY : CREDENTIAL_AWAITED_PERIOD;
    bool awaited = !file->read && err->code == -ENOENT;

    if (!awaited && strcmp(err->text, file->trouble.text) != 0)
        log_failure(LOG_LEVEL_WARNING, NULL, err);
    if (!awaited)
        file->trouble = *err;
    arm(file, MIN(retry, period_of(file)));
}

static bool take(struct credential_file *file, struct reading *reading)
{
    bool changed = false;

    if (file->trouble.code)
        log_notice("%s: is read again", file->paths[0]);
    file->trouble = (struct err){0};
    file->read = file->began;
    for (size_t i = 0; i < CREDENTIAL_TEXTS; i++) {
        if (str_equal(file->texts[i], reading->texts[i].text))
            continue;
        free(file->texts[i]);
        file->texts[i] = strbuf_take(&reading->texts[i]);
        changed = true;
    }
    arm(file, period_of(file));
    return changed;
}

static bool forget(struct credential_file *file)
{
    bool changed = file->texts[0];

    for (size_t i = 0; i < CREDENTIAL_TEXTS; i++) {
        free(file->texts[i]);
        file->texts[i] = NULL;
    }
    return changed;
}

static bool start(struct credential_file *file);

static void reading_done(void *owner, void *argument, int result)
{
    struct credential_file *file = owner;
    struct reading *reading = argument;
    bool changed = false, fetched = file->fetching;
    struct err err;

    file->job = NULL;
    if (result == -ECANCELED)
        return;
    if (file->again && start(file))
        return;
    file->fetching = false;
    if (file->again) {
        file->again = false; /* what was read is too old, and why there is nothing newer was told */
    } else if (!reading) {
        err_set(&err, result, "%s: cannot be read: it takes too long; is a disk or server hung?",
                file->paths[0]);
        failed(file, &err);
    } else if (result < 0) {
        failed(file, &reading->err);
    } else {
        changed = take(file, reading);
    }
    if (fetched && file->trouble.code)
        changed = forget(file);
    if (changed || fetched)
        file->changed(file);
}

/* False: the pool takes no more, so it is tried later. */
static bool start(struct credential_file *file)
{
    struct reading *reading = mem_new(struct reading);
    struct work_order order = {
        .key = file->paths[0],
        .limit_usec = CREDENTIAL_READ_LIMIT,
        .run = reading_run,
        .done = reading_done,
        .free = reading_free,
        .argument = reading,
        .owner = file,
    };
    struct err err;

    file->began = clock_boottime();
    reading->kind = file->kind;
    for (size_t i = 0; i < CREDENTIAL_TEXTS; i++)
        reading->paths[i] = file->paths[i] ? mem_strdup(file->paths[i]) : NULL;
    if (work_submit(file->work, &order, &file->job, &err) == 0) {
        file->again = false;
        return true;
    }
    reading_free(reading);
    err_prefix(&err, "%s: cannot be read", file->paths[0]);
    failed(file, &err);
    return false;
}

static void on_timer(struct wheel_timer *timer)
{
    struct credential_file *file = container_of(timer, struct credential_file, timer);

    if (!file->job)
        start(file);
}

void credential_file_begin(struct credential_file *file, const char *text, const char *more)
{
    wheel_timer_init(&file->timer, on_timer);
    file->began = clock_boottime();
    file->texts[0] = text ? mem_strdup(text) : NULL;
    file->texts[1] = more ? mem_strdup(more) : NULL;
    file->read = text ? file->began : 0;
    if (file->kind == CREDENTIAL_TOKEN)
        start(file);
    else
        arm(file, text ? period_of(file) : CREDENTIAL_AWAITED_PERIOD);
}

void credential_file_end(struct credential_file *file)
{
    if (!file->paths[0])
        return;
    wheel_cancel(&file->timer);
    if (file->job)
        work_cancel(file->job);
    forget(file);
}

void credential_file_refuse(struct credential_file *file, usec_t then)
{
    if (file->read >= then)
        return;
    if (file->job) {
        file->again |= file->began < then;
        file->fetching = true;
    } else {
        file->fetching = start(file);
    }
}
