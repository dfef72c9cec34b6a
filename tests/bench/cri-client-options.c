/*
 * The plain client's command line.
 */
#include "cri-client.h"
#include "nodeagent/base/str.h"
#include "nodeagent/net/rpc.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PODS_MAX = 10000,
    GRACE_SECONDS_MAX = 100,
};

static const char usage[] =
    "Usage: cri-client [OPTION]... ENDPOINT IMAGE [-- COMMAND...]\n"
    "\n"
    "  --pods N            so many pods of one container (1)\n"
    "  --flight N          so many of them under way at once (1)\n"
    "  --stop-flight N     the same while they are stopped and removed (as --flight)\n"
    "  --grace SECONDS     of StopContainer (0: SIGKILL at once)\n"
    "  --host-network      no network of their own\n"
    "  --log-dir DIR       containers have logs, /etc/hosts and /dev/termination-log, below DIR\n"
    "  --cgroup-parent P   pods have cgroups below P, where an agent with that root has them\n"
    "  --prefix NAME       pods are called NAME-0, NAME-1 ... (plain)\n"
    "  --pull              pull the image first, once for each pod\n"
    "  --user NAME         with these credentials\n"
    "  --password WORD\n"
    "  --exec              also run a command in each container\n"
    "  --keep              leave the pods running\n"
    "\n"
    "COMMAND is \"sleep 1000\" by default; \"--\" alone leaves it to the image.\n";

enum option_id {
    OPTION_PODS = 1,
    OPTION_FLIGHT,
    OPTION_STOP_FLIGHT,
    OPTION_GRACE,
    OPTION_HOST_NETWORK,
    OPTION_LOG_DIR,
    OPTION_CGROUP_PARENT,
    OPTION_PREFIX,
    OPTION_PULL,
    OPTION_USER,
    OPTION_PASSWORD,
    OPTION_EXEC,
    OPTION_KEEP,
};

static const struct option long_options[] = {
    {"pods", required_argument, NULL, OPTION_PODS},
    {"flight", required_argument, NULL, OPTION_FLIGHT},
    {"stop-flight", required_argument, NULL, OPTION_STOP_FLIGHT},
    {"grace", required_argument, NULL, OPTION_GRACE},
    {"host-network", no_argument, NULL, OPTION_HOST_NETWORK},
    {"log-dir", required_argument, NULL, OPTION_LOG_DIR},
    {"cgroup-parent", required_argument, NULL, OPTION_CGROUP_PARENT},
    {"prefix", required_argument, NULL, OPTION_PREFIX},
    {"pull", no_argument, NULL, OPTION_PULL},
    {"user", required_argument, NULL, OPTION_USER},
    {"password", required_argument, NULL, OPTION_PASSWORD},
    {"exec", no_argument, NULL, OPTION_EXEC},
    {"keep", no_argument, NULL, OPTION_KEEP},
    {0},
};

static unsigned number_argument(const char *text, int64_t lowest, int64_t highest)
{
    int64_t number;

    if (str_to_i64(text, &number) < 0 || number < lowest || number > highest) {
        fprintf(stderr, "cri-client: \"%s\" must be a number from %lld to %lld\n", text,
                (long long)lowest, (long long)highest);
        exit(2);
    }
    return (unsigned)number;
}

static void read_option(struct options *options, int option)
{
    switch (option) {
    case OPTION_PODS:
        options->pods = number_argument(optarg, 1, PODS_MAX);
        break;
    case OPTION_FLIGHT:
        options->flight = number_argument(optarg, 1, RPC_CALLS_MAX);
        break;
    case OPTION_STOP_FLIGHT:
        options->stop_flight = number_argument(optarg, 1, RPC_CALLS_MAX);
        break;
    case OPTION_GRACE:
        options->grace_seconds = number_argument(optarg, 0, GRACE_SECONDS_MAX);
        break;
    case OPTION_HOST_NETWORK:
        options->host_network = true;
        break;
    case OPTION_LOG_DIR:
        options->log_directory = optarg;
        break;
    case OPTION_CGROUP_PARENT:
        options->cgroup_parent = optarg;
        break;
    case OPTION_PREFIX:
        options->prefix = optarg;
        break;
    case OPTION_PULL:
        options->pull = true;
        break;
    case OPTION_USER:
        options->user = optarg;
        break;
    case OPTION_PASSWORD:
        options->password = optarg;
        break;
    case OPTION_EXEC:
        options->exec = true;
        break;
    case OPTION_KEEP:
        options->keep = true;
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

void options_read(struct options *options, int argc, char **argv)
{
    static char *default_command[] = {(char *)"sleep", (char *)"1000", NULL};
    int option;

    *options = (struct options){.pods = 1, .flight = 1, .prefix = "plain", .password = ""};
    while ((option = getopt_long(argc, argv, "+", long_options, NULL)) >= 0)
        read_option(options, option);
    if (argc - optind < 2) {
        fputs(usage, stderr);
        exit(2);
    }
    options->endpoint = argv[optind++];
    options->image = argv[optind++];
    options->command = default_command;
    if (optind < argc && strcmp(argv[optind], "--") == 0)
        options->command = argv + optind + 1;
    if (!options->stop_flight)
        options->stop_flight = options->flight;
}
