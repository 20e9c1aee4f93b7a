#include "gate/sentence.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tinyarms::gate {
namespace {

constexpr int kPhrasePasses = 4;

template <size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Prepositions, and what they count as.
std::string_view marker_of(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kMarkers = {{
      {"in", "in"}, {"within", "in"}, {"on", "on"}, {"at", "at"}, {"of", "of"}, {"for", "for"},
      {"from", "from"}, {"to", "to"}, {"into", "to"}, {"onto", "on"}, {"by", "by"},
      {"with", "with"}, {"using", "with"}, {"via", "with"}, {"about", "about"}, {"as", "as"},
      {"per", "per"}}};
  for (const auto& [one, marker] : kMarkers) {
    if (word == one) return marker;
  }
  return {};
}

bool is_loose(std::string_view marker) {
  return marker.empty() || marker == "in" || marker == "with" || marker == "on" || marker == "for";
}

bool is_article(std::string_view word) {
  static constexpr std::array<std::string_view, 3> kArticles = {"a", "an", "the"};
  return is_one_of(word, kArticles);
}

// "files" → "file", "queries" → "query", "boxes" → "box"; empty where it is no plural.
std::string singular(const std::string& word) {
  static constexpr std::array<std::string_view, 22> kNoPlurals = {
      "always", "perhaps", "sometimes", "yes", "news", "series", "species", "alias", "canvas",
      "atlas", "bias", "gas", "pandas", "keras", "windows", "rails", "jenkins", "redis", "lens",
      "does", "has", "was"};
  const size_t n = word.size();
  if (n < 4 || word.back() != 's' || is_one_of(word, kNoPlurals)) return {};
  const std::string_view end = std::string_view(word).substr(n - 2);
  if (end == "ss" || end == "us" || end == "is" || end == "os") return {};
  if (n > 4 && word.ends_with("ies")) return word.substr(0, n - 3) + "y";
  for (const std::string_view tail : {"sses", "shes", "ches", "xes", "zes"}) {
    if (word.ends_with(tail)) return word.substr(0, n - 2);
  }
  return word.substr(0, n - 1);
}

class Reducer {
 public:
  Reducer(std::vector<Token> tokens, const Lexicon& lexicon)
      : tokens_(std::move(tokens)), lexicon_(lexicon) {}

  Sentence run() {
    settle_capitals();
    split_known_versions();
    for (int pass = 0; pass < kPhrasePasses && rewrite_phrases(); ++pass) {
    }
    settle_artifacts();
    settle_meaning();
    for (at_ = 0; at_ < tokens_.size(); ++at_) take();
    flush_marker();
    Sentence sentence;
    set_contexts_apart(sentence);
    return sentence;
  }

 private:
  static bool is_word(const Token& token) { return token.kind == TokenKind::Word; }

  // "OR" in the midst of other words is no "or"; a capital "A" after the first word is a name.
  void settle_capitals() {
    for (size_t i = 0; i < tokens_.size(); ++i) {
      Token& token = tokens_[i];
      if (!is_word(token)) continue;
      const bool upper = std::all_of(token.text.begin(), token.text.end(),
                                     [](char c) { return c >= 'A' && c <= 'Z'; });
      const bool name = upper && token.folded != "i" &&
                        (token.text.size() > 1 || (i > 0 && token.text == "A"));
      const bool small = lexicon_.is_dropped(token.folded) || !marker_of(token.folded).empty() ||
                         token.folded == "or" || token.folded == "and" || token.folded == "not";
      if (name && small) token = {TokenKind::Identifier, token.text, token.text};
      if (i == 0 && token.kind == TokenKind::Word && token.text.size() > 1 &&
          token.text.substr(1) == token.folded.substr(1)) {
        token.text = token.folded;
      }
    }
  }

