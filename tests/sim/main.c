/* The simulation: runs seeds, and explains the first that fails. */
#include "bugs.h"
#include "nodeagent/base/mem.h"
#include "nodeagent/base/str.h"
#include "run.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const help =
    "Usage: sim [OPTION]...\n"
    "\n"
    "  --seeds N      how many (default 200)\n"
    "  --from S       the first (default 1)\n"
    "  --seconds T    no new ones after so long\n"
    "  --seed S       only this one, with its trace\n"
    "  --whole        of a seed that fails: do not look for fewer choices that suffice\n"
    "  --jobs N       processes (default 2)\n"
    "  --bug NAME     with a deliberate bug\n"
    "  --bugs         are all deliberate bugs found?\n"
    "  --verbose      a line for each seed\n"
    "  --help         this text\n";

struct options {
    struct runs runs;
    bool one;
    bool whole;
    bool bugs;
};

enum {
    BUG_SEEDS_MAX = 100, /* in which a deliberate bug must be found */
};

static uint64_t number(const char *text)
{
    int64_t value;

    if (str_to_i64(text, &value) < 0 || value < 0) {
        fprintf(stderr, "sim: \"%s\" is not a number\n", text);
        exit(2);
    }
    return (uint64_t)value;
}

static unsigned bug_of(const char *name)
{
    for (unsigned bug = 0; bug < BUG_COUNT; bug++)
        if (!strcmp(bug_name(bug), name))
            return bug;
    fprintf(stderr, "sim: there is no bug \"%s\"; there are\n", name);
    for (unsigned bug = 0; bug < BUG_COUNT; bug++)
        fprintf(stderr, "    %s: %s\n", bug_name(bug), bug_sentence(bug));
    exit(2);
}

static void read_options(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, 'f'},
        {"seconds", required_argument, NULL, 't'},
        {"seed", required_argument, NULL, 's'},
        {"whole", no_argument, NULL, 'w'},
        {"jobs", required_argument, NULL, 'j'},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"bug", required_argument, NULL, 'b'},
        {"bugs", no_argument, NULL, 'a'},
        {0},
    };
    int option;

    *options = (struct options){.runs = {.from = 1, .count = 200, .jobs = 2}};
    while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        switch (option) {
        case 'n':
            options->runs.count = number(optarg);
            break;
        case 'f':
            options->runs.from = number(optarg);
            break;
        case 't':
            options->runs.seconds = (unsigned)number(optarg);
            options->runs.count = UINT32_MAX;
            break;
        case 's':
            options->one = true;
            options->runs.from = number(optarg);
            options->runs.count = 1;
            break;
        case 'w':
            options->whole = true;
            break;
        case 'j':
            options->runs.jobs = (unsigned)MAX(MIN(number(optarg), 64), 1);
            break;
        case 'v':
            options->runs.verbose = true;
            break;
        case 'b':
            options->runs.bug = bug_of(optarg);
            break;
        case 'a':
            options->bugs = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            exit(2);
        }
    }
}

static void tell_failure(const struct outcome *outcome)
{
    printf("seed %llu violates %s: %s\n    %s\n", (unsigned long long)outcome->seed,
           invariant_name(outcome->violated), invariant_sentence(outcome->violated),
           outcome->violation);
    fflush(stdout);
}

static void explain(struct outcome *outcome, unsigned bug, bool whole)
{
    struct order order = {.seed = outcome->seed, .bug = bug, .tracing = true};
    uint64_t *left_out = NULL;
    size_t before = outcome->taken.count;

    tell_failure(outcome);
    if (!whole && outcome->taken.count) {
        order.left_out_count = shrink(outcome, bug, &left_out);
        order.left_out = left_out;
        printf("\n%zu of its %zu choices suffice:\n", outcome->taken.count, before);
        for (size_t i = 0; i < outcome->taken.count; i++)
            printf("    %s %s, time %u\n", site_name(outcome->taken.items[i].site),
                   outcome->taken.items[i].key, outcome->taken.items[i].nth + 1);
    }
    printf("\nwhat happens:\n\n");
    fflush(stdout);
    run_one(&order, outcome);
    printf("\n");
    tell_failure(outcome);
    printf("to see it again: sim --seed %llu%s%s%s\n", (unsigned long long)outcome->seed,
           whole ? " --whole" : "", bug ? " --bug " : "", bug ? bug_name(bug) : "");
    free(left_out);
}

static void tell_totals(const struct totals *totals, double seconds)
{
    double seeds = (double)MAX(totals->seeds, 1);

    printf("%llu seeds in %.1f s (%.0f a minute); each %.0f steps (at least %u), %.0f faults (at "
           "least %u), %.1f kills (at least %u), %.0f s of its own time\n",
           (unsigned long long)totals->seeds, seconds, (double)totals->seeds * 60 / seconds,
           (double)totals->steps / seeds, totals->steps_min, (double)totals->faults / seeds,
           totals->faults_min, (double)totals->kills / seeds, totals->kills_min,
           (double)totals->lasted / USEC_PER_SEC / seeds);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Each must be found, as what it is, within a few seeds. */
static bool find_bugs(struct outcome *outcome)
{
    bool good = true;

    for (unsigned bug = BUG_NONE + 1; bug < BUG_COUNT; bug++) {
        struct order order = {.seed = 1, .bug = bug};

        do
            run_one(&order, outcome);
        while (outcome->violated != bug_breaks(bug) && order.seed++ < BUG_SEEDS_MAX);
        if (outcome->violated == bug_breaks(bug)) {
            printf("%s (%s): found by seed %llu\n", bug_name(bug), bug_sentence(bug),
                   (unsigned long long)order.seed);
        } else {
            printf("%s (%s): NOT found in %d seeds\n", bug_name(bug), bug_sentence(bug),
                   BUG_SEEDS_MAX);
            good = false;
        }
        fflush(stdout);
    }
    return good;
}

int main(int argc, char **argv)
{
    struct outcome *outcome = mem_new(struct outcome);
    struct totals totals = {0};
    struct options options;
    double began = now();
    bool good;

    read_options(&options, argc, argv);
    if (options.bugs)
        return find_bugs(outcome) ? 0 : 1;
    if (options.one) {
        struct order order = {
            .seed = options.runs.from, .bug = options.runs.bug, .tracing = options.whole};

        run_one(&order, outcome);
        good = outcome->violated == INVARIANT_NONE;
        printf("seed %llu: %u steps, %u faults, %u kills, %.0f s\n",
               (unsigned long long)outcome->seed, outcome->steps, outcome->faults, outcome->kills,
               (double)outcome->lasted / USEC_PER_SEC);
    } else {
        good = run_all(&options.runs, &totals, outcome);
        tell_totals(&totals, now() - began);
        if (totals.short_seeds) {
            printf("%llu of the seeds had less than a seed has to have\n",
                   (unsigned long long)totals.short_seeds);
            good = good && false;
        }
    }
    if (outcome->violated)
        explain(outcome, options.runs.bug, options.whole);
    free(outcome);
    return good ? 0 : 1;
}
