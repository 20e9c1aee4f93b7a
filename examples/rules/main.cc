// Finds what a file of rules looks for in a piece of code: rules_example RULES.yml CODE.py
#include <cstdio>
#include <fstream>
#include <sstream>

#include "rules/rule_set.h"
#include "rules/scan.h"

namespace rules = tinyarms::rules;

std::string read(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s RULES.yml CODE\n", argv[0]), 2;
  const auto set = rules::RuleSet::load({.rules = {{argv[1], read(argv[1])}}, .utils = {}});
  for (const rules::RuleProblem& problem : set.problems()) {
    std::fprintf(stderr, "%s\n", problem.error.message().c_str());
  }
  const std::string code = read(argv[2]);
  rules::Scratch scratch;
  const rules::ScanResult result = rules::scan(set, code, {.path = argv[2]}, scratch);
  for (const rules::Finding& finding : result.findings) {
    std::printf("%u:%u %s: %s\n", finding.start.line + 1, finding.start.column + 1,
                finding.rule->id.c_str(), finding.message.c_str());
  }
  return result.findings.empty() ? 0 : 1;
}
