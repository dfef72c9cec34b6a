/*
 * Telling the service manager: that the agent is ready, that it is alive, that it ends. A manager
 * that does not read never holds up the agent.
 */
#pragma once

struct notify;
struct wheel;

/* Does nothing when no manager asked to be told (NOTIFY_SOCKET). Says so periodically when the
 * manager watches (WATCHDOG_USEC). */
struct notify *notify_new(struct wheel *wheel);
struct notify *notify_free(struct notify *notify);
void notify_say(struct notify *notify, const char *state); /* "READY=1" */
