#include "gate/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/sha256.h"
#include "gate/sentence.h"

namespace tinyarms::gate {
namespace {

constexpr int kRulesVersion = 1;

using Items = std::vector<Item>;

bool is_negation(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kNegations = {
      "not", "no", "never", "without", "none", "nor", "neither", "cannot", "except", "unless",
      "nothing", "non"};
  return std::find(kNegations.begin(), kNegations.end(), word) != kNegations.end();
}

// Concepts that one text writes in two ways ("rename item to items"): there the spelling counts.
void add_split_concepts(const Sentence& sentence, std::set<std::string>& split) {
  std::map<std::string_view, std::string_view> seen;
  for (const Items* items : {&sentence.items, &sentence.contexts}) {
    for (const Item& item : *items) {
      const auto [entry, fresh] = seen.emplace(item.concept_name, item.surface);
      if (!fresh && entry->second != item.surface) split.insert(item.concept_name);
    }
  }
}

bool agree(const Item& a, const Item& b, const std::set<std::string>& split) {
  // `volatile` in backticks and volatile without are one name.
  if (a.concept_name != b.concept_name) {
    return (a.kind != TokenKind::Word || b.kind != TokenKind::Word) && a.surface == b.surface;
  }
  return split.count(a.concept_name) == 0 || a.surface == b.surface;
}

std::string shown(const Item& item) {
  std::string text = item.marker.empty() ? item.surface : item.marker + " " + item.surface;
  constexpr size_t kShownMax = 40;
  if (text.size() > kShownMax) {
    size_t end = kShownMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    text += "…";
  }
  if (text.starts_with("@")) text.erase(0, 1);
  return text;
}

// What stands in one and not in the other, each occurrence counted.
Items left_over(const Items& from, const Items& other, const std::set<std::string>& split) {
  std::vector<bool> used(other.size(), false);
  std::multimap<std::string_view, size_t> places;
  for (size_t i = 0; i < other.size(); ++i) {
    places.emplace(other[i].concept_name, i);
    if (other[i].surface != other[i].concept_name) places.emplace(other[i].surface, i);
  }
  Items left;
  for (const Item& item : from) {
    bool found = false;
    for (const std::string_view key : {std::string_view(item.concept_name),
                                       std::string_view(item.surface)}) {
      const auto [begin, end] = places.equal_range(key);
      for (auto place = begin; place != end && !found; ++place) {
        if (used[place->second] || !agree(item, other[place->second], split)) continue;
        used[place->second] = found = true;
      }
    }
    if (!found) left.push_back(item);
  }
  return left;
}

Difference kind_of(const Item& item) {
  switch (item.kind) {
    case TokenKind::Number: return Difference::Number;
    case TokenKind::Unit: return Difference::Unit;
    case TokenKind::Version: return Difference::Version;
    case TokenKind::Identifier: return Difference::Identifier;
    case TokenKind::Path: return Difference::Path;
    case TokenKind::Quote: return Difference::Quote;
    case TokenKind::Symbol: return Difference::Identifier;
    case TokenKind::Word: break;
  }
  if (is_negation(item.concept_name)) return Difference::Negation;
  if (item.is_context) return Difference::Context;
  return Difference::Word;
}

std::string_view kind_words(Difference difference) {
  switch (difference) {
    case Difference::None: return "nothing";
    case Difference::Negation: return "a negation";
    case Difference::Opposite: return "an opposite";
    case Difference::Number: return "a number";
    case Difference::Unit: return "a unit";
    case Difference::Version: return "a version";
    case Difference::Identifier: return "an identifier";
    case Difference::Path: return "a path";
    case Difference::Quote: return "quoted text";
    case Difference::Context: return "a language or tool";
    case Difference::Order: return "the order";
    case Difference::Word: return "a word";
    case Difference::Quantity: return "one or several";
    case Difference::Length: return "the length";
  }
  return "";
}

// The difference that says most: what is left over on either side, by the kind of thing it is.
Verdict explain_left_over(const Items& a, const Items& b, const Lexicon& lexicon) {
  for (const Item& one : a) {
    for (const Item& other : b) {
      if (lexicon.are_opposites(one.concept_name, other.concept_name)) {
        return {false, Difference::Opposite,
                fmt::format("“{}” and “{}” are opposites", one.surface, other.surface)};
      }
    }
  }
  static constexpr std::array<Difference, 9> kByWeight = {
      Difference::Negation, Difference::Number,     Difference::Unit,
      Difference::Version,  Difference::Identifier, Difference::Path,
      Difference::Quote,    Difference::Context,    Difference::Word};
  for (const Difference difference : kByWeight) {
    const auto has = [&](const Item& item) { return kind_of(item) == difference; };
    const auto one = std::find_if(a.begin(), a.end(), has);
    const auto other = std::find_if(b.begin(), b.end(), has);
    if (one == a.end() && other == b.end()) continue;
    if (one != a.end() && other != b.end()) {
      return {false, difference, fmt::format("{} differs: “{}” against “{}”",
                                             kind_words(difference), shown(*one), shown(*other))};
    }
    const Item& alone = one != a.end() ? *one : *other;
    return {false, difference,
            fmt::format("{} stands in one only: “{}”", kind_words(difference), shown(alone))};
  }
  return {false, Difference::Order, "the same words stand in other places"};
}

Verdict other_order(const Item& a, const Item& b) {
  return {false, Difference::Order,
          fmt::format("the same words in other places: “{}” where the other has “{}”", shown(a),
                      shown(b))};
}

// Of things in order, each agreeing with its partner, whether the prepositions and numbers do too.
Verdict compare_in_order(const Items& a, const Items& b, const std::set<std::string>& split,
                         bool markers_count) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!agree(a[i], b[i], split)) return other_order(a[i], b[i]);
    if (markers_count && a[i].marker != b[i].marker) return other_order(a[i], b[i]);
    const Item& one = a[i].plural ? b[i] : a[i];
    if (a[i].plural != b[i].plural && one.definite && one.kind == TokenKind::Word) {
      return {false, Difference::Quantity,
              fmt::format("one against several: “{}” and “{}”", a[i].surface, b[i].surface)};
    }
  }
  return {true, Difference::None, ""};
}

}  // namespace

