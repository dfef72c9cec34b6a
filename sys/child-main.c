/* nodeagent-helper: the helper process (child.h), as small as it can be. */
#include "child-helper.h"

int main(void)
{
    helper_main(HELPER_SOCKET_FD);
}
