// A section of a pack file (pack_text.h): its rules, and the questions of all of them as one set
// of regexes. It is read when it is first needed.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "questions/pack_text.h"
#include "questions/question.h"
#include "questions/question_engine.h"
#include "questions/unit_library.h"

namespace tinyarms::questions {

// Const after construction; every member may be called from any thread at once.
class RulePack {
 public:
  struct Options {
    std::string file;             // its name, for messages
    PackSection section;
    std::set<std::string> taken;  // ids that rules before this section have: those rules stay
  };
  // `units` must outlive the pack.
  RulePack(Options options, const UnitLibrary& units);
  ~RulePack();

  // Whether one of its words is in the question (in lower case), or it needs none.
  bool may_know(std::string_view question) const;
  // What each rule that recognises the question answers, in the order of the file.
  void collect_answers(const Question& question, std::vector<RuleAnswer>& answers) const;

  // These read the pack.
  size_t rule_count() const;
  const std::vector<Error>& problems() const;

 private:
  struct Content;
  const Content& content() const;

  const Options options_;
  const UnitLibrary& units_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<const Content> content_;
};

}  // namespace tinyarms::questions
