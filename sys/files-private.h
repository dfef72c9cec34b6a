/* What the halves of files share: sentences, and the split of a path. */
#pragma once

#include "nodeagent/sys/files.h"

#include <limits.h>

struct file_place {
    int parent; /* the directory of the last component; owned */
    char name[NAME_MAX + 1];
};

/* For sentences: `path` with the name of its directory, as far as /proc tells. */
const char *file_full_path(int directory, const char *path, char text[PATH_MAX]);

/* "cannot VERB /full/path: why"; returns `code`. */
int file_failed(struct err *err, int code, const char *verb, int directory, const char *path);

/* openat2 beneath `directory` without a sentence: the caller decides what an errno means. */
int file_openat2(int directory, const char *path, int flags, mode_t mode, uint64_t resolve);

/* Opens the directory that holds the last component of `path`; links on the way are refused. */
int file_place_open(int directory, const char *path, struct file_place *place, struct err *err);
void file_place_close(struct file_place *place);

/* FILE_TEMPORARY_PREFIX and 64 random bits. */
enum {
    FILE_TEMPORARY_NAME_MAX = sizeof(FILE_TEMPORARY_PREFIX) + 16,
};
void file_temporary_name(char name[FILE_TEMPORARY_NAME_MAX]);