std::string_view difference_name(Difference difference) {
  switch (difference) {
    case Difference::None: return "none";
    case Difference::Negation: return "negation";
    case Difference::Opposite: return "opposite";
    case Difference::Number: return "number";
    case Difference::Unit: return "unit";
    case Difference::Version: return "version";
    case Difference::Identifier: return "identifier";
    case Difference::Path: return "path";
    case Difference::Quote: return "quote";
    case Difference::Context: return "context";
    case Difference::Order: return "order";
    case Difference::Word: return "word";
    case Difference::Quantity: return "quantity";
    case Difference::Length: return "length";
  }
  return "";
}

Verdict Gate::compare(std::string_view a, std::string_view b) const {
  if (a.size() > kQuestionBytesMax || b.size() > kQuestionBytesMax) {
    return {false, Difference::Length,
            fmt::format("a text of more than {} bytes is found again only word for word",
                        kQuestionBytesMax)};
  }
  const Sentence one = reduce(a, lexicon_);
  const Sentence other = reduce(b, lexicon_);
  if ((one.has_layout || other.has_layout) && a != b) {
    return {false, Difference::Length, "laid-out code is found again only word for word"};
  }
  if (one.items.empty() && one.contexts.empty()) {
    return {false, Difference::Word, "nothing is left of it that could be compared"};
  }
  std::set<std::string> split;
  add_split_concepts(one, split);
  add_split_concepts(other, split);

  Items all_one = one.items;
  all_one.insert(all_one.end(), one.contexts.begin(), one.contexts.end());
  Items all_other = other.items;
  all_other.insert(all_other.end(), other.contexts.begin(), other.contexts.end());
  const Items only_one = left_over(all_one, all_other, split);
  const Items only_other = left_over(all_other, all_one, split);
  if (!only_one.empty() || !only_other.empty()) {
    return explain_left_over(only_one, only_other, lexicon_);
  }
  if (one.items.size() != other.items.size() || one.contexts.size() != other.contexts.size()) {
    return {false, Difference::Order, "the same words play other parts"};
  }
  if (Verdict items = compare_in_order(one.items, other.items, split, true); !items.same) {
    return items;
  }
  if (Verdict contexts = compare_in_order(one.contexts, other.contexts, split, false);
      !contexts.same) {
    return contexts;
  }
  return {true, Difference::None, "every word that counts agrees"};
}

std::string gate_identity() {
  std::string identity = fmt::format("{}\n", kRulesVersion);
  for (const EmbeddedFile& file : word_lists()) identity += sha256_hex(file.bytes);
  return sha256_hex(identity).substr(0, 16);
}

}  // namespace tinyarms::gate
