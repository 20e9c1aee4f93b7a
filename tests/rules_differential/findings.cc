// rules_findings RULES UTILS FOLDER: every finding of the rules in a folder over the files of
// another, one JSON object a line, in the form that compare.py holds against ast-grep's.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "rules/scan.h"

namespace {

namespace fs = std::filesystem;
using namespace tinyarms::rules;
using nlohmann::json;

constexpr size_t kFileBytesMax = 64 << 20;

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  if (folder.empty()) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<RuleSource> read_sources(const fs::path& folder) {
  std::vector<RuleSource> sources;
  for (const fs::path& path : files_below(folder)) {
    const auto bytes = tinyarms::read_file(path, kFileBytesMax);
    if (bytes) sources.push_back({path.string(), *bytes});
  }
  return sources;
}

json variables_of(const Finding& finding) {
  json variables = json::object();
  for (const Capture& capture : finding.captures) {
    if (capture.kind == Capture::Kind::Multiple) {
      json list = json::array();
      for (const ByteRange& range : capture.ranges) list.push_back({range.start, range.end});
      variables["$$$" + capture.name] = std::move(list);
    } else {
      variables["$" + capture.name] = capture.text;
    }
  }
  return variables;
}

void print(const Finding& finding, const std::string& file) {
  json line = {{"rule", finding.rule->id},
               {"file", file},
               {"range", {finding.range.start, finding.range.end}},
               {"place", {finding.start.line, finding.start.column, finding.end.line,
                          finding.end.column}},
               {"message", finding.message},
               {"variables", variables_of(finding)},
               {"labels", json::array()},
               {"fix", nullptr}};
  for (const Label& label : finding.labels) {
    line["labels"].push_back({label.primary, label.message, label.range.start, label.range.end});
  }
  if (!finding.fixes.empty()) {
    const Fix& fix = finding.fixes.front();
    line["fix"] = {fix.range.start, fix.range.end, fix.replacement};
  }
  std::puts(line.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: rules_findings RULES UTILS FOLDER\n", stderr);
    return 2;
  }
  const RuleSet rules = RuleSet::load({read_sources(argv[1]), read_sources(argv[2])});
  for (const RuleProblem& problem : rules.problems()) {
    std::fprintf(stderr, "%s\n", problem.error.message().c_str());
  }
  Scratch scratch;
  for (const fs::path& path : files_below(argv[3])) {
    const auto text = tinyarms::read_file(path, kFileBytesMax);
    if (!text) continue;
    const std::string name = path.string();
    ScanOptions options;
    options.path = name;
    const ScanResult result = scan(rules, *text, options, scratch);
    if (result.outcome == ScanResult::Outcome::GaveUp) {
      std::fprintf(stderr, "gave up on %s\n", name.c_str());
    }
    for (const Finding& finding : result.findings) print(finding, name);
  }
  return rules.problems().empty() ? 0 : 1;
}
