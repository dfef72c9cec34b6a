/* The parts of the intrusive list that are not worth inlining. */
#include "nodeagent/base/list.h"

void list_splice(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}

size_t list_count(const struct list *head)
{
    size_t count = 0;

    for (const struct list *node = head->next; node != head; node = node->next)
        count++;
    return count;
}