  // "python3" is "python 3".
  void split_known_versions() {
    std::vector<Token> split;
    for (const Token& token : tokens_) {
      const size_t digits = token.folded.find_first_of("0123456789");
      const std::string head = token.folded.substr(0, std::min(digits, token.folded.size()));
      const bool cut = is_word(token) && digits != token.folded.npos && digits > 2 &&
                       lexicon_.is_context(head) && lexicon_.is_context(token.folded);
      if (!cut) {
        split.push_back(token);
        continue;
      }
      split.push_back({TokenKind::Word, token.text.substr(0, digits), head});
      const std::string number = token.folded.substr(digits);
      split.push_back({TokenKind::Number, number, number});
    }
    tokens_ = std::move(split);
  }

  bool rewrite_phrases() {
    std::vector<std::string_view> words;
    for (const Token& token : tokens_) {
      words.push_back(is_word(token) ? std::string_view(token.folded) : std::string_view("\x01"));
    }
    std::vector<Token> rewritten;
    bool changed = false;
    for (size_t i = 0; i < tokens_.size();) {
      const Phrase* phrase = is_word(tokens_[i]) ? lexicon_.phrase_at(words, i) : nullptr;
      if (phrase == nullptr) {
        rewritten.push_back(tokens_[i++]);
        continue;
      }
      for (const std::string& word : phrase->instead) {
        rewritten.push_back({TokenKind::Word, word, word});
      }
      changed = changed || phrase->instead != phrase->words;
      i += phrase->words.size();
    }
    tokens_ = std::move(rewritten);
    return changed;
  }

  // "create a Python function" and "implement a function" write one.
  void settle_artifacts() {
    static constexpr std::array<std::string_view, 7> kMakes = {
        "write", "create", "implement", "make", "develop", "generate", "code"};
    static constexpr std::array<std::string_view, 10> kArtifacts = {
        "function", "program", "script", "method", "class", "query", "regex", "routine", "macro",
        "decorator"};
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (!is_word(tokens_[i]) || !is_one_of(tokens_[i].folded, kMakes)) continue;
      for (size_t j = i + 1; j < tokens_.size() && j <= i + 3; ++j) {
        if (!is_word(tokens_[j])) break;
        if (is_one_of(lexicon_.same(tokens_[j].folded), kArtifacts)) {
          tokens_[i] = {TokenKind::Word, "write", "write"};
          break;
        }
        if (!is_article(tokens_[j].folded) && !lexicon_.is_context(tokens_[j].folded)) break;
      }
    }
  }

  // "what does X mean" asks what X is.
  void settle_meaning() {
    if (tokens_.size() < 4 || tokens_[0].folded != "what" || tokens_.back().folded != "mean" ||
        (tokens_[1].folded != "does" && tokens_[1].folded != "do")) {
      return;
    }
    tokens_.pop_back();
    tokens_.erase(tokens_.begin() + 1);
    tokens_[0] = {TokenKind::Word, "@define", "@define"};
  }

  void flush_marker() {
    if (marker_.empty()) return;
    Item item;
    item.concept_name = item.surface = "@" + marker_;
    items_.push_back(item);
    marker_.clear();
  }

  void take() {
    const Token& token = tokens_[at_];
    if (!is_word(token)) return emit(token, token.folded, false);
    const std::string& word = token.folded;
    if (const std::string_view marker = marker_of(word); !marker.empty()) {
      flush_marker();
      marker_ = marker;
      return;
    }
    static constexpr std::array<std::string_view, 5> kAuxiliaries = {"is", "are", "am", "do",
                                                                     "does"};
    if (is_one_of(word, kAuxiliaries)) {
      const bool last = at_ + 1 == tokens_.size();
      if (at_ == 0) return emit(token, "@yes-no", false);
      if (last && (word == "do" || word == "does")) return emit(token, "do", false);
      return;
    }
    if (is_article(word) && !article_has_noun()) return emit(token, word, false);
    if (word == "which" && !items_.empty() && marker_.empty()) return;  // "a function which …"
    if (lexicon_.is_dropped(word)) {
      definite_ = definite_ || word == "the" || word == "this" || word == "that";
      return;
    }
    take_content(token);
  }

