/* What the system's codes mean to those who judge by trouble. */
#pragma once

#include "nodeagent/net/trouble.h"

/* Of socket() and connect(); `code` is a negative errno. */
enum net_trouble net_trouble_of_connect(int code);

/* Of a look-up of a name: the pool may be full. One that is stuck (-EBUSY) is so by names. */
enum net_trouble net_trouble_of_lookup(int code);
