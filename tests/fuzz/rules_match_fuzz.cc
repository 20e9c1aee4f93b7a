// Rules of every kind over whatever tree the bytes parse to.
#include <cstddef>
#include <cstdint>
#include <string>

#include "rules/scan.h"

namespace {

constexpr const char* kRules = R"(
id: all
language: javascript
utils:
  deep: {any: [{kind: identifier}, {has: {matches: deep}}]}
rule:
  all:
    - any: [{pattern: "$F($$$A, $B, $$$C)"}, {pattern: "{$$$A, $B}"}, {kind: array}]
    - has: {stopBy: end, matches: deep}
    - not: {inside: {kind: class_body, stopBy: {kind: function_declaration}}}
    - not: {follows: {kind: comment, stopBy: end}}
constraints: {B: {not: {regex: "^x+$"}}}
rewriters: [{id: r, rule: {kind: number, pattern: $N}, fix: "<$N>"}]
transform:
  NEW: {rewrite: {source: $$$A, rewriters: [r], joinBy: ", "}}
  CUT: {substring: {source: $NEW, startChar: -3}}
fix: {template: "$CUT$B", expandEnd: {regex: ",", stopBy: end}}
message: $F $NEW
---
id: nth
language: javascript
rule: {kind: "identifier:nth-child(2n+1 of identifier), ERROR", precedes: {kind: number}}
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tinyarms::rules;
  static const RuleSet rules = RuleSet::load({{{"rules.yml", kRules}}, {}});
  static Scratch scratch;
  const std::string code(reinterpret_cast<const char*>(data), size);
  ScanOptions options;
  options.path = "a.js";
  const ScanResult result = scan(rules, code, options, scratch);
  for (const Finding& finding : result.findings) {
    if (finding.range.end > size || finding.range.start > finding.range.end) __builtin_trap();
  }
  return 0;
}
