// The word lists of the gate (data/*.txt, which say what each is), read once. Const afterwards.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/embedded_file.h"
#include "base/result.h"

namespace tinyarms::gate {

std::vector<EmbeddedFile> word_lists();  // generated from data/

struct Phrase {
  std::vector<std::string> words;
  std::vector<std::string> instead;
};

class Lexicon {
 public:
  // Errors: Corrupt with file and line (a pattern that is not one, a word in two groups).
  static Result<Lexicon> read(const std::vector<EmbeddedFile>& files);
  // What ships; asserts that it can be read, which is tested.
  static Lexicon bundled();

  // The longest phrase that `words` begin with; null where none does.
  const Phrase* phrase_at(const std::vector<std::string_view>& words, size_t at) const;

  // The first word of its group, else the word.
  std::string_view same(std::string_view word) const;
  bool is_grouped(std::string_view word) const;
  bool is_dropped(std::string_view word) const { return dropped_.count(std::string(word)) > 0; }
  bool is_context(std::string_view word) const { return contexts_.count(std::string(word)) > 0; }
  bool is_verb(std::string_view word) const { return verbs_.count(std::string(word)) > 0; }
  // "reading" → "read"; empty where it is no such form of a known verb.
  std::string_view verb_of_gerund(std::string_view word) const;
  bool are_opposites(std::string_view a, std::string_view b) const;
  // Whether some list has it: then it is one word, whatever characters it has.
  bool knows(std::string_view word) const;

 private:
  Result<void> read_phrase(std::string_view line, const std::string& place);
  Result<void> read_words(std::string_view file, const std::vector<std::string>& words,
                          const std::string& place);
  void add_verb(const std::string& verb);

  std::unordered_map<std::string, std::vector<Phrase>> phrases_;  // by first word, longest first
  std::unordered_map<std::string, std::string> same_;
  std::unordered_map<std::string, std::string> gerunds_;
  std::unordered_set<std::string> dropped_;
  std::unordered_set<std::string> contexts_;
  std::unordered_set<std::string> verbs_;
  std::unordered_set<std::string> opposites_;  // "a b" and "b a"
};

}  // namespace tinyarms::gate
