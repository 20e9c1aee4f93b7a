// The rule engine against ast-grep: the same rules over the same files, whole processes, one and
// two threads; and what has no peer: one request in process, one file from a standing start, and
// how near to the time of parsing alone a scan comes. That both find the same is the test
// rules_differential. Rounds alternate, so that whatever else the machine does falls on both.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "base/file.h"
#include "bench.h"
#include "rules/code.h"
#include "rules/scan.h"
#include "rules/syntax_tree.h"
#include "whole_process.h"

namespace tinyarms::bench {
namespace {

// Both programs end so where a pattern is found nowhere, or a rule of severity error is.
constexpr int kFound = 1;

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr size_t kCorpusBytes = 24 << 20;
constexpr size_t kSmokeBytes = 300'000;
constexpr size_t kFileBytesMax = 16 << 20;
constexpr int kRules = 500;
constexpr int kRequests = 2'000;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Setting {
  fs::path folder;   // made by rules_corpus.py
  fs::path program;  // tinyarms
  fs::path oracle;   // ast-grep
};

Result<Setting> prepare(Bench& bench) {
  const fs::path root = TINYARMS_BENCH_SOURCE;
  Setting setting{bench.options().cache / (bench.smoke() ? "rules-smoke" : "rules"),
                  bench.options().program,
                  root / "build" / "oracle" / "node_modules" / ".bin" / "ast-grep"};
  const char* shared = std::getenv("TINYARMS_SHARED");
  const std::string data = shared != nullptr ? shared : (root / ".." / "shared").string();
  const auto made = run_process(
      "/usr/bin/env", {"python3", (root / "benchmarks" / "rules_corpus.py").string(),
                       setting.folder.string(), data,
                       std::to_string(bench.smoke() ? kSmokeBytes : kCorpusBytes)}, {});
  if (!made) return made.error().wrap("making the files to scan");
  return setting;
}

using Arguments = std::vector<std::string>;

// Seconds of ours and the peer's, round by round.
Result<Figure> race(Bench& bench, const Setting& setting, std::string name, const Arguments& ours,
                    const Arguments& peer, double goal) {
  std::vector<double> our_times;
  std::vector<double> peer_times;
  std::vector<double> ratios;
  for (int round = 0; round < std::min(bench.rounds(), 3); ++round) {
    const auto mine = run_process(setting.program, ours, {}, false, kFound);
    if (!mine) return mine.error();
    const auto theirs = run_process(setting.oracle, peer, {}, false, kFound);
    if (!theirs) return theirs.error();
    our_times.push_back(mine->seconds);
    peer_times.push_back(theirs->seconds);
    ratios.push_back(mine->seconds / theirs->seconds);
  }
  return Figure{.name = std::move(name), .unit = "s", .ours = median(our_times),
                .peer = median(peer_times), .ratio = median(ratios), .kind = Goal::RatioAtMost,
                .goal = goal};
}

Result<std::vector<Figure>> races(Bench& bench, const Setting& setting) {
  const std::string code = (setting.folder / "code").string();
  const std::string config = (setting.folder / "sgconfig.yml").string();
  std::vector<Figure> figures;
  for (const std::string threads : {"1", "2"}) {
    auto rules = race(bench, setting, fmt::format("all-python-rules/{}-threads", threads),
                      {"rules", "scan", "--config", config, "--json=stream", "--threads", threads,
                       code},
                      {"scan", "-c", config, "--json=stream", "-j", threads, code}, 0.1);
    if (!rules) return rules.error();
    figures.push_back(std::move(*rules));
    for (const std::string pattern : {"print($A)", "$A == $A"}) {
      auto one = race(bench, setting, fmt::format("pattern {}/{}-threads", pattern, threads),
                      {"rules", "scan", "--pattern", pattern, "--lang", "python",
                       "--json=stream", "--threads", threads, code},
                      {"run", "-p", pattern, "-l", "python", "--json=stream", "-j", threads, code},
                      1 / 1.5);
      if (!one) return one.error();
      figures.push_back(std::move(*one));
    }
  }
  return figures;
}

Result<Figure> one_file(Bench& bench, const Setting& setting) {
  std::vector<double> times;
  for (int round = 0; round < bench.rounds(); ++round) {
    const auto use = run_process(setting.program,
                                 {"rules", "scan", "--rule", (setting.folder / "one.yml").string(),
                                  "--json=stream", (setting.folder / "one.py").string()},
                                 {}, false, kFound);
    if (!use) return use.error();
    times.push_back(use->seconds * 1000);
  }
  return Figure{.name = "one file of 100 kB, whole process", .unit = "ms", .ours = median(times),
                .peer = {},
                .ratio = {}, .kind = Goal::OursAtMost, .goal = 15};
}

// A request of 2 kB through many rules, of which a few may match.
Result<Figure> one_request(Bench& bench, const std::string& text) {
  rules::RuleSources sources;
  std::string yaml;
  for (int i = 0; i < kRules; ++i) {
    yaml += fmt::format("id: r{0}\nlanguage: python\nrule: {{any: [{{pattern: f{0}($A)}}, "
                        "{{kind: call, has: {{field: function, regex: '^(open|g{0})$'}}}}]}}\n"
                        "---\n",
                        i);
  }
  sources.rules.push_back({"rules.yml", yaml});
  const rules::RuleSet set = rules::RuleSet::load(sources);
  rules::Scratch scratch;
  rules::ScanOptions options;
  options.path = "request.py";
  std::vector<double> times;
  const std::string_view all = text;
  for (int i = 0; i < (bench.smoke() ? 20 : kRequests); ++i) {
    const std::string_view snippet = all.substr((static_cast<size_t>(i) * 37) % 90'000, 2048);
    std::string request(snippet);
    request += "\nopen(x)\n";
    const auto start = Clock::now();
    (void)rules::scan(set, request, options, scratch);
    times.push_back(milliseconds_since(start));
  }
  std::sort(times.begin(), times.end());
  return Figure{.name = "2 kB through 500 rules, p99", .unit = "ms",
                .ours = times[times.size() * 99 / 100], .peer = {}, .ratio = {},
                .kind = Goal::OursAtMost, .goal = 1};
}

// A pattern that no literal keeps from parsing, against the parsing alone.
Result<Figure> floor(const Setting& setting) {
  auto set = rules::RuleSet::of_pattern({"$A == $A", "python", "", "", {}});
  if (!set) return set.error();
  rules::Scratch scratch;
  rules::ScanOptions options;
  options.path = "a.py";
  double scanning = 0;
  double parsing = 0;
  for (const auto& entry : fs::directory_iterator(setting.folder / "code")) {
    const auto text = read_file(entry.path(), kFileBytesMax);
    if (!text || text->size() > rules::kCodeBytesMax) continue;
    auto start = Clock::now();
    (void)rules::scan(*set, *text, options, scratch);
    scanning += milliseconds_since(start);
    start = Clock::now();
    (void)rules::SyntaxTree::parse(*text, "python");
    parsing += milliseconds_since(start);
  }
  return Figure{.name = "a scan against parsing alone", .unit = "ms", .ours = scanning,
                .peer = parsing, .ratio = scanning / parsing, .kind = Goal::RatioAtMost,
                .goal = 1.3};
}

Result<std::vector<Figure>> run(Bench& bench) {
  const auto setting = prepare(bench);
  if (!setting) return setting.error();
  Result<std::vector<Figure>> figures = std::vector<Figure>();
  if (fs::exists(setting->oracle)) {
    figures = races(bench, *setting);
    if (!figures) return figures;
  } else {
    fmt::print(stderr, "skipped: no ast-grep to race against; setup/oracle installs it\n");
  }
  const auto text = read_file(setting->folder / "one.py", kFileBytesMax);
  if (!text) return text.error();
  for (auto& figure : {one_file(bench, *setting), one_request(bench, *text), floor(*setting)}) {
    if (!figure) return figure.error();
    figures->push_back(*figure);
  }
  return figures;
}

const Registration registration("rules", "the rule engine against ast-grep", run);

}  // namespace
}  // namespace tinyarms::bench
