/*
 * nodeagent setup containerd: containerd is to look for networks in a private directory, in which
 * one list names nodeagent-cni. Three things make it so: that list, nodeagent-cni among
 * containerd's plugins, and conf_dir in containerd's configuration. They are looked at, what is
 * missing becomes a list of changes, and these are made, printed, or named as what is wrong.
 */
#pragma once

#include "nodeagent/base/arena.h"
#include "nodeagent/base/json.h"
#include "setup-toml.h"

#include <stdbool.h>
#include <sys/types.h>

#define SETUP_LIST "10-nodeagent.conflist"
#define SETUP_DROP_IN                                                                              \
    "nodeagent.toml" /* behind all that begin with digits, so it has the last word */
#define SETUP_BACKUP ".nodeagent-backup"

enum setup_mode {
    SETUP_DO,
    SETUP_CHECK,
    SETUP_DRY_RUN,
    SETUP_UNDO,
};

struct setup_options {
    enum setup_mode mode;
    const char *config;     /* containerd's */
    const char *containerd; /* the program; NULL: the one in PATH, if any */
    const char *conf_dir;   /* the private one */
    /* What the list is to say; NULL: what it says, or else nothing. */
    const char *public_conf_dir;
    const char *cache_dir;
    const char *agent_socket;
    const char *bin_dirs; /* "A,B" */
    const char *built_in; /* "SUBNET,SUBNET"; "none": not allowed */
};

/* containerd as it is configured */

struct containerd {
    struct arena *arena;
    const char *config; /* as it was given: what it imports may be relative to this */
    const char *target; /* without links */
    bool exists;
    struct strbuf text;
    struct toml toml;
    const char *drop_in; /* where it would import ours from; NULL: it imports none of that name */
    bool drop_in_exists;
    struct strbuf drop_in_text;
    struct toml drop_in_toml;
    int64_t version;
    const char *program; /* NULL: there is none to ask */
    bool dumped;
    struct strbuf dump_text; /* what the program makes of it, defaults included */
    struct toml dump;
    const char *const *table; /* of the CRI plugin's networks in `toml`; ends in NULL */
    const char *const *dump_table;
};

enum {
    CONTAINERD_PATH_PARTS = 4, /* plugins.NAME.cni.KEY */
};

/* -EINVAL and others: the configuration could not be understood. */
int containerd_look(struct containerd *containerd, const struct setup_options *options,
                    struct arena *arena, struct err *err);
/* Asks the program, when there is one, what it makes of this file; its objections are the error. */
int containerd_ask(struct containerd *containerd, const char *config, struct err *err);
void containerd_deinit(struct containerd *containerd);

/* A string of its table of networks, as far as it is known; or NULL. */
const char *containerd_value(const struct containerd *containerd, const char *key);
/* What the file itself, and not what it imports, says conf_dir is; or NULL. */
const char *containerd_own_conf_dir(const struct containerd *containerd);
/* Where it looks for plugins: at least one. */
void containerd_bin_dirs(const struct containerd *containerd, struct toml_strings *directories);
bool containerd_cri_disabled(const struct containerd *containerd);
/* The path of "conf_dir" in the file. */
void containerd_conf_dir_path(const struct containerd *containerd,
                              const char *path[CONTAINERD_PATH_PARTS + 1]);
/* A configuration that says conf_dir alone. */
void containerd_write_plain(const struct containerd *containerd, const char *conf_dir,
                            struct strbuf *out);

/* changes */

struct setup_change {
    const char *wrong; /* the sentence that says why it is wanted */
    const char *path;
    const char *link;   /* its target; NULL: it is a file */
    const char *before; /* NULL: there is none */
    const char *after;  /* NULL: there is to be none */
    mode_t mode;
    uid_t owner;
    gid_t group;
    const char *backup; /* where `before` is kept; NULL: nowhere */
};

/* Lines that go away and lines that come. */
void change_print(const struct setup_change *change);
int change_make(const struct setup_change *change, struct err *err);
/* As if it had not been made. */
int change_take_back(const struct setup_change *change, struct err *err);
/* Where a backup of this text is or may be put; the newest that there is, or NULL. */
const char *backup_place(struct arena *arena, const char *path, const struct strbuf *text,
                         struct err *err);
const char *backup_newest(struct arena *arena, const char *path);

/* the list in the private directory */

/*
 * The list as it is to be: `old` (may be NULL) is its text until now, `found_dir` (may be NULL)
 * where containerd has looked for networks so far.
 */
void list_write(const struct setup_options *options, const struct strbuf *old,
                const char *found_dir, struct strbuf *out);
/* NULL, or what is wrong with the subnets of --built-in. */
const char *list_check_built_in(const char *built_in);

/* all of it */

enum {
    SETUP_CHANGES_MAX = 3,
};

struct setup {
    const struct setup_options *options;
    struct arena arena;
    struct containerd containerd;
    const char *list; /* its path */
    struct strbuf list_text;
    struct setup_change changes[SETUP_CHANGES_MAX];
    size_t change_count;
    size_t problems;
    bool blocked; /* by a problem that must be solved before anything is changed */
};

/* "wrong: SENTENCE", which counts as a problem; "good: SENTENCE", which only --check prints. */
void setup_wrong(struct setup *setup, const char *format, ...) _printf_(2, 3);
void setup_good(struct setup *setup, const char *format, ...) _printf_(2, 3);

/* Names what no change here can mend. */
void plan_problems(struct setup *setup);
/* What is to be changed; in this order, so that containerd never finds a part of it. */
int plan_changes(struct setup *setup, struct err *err);
int plan_undo(struct setup *setup, struct err *err);
/* Makes the change of containerd's configuration, or leaves all as it was and says why. */
int plan_carry_out(struct setup *setup, const struct setup_change *change, struct err *err);
