#include "questions/rule_pack.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>

#include "base/ascii.h"
#include "questions/rule.h"
#include "rules/scan.h"
#include "rules/syntax_tree.h"

namespace tinyarms::questions {
namespace {

RE2::Options question_options() {
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_max_mem(64 << 20);  // of the whole set
  return options;
}

constexpr size_t kRegexBytesMax = 4000;

// How often the counted repetitions of a regex could multiply it, were each inside the other.
size_t repetitions(const std::string& regex) {
  size_t product = 1;
  for (size_t at = regex.find('{'); at != regex.npos; at = regex.find('{', at + 1)) {
    size_t largest = 1;
    size_t number = 0;
    for (size_t i = at + 1; i < regex.size() && regex[i] != '}'; ++i) {
      const bool digit = regex[i] >= '0' && regex[i] <= '9';
      number = digit ? number * 10 + static_cast<size_t>(regex[i] - '0') : 0;
      number = std::min<size_t>(number, 9999);
      largest = std::max(largest, number + 1);
    }
    product = std::min<size_t>(product * largest, size_t{1} << 30);
  }
  return product;
}

// Only counted repetitions and Unicode classes can make a short regex a large program, so only
// those that might are compiled on their own to see that they stay within bounds.
bool is_too_large(const std::string& regex) {
  constexpr size_t kSurelySmall = 1 << 18;
  if (regex.size() > kRegexBytesMax) return true;
  const bool unicode = regex.find("\\p") != regex.npos || regex.find("\\P") != regex.npos;
  if (!unicode && repetitions(regex) * regex.size() <= kSurelySmall) return false;
  RE2::Options options = question_options();
  options.set_max_mem(1 << 20);
  return RE2(regex, options).error_code() == RE2::ErrorPatternTooLarge;
}

// The named groups of the first of the rule's questions that matches.
Variables find_captures(const std::string& question, const std::string& prose) {
  const RE2 regex(question, question_options());
  const int groups = regex.NumberOfCapturingGroups();
  std::vector<re2::StringPiece> values(static_cast<size_t>(groups) + 1);
  Variables captures;
  if (!regex.Match(prose, 0, prose.size(), RE2::ANCHOR_BOTH, values.data(), groups + 1)) {
    return captures;
  }
  for (const auto& [name, index] : regex.NamedCapturingGroups()) {
    captures[name] = std::string(values[static_cast<size_t>(index)]);
  }
  return captures;
}

// The metavariables of the rule's first match; false where one that the answer names is missing.
bool add_metavariables(const Rule& rule, const rules::RuleSet& code_rules, std::string_view code,
                       Variables& variables) {
  const std::span<const rules::RuleInfo> infos = code_rules.rules();
  std::vector<rules::Severity> severities(infos.size(), rules::Severity::Off);
  for (size_t i = 0; i < infos.size(); ++i) {
    if (infos[i].id == rule.id) severities[i] = rules::Severity::Hint;
  }
  rules::ScanOptions options;
  options.language = rules::find_language(rule.code_rule->language());
  options.severities = severities;
  options.bytes_max = QuestionEngine::kCodeQuestionBytesMax;
  rules::Scratch scratch;
  const rules::ScanResult result = rules::scan(code_rules, code, options, scratch);
  if (result.findings.empty()) return false;
  for (const rules::Capture& capture : result.findings.front().captures) {
    variables[capture.name] = capture.text;
  }
  return std::all_of(rule.metavariables.begin(), rule.metavariables.end(),
                     [&](const std::string& name) { return variables.count(name) > 0; });
}

std::optional<std::string> answer_of_code(const Rule& rule, const rules::RuleSet& code_rules,
                                          const rules::CodeBlock& code, Variables variables) {
  const std::string& language = rule.code_rule->language();
  if (!code.language.empty() && code.language != language) return std::nullopt;
  const auto tree = rules::SyntaxTree::parse(code.code, language);
  // Of code that does not parse, only a guess could say what it contains.
  if (!tree || tree->first_error()) return std::nullopt;
  const auto lines = rule.code_rule->find_lines(*tree);
  if (!lines) return std::nullopt;
  if (lines->empty()) {
    if (rule.otherwise.empty()) return std::nullopt;
    return fill_template(rule.otherwise, variables);
  }
  if (!rule.metavariables.empty() &&
      !add_metavariables(rule, code_rules, code.code, variables)) {
    return std::nullopt;
  }
  variables["count"] = std::to_string(lines->size());
  variables["line"] = std::to_string(lines->front());
  variables["lines"] = fmt::format("{}", fmt::join(*lines, ", "));
  return fill_template(rule.answer, variables);
}

struct Knowledge {
  const UnitLibrary& units;
  const rules::RuleSet& code_rules;  // the section's, where answers name metavariables
};

std::optional<std::string> answer_of(const Rule& rule, const Question& question,
                                     Variables variables, const Knowledge& knowledge) {
  if (rule.code_rule) {
    return answer_of_code(rule, knowledge.code_rules, *question.code, std::move(variables));
  }
  if (rule.computation != nullptr) {
    const rules::CodeBlock* code = question.code ? &*question.code : nullptr;
    const auto computed = rule.computation->run({variables, code, knowledge.units, question.typed});
    if (!computed) return std::nullopt;
    for (const auto& [name, value] : *computed) variables[name] = value;
  }
  if (!rule.table_key.empty()) {
    const std::string& key = variables[rule.table_key];
    const auto entry = rule.table.find(rule.table_keeps_case ? key : lowered(key));
    if (entry == rule.table.end()) return std::nullopt;
    variables["entry"] = entry->second;
  }
  return fill_template(rule.answer, variables);
}

}  // namespace

struct RulePack::Content {
  static constexpr size_t kNoRule = static_cast<size_t>(-1);
  // A regex of the set: a question of a rule, or what vetoes it.
  struct Pattern {
    size_t rule = 0;
    size_t question = 0;
    bool unless = false;
  };

