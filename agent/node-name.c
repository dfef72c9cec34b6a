/* Looking the node's name up. */
#include "node-name.h"

#include "nodeagent/base/arena.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "nodeagent/net/lookup.h"
#include "nodeagent/sys/clock.h"
#include "nodeagent/sys/log.h"
#include "nodeagent/sys/wheel.h"
#include "nodeagent/sys/work.h"

#include <stdlib.h>
#include <string.h>

struct node_name {
    struct node_name_options options;
    struct wheel_timer timer;
    struct work_job *job;
    usec_t began;
    bool answered;
    char *text; /* as the look-up wrote it; NULL: nothing was found yet */
    struct string_list addresses;
    struct arena arena; /* of the addresses */
};

static void later(struct node_name *name, usec_t delay)
{
    wheel_arm(name->options.wheel, &name->timer, usec_add(clock_boottime(), delay));
}

/* "10.0.0.1,[fd00::1]" */
static void take(struct node_name *name, const char *text)
{
    free(name->text);
    name->text = mem_strdup(text);
    arena_deinit(&name->arena);
    name->arena = ARENA_INIT(256, 256);
    name->addresses = (struct string_list){0};
    while (*text) {
        size_t length = strcspn(text, ","), bracket = *text == '[';

        strings_add(&name->arena, &name->addresses,
                    arena_strndup(&name->arena, text + bracket, length - 2 * bracket));
        text += length + (text[length] == ',');
    }
}

static void on_looked_up(void *owner, const char *addresses, const struct err *err)
{
    struct node_name *name = owner;
    bool changed = addresses && !str_equal(addresses, name->text);

    name->job = NULL;
    name->answered = true;
    if (!addresses)
        log_debug("the node's name %s: %s", name->options.name, err->text);
    if (changed)
        take(name, addresses);
    later(name, addresses ? NODE_NAME_USEC : NODE_NAME_RETRY_USEC);
    if (changed)
        name->options.changed(name->options.owner);
}

static void on_timer(struct wheel_timer *timer)
{
    struct node_name *name = container_of(timer, struct node_name, timer);
    struct err err;

    if (lookup_start(name->options.work, name->options.name, NODE_NAME_LIMIT_USEC, on_looked_up,
                     name, &name->job, &err) < 0)
        on_looked_up(name, NULL, &err);
}

struct node_name *node_name_new(const struct node_name_options *options)
{
    struct node_name *name = mem_new(struct node_name);

    name->options = *options;
    name->began = clock_boottime();
    wheel_timer_init(&name->timer, on_timer);
    wheel_arm(options->wheel, &name->timer, name->began);
    return name;
}

struct node_name *node_name_free(struct node_name *name)
{
    if (!name)
        return NULL;
    if (name->job)
        work_cancel(name->job);
    wheel_cancel(&name->timer);
    arena_deinit(&name->arena);
    free(name->text);
    free(name);
    return NULL;
}

bool node_name_is_settled(const struct node_name *name)
{
    return name->answered || usec_sub(clock_boottime(), name->began) >= NODE_NAME_PATIENCE_USEC;
}

const struct string_list *node_name_addresses(const struct node_name *name)
{
    return &name->addresses;
}
