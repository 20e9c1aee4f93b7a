#include "rules/code_rule.h"

#include <fmt/format.h>

#include "rules/evaluator.h"
#include "rules/language.h"
#include "rules/rule_reader.h"

namespace tinyarms::rules {
namespace {

// Visits of nodes in one search; `has` inside `has` multiplies.
constexpr uint64_t kSteps = 5'000'000;

}  // namespace

struct CodeRule::Compiled {
  Matcher matcher;
  SlotTable slots;
};

CodeRule::CodeRule(std::unique_ptr<const Compiled> compiled, std::string language)
    : compiled_(std::move(compiled)), language_(std::move(language)) {}
CodeRule::~CodeRule() = default;
CodeRule::CodeRule(CodeRule&&) noexcept = default;
CodeRule& CodeRule::operator=(CodeRule&&) noexcept = default;

Result<CodeRule> CodeRule::compile(std::string_view file, const YamlNode& rule,
                                   std::string_view language) {
  const Language* known = find_language(language);
  if (known == nullptr) {
    std::vector<std::string_view> names;
    for (const Language& each : languages()) names.push_back(each.name);
    return Error{ErrorCode::Unsupported, fmt::format("no grammar for the language '{}'", language),
                 yaml_position(file, rule), fmt::format("this build has {}",
                                                        fmt::join(names, ", "))};
  }
  auto compiled = std::make_unique<Compiled>();
  ReadingContext context;
  Result<Matcher> matcher =
      RuleReader(context, file, *known, compiled->slots).read_matcher(rule);
  if (!matcher) return matcher.error();
  compiled->matcher = std::move(*matcher);
  return CodeRule(std::move(compiled), std::string(known->name));
}

std::optional<std::vector<uint32_t>> CodeRule::find_lines(const SyntaxTree& syntax) const {
  FlatTree tree;
  tree.build(syntax.get(), syntax.code());
  Memo memo;
  Environment env;
  Evaluator evaluator(tree, memo, kSteps);
  std::vector<uint32_t> lines;
  for (NodeIndex node = 0; node < tree.size(); ++node) {
    env.reset(compiled_->slots.size());
    const bool matched = evaluator.match(compiled_->matcher, node, env) != kNoNode;
    if (evaluator.exhausted()) return std::nullopt;
    if (matched) lines.push_back(ts_node_start_point(tree.handle(node)).row + 1);
  }
  return lines;
}

}  // namespace tinyarms::rules
