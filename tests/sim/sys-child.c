/* sys/child: there is no helper. Calls that outlive the agent are the model runtime's affair. */
#include "nodeagent/sys/child.h"

void child_helper_keep(struct child_helper *helper, const int *sockets, size_t count)
{
}
