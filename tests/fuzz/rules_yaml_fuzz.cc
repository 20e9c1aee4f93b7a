// Any bytes as a file of rules: what is wrong is told of, and what loads can be run.
#include <cstddef>
#include <cstdint>
#include <string>

#include "rules/scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tinyarms::rules;
  const std::string yaml(reinterpret_cast<const char*>(data), size);
  const RuleSet rules = RuleSet::load({{{"fuzzed.yml", yaml}}, {{"utils.yml", yaml}}});
  Scratch scratch;
  ScanOptions options;
  options.path = "a.py";
  (void)scan(rules, "def f(a):\n    return [a == a, g(1, 'x')]\n", options, scratch);
  return 0;
}
