#include <cstdio>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>
int main() {
  if (setuid(0) == 0 || setresuid(0, 0, 0) == 0 || setgid(0) == 0) puts("ESCAPED setuid");
  for (const char* program : {"/usr/bin/su", "/usr/bin/mount", "/usr/bin/passwd"}) {
    if (access(program, X_OK) != 0) continue;
    char line[128];
    snprintf(line, sizeof line, "%s --version > /tmp/said 2>&1", program);
    if (system(line) == -1) puts("could not start");
  }
  FILE* status = fopen("/proc/self/status", "r");
  char line[256];
  unsigned long long effective = 0, privileges = 0;
  while (status && fgets(line, sizeof line, status)) {
    sscanf(line, "CapEff: %llx", &effective);
    sscanf(line, "NoNewPrivs: %llu", &privileges);
  }
  if (effective != 0 || privileges != 1 || geteuid() == 0) puts("ESCAPED privileges");
  puts("stopped");
}
