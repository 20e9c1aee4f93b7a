#include "questions/question_engine.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <set>

#include "base/utf8.h"
#include "questions/bundled_packs.h"
#include "questions/question.h"
#include "questions/rule.h"
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

// Only counted repetitions and Unicode classes can make a short regex a large program, so only
// those are compiled on their own to see that they stay within bounds.
bool is_too_large(const std::string& regex) {
  if (regex.size() > kRegexBytesMax) return true;
  if (regex.find('{') == std::string::npos && regex.find("\\p") == std::string::npos &&
      regex.find("\\P") == std::string::npos) {
    return false;
  }
  RE2::Options options = question_options();
  options.set_max_mem(1 << 20);
  return RE2(regex, options).error_code() == RE2::ErrorPatternTooLarge;
}

// The examples under `valid:` and `invalid:` are half of a pack and of no use to an answer:
// blanked, with their line ends kept for the positions of everything else. Only keys of a
// document's own block map begin a line, so nothing else can be meant.
std::string without_examples(std::string_view yaml) {
  std::string result;
  result.reserve(yaml.size());
  bool skipping = false;
  while (!yaml.empty()) {
    const size_t end = std::min(yaml.find('\n'), yaml.size() - 1);
    const std::string_view line = yaml.substr(0, end + 1);
    yaml.remove_prefix(line.size());
    const bool continues = line[0] == ' ' || line[0] == '-' || line[0] == '\n' || line[0] == '#';
    if (!continues || line.substr(0, 3) == "---") {
      skipping = line == "valid:\n" || line == "invalid:\n";
    }
    if (!skipping) {
      result.append(line);
    } else if (line.back() == '\n') {
      result += '\n';
    }
  }
  return result;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
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

std::optional<std::string> answer_of_code(const Rule& rule, const rules::CodeBlock& code,
                                          Variables variables) {
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
  variables["count"] = std::to_string(lines->size());
  variables["line"] = std::to_string(lines->front());
  variables["lines"] = fmt::format("{}", fmt::join(*lines, ", "));
  return fill_template(rule.answer, variables);
}

std::optional<std::string> answer_of(const Rule& rule, const Question& question,
                                     Variables variables, const UnitTable& units) {
  if (rule.code_rule) return answer_of_code(rule, *question.code, std::move(variables));
  if (rule.computation != nullptr) {
    const rules::CodeBlock* code = question.code ? &*question.code : nullptr;
    const auto computed = rule.computation->run({variables, code, units});
    if (!computed) return std::nullopt;
    for (const auto& [name, value] : *computed) variables[name] = value;
  }
  if (!rule.table_key.empty()) {
    const auto entry = rule.table.find(lower(variables[rule.table_key]));
    if (entry == rule.table.end()) return std::nullopt;
    variables["entry"] = entry->second;
  }
  return fill_template(rule.answer, variables);
}

}  // namespace

struct QuestionEngine::State {
  static constexpr size_t kNoRule = static_cast<size_t>(-1);
  // A regex of the set: a question of a rule, or what vetoes it.
  struct Pattern {
    size_t rule = 0;
    size_t question = 0;
    bool unless = false;
  };

  std::vector<Rule> rules;
  UnitTable units;
  std::vector<Pattern> patterns;
  std::unique_ptr<RE2::Set> set;
  std::vector<Error> problems;

  void load_file(const EmbeddedFile& file, std::set<std::string>& ids, RE2::Set& regexes);
  Result<void> add_rule(std::string_view file, const rules::YamlNode& document,
                        std::set<std::string>& ids, RE2::Set& regexes);
  std::optional<RuleAnswer> answer(const Question& question) const;
};

Result<void> QuestionEngine::State::add_rule(std::string_view file, const rules::YamlNode& document,
                                         std::set<std::string>& ids, RE2::Set& regexes) {
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
      if (is_too_large(list[i]) || regexes.Add(list[i], &fault) < 0) {
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

void QuestionEngine::State::load_file(const EmbeddedFile& file, std::set<std::string>& ids,
                                  RE2::Set& regexes) {
  rules::YamlFile yaml = rules::read_yaml(file.name, without_examples(file.bytes));
  for (const rules::YamlNode& document : yaml.documents) {
    if (document.kind == rules::YamlNode::Kind::Null) continue;
    Result<void> added = document.find("units") != nullptr
                             ? units.add(file.name, document)
                             : add_rule(file.name, document, ids, regexes);
    if (!added) problems.push_back(added.error());
  }
  problems.insert(problems.end(), yaml.errors.begin(), yaml.errors.end());
}

std::optional<RuleAnswer> QuestionEngine::State::answer(const Question& question) const {
  std::vector<int> matched;
  if (!set || question.prose.empty() || !set->Match(question.prose, &matched)) return std::nullopt;
  std::sort(matched.begin(), matched.end());
  std::set<size_t> vetoed;
  for (const int index : matched) {
    const Pattern& pattern = patterns[static_cast<size_t>(index)];
    if (pattern.unless) vetoed.insert(pattern.rule);
  }
  std::optional<RuleAnswer> found;
  std::set<size_t> tried;
  for (const int index : matched) {
    const Pattern& pattern = patterns[static_cast<size_t>(index)];
    if (pattern.rule == kNoRule || vetoed.count(pattern.rule) > 0) continue;
    const Rule& rule = rules[pattern.rule];
    if (rule.needs_code() != question.code.has_value()) continue;
    if (!tried.insert(pattern.rule).second) continue;
    auto text = answer_of(rule, question,
                          find_captures(rule.questions[pattern.question], question.prose), units);
    if (!text) continue;
    if (found && found->answer != *text) return std::nullopt;
    if (!found) found = RuleAnswer{rule.id, std::move(*text), rule.note};
  }
  return found;
}

QuestionEngine::QuestionEngine(std::unique_ptr<const State> state) : state_(std::move(state)) {}
QuestionEngine::~QuestionEngine() = default;
QuestionEngine::QuestionEngine(QuestionEngine&&) noexcept = default;
QuestionEngine& QuestionEngine::operator=(QuestionEngine&&) noexcept = default;

QuestionEngine QuestionEngine::load(std::span<const EmbeddedFile> packs) {
  auto state = std::make_unique<State>();
  state->set = std::make_unique<RE2::Set>(question_options(), RE2::ANCHOR_BOTH);
  std::set<std::string> ids;
  for (const EmbeddedFile& pack : packs) state->load_file(pack, ids, *state->set);
  if (state->patterns.empty()) {
    state->set.reset();
  } else if (!state->set->Compile()) {
    state->set.reset();
    state->problems.push_back({ErrorCode::OverBudget, "all questions together need too much memory",
                               "", "load fewer rules"});
  }
  return QuestionEngine(std::move(state));
}

QuestionEngine QuestionEngine::bundled() { return load(bundled_packs()); }

std::optional<RuleAnswer> QuestionEngine::answer(std::string_view question) const {
  if (question.size() > kCodeQuestionBytesMax || find_invalid_utf8(question)) return std::nullopt;
  if (question.find('\0') != std::string_view::npos) return std::nullopt;
  if (const auto plain = read_plain_question(question)) {
    if (auto answer = state_->answer(*plain)) return answer;
  }
  if (const auto about_code = read_code_question(question)) return state_->answer(*about_code);
  return std::nullopt;
}

size_t QuestionEngine::rule_count() const { return state_->rules.size(); }
const std::vector<Error>& QuestionEngine::problems() const { return state_->problems; }

}  // namespace tinyarms::questions
