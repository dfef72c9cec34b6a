/*
 * The files of a volume: what they are, and how they get there. Failures of volumes are told as the
 * reference tells them; what is put before a sentence is VOLUME_FAILED with the volume's name.
 */
#pragma once

#include "nodeagent/volumes.h"

#define VOLUME_FAILED "MountVolume.SetUp failed for volume \"%s\" "

/* Checks a path that comes from outside and takes out what means nothing: "a//./b/" is "a/b". */
int payload_path_clean(const char *path, struct arena *arena, const char **clean, struct err *err);

/* Makes the directory hold these files and no others: 1, or 0 if they were there already. */
int payload_write(int directory, const struct payload *payload, int64_t group, struct err *err);
