/*
 * Deliberate bugs: for each invariant one that breaks it. They are planted in what surrounds the
 * agent's code, which stays the shipping one: what the runtime says, what the plan says, what files
 * do. A simulation that does not find them finds nothing.
 */
#pragma once

#include "world.h"

#define BUGS(X)                                                                                    \
    X(NONE, NONE, "no bug")                                                                        \
    X(LISTS_HIDE_CONTAINERS, ONE_CONTAINER, "lists leave out some containers that run")            \
    X(LISTS_HIDE_SANDBOXES, ONE_SANDBOX, "lists leave out some sandboxes, names are reusable")     \
    X(HASHES_CHANGE, UNDISTURBED, "containers have another hash after the agent's restart")        \
    X(SANDBOXES_FIRST, TOLD_TO_END, "the plan stops sandboxes instead of their containers")        \
    X(RECORDS_STAY, ALL_GONE, "records of pods are not removed")                                   \
    X(EXITS_ARE_HIDDEN, CONVERGES, "containers that ended are said to run")                        \
    X(REMOVES_AT_ONCE, STOPPED_FIRST, "the plan removes sandboxes instead of stopping them")       \
    X(ONE_AT_A_TIME, ISOLATED, "a call begins when the one before has ended")                      \
    X(EXIT_CODES_DIFFER, OBSERVED, "the status has another exit code than the container")          \
    X(STATUSES_FLAP, QUIET, "each list shows something new")                                       \
    X(REMOVES_TOO_MUCH, FILES_KEPT, "removing a pod's directory removes those of all pods")        \
    X(RETRIES_AT_ONCE, BOUNDED, "the plan forgets its retries' delays, and nothing ever starts")   \
    X(NO_BACK_OFF, BACK_OFF, "the plan forgets crashes")                                           \
    X(STATUSES_COME_AGAIN, ONWARD, "the network brings a status a second time, later")             \
    X(ENDS_ARE_TAKEN_BACK, FINAL, "the status says Running after the end")                         \
    X(STATUSES_TWICE, ONE_REQUEST, "each status is sent twice at once")                            \
    X(DELETES_EARLY, DELETED_LAST, "one that leaves is deleted with its next status")              \
    X(MIRRORS_UNMARKED, MIRRORS_REST, "mirrors come without their mark")                           \
    X(STATUSES_ARE_CUT, TOLD, "the server keeps no statuses of containers")                        \
    X(REQUESTS_MULTIPLY, NO_STORM, "requests are sent over and over")                              \
    X(PLAN_ASSERTS, SANE, "the plan fails an assertion now and then")

enum bug {
#define X(name, invariant, sentence) BUG_##name,
    BUGS(X)
#undef X
        BUG_COUNT,
};

const char *bug_name(enum bug bug);
const char *bug_sentence(enum bug bug);
enum invariant bug_breaks(enum bug bug);

/* Is this one planted, and does it show now, for this key? */
bool bug_shows(enum bug bug, const char *key);
