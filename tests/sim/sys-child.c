/* sys/child: there is no helper. Calls that outlive the agent are the model runtime's affair. And
 * sys/program: there are no programs. */
#include "nodeagent/sys/child.h"
#include "nodeagent/sys/program.h"

#include <errno.h>

void child_helper_keep(struct child_helper *helper, const int *sockets, size_t count)
{
}

int child_spawn(struct child_helper *helper, const struct child_request *request,
                child_done_fn done, void *userdata, struct child **child, struct err *err)
{
    return err_set(err, -ENOSYS, "simulation: nothing is run");
}

void child_cancel(struct child_helper *helper, struct child *child)
{
}

int program_find(const char *name, const char *room, const char *installed, char **path,
                 struct err *err)
{
    return err_set(err, -ENOENT, "simulation: there is no %s", name);
}
