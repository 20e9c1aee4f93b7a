#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <unistd.h>
int main() {
  for (const char* path : {"/proc/1/mem", "/proc/1/environ", "/proc/1/maps", "/proc/1/fd/3",
                           "/proc/1/root", "/proc/1/cwd"}) {
    const int fd = open(path, O_RDONLY);
    char c;
    if (fd >= 0 && read(fd, &c, 1) >= 0) printf("ESCAPED %s\n", path);
  }
  if (open("/proc/1/mem", O_RDWR) >= 0) puts("ESCAPED mem");
  if (ptrace(PTRACE_ATTACH, 1, 0, 0) == 0) puts("ESCAPED ptrace");
  kill(1, SIGKILL);
  kill(1, SIGSTOP);
  puts("stopped");
}
