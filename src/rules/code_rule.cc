#include "rules/code_rule.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "rules/code.h"

namespace tinyarms::rules {

// One rule object: every part that is there must hold.
class Matcher {
 public:
  // Node visits in one search; `has` inside `has` multiplies.
  struct Budget {
    uint64_t left = 5'000'000;
    bool take() { return left > 0 && left-- > 0; }
  };

  bool matches(const SyntaxTree& tree, TSNode node, Budget& budget) const;
  Result<void> read(std::string_view file, const YamlNode& map, const TSLanguage* grammar);

 private:
  struct Relation {
    std::unique_ptr<Matcher> matcher;
    bool inside = false;  // else: has
    bool to_end = false;
  };

  Result<void> read_key(std::string_view file, const YamlNode& key, const YamlNode& value,
                        const TSLanguage* grammar);
  Result<void> read_list(std::string_view file, const YamlNode& value, const TSLanguage* grammar,
                         std::vector<std::unique_ptr<Matcher>>& list);
  bool holds(const Relation&, const SyntaxTree&, TSNode node, Budget&) const;

  std::optional<TSSymbol> kind_;
  std::unique_ptr<RE2> regex_;
  std::vector<std::unique_ptr<Matcher>> any_;
  std::vector<std::unique_ptr<Matcher>> all_;
  std::unique_ptr<Matcher> not_;
  std::vector<Relation> relations_;
  bool to_end_ = false;  // stopBy, read along with the parts it belongs to
};

namespace {

constexpr std::string_view kLaterKeys[] = {"pattern", "nthChild", "range",   "precedes",
                                           "follows", "matches",  "field"};

Error wrong(std::string_view file, const YamlNode& node, std::string what) {
  return Error{ErrorCode::Config, std::move(what), yaml_position(file, node),
               "see docs/rules.md for what a code rule may say"};
}

}  // namespace

Result<void> Matcher::read(std::string_view file, const YamlNode& map, const TSLanguage* grammar) {
  if (map.kind != YamlNode::Kind::Map || map.entries.empty()) {
    return wrong(file, map, "a rule must be a map with at least one of kind, regex, any, all");
  }
  for (const auto& [key, value] : map.entries) {
    Result<void> read = read_key(file, key, value, grammar);
    if (!read) return read;
  }
  return {};
}

Result<void> Matcher::read_key(std::string_view file, const YamlNode& key, const YamlNode& value,
                               const TSLanguage* grammar) {
  const std::string& name = key.scalar;
  if (name == "kind") {
    const TSSymbol symbol = ts_language_symbol_for_name(
        grammar, value.scalar.data(), static_cast<uint32_t>(value.scalar.size()), true);
    if (symbol == 0) {
      return wrong(file, value, fmt::format("the grammar has no kind '{}'", value.scalar));
    }
    kind_ = symbol;
    return {};
  }
  if (name == "regex") {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    regex_ = std::make_unique<RE2>(value.scalar, options);
    if (!regex_->ok()) return wrong(file, value, "regex: " + regex_->error());
    return {};
  }
  if (name == "any") return read_list(file, value, grammar, any_);
  if (name == "all") return read_list(file, value, grammar, all_);
  if (name == "not") {
    not_ = std::make_unique<Matcher>();
    return not_->read(file, value, grammar);
  }
  if (name == "has" || name == "inside") {
    Relation relation;
    relation.inside = name == "inside";
    relation.matcher = std::make_unique<Matcher>();
    Result<void> read = relation.matcher->read(file, value, grammar);
    if (!read) return read;
    relation.to_end = relation.matcher->to_end_;
    relations_.push_back(std::move(relation));
    return {};
  }
  if (name == "stopBy" && (value.scalar == "end" || value.scalar == "neighbor")) {
    to_end_ = value.scalar == "end";
    return {};
  }
  const bool later = name == "stopBy" || std::find(std::begin(kLaterKeys), std::end(kLaterKeys),
                                                   name) != std::end(kLaterKeys);
  Error error = wrong(file, key, fmt::format("unknown key '{}' in a rule", name));
  if (later) {
    error.code = ErrorCode::Unsupported;
    error.what = fmt::format("'{}' is not supported in this form yet", name);
    error.hint = "say it with kind, regex, any, all, not, has, inside and stopBy: end|neighbor";
  }
  return error;
}

Result<void> Matcher::read_list(std::string_view file, const YamlNode& value,
                                const TSLanguage* grammar,
                                std::vector<std::unique_ptr<Matcher>>& list) {
  if (value.items.empty()) return wrong(file, value, "any and all need a list of rules");
  for (const YamlNode& item : value.items) {
    list.push_back(std::make_unique<Matcher>());
    Result<void> read = list.back()->read(file, item, grammar);
    if (!read) return read;
  }
  return {};
}

bool Matcher::holds(const Relation& relation, const SyntaxTree& tree, TSNode node,
                    Budget& budget) const {
  const Matcher& matcher = *relation.matcher;
  if (relation.inside) {
    for (TSNode up = ts_node_parent(node); !ts_node_is_null(up); up = ts_node_parent(up)) {
      if (matcher.matches(tree, up, budget)) return true;
      if (!relation.to_end || budget.left == 0) return false;
    }
    return false;
  }
  TreeWalk walk(node);
  if (!relation.to_end) {
    for (bool more = walk.first_child(); more; more = walk.next_sibling()) {
      if (matcher.matches(tree, walk.node(), budget)) return true;
    }
    return false;
  }
  while (walk.next()) {
    if (matcher.matches(tree, walk.node(), budget)) return true;
    if (budget.left == 0) return false;
  }
  return false;
}

bool Matcher::matches(const SyntaxTree& tree, TSNode node, Budget& budget) const {
  if (!budget.take()) return false;
  if (kind_ && ts_node_symbol(node) != *kind_) return false;
  if (regex_) {
    const std::string_view text = tree.text(node);
    if (!RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex_)) return false;
  }
  const auto holds_here = [&](const auto& part) { return part->matches(tree, node, budget); };
  if (!any_.empty() && std::none_of(any_.begin(), any_.end(), holds_here)) return false;
  if (!std::all_of(all_.begin(), all_.end(), holds_here)) return false;
  if (not_ && not_->matches(tree, node, budget)) return false;
  return std::all_of(relations_.begin(), relations_.end(), [&](const Relation& relation) {
    return holds(relation, tree, node, budget);
  });
}