  // "a" before "and", "to" or the end is the name of a thing.
  bool article_has_noun() const {
    if (at_ + 1 == tokens_.size()) return false;
    const Token& next = tokens_[at_ + 1];
    static constexpr std::array<std::string_view, 9> kNoNouns = {
        "and", "or", "is", "are", "than", "not", "but", "before", "after"};
    return next.kind != TokenKind::Symbol && marker_of(next.folded).empty() &&
           !is_one_of(next.folded, kNoNouns);
  }

  void take_content(const Token& token) {
    std::string word(lexicon_.same(token.folded));
    bool plural = false;
    if (!lexicon_.is_grouped(token.folded) && !lexicon_.is_context(word)) {
      if (const std::string one = singular(word); !one.empty()) {
        word = lexicon_.same(one);
        plural = true;
      } else if (const std::string_view verb = lexicon_.verb_of_gerund(word); !verb.empty()) {
        word = lexicon_.same(verb);
      }
    }
    if (marker_ == "to" && lexicon_.is_verb(word)) marker_.clear();  // "to reverse" is no place
    emit(token, std::move(word), plural);
  }

  void emit(const Token& token, std::string concept_name, bool plural) {
    static constexpr std::array<std::string_view, 5> kPointing = {"last", "first", "next",
                                                                  "previous", "same"};
    Item item;
    item.surface = token.text;
    item.kind = token.kind;
    item.marker = std::exchange(marker_, {});
    item.plural = plural;
    item.definite = definite_;
    // One letter is a language only where it looks like one: "in C", "C".
    const bool letter = token.folded.size() == 1;
    item.is_context = is_word(token) && lexicon_.is_context(concept_name) &&
                      (!letter || token.text != token.folded ||
                       (!item.marker.empty() && is_loose(item.marker)));
    definite_ = is_word(token) && (is_one_of(concept_name, kPointing) ||
                                   (definite_ && item.is_context));
    item.concept_name = std::move(concept_name);
    items_.push_back(std::move(item));
  }

  // A context may stand anywhere where it says where the question plays: "in Python", "Python:
  // …", "a Python list", "… Python". Not where it is what is acted on: "call Python from C".
  void set_contexts_apart(Sentence& sentence) {
    for (size_t i = 0; i < items_.size(); ++i) {
      Item& item = items_[i];
      const bool last = i + 1 == items_.size();
      const bool before_noun = !last && items_[i + 1].marker.empty() &&
                               items_[i + 1].kind == TokenKind::Word &&
                               !is_joint(items_[i + 1].concept_name);
      // "of a NumPy array": the preposition belongs to the array.
      if (item.is_context && before_noun && !is_loose(item.marker)) {
        items_[i + 1].marker = std::exchange(item.marker, {});
      }
      const bool after_joint = i > 0 && is_joint(items_[i - 1].concept_name);
      const bool apart = item.is_context && is_loose(item.marker) && !after_joint &&
                         (!item.marker.empty() ? last || !is_joint(items_[i + 1].concept_name)
                                               : before_noun || (last && i > 1));
      (apart ? sentence.contexts : sentence.items).push_back(std::move(item));
    }
  }

  static bool is_joint(std::string_view word) {
    static constexpr std::array<std::string_view, 13> kJoints = {
        "and", "or", "versus", "than", "instead", "before", "after", "without", "not", "nor",
        "@difference", "but", "like"};
    return is_one_of(word, kJoints);
  }

  std::vector<Token> tokens_;
  const Lexicon& lexicon_;
  size_t at_ = 0;
  std::string marker_;
  bool definite_ = false;
  std::vector<Item> items_;
};

bool has_indented_lines(std::string_view text) {
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\n' && (text[i + 1] == ' ' || text[i + 1] == '\t')) {
      const size_t next = text.find_first_not_of(" \t", i + 1);
      if (next != text.npos && text[next] != '\n' && text[next] != '\r') return true;
    }
  }
  return false;
}

}  // namespace

Sentence reduce(std::string_view question, const Lexicon& lexicon) {
  Reducer reducer(
      tokenize(question, [&](std::string_view word) { return lexicon.knows(word); }), lexicon);
  Sentence sentence = reducer.run();
  sentence.has_layout = has_indented_lines(question);
  return sentence;
}

}  // namespace tinyarms::gate
