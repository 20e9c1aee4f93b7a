// What a text must hold for a rule to have any chance: a formula of literals joined by "all of"
// and "any of". Always is the formula that asks for nothing.
#pragma once

#include <string>
#include <vector>

namespace tinyarms::rules {

struct LiteralNeed {
  enum class Kind { Always, Literal, All, Any };
  Kind kind = Kind::Always;
  std::string literal;
  bool word = false;  // of the literal: with nothing of an identifier right before or after it
  std::vector<LiteralNeed> parts;

  // Shorter ones are in every text anyway.
  static constexpr size_t kBytesMin = 2;

  static LiteralNeed of(std::string text, bool word = false) {
    LiteralNeed need;
    if (text.size() < kBytesMin) return need;
    need.kind = Kind::Literal;
    need.literal = std::move(text);
    need.word = word;
    return need;
  }

  // Both must hold.
  void add(LiteralNeed other) {
    if (other.kind == Kind::Always) return;
    if (kind == Kind::Always) {
      *this = std::move(other);
      return;
    }
    if (kind != Kind::All) {
      LiteralNeed all;
      all.kind = Kind::All;
      all.parts.push_back(std::move(*this));
      *this = std::move(all);
    }
    parts.push_back(std::move(other));
  }

  // One of them must hold; of none, nothing is asked.
  static LiteralNeed any(std::vector<LiteralNeed> choices) {
    LiteralNeed need;
    for (const LiteralNeed& choice : choices) {
      if (choice.kind == Kind::Always) return need;
    }
    if (choices.size() == 1) return std::move(choices.front());
    if (choices.empty()) return need;
    need.kind = Kind::Any;
    need.parts = std::move(choices);
    return need;
  }
};

}  // namespace tinyarms::rules
