// A question reduced to what it asks: its phrases rewritten, empty words gone, each remaining word
// with the preposition before it. Two questions ask the same where these agree (compare.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gate/lexicon.h"
#include "gate/tokens.h"

namespace tinyarms::gate {

struct Item {
  std::string concept_name;  // what it counts as: "remove" for "deleting"
  std::string surface;       // as it stood, but for the case of the first word
  std::string marker;        // the preposition before it, "" without
  TokenKind kind = TokenKind::Word;
  bool plural = false;
  bool definite = false;     // "the", "this", "last" before it
  bool is_context = false;   // a language or tool that says where the question plays
};

struct Sentence {
  std::vector<Item> items;     // in order, without the contexts below
  std::vector<Item> contexts;  // those that may stand anywhere, in order
  bool has_layout = false;     // lines that are indented: code, where white space counts
};

Sentence reduce(std::string_view question, const Lexicon& lexicon);

}  // namespace tinyarms::gate
