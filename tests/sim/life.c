/* The agent's lives: their beginnings and their ends. */
#include "api-server.h"
#include "checks.h"
#include "manifests.h"
#include "runtime.h"
#include "scenario.h"
#include "subject.h"
#include "sys.h"

#define DEAD_MIN (5 * USEC_PER_MSEC)
#define DEAD_MAX (20 * USEC_PER_SEC)

void life_begin(void *unused)
{
    struct agent_life *life = &world->life;

    if (life->alive)
        return;
    life->number++;
    life->alive = true;
    life->began = world->now;
    life->frozen_until = 0;
    world_disturb();
    trace("agent %u starts", life->number);
    life_call(subject_start, NULL);
}

static void life_is_over(const char *how)
{
    struct agent_life *life = &world->life;

    trace("agent %u %s", life->number, how);
    life->alive = false;
    life->loop = NULL;
    life->wheel = NULL;
    net_agent_died();
    if (world->api)
        net_http_agent_died();
    tree_agent_died(world->tree);
    static_agent_died();
    checks_agent_died();
    world_disturb();
    if (!world->violated)
        event_add(draw_usec_wide(SITE_DURATION, "agent is dead", DEAD_MIN, DEAD_MAX),
                  "agent is started", "", life_begin, NULL);
}

void life_end(void)
{
    world->kills++;
    life_is_over("is killed");
}

void life_stop(void)
{
    if (world->life.alive && life_call(subject_stop, NULL))
        life_is_over("stops");
}
