/* nodeagent version. */
#include "command.h"

#include <string.h>

int command_version(int argc, char **argv)
{
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        printf("Usage: nodeagent version\n"
               "\n"
               "Prints the version of nodeagent and of the Kubernetes API it was made for.\n");
        return EXIT_GOOD;
    }
    if (argc > 1)
        return usage_error("version", "unexpected argument \"%.64s\"", argv[1]);
    printf("nodeagent %s (Kubernetes 1.36)\n", NODEAGENT_VERSION);
    return EXIT_GOOD;
}
