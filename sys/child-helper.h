/* The helper process: its main loop. */
#pragma once

/* Runs until the agent has closed its end and the last program has ended. */
_Noreturn void helper_main(int socket);