  std::vector<Rule> rules;
  std::vector<Pattern> patterns;
  std::unique_ptr<RE2::Set> set;
  tinyarms::rules::RuleSet code_rules;
  std::vector<Error> problems;

  Result<void> add_rule(std::string_view file, const rules::YamlNode& document,
                        std::set<std::string>& ids);
  void read(const Options& options);
  void add_rules(const Options& options, int lines_before);
};

Result<void> RulePack::Content::add_rule(std::string_view file, const rules::YamlNode& document,
                                         std::set<std::string>& ids) {
  Result<Rule> rule = read_rule(file, document);
  if (!rule) return rule.error();
  const auto wrong = [&](std::string what) {
    return Error{ErrorCode::Config, fmt::format("rule '{}': {}", rule->id, what),
                 rules::yaml_position(file, document), "see docs/rules.md for what a rule may say"};
  };
  if (ids.count(rule->id) > 0) return wrong("another rule has the same id");
  // A rule joins with all its regexes or not at all. The set cannot give one back: those of a
  // rule that fails halfway stay in it without a rule.
  const size_t first = patterns.size();
  for (const bool unless : {false, true}) {
    const std::vector<std::string>& list = unless ? rule->unless : rule->questions;
    for (size_t i = 0; i < list.size(); ++i) {
      std::string fault = "too large";
      if (is_too_large(list[i]) || set->Add(list[i], &fault) < 0) {
        for (size_t k = first; k < patterns.size(); ++k) patterns[k].rule = kNoRule;
        return wrong(fmt::format("regex '{}': {}", list[i], fault));
      }
      patterns.push_back({rules.size(), i, unless});
    }
  }
  ids.insert(rule->id);
  rules.push_back(std::move(*rule));
  return {};
}

void RulePack::Content::add_rules(const Options& options, int lines_before) {
  set = std::make_unique<RE2::Set>(question_options(), RE2::ANCHOR_BOTH);
  std::set<std::string> ids = options.taken;
  const std::string padding(static_cast<size_t>(lines_before), '\n');
  rules::YamlFile file = rules::read_yaml(options.file, padding + options.section.yaml);
  for (const rules::YamlNode& document : file.documents) {
    if (document.kind == rules::YamlNode::Kind::Null) continue;
    Result<void> added = add_rule(options.file, document, ids);
    if (!added) problems.push_back(added.error());
  }
  problems.insert(problems.end(), file.errors.begin(), file.errors.end());
}

void RulePack::Content::read(const Options& options) {
  add_rules(options, 0);
  if (!problems.empty() && options.section.lines_before > 0) {
    // Once more, with the lines before it, so that the positions told of are those of the file.
    *this = Content();
    add_rules(options, options.section.lines_before);
  }
  const bool metavariables = std::any_of(rules.begin(), rules.end(), [](const Rule& rule) {
    return !rule.metavariables.empty();
  });
  if (metavariables) {
    // The rule engine reads the same documents; what of them is no code rule it sets aside.
    tinyarms::rules::RuleSources sources;
    sources.rules.push_back({options.file, options.section.yaml});
    code_rules = tinyarms::rules::RuleSet::load(sources);
  }
  if (patterns.empty()) {
    set.reset();
  } else if (!set->Compile()) {
    set.reset();
    problems.push_back({ErrorCode::OverBudget, "all questions together need too much memory",
                        options.file,
                        "make two packs of it"});
  }
}

RulePack::RulePack(Options options, const UnitLibrary& units)
    : options_(std::move(options)), units_(units) {}
RulePack::~RulePack() = default;

const RulePack::Content& RulePack::content() const {
  std::call_once(once_, [this] {
    auto content = std::make_unique<Content>();
    content->read(options_);
    content_ = std::move(content);
  });
  return *content_;
}

bool RulePack::may_know(std::string_view question) const {
  const std::vector<std::string>& words = options_.section.words;
  return words.empty() || std::any_of(words.begin(), words.end(), [&](const std::string& word) {
           return question.find(word) != question.npos;
         });
}

void RulePack::collect_answers(const Question& question, std::vector<RuleAnswer>& answers) const {
  const Content& pack = content();
  std::vector<int> matched;
  if (!pack.set || !pack.set->Match(question.prose, &matched)) return;
  std::sort(matched.begin(), matched.end());
  // A rule is tried once, with its first question that matches, and not where it is vetoed.
  std::set<size_t> done;
  for (const int index : matched) {
    const Content::Pattern& pattern = pack.patterns[static_cast<size_t>(index)];
    if (pattern.unless) done.insert(pattern.rule);
  }
  for (const int index : matched) {
    const Content::Pattern& pattern = pack.patterns[static_cast<size_t>(index)];
    if (pattern.rule == Content::kNoRule) continue;
    const Rule& rule = pack.rules[pattern.rule];
    if (rule.needs_code() != question.code.has_value()) continue;
    if (!done.insert(pattern.rule).second) continue;
    const std::string& regex = rule.questions[pattern.question];
    auto text = answer_of(rule, question, find_captures(regex, question.prose),
                          {units_, pack.code_rules});
    if (text) answers.push_back({rule.id, std::move(*text), rule.note});
  }
}

size_t RulePack::rule_count() const { return content().rules.size(); }
const std::vector<Error>& RulePack::problems() const { return content().problems; }

}  // namespace tinyarms::questions
