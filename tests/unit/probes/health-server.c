/*
 * A real gRPC server with the health service, for integration tests: says its port, and lives as
 * long as its input.
 */
#include "health-server.h"

#include <unistd.h>

int main(void)
{
    static struct health_server health;
    char byte;

    grpc_init();
    server_start(&health.server, "0.0.0.0:0", health_answer);
    printf("%d\n", health.server.port);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0)
        ;
    server_stop(&health.server);
    grpc_shutdown();
    return 0;
}