CodeRule::CodeRule(std::unique_ptr<const Matcher> matcher, std::string language)
    : matcher_(std::move(matcher)), language_(std::move(language)) {}
CodeRule::~CodeRule() = default;
CodeRule::CodeRule(CodeRule&&) noexcept = default;
CodeRule& CodeRule::operator=(CodeRule&&) noexcept = default;

Result<CodeRule> CodeRule::compile(std::string_view file, const YamlNode& rule,
                                   std::string_view language) {
  const std::string name = normalise_language(language);
  const TSLanguage* grammar = find_grammar(name);
  if (grammar == nullptr) {
    Error error = wrong(file, rule, fmt::format("no grammar for the language '{}'", language));
    error.code = ErrorCode::Unsupported;
    error.hint = fmt::format("this build has {}", fmt::join(kLanguages, ", "));
    return error;
  }
  auto matcher = std::make_unique<Matcher>();
  Result<void> read = matcher->read(file, rule, grammar);
  if (!read) return read.error();
  return CodeRule(std::move(matcher), name);
}

std::optional<std::vector<uint32_t>> CodeRule::find_lines(const SyntaxTree& tree) const {
  std::vector<uint32_t> lines;
  Matcher::Budget budget;
  TreeWalk walk(tree.root());
  do {
    if (matcher_->matches(tree, walk.node(), budget)) {
      lines.push_back(ts_node_start_point(walk.node()).row + 1);
    }
    if (budget.left == 0) return std::nullopt;
  } while (walk.next());
  return lines;
}

}  // namespace tinyarms::rules
