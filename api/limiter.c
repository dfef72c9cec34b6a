/* A bucket of tokens. */
#include "limiter.h"

void limiter_init(struct limiter *limiter, double rate, double burst, usec_t now)
{
    *limiter = (struct limiter){.rate = rate, .burst = burst, .tokens = burst, .at = now};
}

usec_t limiter_take(struct limiter *limiter, usec_t now)
{
    if (limiter->rate <= 0)
        return now;
    limiter->tokens += (double)usec_sub(now, limiter->at) * limiter->rate / (double)USEC_PER_SEC;
    limiter->tokens = MIN(limiter->tokens, limiter->burst) - 1;
    limiter->at = MAX(now, limiter->at);
    if (limiter->tokens >= 0)
        return now;
    return usec_add(now, (usec_t)(-limiter->tokens * (double)USEC_PER_SEC / limiter->rate));
}

void limiter_give_back(struct limiter *limiter)
{
    limiter->tokens = MIN(limiter->tokens + 1, limiter->burst);
}
