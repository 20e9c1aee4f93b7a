// One pack file: its rules, and the questions of all of them as one set of regexes. A pack with a
// header `words: […]` is read when a question first holds one of them, every other pack at once.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "base/error.h"
#include "questions/question.h"
#include "questions/question_engine.h"
#include "questions/unit_library.h"

namespace tinyarms::questions {

// Const after construction; every member may be called from any thread at once.
class RulePack {
 public:
  // `taken`: ids of the packs before this one, whose rules stay. Adds this pack's ids to it, and
  // its unit documents to `units`, which must outlive the pack.
  RulePack(const EmbeddedFile& file, std::set<std::string>& taken, UnitLibrary& units);
  ~RulePack();

  // Whether one of its words is in the question (in lower case), or it needs none.
  bool may_know(std::string_view question) const;
  // What each rule that recognises the question answers, in the order of the file.
  void collect_answers(const Question& question, std::vector<RuleAnswer>& answers) const;

  bool is_lazy() const { return !words_.empty(); }
  // These read the pack.
  size_t rule_count() const;
  const std::vector<Error>& problems() const;

 private:
  struct Content;
  const Content& content() const;

  std::string name_;
  std::vector<std::string> words_;
  std::string yaml_;
  std::set<std::string> taken_;
  const UnitLibrary& units_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<const Content> content_;
};

}  // namespace tinyarms::questions
