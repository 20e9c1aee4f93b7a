#include "questions/question_engine.h"

#include <algorithm>
#include <set>

#include "base/ascii.h"
#include "base/utf8.h"
#include "questions/bundled_packs.h"
#include "questions/question.h"
#include "questions/rule_pack.h"

namespace tinyarms::questions {
namespace {

void append(const std::vector<Error>& problems, std::vector<Error>& to) {
  to.insert(to.end(), problems.begin(), problems.end());
}

}  // namespace

struct QuestionEngine::State {
  UnitLibrary units;
  std::vector<std::unique_ptr<const RulePack>> packs;

  std::optional<RuleAnswer> answer(const Question& question) const;
};

std::optional<RuleAnswer> QuestionEngine::State::answer(const Question& question) const {
  if (question.prose.empty()) return std::nullopt;
  const std::string folded = lowered(question.prose);
  std::vector<RuleAnswer> answers;
  for (const auto& pack : packs) {
    if (pack->may_know(folded)) pack->collect_answers(question, answers);
  }
  if (answers.empty()) return std::nullopt;
  const bool agreed = std::all_of(answers.begin(), answers.end(), [&](const RuleAnswer& other) {
    return other.answer == answers.front().answer;
  });
  if (!agreed) return std::nullopt;
  return std::move(answers.front());
}

QuestionEngine::QuestionEngine(std::unique_ptr<const State> state) : state_(std::move(state)) {}
QuestionEngine::~QuestionEngine() = default;
QuestionEngine::QuestionEngine(QuestionEngine&&) noexcept = default;
QuestionEngine& QuestionEngine::operator=(QuestionEngine&&) noexcept = default;

QuestionEngine QuestionEngine::load(std::span<const EmbeddedFile> packs) {
  auto state = std::make_unique<State>();
  std::set<std::string> ids;
  for (const EmbeddedFile& file : packs) {
    PackText text = split_pack(file.bytes);
    if (!text.units.empty()) state->units.add(std::string(file.name), std::move(text.units));
    std::set<std::string> of_file;
    for (PackSection& section : text.sections) {
      RulePack::Options options{std::string(file.name), std::move(section), {}};
      const std::vector<std::string>& own = options.section.ids;
      const bool clash = std::any_of(own.begin(), own.end(), [&](const std::string& id) {
        return ids.count(id) + of_file.count(id) > 0;
      });
      if (clash) {
        options.taken = ids;
        options.taken.insert(of_file.begin(), of_file.end());
      }
      of_file.insert(own.begin(), own.end());
      state->packs.push_back(std::make_unique<const RulePack>(std::move(options), state->units));
    }
    ids.merge(of_file);
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

size_t QuestionEngine::rule_count() const {
  size_t count = 0;
  for (const auto& pack : state_->packs) count += pack->rule_count();
  return count;
}

std::vector<Error> QuestionEngine::problems() const {
  std::vector<Error> problems;
  for (const auto& pack : state_->packs) append(pack->problems(), problems);
  append(state_->units.problems(), problems);
  return problems;
}

}  // namespace tinyarms::questions
