/* What to do about a failure that only somebody else can mend. Pure. */
#pragma once

#include "nodeagent/base/err.h"

#include <stdbool.h>

/* Of the words of curl and OpenSSL, to which it is added; others stay as they are. `stranger`:
 * nothing has come from the server so far, so perhaps it is none. */
void remedy_add(struct err *err, bool stranger);

/* Of an answer 401. */
void remedy_add_unauthorized(struct err *err);
