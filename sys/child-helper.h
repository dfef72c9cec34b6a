/* The helper process: its main loop. */
#pragma once

enum {
    HELPER_SOCKET_FD = 3, /* the agent's socket in the helper program */
};

/*
 * Runs until the agent has closed its end, the last program has ended, and what it keeps was kept
 * for long enough.
 */
_Noreturn void helper_main(int socket);
