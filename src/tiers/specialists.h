// Which of a level's models answers: its usual one, or a specialist for the question's language or
// kind. Decided from the request and from what L1 left in the trace (docs/specialists.md):
//
//   a model that the request names      nothing is chosen
//   language.de, …, else multilingual   what the question is written in; English is nobody's
//                                       unless there is a language.en
//   tools                               the request offers tools
//   code, maths, …                      the intent, where its probability reaches `certainty_min`
//
// One whose file cannot be used leaves the question to the usual model, with a note.
#pragma once

#include <string>
#include <vector>

#include "cascade/tier.h"
#include "tiers/model_ref.h"

namespace tinyarms::tiers {

inline constexpr std::string_view kLanguageRoute = "language.";
inline constexpr std::string_view kForeignRoute = "multilingual";
inline constexpr std::string_view kToolsRoute = "tools";

struct Specialist {
  std::string kind{};  // of questions: "maths", "language.de"
  ModelRef model{};
  std::string setting{};  // that names it, for the note
};

struct ModelChoice {
  ModelRef model{};
  cascade::Route route{};
  std::string notice{};
};

// Const after construction; thread-safe.
class Specialists {
 public:
  Specialists() = default;
  Specialists(ModelRef usual, std::vector<Specialist> models, double certainty_min);

  // Loads nothing and reads no file.
  ModelChoice choose(const cascade::Request&, const cascade::Trace& so_far) const;

  // "A, B for maths, C for language.de"
  std::string describe() const;

 private:
  const Specialist* find(std::string_view kind) const;
  ModelChoice usual(std::string why = {}) const;
  ModelChoice take(const Specialist&, std::string_view because) const;
  const Specialist* by_language(const std::string& language) const;
  ModelChoice by_intent(const cascade::Request&, const cascade::Trace& so_far) const;

  ModelRef usual_;
  std::vector<Specialist> models_;
  double certainty_min_ = 0;
  bool by_language_ = false;  // whether the question's language matters
};

}  // namespace tinyarms::tiers
