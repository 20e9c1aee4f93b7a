#include <csignal>
#include <cstdio>
#include <unistd.h>
int main() {
  for (int i = 0; i < 5; ++i) {
    if (fork() == 0) {
      setsid();
      if (fork() != 0) _exit(0);
      for (int n = 1; n < 65; ++n) signal(n, SIG_IGN);
      close(0); close(1); close(2);
      for (;;) sleep(1000);
    }
  }
  puts("stopped");
}
