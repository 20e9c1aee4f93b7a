// Whether two questions ask the same, word by word: the check behind a cache that finds candidates
// by embedding, where "convert a list to a tuple" and "convert a tuple to a list" look alike.
//
// The gate does not look for known traps; it demands that everything which is not known to be
// empty agrees: words (up to inflection, spelling and the groups of data/same.txt) in their order
// and with their prepositions; numbers, units, versions, identifiers, paths and quoted text to the
// letter. Only where a question plays ("in Python") may stand anywhere. A question that is not
// understood is thus refused, never taken for another. Pure and deterministic; a miss costs a
// model's answer, a wrong agreement costs a wrong answer.
#pragma once

#include <string>
#include <string_view>

#include "gate/lexicon.h"

namespace tinyarms::gate {

enum class Difference {
  None,
  Negation,
  Opposite,
  Number,
  Unit,
  Version,
  Identifier,
  Path,
  Quote,
  Context,   // a language, tool or system
  Order,     // the same words in other places
  Word,
  Quantity,  // one of them against several
  Length,    // too long, or laid-out code: only the very same text will do
};

// "negation", "opposite", …: stable, for JSON.
std::string_view difference_name(Difference difference);

struct Verdict {
  bool same = false;
  Difference difference = Difference::Word;
  std::string why;  // one sentence without a full stop
};

// Beyond it a question is a document, and words say too little.
inline constexpr size_t kQuestionBytesMax = 4096;

class Gate {
 public:
  explicit Gate(Lexicon lexicon) : lexicon_(std::move(lexicon)) {}
  static Gate bundled() { return Gate(Lexicon::bundled()); }

  // Any bytes are taken. Symmetric in its verdict, linear in the texts.
  Verdict compare(std::string_view a, std::string_view b) const;

 private:
  Lexicon lexicon_;
};

// Changes whenever the rules or word lists do: what was calibrated with others is void.
std::string gate_identity();

}  // namespace tinyarms::gate
