// tinyarms_bench [NAME…] [--smoke] [--output FILE] [--threads N] [--commit ID]
// Run by ./bench, which builds it first. Exits with 0 where all ran (goals met or not), 1 where one
// failed, 2 for bad usage, 77 where the model is missing (ctest counts that as skipped).
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/sha256.h"
#include "bench.h"
#include "report.h"

namespace tinyarms::bench {
namespace {

struct Arguments {
  std::vector<std::string> names;
  Bench::Options options = {.threads = static_cast<int>(std::thread::hardware_concurrency()),
                            .deps = TINYARMS_BENCH_DEPS,
                            .cache = TINYARMS_BENCH_CACHE,
                            .program = TINYARMS_BENCH_PROGRAM};
  std::filesystem::path output = "results.json";
  std::string commit = "unknown";
  std::string problem;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&]() -> std::string {
      if (i + 1 < words.size()) return words[++i];
      arguments.problem = word + " needs a value";
      return "";
    };
    if (word == "--smoke") {
      arguments.options.smoke = true;
    } else if (word == "--output") {
      arguments.output = value();
    } else if (word == "--commit") {
      arguments.commit = value();
    } else if (word == "--threads") {
      arguments.options.threads = std::atoi(value().c_str());
      if (arguments.options.threads < 1) arguments.problem = "--threads needs a number from 1 on";
    } else if (word.rfind('-', 0) == 0) {
      arguments.problem = "there is no option " + word;
    } else {
      arguments.names.push_back(word);
    }
  }
  const std::vector<Entry> all = registered();
  for (const std::string& name : arguments.names) {
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const Entry& entry) { return entry.name == name; });
    if (!known) arguments.problem = "there is no benchmark " + name;
  }
  return arguments;
}

int usage(const std::string& problem) {
  fmt::print(stderr, "{}\nusage: bench [NAME…] [--smoke] [--threads N] [--output FILE]\n", problem);
  for (const Entry& entry : registered()) {
    fmt::print(stderr, "  {:<14} {}\n", entry.name, entry.purpose);
  }
  return 2;
}

int run(const Arguments& arguments) {
  Bench bench(arguments.options);
  const auto model = bench.options().deps / "models" / "smollm2-135m-instruct.q4_1.gguf";
  auto hash = sha256_file(model);
  if (!hash) {
    fmt::print(stderr, "skipped: {}; ./setup/install fetches it\n", hash.error().message());
    return 77;
  }
  Report report{.figures = {},
                .machine = describe_machine(),
                .commit = arguments.commit,
                .model_sha = *hash};
  std::error_code problem;  // what cannot be made is said where something is written there
  std::filesystem::create_directories(bench.options().cache, problem);
  bool failed = false;
  for (const Entry& entry : registered()) {
    const auto& names = arguments.names;
    if (!names.empty() && std::find(names.begin(), names.end(), entry.name) == names.end()) {
      continue;
    }
    fmt::print(stderr, "{}: {} …\n", entry.name, entry.purpose);
    auto figures = entry.run(bench);
    if (!figures) {
      fmt::print(stderr, "{} failed: {}\n", entry.name, figures.error().message());
      failed = true;
      continue;
    }
    report.figures.insert(report.figures.end(), figures->begin(), figures->end());
  }
  fmt::print("{}{}, commit {}\n", table_of(report), report.machine, report.commit);
  if (auto written = write_json(report, arguments.output); !written) {
    fmt::print(stderr, "{}\n", written.error().message());
    failed = true;
  }
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace tinyarms::bench

int main(int count, char** words) {
  const auto arguments = tinyarms::bench::parse({words + 1, words + count});
  if (!arguments.problem.empty()) return tinyarms::bench::usage(arguments.problem);
  return tinyarms::bench::run(arguments);
}
