#include "sandbox/toolchain.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

namespace tinyarms::sandbox {
namespace {

struct Tool {
  std::string_view language;
  std::string_view command;
  std::string_view package;
};

constexpr std::array kTools = {
    Tool{"cpp", "g++", "apt install g++"},
    Tool{"java", "javac", "apt install default-jdk-headless"},
    Tool{"java", "java", "apt install default-jdk-headless"},
    Tool{"javascript", "node", "apt install nodejs"},
    Tool{"typescript", "tsc", "apt install node-typescript"},
    Tool{"typescript", "node", "apt install nodejs"},
    Tool{"go", "go", "apt install golang-go"},
    Tool{"rust", "rustc", "apt install rustc (one in a home folder is not visible inside)"},
};

std::optional<std::string> find_tool(std::string_view command) {
  for (const char* folder : {"/usr/bin", "/usr/local/bin", "/usr/local/go/bin"}) {
    std::string path = fmt::format("{}/{}", folder, command);
    if (::access(path.c_str(), X_OK) != 0) continue;
    char target[4096];
    if (::realpath(path.c_str(), target) == nullptr) continue;
    if (std::string_view(target).rfind("/usr/", 0) == 0) return path;
  }
  return std::nullopt;
}

std::string tool(std::string_view command) { return find_tool(command).value_or(""); }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The class whose text holds `static void main(`: the last one that is named before it.
std::string java_main_class(std::string_view source) {
  const size_t main = std::min(source.find("static void main("), source.size());
  std::string name = "Main";
  for (size_t at = source.find("class "); at < main; at = source.find("class ", at + 1)) {
    if (at > 0 && is_word(source[at - 1])) continue;
    size_t begin = at + 6, end = begin;
    while (end < source.size() && is_word(source[end])) ++end;
    const std::string_view rest = source.substr(std::min(end, source.size()));
    const size_t next = std::min(rest.find_first_not_of(" \t\r\n"), rest.size());
    // "class " in a comment is not followed by a body.
    bool declared = false;
    for (const std::string_view mark : {"{", "<", "extends ", "implements "}) {
      declared = declared || rest.substr(next, mark.size()) == mark;
    }
    if (end > begin && declared) name = source.substr(begin, end - begin);
  }
  return name;
}

Recipe cpp(const Program& program) {
  return {{{"main.cc", program.source}},
          {{true, {tool("g++"), "-std=c++17", "-o", "/tmp/main", "/tmp/main.cc"}},
           {false, {"/tmp/main"}}}};
}

Recipe java(const Program& program, const Limits& limits) {
  const std::string name = java_main_class(program.source);
  const std::string heap = fmt::format("-Xmx{}m", limits.memory_bytes / 3 >> 20);
  const std::string file = fmt::format("/tmp/{}.java", name);
  return {{{name + ".java", program.source}},
          {{true,
            {tool("javac"), "-J-Xmx512m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1",
             "-encoding", "UTF8", "-cp", "/tmp", "-d", "/tmp", file}},
           {false,
            {tool("java"), heap, "-Xss16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
             "-XX:-UsePerfData", "-Xshare:auto", "-ea", "-cp", "/tmp", name}}}};
}

std::vector<std::string> node(const Limits& limits, const char* file) {
  return {tool("node"), fmt::format("--max-old-space-size={}", limits.memory_bytes / 2 >> 20),
          "--stack-size=15000", file};
}

Recipe go(const Program& program) {
  if (program.source.find("*testing.T") == std::string::npos) {
    return {{{"main.go", program.source}},
            {{true, {tool("go"), "build", "-o", "/tmp/main", "/tmp/main.go"}},
             {false, {"/tmp/main"}}}};
  }
  return {{{"main_test.go", program.source}},
          {{true, {tool("go"), "test", "-vet=off", "-c", "-o", "/tmp/main", "/tmp/main_test.go"}},
           {false, {"/tmp/main", "-test.v"}}}};
}

Recipe recipe(const Program& program, const Limits& limits) {
  if (program.language == "cpp") return cpp(program);
  if (program.language == "java") return java(program, limits);
  if (program.language == "go") return go(program);
  if (program.language == "rust") {
    return {{{"main.rs", program.source}},
            {{true, {tool("rustc"), "--edition", "2021", "-o", "/tmp/main", "/tmp/main.rs"}},
             {false, {"/tmp/main"}}}};
  }
  if (program.language == "typescript") {
    return {{{"main.ts", program.source}},
            {{true, {tool("tsc"), "--target", "es2022", "--module", "commonjs", "/tmp/main.ts"}},
             {false, node(limits, "/tmp/main.js")}}};
  }
  return {{{"main.js", program.source}}, {{false, node(limits, "/tmp/main.js")}}};
}

bool stays_inside(std::string_view name) {
  return !name.empty() && name[0] != '/' && name.find("..") == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

}  // namespace

std::vector<std::string_view> compiled_languages() {
  std::vector<std::string_view> languages;
  for (const Tool& entry : kTools) {
    if (std::find(languages.begin(), languages.end(), entry.language) == languages.end()) {
      languages.push_back(entry.language);
    }
  }
  return languages;
}

Result<void> toolchain_available(std::string_view language) {
  bool known = false;
  for (const Tool& entry : kTools) {
    if (entry.language != language) continue;
    known = true;
    if (!find_tool(entry.command)) {
      return Error{ErrorCode::Unsupported,
                   fmt::format("programs in {} cannot run here: there is no {} under /usr",
                               language, entry.command),
                   "sandbox", std::string(entry.package)};
    }
  }
  if (known) return {};
  return Error{ErrorCode::Unsupported, fmt::format("no way is known to run '{}'", language),
               "sandbox", "python, cpp, java, javascript, typescript, go or rust"};
}

Result<Recipe> recipe_for(const Program& program, const Limits& limits) {
  if (auto found = toolchain_available(program.language); !found) return found.error();
  Recipe made = recipe(program, limits);
  for (const SourceFile& file : program.files) {
    if (!stays_inside(file.name)) {
      return Error{ErrorCode::InvalidArgument,
                   fmt::format("'{}' is no name for a file beside a program", file.name), "sandbox",
                   "use a relative path without '..'"};
    }
    made.files.push_back(file);
  }
  return made;
}

}  // namespace tinyarms::sandbox
