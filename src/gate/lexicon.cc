#include "gate/lexicon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace tinyarms::gate {
namespace {

Error bad(std::string what, const std::string& place) {
  return {ErrorCode::Corrupt, std::move(what), place, ""};
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    const size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

// One way through the alternatives of a pattern: the words, and what each group became.
struct Path {
  std::string words;
  std::vector<std::string> groups;
};

// "how (do|can) (i|)" → every text it stands for. Nothing where a bracket lacks its partner.
std::vector<Path> expand(std::string_view pattern) {
  std::vector<Path> paths(1);
  while (!pattern.empty()) {
    const size_t open = std::min(pattern.find('('), pattern.size());
    for (Path& path : paths) path.words += pattern.substr(0, open);
    if (open == pattern.size()) break;
    const size_t close = pattern.find(')', open);
    if (close == pattern.npos) return {};
    std::string_view inside = pattern.substr(open + 1, close - open - 1);
    std::vector<Path> longer;
    while (true) {
      const size_t bar = std::min(inside.find('|'), inside.size());
      for (const Path& path : paths) {
        Path next = path;
        next.words += inside.substr(0, bar);
        next.groups.emplace_back(inside.substr(0, bar));
        longer.push_back(std::move(next));
      }
      if (bar == inside.size()) break;
      inside.remove_prefix(bar + 1);
    }
    paths = std::move(longer);
    pattern.remove_prefix(close + 1);
  }
  return paths;
}

// "\4" is the fourth group of the pattern.
std::vector<std::string> filled(std::string_view instead, const Path& path) {
  std::vector<std::string> words;
  for (const std::string& word : words_of(instead)) {
    if (word.size() == 2 && word[0] == '\\') {
      const auto group = static_cast<size_t>(word[1] - '1');
      if (group >= path.groups.size()) continue;
      for (std::string& one : words_of(path.groups[group])) words.push_back(std::move(one));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

}  // namespace

Result<Lexicon> Lexicon::read(const std::vector<EmbeddedFile>& files) {
  Lexicon lexicon;
  for (const EmbeddedFile& file : files) {
    std::string_view bytes = file.bytes;
    size_t number = 0;
    while (!bytes.empty()) {
      const size_t end = std::min(bytes.find('\n'), bytes.size());
      const std::string_view line = trim(bytes.substr(0, end));
      bytes.remove_prefix(std::min(end + 1, bytes.size()));
      const std::string place = fmt::format("{}:{}", file.name, ++number);
      if (line.empty() || line.front() == '#') continue;
      auto done = file.name == "phrases.txt"
                      ? lexicon.read_phrase(line, place)
                      : lexicon.read_words(file.name, words_of(line), place);
      if (!done) return done.error();
    }
  }
  for (auto& [first, phrases] : lexicon.phrases_) {
    std::stable_sort(phrases.begin(), phrases.end(), [](const Phrase& a, const Phrase& b) {
      return a.words.size() > b.words.size();
    });
  }
  return lexicon;
}

Lexicon Lexicon::bundled() {
  auto lexicon = read(word_lists());
  assert(lexicon);
  return lexicon ? std::move(*lexicon) : Lexicon();
}

Result<void> Lexicon::read_phrase(std::string_view line, const std::string& place) {
  const size_t equals = line.find('=');
  if (equals == line.npos) return bad("a phrase is `pattern = what stands for it`", place);
  const std::vector<Path> paths = expand(trim(line.substr(0, equals)));
  if (paths.empty()) return bad("a bracket has no partner", place);
  for (const Path& path : paths) {
    Phrase phrase{words_of(path.words), filled(line.substr(equals + 1), path)};
    if (phrase.words.empty()) continue;
    auto& others = phrases_[phrase.words.front()];
    const auto same = std::find_if(others.begin(), others.end(), [&](const Phrase& other) {
      return other.words == phrase.words;
    });
    if (same == others.end()) others.push_back(std::move(phrase));  // the first line counts
  }
  return {};
}

Result<void> Lexicon::read_words(std::string_view file, const std::vector<std::string>& words,
                                 const std::string& place) {
  if (file == "opposites.txt") {
    if (words.size() != 2) return bad("opposites come in pairs", place);
    opposites_.insert(words[0] + " " + words[1]);
    opposites_.insert(words[1] + " " + words[0]);
    return {};
  }
  for (const std::string& word : words) {
    if (file == "drop.txt") dropped_.insert(word);
    if (file == "contexts.txt") contexts_.insert(word);
    if (file == "verbs.txt") add_verb(word);
    if (file != "same.txt") continue;
    if (!same_.emplace(word, words.front()).second) {
      return bad(fmt::format("`{}` stands in two groups", word), place);
    }
  }
  return {};
}

// Gerunds: "read", "write" (the e goes), "sort", "run" (the last letter doubles), "tie".
void Lexicon::add_verb(const std::string& verb) {
  verbs_.insert(verb);
  const auto is_vowel = [](char c) {
    return std::string_view("aeiou").find(c) != std::string_view::npos;
  };
  const size_t n = verb.size();
  gerunds_.emplace(verb + "ing", verb);
  if (n > 2 && verb[n - 1] == 'e' && !is_vowel(verb[n - 2])) {
    gerunds_.emplace(verb.substr(0, n - 1) + "ing", verb);
  }
  if (n > 2 && !is_vowel(verb[n - 1]) && is_vowel(verb[n - 2]) && !is_vowel(verb[n - 3]) &&
      std::string_view("wxy").find(verb[n - 1]) == std::string::npos) {
    gerunds_.emplace(verb + verb.back() + "ing", verb);
  }
}

const Phrase* Lexicon::phrase_at(const std::vector<std::string_view>& words, size_t at) const {
  const auto found = phrases_.find(std::string(words[at]));
  if (found == phrases_.end()) return nullptr;
  for (const Phrase& phrase : found->second) {
    if (phrase.words.size() <= words.size() - at &&
        std::equal(phrase.words.begin(), phrase.words.end(),
                   words.begin() + static_cast<std::ptrdiff_t>(at))) {
      return &phrase;
    }
  }
  return nullptr;
}

std::string_view Lexicon::same(std::string_view word) const {
  const auto found = same_.find(std::string(word));
  return found == same_.end() ? word : std::string_view(found->second);
}

bool Lexicon::is_grouped(std::string_view word) const {
  return same_.count(std::string(word)) > 0;
}

std::string_view Lexicon::verb_of_gerund(std::string_view word) const {
  const auto found = gerunds_.find(std::string(word));
  return found == gerunds_.end() ? std::string_view() : std::string_view(found->second);
}

bool Lexicon::are_opposites(std::string_view a, std::string_view b) const {
  return opposites_.count(fmt::format("{} {}", a, b)) > 0;
}

bool Lexicon::knows(std::string_view word) const {
  const std::string key(word);
  return same_.count(key) > 0 || contexts_.count(key) > 0 || dropped_.count(key) > 0;
}

}  // namespace tinyarms::gate
