/* What containers answer to probes. */
#pragma once

enum answer { ANSWER_GOOD, ANSWER_BAD, ANSWER_NONE };

enum answer container_answers_startup(const char *id);
enum answer container_answers_readiness(const char *id);
enum answer container_answers_liveness(const char *id);
