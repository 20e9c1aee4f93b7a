#include <cstdio>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
int main() {
  for (int kind : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC}) {
    if (unshare(kind) == 0) puts("ESCAPED unshare");
    const long child = syscall(SYS_clone, kind | 17, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    if (child > 0) puts("ESCAPED clone");
  }
  puts("stopped");
}
