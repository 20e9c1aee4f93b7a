// Level 0: rules that are data. A pack is a YAML file of rules; a question that one of them
// recognises whole is answered by construction, every other question by nobody. What a pack may
// say is in docs/rules.md; code rules have the form of ast-grep's.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "base/error.h"

namespace tinyarms::questions {

struct RuleAnswer {
  std::string rule_id;
  std::string answer;  // Markdown; right wherever the rule matches
  std::string note;    // what the asker should know of its limits; may be empty
};

// Const after load; every const member may be called from any thread at once.
class QuestionEngine {
 public:
  // Questions without code are looked at up to here; longer ones are not one-liners.
  static constexpr size_t kQuestionBytesMax = 4096;
  // Questions with code: the most that is parsed.
  static constexpr size_t kCodeQuestionBytesMax = 256 << 10;

  // Never fails: a wrong rule is left out and told of in problems(), the others work. The bytes
  // need not outlive the call. Of two rules with one id, the first stays. A rule that
  // names its words is read when a question first holds one of them.
  static QuestionEngine load(std::span<const EmbeddedFile> packs);
  // The packs inside the binary (src/questions/pack/).
  static QuestionEngine bundled();

  ~QuestionEngine();
  QuestionEngine(QuestionEngine&&) noexcept;
  QuestionEngine& operator=(QuestionEngine&&) noexcept;

  // The answer that every matching rule agrees on; nothing where none matches, where two differ,
  // and for any text over the limits or that is not UTF-8. Same question, same answer.
  std::optional<RuleAnswer> answer(std::string_view question) const;

  // These read every pack whole, which costs more than an answer does.
  size_t rule_count() const;
  // One entry for each rule or file that was left out: where = "file:line:column", what names
  // the rule's id.
  std::vector<Error> problems() const;

 private:
  struct State;
  explicit QuestionEngine(std::unique_ptr<const State> state);

  std::unique_ptr<const State> state_;
};

}  // namespace tinyarms::questions
