#include <cstdio>
#include <cstring>
#include <dirent.h>
#include <string>
extern char** environ;
int main() {
  DIR* folder = opendir("/proc");
  while (dirent* entry = folder ? readdir(folder) : nullptr) {
    std::string path = std::string("/proc/") + entry->d_name + "/environ";
    if (FILE* file = fopen(path.c_str(), "r")) {
      char text[65536];
      const size_t length = fread(text, 1, sizeof text - 1, file);
      for (size_t i = 0; i + 9 < length; ++i) {
        if (!memcmp(text + i, "TINYARMS_", 9)) printf("ESCAPED %s\n", path.c_str());
      }
      fclose(file);
    }
  }
  puts("stopped");
}
